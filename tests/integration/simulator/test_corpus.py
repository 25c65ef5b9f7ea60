"""The corpus, brought before the simulator under strict arithmetic: what is sound is processed, what is bad is refused.

Files of the kit and real ones, each in a world that knows whoever it names. Bad ones are refused at the stage that the
manifest names; where the SII looks at something else first, the stage itself is asked as well. Attributes of the root
may stand in any order here: in one of the real files they don't stand in the one that the gateway asks for by default.
"""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders

from deploy.sandbox.sii.caf import read_caf
from deploy.sandbox.sii.exchange import Exchange
from deploy.sandbox.sii.extraction import pieces
from deploy.sandbox.sii.faults import Occasion
from deploy.sandbox.sii.login import token_for
from deploy.sandbox.sii.reading import read, text_of
from deploy.sandbox.sii.sessions import Seed
from deploy.sandbox.sii.signatures import sign_check
from tests.integration.simulator.documents import Caf, Sale, signed_dte
from tests.integration.simulator.library import Library, Outcome
from tests.integration.simulator.signing import Authority

BROUGHT = frozenset({"control", "malicious", "xml_attack", "envio", "dte", "libro"})
LOGIN = "v-control-gettoken"
CAF_FILES = frozenset({"control_caf", "malicious_caf"})

# Sound files that are none of the SII's business, and what it says of them.
NOT_FOR_THE_SII = {
    "mediabox-F000013T33": "RCT",  # the copy for the customer: RutReceptor is his
    "v-control-respuesta-recepcion": "STATUS 7",  # the answer of a receiver to an issuer
}
# Refused by a check that comes before the one that the manifest names: what is said instead.
EARLIER = {"v-xsw-01-original-in-object": "RSC", "v-tamper-03-caratula": "RCT"}


def _codes(outcome: Outcome) -> list[str]:
    return [code for codes in outcome.documents for code in codes]


STAGES: dict[str, Callable[[Outcome], bool]] = {
    "parse": lambda o: o.status == "7",
    "signature": lambda o: o.state == "RFR" or "DTE-3-505" in _codes(o),
    "certificate": lambda o: o.state == "RFR" or "DTE-3-505" in _codes(o),
    "caf": lambda o: any(code.startswith("CAF-3-") for code in _codes(o)),
    "ted": lambda o: any(code.startswith("TED-3-") for code in _codes(o)),
    "semantic": lambda o: o.state == "RCT" or any(code[3:6] == "-3-" for code in _codes(o)),
}
# What must hold in a real file for the SII to take it; of a document that comes alone, we make the envelope.
_FACTS = ("doc_signature_valid", "ted_valid", "caf_valid", "coherent", "certificate_ok")


@pytest.fixture
def library(tmp_path: Path, shared: Path, authority: Authority) -> Library:
    return Library(tmp_path, shared / "corpus", authority)


@pytest.fixture
def items(shared: Path) -> dict[str, dict[str, Any]]:
    lines = (shared / "corpus/manifest.jsonl").read_text("utf-8").splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


def _data(shared: Path, item: dict[str, Any]) -> bytes:
    return (shared / "corpus" / str(item["path"])).read_bytes()


def _is_sound(item: dict[str, Any]) -> bool:
    if "verdict" in item:
        return bool(item["verdict"] == "accept")
    facts = item.get("expectations", {})
    envelope = item["kind"] != "envio" or (facts.get("env_signature_valid") and facts.get("schema_valid"))
    return bool(envelope) and all(facts.get(name) for name in _FACTS)


def _as_it_should_be(item: dict[str, Any], outcome: Outcome) -> bool:
    expected = NOT_FOR_THE_SII.get(item["id"]) or EARLIER.get(item["id"])
    if expected is not None:
        return str(outcome).startswith(expected)
    if _is_sound(item):
        return outcome.is_accepted
    return not outcome.is_accepted and ("stage" not in item or STAGES[item["stage"]](outcome))


