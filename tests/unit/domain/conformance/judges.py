"""What FMgo says of each item of the corpus, and where that is not what the item's makers say.

A judge returns the differences of one item, nothing when there are none. A kind without a judge is one that FMgo does
not read; the reason is written beside it.
"""

import csv
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from domain.certificate import CertificateError, rut_of
from domain.reckoning import reckon
from domain.verification import verify
from domain.verification.reading import read
from domain.verification.stamps import judge_stamp
from tests.unit.domain.conformance.kit import TODAY, kits
from tests.unit.domain.conformance.sets import Bench, as_written, note_on_boleta, official_sets
from tests.unit.domain.verification import corpus
from tests.unit.domain.verification.test_books import book_of, refuted

Differences = list[str]
Judge = Callable[[dict[str, Any], Path], Differences]

NOT_READ: Mapping[str, str] = {
    "rcv": "registers of purchases and sales are the SII's; FMgo issues documents and reads none",
}
"""Kinds that nothing of FMgo reads, and why."""
IN_PART: Mapping[str, str] = {
    "batch": "the table is put into FMgo's form by the test; totals are FMgo's",
    "book": "FMgo writes no books: figures of summaries are its verifier's, Carátulas aren't asked for",
    "pdf417": "the stamp in the text is judged; FMgo reads no images",
}
"""Kinds of which FMgo answers a part, and which."""
HIDDEN_BY_WRAPPING = frozenset({"v-xsw-01-original-in-object"})
"""Items whose makers list the totals of a second document, hidden where no document belongs; it is not read."""
CUT_OUT = frozenset({"cordada-DTE--60910000-1--33--2336600", "cordada-DTE--76354771-K--33--170"})
"""Genuine documents that were cut out of their envelopes and lack nothing but its namespace: a warning, no rejection.
The manifest states no verdict for them."""
_CASE = re.compile(r"^CASO\s+([0-9]+-[0-9]+)", re.MULTILINE)


def _compared(expected: Mapping[str, Any], found: Mapping[str, Any]) -> Differences:
    return [
        f"{name}: {value!r} expected, {found.get(name)!r} found"
        for name, value in expected.items()
        if found.get(name) != value
    ]


def _file(item: dict[str, Any], shared: Path) -> Differences:
    """A file to verify: its verdict, its facts, its totals as written."""
    parsed = next(each for each in corpus.items(shared) if each.identifier == item["id"])
    verdict = verify(parsed.data, trust=parsed.trust, at=corpus.AT).as_dict()
    found = _compared(parsed.expected, verdict)
    if item["id"] not in HIDDEN_BY_WRAPPING:
        totals = {str(each["id"]): each["totals"] for each in verdict["documents"]}  # type: ignore[attr-defined]
        for name, values in parsed.totals.items():
            found += [f"{name}: {each}" for each in _compared(values, totals.get(name, {}))]
    facts = [value for value in parsed.expected.values() if isinstance(value, bool)]
    if item["kind"] in ("dte", "envio", "aec", "ted") and "verdict" not in item:
        expected = "accept" if all(facts) or item["id"] in CUT_OUT else "reject"
        found += _compared({"verdict": expected}, verdict)
    return found


def _case(item: dict[str, Any], shared: Path) -> Differences:
    """A calculation: what the source states, what a signed document attests, what the rules give."""
    case = json.loads((shared / "corpus" / item["path"]).read_text(encoding="utf-8"))
    given = case["input"]
    header = {"IdDoc": {"TipoDTE": given["tipo"], **given["id_doc"]}, "Totales": given.get("totales", {})}
    document = {
        "Encabezado": header,
        "Detalle": given["detalle"],
        "DscRcgGlobal": given["descuentos_globales"],
        "Referencia": given["referencias"],
    }
    reckoning = reckon(document, today=TODAY)
    if reckoning.problems:
        return [f"{each.code} {each.path}" for each in reckoning.problems]
    found: Differences = []
    for source in ("expected", "attested", "derived"):
        known = case.get(source) or {}
        found += [f"{source} {each}" for each in _figures(known.get("Totales") or {}, reckoning.totals)]
        if known.get("MontoItem") and list(reckoning.amounts) != known["MontoItem"]:
            found.append(f"{source} MontoItem: {known['MontoItem']} expected, {reckoning.amounts} found")
    return found


