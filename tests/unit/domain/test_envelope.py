"""Envelopes: what the SII's gateway asks for, and a signature over SetDTE where it stands."""

import dataclasses
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.dte import canonical_in_envelope
from domain.envelope import MOST_DOCUMENTS, Caratula, EnvelopeError, build_envelope, channel_of
from domain.issuing import SignedDocument
from domain.schema import validate_envelope
from domain.signature import RsaSigner, digest_of
from tests.unit.domain import material, referee
from tests.unit.domain.test_dte import NASTY

Issue = Callable[[material.Sale, int], SignedDocument]
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@pytest.fixture
def three(issued: Issue) -> list[SignedDocument]:
    """A 61 and two 33 with nasty names."""
    items = tuple(text[:80] for text in NASTY)
    return [
        issued(material.Sale(document_type=61, items=items), 1),
        issued(material.Sale(items=items), 7),
        issued(material.Sale(receiver_name="Otro & <Cía>"), 8),
    ]


def _built(documents: list[SignedDocument], caratula: Caratula, signer: RsaSigner) -> bytes:
    return build_envelope(
        [each.xml for each in documents],
        [each.document_type for each in documents],
        caratula=caratula,
        signer=signer,
        at=material.AT,
    )


def test_envelope_and_its_documents_verify_each_in_its_way(
    three: list[SignedDocument], caratula: Caratula, signer: RsaSigner
) -> None:
    envelope = _built(three, caratula, signer)
    assert referee.envelope_holds(envelope)
    assert validate_envelope(envelope) == ()
    cut_out = referee.documents_of(envelope)
    assert cut_out == [each.xml for each in three]
    assert all(map(referee.document_holds, cut_out))


def test_digest_is_that_of_c14n_in_place(three: list[SignedDocument], caratula: Caratula, signer: RsaSigner) -> None:
    root = referee.parsed(_built(three, caratula, signer))
    canonical = referee.canonical(root[0])
    assert canonical.startswith(f'<SetDTE xmlns="http://www.sii.cl/SiiDte" {XSI} ID="SetDoc">'.encode())
    signature = referee.own_signature(root)
    assert signature.findtext(f".//{referee.DS}DigestValue") == digest_of(canonical)
    assert referee.canonical(signature[0]).startswith(
        f'<SignedInfo xmlns="http://www.w3.org/2000/09/xmldsig#" {XSI}>'.encode()
    )


def test_envelope_begins_as_the_gateway_asks_and_has_no_long_line(
    three: list[SignedDocument], caratula: Caratula, signer: RsaSigner
) -> None:
    envelope = _built(three, caratula, signer)
    lines = envelope.split(b"\n")
    assert lines[0] == b'<?xml version="1.0" encoding="ISO-8859-1"?>'
    assert (
        lines[1]
        == (
            f'<EnvioDTE xmlns="http://www.sii.cl/SiiDte" {XSI} '
            'xsi:schemaLocation="http://www.sii.cl/SiiDte EnvioDTE_v10.xsd" version="1.0">'
        ).encode()
    )
    assert lines[3] == (
        b'<Caratula version="1.0"><RutEmisor>76900101-8</RutEmisor><RutEnvia>11111111-1</RutEnvia>'
        b"<RutReceptor>60803000-K</RutReceptor><FchResol>2014-08-22</FchResol><NroResol>0</NroResol>"
        b"<TmstFirmaEnv>2026-11-24T10:15:02</TmstFirmaEnv><SubTotDTE><TpoDTE>33</TpoDTE><NroDTE>2</NroDTE></SubTotDTE>"
        b"<SubTotDTE><TpoDTE>61</TpoDTE><NroDTE>1</NroDTE></SubTotDTE></Caratula>"
    )
    assert max(map(len, lines)) < 4000
    assert b"\r" not in envelope


def test_boletas_travel_in_their_own_envelope(issued: Issue, caratula: Caratula, signer: RsaSigner) -> None:
    boletas = [issued(material.Sale(document_type=39), folio) for folio in (1, 2)]
    envelope = _built(boletas, caratula, signer)
    assert b'<EnvioBOLETA xmlns="http://www.sii.cl/SiiDte" ' in envelope
    assert b"SiiDte EnvioBOLETA_v11.xsd" in envelope
    assert referee.envelope_holds(envelope)
    assert validate_envelope(envelope) == ()


def test_copy_for_the_customer_bears_his_rut(issued: Issue, caratula: Caratula, signer: RsaSigner) -> None:
    copy = dataclasses.replace(caratula, receiver="77777777-7")
    assert b"<RutReceptor>77777777-7</RutReceptor>" in _built([issued(material.Sale(), 7)], copy, signer)


