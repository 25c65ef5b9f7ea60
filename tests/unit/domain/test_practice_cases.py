"""Rules of practice on documents as producers write them: what is told of each, and what is issued.

A case follows the edition of its day unless it pins one (`tests/golden/cases/README.md`); one that isn't refused is
issued, so that the schema of its edition judges it too.
"""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from domain.caf import StampingCaf, read_caf
from domain.completion import ReferencedDocument
from domain.issuing import issue
from domain.problems import InvalidDocument
from domain.signature import RsaSigner
from tests.unit.domain import material, referee
from tests.unit.domain.samples import TODAY, World, prepared

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "cases"
FILES = sorted(FOLDER.glob("practice-*.json"))


def _known(stated: dict[str, dict[str, Any]]) -> dict[tuple[int, int], ReferencedDocument]:
    """Documents of the ledger by "type folio"."""
    found = {}
    for name, facts in stated.items():
        kind, folio = map(int, name.split())
        found[kind, folio] = ReferencedDocument(
            document_type=kind,
            folio=folio,
            state="accepted",
            receiver=facts["receiver"],
            total=facts["total"],
            net=facts.get("net"),
            exempt=facts.get("exempt"),
            vat=facts.get("vat"),
            issued_on=date.fromisoformat(facts["issued_on"]),
            sale_kind=facts.get("sale_kind", 0),
            annulled=facts.get("annulled", False),
        )
    return found


def _world(case: dict[str, Any]) -> World:
    return World(
        today=date.fromisoformat(case["today"]) if "today" in case else TODAY,
        known=_known(case.get("known", {})),
        profile=case.get("profile"),
        uf=Decimal(case["uf"]) if "uf" in case else None,
    )


def _at(root: etree._Element, path: str) -> str | None:
    """The text at `Encabezado.IdDoc.FchEmis` or `Detalle[0].QtyItem` of a document."""
    steps = [step.partition("[") for step in path.split(".")]
    way = "/".join(f"{referee.SII}{tag}[{int(place.rstrip(']') or 0) + 1}]" for tag, _, place in steps)
    found: str | None = root.findtext(f"{referee.SII}Documento/{way}") or root.findtext(
        f"{referee.SII}Liquidacion/{way}"
    )
    return found or root.findtext(f"{referee.SII}Exportaciones/{way}")


@pytest.fixture(scope="session")
def october_caf(caf_key: rsa.RSAPrivateKey, sii_key: rsa.RSAPrivateKey) -> Callable[[int], StampingCaf]:
    """A CAF that was granted before the first of the cases."""

    def make(document_type: int) -> StampingCaf:
        granted = date(2026, 10, 1)
        text = material.caf_file(caf_key, sii_key, document_type=document_type, authorised_on=granted)
        caf = read_caf(text.encode("iso-8859-1"))
        return StampingCaf.load(caf.caf_xml, caf.private_key_der)

    return make


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_practice_is_told_and_what_may_go_goes(
    file: Path, october_caf: Callable[[int], StampingCaf], signer: RsaSigner
) -> None:
    case: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    try:
        ready = prepared(case["document"], world=_world(case))
    except InvalidDocument as refused:
        problems = refused.problems
        assert case["refused"]
    else:
        problems = ready.warnings
        assert not case["refused"]
        caf = october_caf(ready.document_type)
        root = referee.parsed(issue(ready, folio=7, caf=caf, signer=signer, at=material.AT).xml)
        assert {path: _at(root, path) for path in case.get("fields", {})} == case.get("fields", {})
    assert (
        sorted(f"{one.code} {one.level} {one.path.removeprefix('document.')}" for one in problems) == case["problems"]
    )
    for code, words in case.get("says", {}).items():
        assert any(words in one.message for one in problems if one.code == code), (code, problems)


def test_every_case_says_what_it_is() -> None:
    assert len(FILES) > 30
    assert all(json.loads(file.read_text(encoding="utf-8"))["what"].endswith(".") for file in FILES)