def _figures(known: Mapping[str, Any], totals: Mapping[str, Any]) -> Differences:
    taxes = [{**tax, "TipoImp": int(tax["TipoImp"])} for tax in totals.get("ImptoReten", ())]
    computed = {**totals, "ImptoReten": taxes}
    exact = {tag: Decimal(repr(value)) if isinstance(value, float) else value for tag, value in known.items()}
    return [
        f"{tag}: {value} expected, {computed.get(tag, 0)} found"
        for tag, value in exact.items()
        if computed.get(tag, 0) != value
    ]


@cache
def built_sets(shared: Path) -> dict[str, Differences]:
    """Every official set built and verified: what goes wrong, by the names of its cases."""
    found: dict[str, Differences] = {}
    for name, cases in official_sets(shared):
        bench = Bench(kits(shared)[0])
        for case in cases:
            ready = bench.build(case.get("caso", case["id"]), as_written(case, bench))
            found[case["id"]] = _figures(case["derived"]["Totales"], ready.document.totals)
            found[case["id"]] += _notes_on(case, bench)
        for kinds in ((39,), tuple(set(bench.kinds) - {39})):
            chosen = [(kind, xml) for kind, xml in zip(bench.kinds, bench.made, strict=True) if kind in kinds]
            if chosen:
                data = bench.kit.envelope([xml for _, xml in chosen], [kind for kind, _ in chosen])
                verdict = verify(data, trust=corpus.trusts(shared)["kit"], at=corpus.AT)
                if verdict.verdict != "accept":
                    found[cases[0]["id"]] += [f"{name}: {each.code} {each.message}" for each in verdict.problems]
    return found


def _notes_on(case: dict[str, Any], bench: Bench) -> Differences:
    """The notes that the set of boletas asks for beside its boletas."""
    found: Differences = []
    for note in case.get("notes") or ():
        if "annuls this boleta" in note:
            ready = bench.build(f"{case['id']} annulled", note_on_boleta(case, bench, 1))
            found += _figures(case["derived"]["Totales"], ready.document.totals)
        elif "reduces this boleta by 40%" in note:
            ready = bench.build(f"{case['id']} reduced", note_on_boleta(case, bench, 3, 40))
            total = case["derived"]["Totales"]["MntTotal"] * 4 // 10
            found += _compared({"total": total}, {"total": ready.total})
    return found


def _set(item: dict[str, Any], shared: Path) -> Differences:
    """Instructions of the SII: the cases in them are those that the corpus has, so each is built."""
    text = (shared / "corpus" / item["path"]).read_bytes().decode("iso-8859-1")
    cases = list(dict.fromkeys(_CASE.findall(text)))
    built = {case.get("caso") for _, cases_ in official_sets(shared) for case in cases_}
    missing = [case for case in cases if case not in built]
    return [*_compared(item["expectations"], {"cases": cases}), *(f"{case} is not built" for case in missing)]


def _book(item: dict[str, Any], shared: Path) -> Differences:
    """A book: FMgo writes none, but its verifier finds the summary that the item expects, and no other."""
    content = json.loads((shared / "corpus" / item["path"]).read_text(encoding="utf-8"))
    details, expected = content["input"]["detalle"], content["expected"]
    kinds = {detail.get("TpoDoc") for detail in details}
    found = [
        f"{way}: {value} expected" for way, value in expected.items() if way.endswith(".TpoDoc") and value not in kinds
    ]
    found += [f"{way}: no detail expected" for way, value in expected.items() if value is None and details]
    for way, value in expected.items():
        parts = way.split(".")
        if "Detalle" in parts[:-1] and value not in [detail.get(parts[-1]) for detail in details]:
            found.append(f"{way}: {value} expected")
    made = book_of(content)
    if made is None:
        return found
    name, right, wrong = made
    return [*found, *refuted(name, right), *([] if refuted(name, wrong) else ["a summary that is one off holds too"])]


