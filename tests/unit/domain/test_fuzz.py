"""Whatever is handed in gets an answer: no crash, and work in proportion to its size.

Documents, jobs, CAF files, PFX files and XML of others are changed at random, where they are read and where they are
bytes. Work is counted (calls), never timed.
"""

import datetime as dt
import json
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import PrivateFormat, pkcs12
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from domain.caf import CafError, StampingCaf
from domain.caf_file import read_authorisation, read_caf
from domain.certificate import CertificateError, open_pem, open_pfx
from domain.codes.uf import UfError, read_uf
from domain.issued import IssuedError, documents_in
from domain.issuing import issue, prepare
from domain.job import NotAJob, parse_job
from domain.pfx_work import rounds_of
from domain.problems import InvalidDocument
from domain.reckoning import reckon
from domain.signature import RsaSigner
from domain.verification import Trust, verify
from domain.verification.reading import Unreadable
from tests.unit.domain import material
from tests.unit.domain.damage import damaged
from tests.unit.domain.effort import effort_of
from tests.unit.domain.samples import ISSUER, KNOWN, SAMPLES, TODAY, Raw
from tests.unit.domain.verification import corpus

AT = dt.datetime(2026, 11, 24, 18, tzinfo=dt.UTC)
NOBODY = Trust()
HALVES = 2.6
"""Work for twice as much may be so many times the work; what grows with the square is four times."""

TEXTS = st.text(max_size=60) | st.sampled_from(
    ("", "0", "-1", "1e400", "NaN", "٣", "\x00", "\ud800", "9" * 400, "2026-02-30", "76.900.101-8", "K", "1.0000000001")
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=True, allow_infinity=True) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


def _places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for step, item in items for place in ((*way, step), *_places(item, (*way, step)))]


@st.composite
def documents(draw: st.DrawFn) -> Raw:
    """A document of a type with values of any kind at some places, some tags doubled or renamed."""
    raw = deepcopy(SAMPLES[draw(st.sampled_from(sorted(SAMPLES)))]())
    for _ in range(draw(st.integers(1, 4))):
        places = _places(raw)
        if not places:
            break
        *way, last = draw(st.sampled_from(places))
        place: Any = raw
        for step in way:
            place = place[step]
        change = draw(st.sampled_from(("value", "list", "rename")))
        if change == "value":
            place[last] = draw(VALUES)
        elif change == "list":
            place[last] = [place[last], draw(VALUES)]
        elif isinstance(place, dict):
            place[draw(TEXTS)] = place.pop(last)
    return raw


@settings(deadline=None, max_examples=500)
@given(raw=documents() | st.dictionaries(TEXTS, VALUES, max_size=3))
def test_any_document_is_calculated_or_refused(raw: Raw) -> None:
    reckoning = reckon(raw, today=TODAY, uf=39_412)
    assert bool(reckoning.problems) != bool(reckoning.totals)
    json.dumps([each.as_dict() for each in (*reckoning.problems, *reckoning.warnings)]).encode()


@settings(deadline=None, max_examples=200)
@given(raw=documents())
def test_any_document_is_issued_or_refused(
    stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner, raw: Raw
) -> None:
    with suppress(InvalidDocument, CafError):
        ready = prepare(raw, issuer=ISSUER, today=TODAY, referenced=KNOWN, uf=39_412)
        made = issue(ready, folio=7, caf=stamping_caf(ready.document_type), signer=signer, at=material.AT)
        assert documents_in(made.xml)[0].facts.total == ready.total


JOB = json.dumps(
    {"version": 1, "idempotency_key": "k-1", "issuer": "76900101-8", "document": SAMPLES[33]()}, ensure_ascii=False
).encode()


@settings(deadline=None, max_examples=400)
@given(body=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")))
def test_any_body_is_a_job_or_refused(body: bytes) -> None:
    with suppress(NotAJob):
        assert parse_job(body).version == 1


@settings(deadline=None, max_examples=300)
@given(at=st.integers(0, len(JOB)), put=st.binary(max_size=6), cut=st.integers(0, 40))
def test_a_damaged_job_is_a_job_or_refused(at: int, put: bytes, cut: int) -> None:
    with suppress(NotAJob):
        reckon(parse_job(JOB[:at] + put + JOB[at + cut :]).document, today=TODAY)


def test_damaged_cafs_are_read_or_refused(caf_text: str) -> None:
    chance, data = Random(1), caf_text.encode("iso-8859-1")
    read = 0
    for _ in range(600):
        spoilt = damaged(data, chance)
        for reader in (read_caf, read_authorisation):
            with suppress(CafError):
                reader(spoilt)
                read += 1
        assert verify(spoilt, trust=NOBODY, at=AT).verdict == "reject"
    assert read > 20, "some damage is where nobody looks"


@pytest.fixture(scope="module")
def pfx(person_key: rsa.RSAPrivateKey, person_certificate: x509.Certificate) -> Callable[[int], bytes]:
    """A PFX that asks for so many rounds a place."""

    def make(rounds: int) -> bytes:
        how = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(rounds)
            .key_cert_algorithm(pkcs12.PBES.PBESv2SHA256AndAES256CBC)
            .hmac_hash(hashes.SHA256())
            .build(b"secreto")
        )
        return pkcs12.serialize_key_and_certificates(b"firma", person_key, person_certificate, None, how)

    return make


