"""What people hit stays mended: documents as producers write them, and what is right for each."""

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from domain.money import figure
from domain.problems import InvalidDocument, Problem
from domain.reckoning import reckon
from tests.unit.domain.samples import TODAY, World, prepared

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "cases"
FILES = sorted(file for file in FOLDER.glob("*.json") if not file.name.startswith("practice-"))
_STEP = re.compile(r"([A-Za-z]+)(?:\[([0-9]+)\])?")


def _case(file: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return case


def _world(case: dict[str, Any]) -> World:
    today = date.fromisoformat(case["today"]) if "today" in case else TODAY
    uf = Decimal(case["uf"]) if "uf" in case else None
    return World(today=today, profile=case.get("profile", "2019"), uf=uf)


def _judged(case: dict[str, Any]) -> tuple[Any, tuple[Problem, ...]]:
    try:
        ready = prepared(case["document"], world=_world(case))
    except InvalidDocument as refused:
        return None, refused.problems
    return ready.document.values, ready.warnings


def _at(values: Any, path: str) -> str | None:
    for step in path.split("."):
        tag, place = _STEP.fullmatch(step).groups()  # type: ignore[union-attr]
        values = values.get(tag)
        if values is not None and place is not None:
            values = values[int(place)] if int(place) < len(values) else None
        if values is None:
            return None
    return figure(values) if isinstance(values, int | Decimal) else str(values)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_case_is_judged_as_is_right(file: Path) -> None:
    case = _case(file)
    values, problems = _judged(case)
    assert sorted(f"{one.code} {one.path}" for one in problems) == sorted(case["problems"])
    for code, words in case.get("says", {}).items():
        assert all(words in one.message for one in problems if one.code == code), problems
    for path, text in case.get("fields", {}).items():
        assert _at(values, path) == text, path


@pytest.mark.parametrize("file", [file for file in FILES if "reckoned" in _case(file)], ids=lambda file: file.stem)
def test_case_is_reckoned_as_is_right(file: Path) -> None:
    case = _case(file)
    world, right = _world(case), case["reckoned"]
    reckoning = reckon(case["document"], today=world.today, profile=world.profile, uf=world.uf)
    assert sorted(one.code for one in reckoning.problems) == right.get("problems", [])
    assert [figure(amount) for amount in reckoning.amounts] == right.get("MontoItem", [])
    for tag, text in right.items():
        if tag not in ("problems", "MontoItem"):
            assert _at(reckoning.totals, tag) == text, tag