def _certificate(item: dict[str, Any], shared: Path) -> Differences:
    """A certificate: when it holds and whose it is; what is no RUT under the RUT's number isn't taken for one."""
    data = (shared / "corpus" / item["path"]).read_bytes()
    certificate = x509.load_pem_x509_certificate(data) if b"-----" in data else x509.load_der_x509_certificate(data)
    expected = item["expectations"]
    named = expected["san_other_names"][0][1].lstrip("0")
    try:
        rut: str | None = rut_of(certificate)
    except CertificateError:
        rut = None
    return _compared(
        {
            "not_before": expected["not_before"],
            "not_after": expected["not_after"],
            "rut": named if re.fullmatch(r"[0-9]+-[0-9K]", named) else None,
        },
        {
            "not_before": certificate.not_valid_before_utc.isoformat(),
            "not_after": certificate.not_valid_after_utc.isoformat(),
            "rut": rut,
        },
    )


def _vector(item: dict[str, Any], shared: Path) -> Differences:
    """The stamp that the SII published with its key: it holds, and the key makes the same signature again."""
    vector = json.loads((shared / "corpus" / item["path"]).read_text(encoding="utf-8"))
    stamp = f'<TED version="1.0">{vector["DD"]}<FRMT algoritmo="SHA1withRSA">{vector["FRMT"]}</FRMT></TED>'
    judged = judge_stamp(
        read(stamp.encode("iso-8859-1")).root, trust=corpus.trusts(shared)["sii"], path="TED", raw=lambda: None
    )
    key = load_pem_private_key(vector["RSASK"].encode("ascii"), None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    made = b64encode(key.sign(vector["DD"].encode("iso-8859-1"), padding.PKCS1v15(), hashes.SHA1())).decode("ascii")  # noqa: S303
    return _compared(
        item["expectations"],
        {
            "ted_valid": judged.valid,
            "caf_valid": judged.caf_valid,
            "signature_reproducible": made == vector["FRMT"],
        },
    )


def _barcode(item: dict[str, Any], shared: Path) -> Differences:
    """The text of a barcode is a stamp that holds; FMgo reads no images."""
    text = item["expectations"]["text"].encode("iso-8859-1")
    verdict = verify(text, trust=corpus.trusts(shared)["sii"], at=corpus.AT)
    return _compared({"ted_valid": True, "caf_valid": True}, verdict.facts)


def _batch(item: dict[str, Any], shared: Path) -> Differences:
    """A table of another product, put into FMgo's form by this test; its documents come to what is expected."""
    text = (shared / "corpus" / item["path"]).read_text(encoding="utf-8")
    documents: list[dict[str, Any]] = []
    for row in csv.DictReader(text.splitlines(), delimiter=";"):
        if row["TipoDTE"]:
            days = {tag: row[tag] for tag in ("FchEmis", "FchVenc") if row[tag]}
            head = {"TipoDTE": int(row["TipoDTE"]), **days}
            documents.append({"Encabezado": {"IdDoc": head, "Receptor": {"RUTRecep": row["RUTRecep"]}}, "Detalle": []})
        line: dict[str, Any] = {tag: row[tag] for tag in ("NmbItem", "QtyItem", "PrcItem", "IndExe") if row[tag]}
        discount = row["Descuento"]
        if discount:
            line["DescuentoPct" if discount.endswith("%") else "DescuentoMonto"] = discount.rstrip("%")
        documents[-1]["Detalle"].append(line)
    found = _compared({"cantidad": item["expectations"]["cantidad"]}, {"cantidad": len(documents)})
    for document, expected in zip(documents, item["expectations"]["documentos"], strict=True):
        totals = reckon(document, today=TODAY).totals
        known = {way.rpartition(".")[2]: value for way, value in expected.items() if ".Totales." in way}
        found += _figures(known, totals)
    return found


JUDGES: Mapping[str, Judge] = {
    **dict.fromkeys(corpus.KINDS, _file),
    **dict.fromkeys(("calc", "calc_set", "calc_real"), _case),
    "set_text": _set,
    "book": _book,
    "certificate": _certificate,
    "vector": _vector,
    "pdf417": _barcode,
    "batch": _batch,
}
"""By the kind of an item."""


def differences(items: Iterable[dict[str, Any]], shared: Path) -> dict[str, Differences]:
    """What is not as the manifest says, by the names of the items."""
    built = built_sets(shared)
    found: dict[str, Differences] = {}
    for item in items:
        if (judge := JUDGES.get(item["kind"])) is not None:
            told = [*judge(item, shared), *built.get(item["id"], [])]
            if told:
                found[item["id"]] = told
    return found