def test_damaged_pfx_files_are_opened_or_refused(pfx: Callable[[int], bytes]) -> None:
    chance, data = Random(2), pfx(1)
    assert open_pfx(data, "secreto", at=AT).rut == material.PERSON
    for _ in range(400):
        spoilt = damaged(data, chance)
        with suppress(CertificateError):
            open_pfx(spoilt, "secreto", at=AT)
        with suppress(CertificateError):
            open_pem(spoilt, spoilt, password="secreto")


def test_a_pfx_that_asks_for_hours_is_refused_unopened(pfx: Callable[[int], bytes]) -> None:
    data = pfx(300)
    assert rounds_of(data) == 2 * 300 + 2048, "of the key, of the certificate, of the seal"
    place = data.rindex(b"\x02\x02" + (2048).to_bytes(2, "big"))
    # the same length in bytes: the salt gives two of its own to the number
    salt = data.rindex(b"\x04\x08", 0, place)
    hours = data[:salt] + b"\x04\x06" + data[salt + 2 : salt + 8] + b"\x02\x04\x7f\xff\xff\xff" + data[place + 4 :]
    assert len(hours) == len(data)
    with pytest.raises(CertificateError) as refused:
        open_pfx(hours, "secreto")
    assert refused.value.problems[0].code == "PFX-ROUNDS"


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=300))
def test_rounds_of_anything_are_a_number(data: bytes) -> None:
    assert rounds_of(data) >= 0
    assert rounds_of(b"\x30\x80" * 200 + data) >= 0


@settings(deadline=None, max_examples=200)
@given(
    data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode) | VALUES.map(lambda v: json.dumps(v).encode())
)
def test_values_of_the_uf_are_read_or_refused(data: bytes) -> None:
    with suppress(UfError):
        assert read_uf(data)


def _edited(root: etree._Element, chance: Random) -> None:
    """A tree with one element moved, doubled, renamed, emptied, wrapped or with another value."""
    elements = [each for each in root.iter(etree.Element) if each.getparent() is not None]
    if not elements:
        return
    one, other = chance.choice(elements), chance.choice(elements)
    parent = one.getparent()
    assert parent is not None
    match chance.randrange(8):
        case 0:
            parent.remove(one)
        case 1:
            parent.append(deepcopy(one))
        case 2:
            one.tag = other.tag
        case 3:
            one.text = other.text
        case 4:
            other.append(deepcopy(one))
        case 5:
            one.set(
                chance.choice(("ID", "URI", "Algorithm", "version", "x")), chance.choice(("", "SetDoc", "#", "1.0"))
            )
        case 6:
            parent.insert(0, etree.Comment("x"))
        case _:
            one.tag = f"{{urn:x}}{etree.QName(one).localname}"


