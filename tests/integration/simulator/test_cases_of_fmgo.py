"""What FMgo issues of everyday business, judged by the simulator's own checks of figures, taxes and goods.

Both know the rules from the same sources, each by its own code: a finding here is a disagreement between the two. What
the simulator remarks on purpose is listed with its reason.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Final

import pytest

from deploy.sandbox.sii.amounts import amount_findings, line_findings
from deploy.sandbox.sii.exports import export_findings
from deploy.sandbox.sii.goods import goods_findings
from deploy.sandbox.sii.reading import Element, read
from deploy.sandbox.sii.registry import Finding
from deploy.sandbox.sii.switches import Switches
from deploy.sandbox.sii.taxes import tax_findings
from domain.problems import InvalidDocument
from tests.unit.domain.samples import prepared
from tests.unit.domain.test_practice_cases import _world

_FILES: Final = sorted((Path(__file__).parents[2] / "golden" / "cases").glob("*.json"))

REMARKED: Final[dict[str, set[str]]] = {
    # Issued under the older format, which can't carry what a guía says since November 2026; FMgo warns of it.
    "practice-guia-without-transport-in-the-older-edition": {"HED-2-999"},
}
"""Codes that the simulator means to give a case, by its name."""


def _findings(body: Element, document_type: int) -> list[Finding]:
    found = line_findings(body, document_type) + amount_findings(body, document_type)
    found += tax_findings(body, document_type) + export_findings(body, document_type)
    return found + goods_findings(body, document_type, dt.date(2026, 11, 24), Switches())


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
def test_what_is_issued_has_no_finding(file: Path) -> None:
    case = json.loads(file.read_text("utf-8"))
    try:
        ready = prepared(case["document"], world=_world(case))
    except InvalidDocument:
        return
    body = read(f"<Documento>{ready.render(7)}</Documento>".encode())
    said = [f"{finding.code} {finding.text}" for finding in _findings(body, ready.document_type)]
    assert {code.split()[0] for code in said} == REMARKED.get(file.stem, set()), said
