"""Documents that others issued come to what they say, and those that don't add up are told apart."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from domain.format.table import TypeRow
from domain.format.types import format_of
from domain.reckoning import reckon
from tests.unit.domain import referee

ROOTS = tuple(f"{referee.SII}{name}" for name in ("Documento", "Exportaciones", "Liquidacion"))


def _written(element: etree._Element, row: TypeRow) -> dict[str, Any]:
    """An element as a producer would have written it."""
    found: dict[str, Any] = {}
    for child in element:
        tag = str(etree.QName(child).localname)
        own = (row.rows or {}).get(tag)
        value: Any = _written(child, own) if own is not None and own.rows is not None else (child.text or "").strip()
        if own is not None and own.most > 1:
            found.setdefault(tag, []).append(value)
        elif tag not in ("TED", "TmstFirma"):
            found[tag] = value
    return found


def _documents(file: Path) -> Iterator[dict[str, Any]]:
    root = referee.parsed(file.read_bytes())
    for element in root.iter(*ROOTS):
        kind = str(element.findtext(f".//{referee.SII}TipoDTE")).strip()
        yield _written(element, format_of(int(kind), "2026"))


def _adds_up(document: dict[str, Any]) -> bool:
    reckoning = reckon(document, today=date(2026, 11, 24), profile="2026")
    return not reckoning.problems and not reckoning.warnings


@pytest.mark.needs_shared
def test_totals_of_others_are_judged_as_the_manifest_says(shared: Path) -> None:
    items = [json.loads(line) for line in (shared / "corpus" / "manifest.jsonl").read_text("utf-8").splitlines()]
    verdicts = {True: 0, False: 0}
    for item in items:
        truth = item["expectations"].get("totals_consistent")
        if truth is not None and item["kind"] in ("dte", "envio", "control"):
            documents = list(_documents(shared / "corpus" / item["path"]))
            assert all(map(_adds_up, documents)) == truth, item["id"]
            verdicts[truth] += 1
    assert verdicts[True] > 20, verdicts
    assert verdicts[False] > 1, verdicts