def _set_digest(envelope: bytes) -> str:
    """The digest that our way of canonical text gives an envelope of others."""
    inside = envelope[envelope.index(b"<Caratula") : envelope.index(b"</SetDTE>") + len(b"</SetDTE>")]
    for document in referee.documents_of(envelope):
        inside = inside.replace(document, canonical_in_envelope(document))
    return digest_of(f'<SetDTE xmlns="http://www.sii.cl/SiiDte" {XSI} ID="SetDoc">'.encode() + inside)


def test_golden_set_has_its_known_digest(golden: Path) -> None:
    assert _set_digest((golden / "envio-dte-33.xml").read_bytes()) == "ReL1qQHqmKcuQwDZ3gWCiIZdtAk="


@pytest.mark.needs_shared
def test_sets_of_every_type_have_the_digests_that_others_computed(shared: Path) -> None:
    files = sorted((shared / "reference" / "vectors" / "types").glob("*.xml"))
    assert len(files) >= 12
    for file in files:
        envelope = file.read_bytes()
        written = [each.text for each in referee.parsed(envelope).iter(f"{referee.DS}DigestValue")]
        assert _set_digest(envelope) == written[-1], file


def test_largest_envelope_is_built_and_verifies(issued: Issue, caratula: Caratula, signer: RsaSigner) -> None:
    boletas = [issued(material.Sale(document_type=39), folio) for folio in range(1, 501)]
    envelope = _built(boletas, caratula, signer)
    assert referee.envelope_holds(envelope)
    assert validate_envelope(envelope) == ()
    assert b"<NroDTE>500</NroDTE>" in envelope
    one_more = [*boletas, issued(material.Sale(document_type=39), 501)]
    with pytest.raises(EnvelopeError, match="ENV-TOO-MANY"):
        _built(one_more, caratula, signer)


def test_building_the_largest_envelope_takes_little_memory_beside_its_bytes(
    issued: Issue, caratula: Caratula, signer: RsaSigner
) -> None:
    first = issued(material.Sale(items=("Llave inglesa de acero cromado 10",) * 5), 1).xml
    folios = range(1, MOST_DOCUMENTS["EnvioDTE"] + 1)
    documents = [
        first.replace(b'ID="F1T33"', b'ID="F%dT33"' % folio).replace(b'"#F1T33"', b'"#F%dT33"' % folio)
        for folio in folios
    ]
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        envelope = build_envelope(documents, [33] * len(documents), caratula=caratula, signer=signer, at=material.AT)
        _, highest = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert envelope.count(b"<DTE ") == len(documents)
    assert highest - before - len(envelope) < 5_000_000


def test_what_cannot_travel_together_is_refused_with_every_reason(
    issued: Issue, caratula: Caratula, signer: RsaSigner
) -> None:
    invoice, boleta = issued(material.Sale(), 7), issued(material.Sale(document_type=39), 7)

    def codes(documents: list[bytes], types: list[int], cover: Caratula = caratula) -> list[str]:
        with pytest.raises(EnvelopeError) as refused:
            build_envelope(documents, types, caratula=cover, signer=signer, at=material.AT)
        return [problem.code for problem in refused.value.problems]

    assert codes([], []) == ["ENV-EMPTY"]
    assert codes([invoice.xml, boleta.xml], [33, 39]) == ["ENV-MIXED"]
    assert codes([invoice.xml], [61]) == ["ENV-TYPES"]
    assert codes([invoice.xml], [33, 33]) == ["ENV-TYPES"]
    assert codes([invoice.xml, invoice.xml], [33, 33]) == ["ENV-DUPLICATE"]
    assert codes([b"<DTE/>"], [33]) == ["ENV-FOREIGN"]
    assert codes([invoice.xml], [33], dataclasses.replace(caratula, issuer="77900202-0")) == ["ENV-ISSUER"]
    assert codes([invoice.xml], [33], dataclasses.replace(caratula, sender="22222222-2")) == ["ENV-SENDER"]
    commented = invoice.xml.replace(b"<Totales>", b"<!-- x --><Totales>")
    assert codes([commented], [33]) == ["ENV-FOREIGN"]
    assert codes([], [], dataclasses.replace(caratula, sender="22222222-2")) == ["ENV-EMPTY", "ENV-SENDER"]


@pytest.mark.parametrize(
    ("document_type", "channel"), [(33, "soap"), (61, "soap"), (110, "soap"), (39, "rest"), (41, "rest")]
)
def test_channel_follows_the_type(document_type: int, channel: str) -> None:
    assert channel_of(document_type) == channel
