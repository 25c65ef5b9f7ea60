"""The UF of the day: a boleta above 135 of them names its buyer; without a value it goes with a warning."""

import datetime as dt
from typing import Any

import pytest

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
def test_above_135_uf_of_the_day_nobody_is_not_enough(shop: Office, total: int, state: str) -> None:
    UfDesk(shop.ledger, actor="test").set_value(today().isoformat(), UF)
    (number,) = shop.record(boleta(total))
    shop.issue()
    assert shop.states([number]) == [state]
    assert ("BOL-UF-01" in shop.codes(number)) == (state == "invalid")


def test_the_day_is_the_document_s(shop: Office) -> None:
    yesterday = today() - dt.timedelta(days=1)
    UfDesk(shop.ledger, actor="test").set_value(yesterday.isoformat(), UF)
    of_today, of_yesterday = shop.record(boleta(9_000_000), boleta(9_000_001, FchEmis=yesterday.isoformat()))
    shop.issue()
    assert shop.states([of_today, of_yesterday]) == ["signed", "invalid"]


def test_without_a_value_a_large_boleta_goes_with_a_warning_and_a_small_one_without(shop: Office) -> None:
    large, small = shop.record(boleta(9_000_000), boleta(3_999_999))
    shop.issue()
    assert shop.states([large, small]) == ["signed", "signed"]
    assert (shop.codes(large), shop.codes(small)) == (["UF-UNKNOWN"], [])
