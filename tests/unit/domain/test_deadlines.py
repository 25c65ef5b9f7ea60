"""By when a document should be at the SII: its type's allowance, or the departure of its goods."""

import datetime as dt
from typing import Any

import pytest

from domain.deadlines import send_by
from domain.document import Document

NOON = dt.datetime(2026, 11, 24, 15, 0, tzinfo=dt.UTC)
"""Noon in Chile, whose summer time is UTC-3."""
ALLOWANCES = {39: dt.timedelta(hours=1)}


def guia(**transport: Any) -> Document:
    return Document(52, {"Encabezado": {"Transporte": transport}}, "2026")


def test_a_boleta_has_its_allowance_and_what_has_none_goes_at_once() -> None:
    assert send_by(Document(39, {}), NOON, ALLOWANCES) == NOON + dt.timedelta(hours=1)
    assert send_by(Document(33, {}), NOON, ALLOWANCES) == NOON


def test_a_guia_goes_before_its_goods_leave_in_chiles_time() -> None:
    document = guia(FchSalida=dt.date(2026, 11, 24), HraSalida="14:30:00")
    assert send_by(document, NOON, {}) == dt.datetime(2026, 11, 24, 17, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "transport",
    [
        {},
        {"FchSalida": dt.date(2026, 11, 24)},
        {"HraSalida": "14:30:00"},
        {"FchSalida": dt.date(2026, 11, 24), "HraSalida": "11:59:59"},
    ],
)
def test_a_guia_whose_goods_left_or_that_doesnt_say_when_goes_at_once(transport: dict[str, Any]) -> None:
    assert send_by(guia(**transport), NOON, {}) == NOON


def test_the_departure_counts_only_for_guias() -> None:
    transport = {"FchSalida": dt.date(2026, 11, 25), "HraSalida": "08:00:00"}
    assert send_by(Document(33, {"Encabezado": {"Transporte": transport}}, "2026"), NOON, {}) == NOON