@pytest.mark.needs_shared
def test_edited_real_files_get_a_verdict(shared: Path) -> None:
    chance = Random(3)
    for item in corpus.items(shared):
        try:
            root = etree.fromstring(item.data, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError:
            continue
        for _ in range(25):
            tree = deepcopy(root)
            for _ in range(chance.randint(1, 3)):
                _edited(tree, chance)
            data = etree.tostring(tree, encoding="ISO-8859-1")
            verdict = verify(data, trust=item.trust, at=corpus.AT)
            json.dumps(verdict.as_dict())
            with suppress(IssuedError, Unreadable):
                assert documents_in(data)


def _grows_in_proportion(work: Callable[[int], Callable[[], object]], size: int) -> None:
    work(2)()  # whatever is made once, is made now
    one, two = effort_of(work(size)), effort_of(work(2 * size))
    assert two < HALVES * one + 200, (one, two)


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "many lines": lambda n: (
        b"<DTE xmlns='http://www.sii.cl/SiiDte'><Documento ID='A'>%b</Documento></DTE>"
        % (b"<Detalle><PrcItem>1</PrcItem><MontoItem>2</MontoItem></Detalle>" * n)
    ),
    "many documents": lambda n: (
        b"<EnvioDTE xmlns='http://www.sii.cl/SiiDte'><SetDTE ID='S'>%b</SetDTE></EnvioDTE>"
        % (b"<DTE><Documento ID='A'><TED/></Documento></DTE>" * n)
    ),
    "many signatures": lambda n: (
        b"<DTE xmlns='http://www.sii.cl/SiiDte'><Documento ID='A'/>%b</DTE>"
        % (b"<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/>" * n)
    ),
    "many namespaces": lambda n: (
        b"<DTE %b><Documento ID='A'/></DTE>" % b" ".join(b"xmlns:n%d='urn:%d'" % (i, i) for i in range(n))
    ),
    "deep": lambda n: b"<DTE>" + b"<a>" * n + b"</a>" * n + b"</DTE>",
    "long value": lambda n: (
        b"<DTE xmlns='http://www.sii.cl/SiiDte'><Documento ID='A'><Encabezado><Totales><MntTotal>%b"
        b"</MntTotal></Totales></Encabezado></Documento></DTE>" % (b"9" * n * 50)
    ),
    "large book": lambda n: (
        b"<LibroCompraVenta xmlns='http://www.sii.cl/SiiDte'><EnvioLibro ID='A'><ResumenPeriodo>%b"
        b"</ResumenPeriodo>%b</EnvioLibro></LibroCompraVenta>"
        % (
            b"".join(b"<TotalesPeriodo><TpoDoc>%d</TpoDoc></TotalesPeriodo>" % i for i in range(n)),
            b"".join(b"<Detalle><TpoDoc>%d</TpoDoc><MntNeto>1</MntNeto></Detalle>" % i for i in range(n)),
        )
    ),
    "book of guides": lambda n: (
        b"<LibroGuia xmlns='http://www.sii.cl/SiiDte'><EnvioLibro ID='A'><ResumenPeriodo>%b"
        b"</ResumenPeriodo>%b</EnvioLibro></LibroGuia>"
        % (
            b"".join(b"<TotTraslado><TpoTraslado>%d</TpoTraslado></TotTraslado>" % i for i in range(n)),
            b"".join(b"<Detalle><Folio>%d</Folio><TpoOper>%d</TpoOper></Detalle>" % (i, i) for i in range(n)),
        )
    ),
    "book of boletas": lambda n: (
        b"<LibroBoleta xmlns='http://www.sii.cl/SiiDte'><EnvioLibro ID='A'><ResumenPeriodo>%b"
        b"</ResumenPeriodo>%b</EnvioLibro></LibroBoleta>"
        % (
            b"<TotalesPeriodo><TpoDoc>39</TpoDoc></TotalesPeriodo>" * n,
            b"<Detalle><TpoDoc>39</TpoDoc><TpoServ>3</TpoServ></Detalle>" * n,
        )
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_of_the_verifier_is_in_proportion_to_the_file(name: str) -> None:
    _grows_in_proportion(lambda n: lambda: verify(HOSTILE[name](n), trust=NOBODY, at=AT), 60)


JOBS: dict[str, Callable[[int], Any]] = {
    "lines": lambda n: {**SAMPLES[39](), "Detalle": [{"NmbItem": f"x{i}", "PrcItem": i + 1} for i in range(n)]},
    "wrong lines": lambda n: {
        **SAMPLES[33](),
        "Detalle": [{"NmbItem": "", "PrcItem": "x", "Otro": i} for i in range(n)],
    },
    "taxes": lambda n: {**SAMPLES[33](), "Detalle": [{"NmbItem": "x", "PrcItem": 1, "CodImpAdic": [27, 24]}] * n},
    "globals": lambda n: {
        **SAMPLES[33](),
        "DscRcgGlobal": [{"TpoMov": "R", "TpoValor": "%", "ValorDR": 1}] * n,
    },
    "references": lambda n: {
        **SAMPLES[61](),
        "Referencia": [{"TpoDocRef": 33, "FolioRef": i + 1, "CodRef": 3} for i in range(n)],
    },
    "strange tags": lambda n: {**SAMPLES[33](), **{f"T{i}": [i] for i in range(n)}},
}


@pytest.mark.parametrize("name", JOBS)
def test_work_of_the_calculation_is_in_proportion_to_the_document(name: str) -> None:
    _grows_in_proportion(lambda n: lambda: reckon(JOBS[name](n), today=TODAY), 40)


@pytest.mark.parametrize("name", JOBS)
def test_work_of_the_job_parser_is_in_proportion_to_the_body(name: str) -> None:
    def work(n: int) -> Callable[[], object]:
        body = json.dumps(
            {"version": 1, "idempotency_key": "k", "issuer": "76900101-8", "document": JOBS[name](n)}
        ).encode()
        return lambda: parse_job(body)

    _grows_in_proportion(work, 60)


@pytest.mark.parametrize(
    "body",
    [b"[" * 200_000, b'{"a":' * 100_000, b'{"version":' + b"9" * 200_000 + b"}", b'{"a":1e' + b"9" * 5000 + b"}"],
    ids=["lists", "objects", "digits", "exponent"],
)
def test_bodies_that_would_take_for_ever_are_refused_at_once(body: bytes) -> None:
    def refused() -> None:
        with pytest.raises(NotAJob):
            parse_job(body)

    assert effort_of(refused) < 20_000
