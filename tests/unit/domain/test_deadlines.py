"""Terms: when the SII should have a document, and until when its receiver may speak."""

import datetime as dt
from typing import Any

import pytest

from domain.deadlines import end_of_claims, send_by
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


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("received", "end"),
    [
        ("2027-01-01T20:00:00-03:00", "2027-01-10T00:00:00-03:00"),
        ("2027-01-01T00:00:00-03:00", "2027-01-10T00:00:00-03:00"),
        ("2027-01-01T23:59:59-03:00", "2027-01-10T00:00:00-03:00"),
        ("2027-01-02T02:59:59+00:00", "2027-01-10T00:00:00-03:00"),
        ("2027-01-02T03:00:00+00:00", "2027-01-11T00:00:00-03:00"),
        # The clock goes back on 4 April 2027 at 00:00, to 23:00 of the 3rd: the eighth day has 25 hours.
        ("2027-03-26T12:00:00-03:00", "2027-04-04T00:00:00-04:00"),
        ("2027-03-30T12:00:00-03:00", "2027-04-08T00:00:00-04:00"),
        # It goes on on 5 September 2027 at 00:00, to 01:00: the day after the eighth begins at one.
        ("2027-08-27T12:00:00-04:00", "2027-09-05T01:00:00-03:00"),
        ("2027-09-01T12:00:00-04:00", "2027-09-10T00:00:00-03:00"),
    ],
)
def test_the_receivers_eight_days_end_with_the_eighth_day_in_chile(received: str, end: str) -> None:
    assert end_of_claims(utc(received), 8) == utc(end)
