"""Above 135 UF of 31 December before, a boleta names its buyer; without that value it goes with a warning."""

import datetime as dt
from typing import Any

import pytest

from domain.codes.uf import fixing_day
from tests.integration.issuing.conftest import Office
from workers.clock import santiago
from workers.uf_desk import UfDesk

UF = "39643.59"


def boleta(total: int, **id_doc: Any) -> dict[str, Any]:
    return {
        "Encabezado": {"IdDoc": {"TipoDTE": 39, **id_doc}},
        "Detalle": [{"NmbItem": "Refrigerador", "QtyItem": 1, "PrcItem": total}],
    }


@pytest.fixture
def shop(office: Office) -> Office:
    office.load(39)
    return office


def today() -> dt.date:
    return santiago(dt.datetime.now(dt.UTC)).date()


@pytest.mark.parametrize(("total", "state"), [(5_351_884, "signed"), (5_351_885, "invalid")])
def test_above_135_uf_of_the_year_nobody_is_not_enough(shop: Office, total: int, state: str) -> None:
    UfDesk(shop.ledger, actor="test").set_value(fixing_day(today()).isoformat(), UF)
    UfDesk(shop.ledger, actor="test").set_value(today().isoformat(), "45000.00")  # that of the day changes nothing
    (number,) = shop.record(boleta(total))
    shop.issue()
    assert shop.states([number]) == [state]
    assert ("BOL-UF-01" in shop.codes(number)) == (state == "invalid")


def test_the_year_is_the_document_s(shop: Office) -> None:
    earlier = today() - dt.timedelta(days=366)
    UfDesk(shop.ledger, actor="test").set_value(fixing_day(earlier).isoformat(), UF)
    of_today, earlier_one = shop.record(boleta(9_000_000), boleta(9_000_001, FchEmis=earlier.isoformat()))
    shop.issue()
    assert shop.states([of_today, earlier_one]) == ["signed", "invalid"]


def test_without_a_value_a_large_boleta_goes_with_a_warning_and_a_small_one_without(shop: Office) -> None:
    large, small = shop.record(boleta(9_000_000), boleta(3_999_999))
    shop.issue()
    assert shop.states([large, small]) == ["signed", "signed"]
    assert (shop.codes(large), shop.codes(small)) == (["UF-UNKNOWN"], [])
