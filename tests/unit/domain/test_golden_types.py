"""What producers write for each type becomes, letter by letter, what the golden folder says."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.caf import StampingCaf
from domain.codes.document_types import DOCUMENT_TYPES
from domain.issuing import issue
from domain.signature import RsaSigner
from tests.unit.domain import material
from tests.unit.domain.samples import SAMPLES, USUAL, World, prepared

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "types"
NAMES = sorted(file.stem for file in FOLDER.glob("*.json"))


def test_there_is_one_for_every_type() -> None:
    assert {int(name.partition("-")[0]) for name in NAMES} == set(SAMPLES) == set(DOCUMENT_TYPES)


def test_page_of_types_has_a_row_for_every_type() -> None:
    text = (FOLDER.parents[2] / "docs" / "types.md").read_text(encoding="utf-8")
    assert {
        int(kind) for kind in re.findall(r"^\| (\d+) \| (?:factura|boleta|liq|guía|nota)", text, re.MULTILINE)
    } == set(SAMPLES)


@pytest.mark.parametrize("name", NAMES)
def test_document_is_as_the_golden_one_and_valid(
    name: str, stamping_caf: Callable[[int], StampingCaf], signer: RsaSigner
) -> None:
    raw = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    ready = prepared(raw, world=World(profile="2026") if name.endswith("2026") else USUAL)
    assert ready.render(1) + "\n" == (FOLDER / f"{name}.xml").read_text(encoding="utf-8")
    assert issue(ready, folio=1, caf=stamping_caf(ready.document_type), signer=signer, at=material.AT).folio == 1