def test_every_file_fares_as_the_manifest_says(
    shared: Path, items: dict[str, dict[str, Any]], library: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, wrong = [], []
    for name, item in items.items():
        if item["kind"] not in BROUGHT or name == LOGIN:
            continue
        # The manifest takes a signature of any scope in use; the SII, and the simulator by default, the one written.
        outcome = library.bring(_data(shared, item), attribute_order=False, dte_scope="any")
        right = _as_it_should_be(item, outcome)
        kind = "sound" if _is_sound(item) else item.get("stage") or "bad"
        rows.append(f"  {'  ' if right else 'NO'} {name[:60]:60} {kind:12} {outcome}")
        wrong += [] if right else [name]
    with capsys.disabled():
        print("\n" + "\n".join(rows))
        print(f"corpus: {len(rows) - len(wrong)} of {len(rows)} files fare as the manifest says")
    assert not wrong
    assert len(rows) >= 40


def test_sound_envelopes_pass_the_gateway_with_its_defaults(
    shared: Path, items: dict[str, dict[str, Any]], library: Library
) -> None:
    chosen = [item for item in items.values() if item["kind"] == "control" and item["id"] not in NOT_FOR_THE_SII]
    envelopes = [_data(shared, item) for item in chosen if item["id"] != LOGIN]
    assert [str(library.bring(data, dte_scope="any", format_profile="2019")) for data in envelopes] == ["EPR"] * 8


def test_envelopes_whose_dte_lost_its_xmlns_after_signing_are_refused_as_written(
    shared: Path, items: dict[str, dict[str, Any]], library: Library
) -> None:
    """They were signed alone with the SII's xmlns and pasted without it; every other check passes."""
    data = _data(shared, items["v-control-envio-33"])
    assert b'<DTE version="1.0">' in data
    assert str(library.bring(data)) == "EPR DTE-3-505"
    assert str(library.bring(data, dte_scope="any")) == "EPR"


def test_hidden_original_has_no_valid_signature_either(
    shared: Path, items: dict[str, dict[str, Any]], library: Library
) -> None:
    data = _data(shared, items["v-xsw-01-original-in-object"])
    bench = library.workbench(data)
    bench.world.registry.frma_keys.setdefault(100, [])
    (piece,) = pieces(data, 1) if data.count(b"<DTE") == 1 else pieces(data, data.count(b"<DTE"))[:1]
    upload = dataclasses.replace(library.upload_of(bench, data), company="76900101-8")
    found = [finding.code for finding in bench.world.pipeline._documents.examine(piece, upload).findings]
    assert "DTE-3-505" in found


def test_changed_caratula_has_no_valid_signature_either(
    shared: Path, items: dict[str, dict[str, Any]], library: Library
) -> None:
    data = _data(shared, items["v-tamper-03-caratula"])
    bench = library.workbench(data)
    refusal = bench.world.pipeline._envelopes._signature(read(data), library.upload_of(bench, data))
    assert refusal is not None
    assert refusal.state == "RFR"


def test_sources_disagree_on_arithmetic_so_strict_rejects_and_lenient_repairs(
    shared: Path, items: dict[str, dict[str, Any]], library: Library
) -> None:
    data = _data(shared, items["v-val-04-iva-wrong"])
    assert str(library.bring(data)) == "EPR HED-3-999"
    lenient = library.bring(data, arithmetic="lenient")
    assert str(lenient) == "EPR HED-2-302"
    assert lenient.is_accepted


def test_signed_seed_of_others_is_let_in(shared: Path, items: dict[str, dict[str, Any]], library: Library) -> None:
    text = _data(shared, items[LOGIN]).decode("iso-8859-1")
    bench = library.workbench(b"")
    seed = text_of(read(text.encode("iso-8859-1")), "item/Semilla")
    bench.world.sessions._seeds["soap", int(seed)] = Seed(bench.world.clock.now())
    exchange = Exchange(1, bench.world.clock.now(), "POST", "/", "", HTTPHeaders(), b"", Occasion("dte", "/"))
    assert len(token_for(bench.world, exchange, "soap", text)) == 13
    assert exchange.occasion.person in {issuer["signer_rut"] for issuer in library.facts["issuers"]}


def test_answer_of_a_receiver_is_signed_as_it_should_be(
    shared: Path, items: dict[str, dict[str, Any]], library: Library
) -> None:
    data = _data(shared, items["v-control-respuesta-recepcion"])
    bench = library.workbench(data)
    assert sign_check(read(data), "Resultado", bench.world.certificates).certificate.trusted


@pytest.mark.parametrize("kind", sorted(CAF_FILES))
def test_folios_count_when_their_file_is_genuine(
    shared: Path, items: dict[str, dict[str, Any]], library: Library, kind: str
) -> None:
    chosen = [item for item in items.values() if item["kind"] == kind]
    assert len(chosen) == 2
    for item in chosen:
        data = _data(shared, item)
        bench = library.workbench(b"")
        bench.world.registry.add_caf(read_caf(data))
        issuer = next(i for i in library.facts["issuers"] if i["RUTEmisor"] == read_caf(data).company)
        bench.person = library.person(issuer["key"])
        caf = Caf.read(data.replace(b"\r\n", b"\n"))
        sale = Sale(1, company=issuer["RUTEmisor"], issued_on="2026-11-24", signed_at="2026-11-24T12:00:00")
        sale = dataclasses.replace(sale, stamped_at="2026-11-24T12:00:00", acteco=issuer["Acteco"])
        upload = dataclasses.replace(library.upload_of(bench, b""), company=issuer["RUTEmisor"])
        (piece,) = pieces(signed_dte(sale.body(caf), bench.person).encode("iso-8859-1"), 1)
        found = [f.code for f in bench.world.pipeline._documents.examine(piece, upload).findings]
        assert found == ([] if item["verdict"] == "accept" else ["CAF-3-516"]), item["id"]


def test_every_item_for_the_sii_is_brought(shared: Path, items: dict[str, dict[str, Any]]) -> None:
    """No kind of file that could be uploaded is left out unseen."""
    others = {item["kind"] for item in items.values()} - BROUGHT - CAF_FILES
    assert others == {
        "aec",  # its layers of signatures: test_cessions.py
        "batch",
        "book",
        "calc",
        "calc_real",
        "calc_set",
        "caf",
        "certificate",
        "pdf417",
        "rcv",
        "set_text",
        "ted",
        "template",
        "vector",
    }
