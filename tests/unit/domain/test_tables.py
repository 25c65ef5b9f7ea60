"""Code tables say what they are, where they come from, and agree with the schema and with each other."""

from datetime import date
from typing import get_args

import pytest

from domain.codes.document_types import DOCUMENT_TYPES, TAX_DOCUMENTS, family_of
from domain.codes.tables import CONTAINERS, Name, table
from domain.codes.taxes import ADDED_TAXES, OBSOLETE_CODES, TAX_CODES, WITHHELD_TAXES
from domain.format.sizes import PESOS
from domain.format.table import Group, Leaf, after, derived
from domain.money import vat_rate


@pytest.mark.parametrize("name", get_args(Name))
def test_table_has_codes_and_a_source(name: Name) -> None:
    found = table(name)
    assert found.name
    assert found.source
    assert found.codes


def test_known_codes_are_in_their_tables() -> None:
    assert 905 in table("ports")
    assert "225" in table("countries")
    assert 9999 not in table("ports")
    assert table("currencies").codes["DOLAR USA"] == {"customs": 13, "iso": "USD"}
    assert table("communes").codes["PROVIDENCIA"]
    assert {str(code) for code in CONTAINERS} <= set(table("packages").codes)


def test_every_document_type_can_be_referred_to() -> None:
    named = set(table("references").codes)
    assert {str(code) for code in TAX_DOCUMENTS} <= named
    assert {family_of(kind) for kind in DOCUMENT_TYPES} == {"dte", "liquidacion", "exportaciones", "boleta"}
    assert family_of(999) == "dte"


def test_taxes_are_of_one_kind_and_have_rates_of_their_day() -> None:
    assert not set(ADDED_TAXES) & set(WITHHELD_TAXES)
    assert set(ADDED_TAXES) | set(WITHHELD_TAXES) | OBSOLETE_CODES == TAX_CODES
    assert [tax.code for tax in WITHHELD_TAXES.values() if tax.total and tax.rate(date(2026, 1, 1)) is not None] == []
    assert WITHHELD_TAXES["34"].rate(date(2026, 1, 1)) == 4
    assert ADDED_TAXES["271"].rate(date(2010, 1, 1)) == 18, "before its first day the first rate"


def test_vat_is_that_of_its_day() -> None:
    assert [vat_rate(day) for day in (date(2003, 9, 30), date(2003, 10, 1), date(1990, 1, 1))] == [18, 19, 18]


def test_derived_table_knows_the_rows_it_leaves_out() -> None:
    group = Group("Totales", (Leaf("MntNeto", PESOS), Leaf("IVA", PESOS)))
    assert [row.tag for row in after(group, "MntNeto", Leaf("MntExe", PESOS)).rows] == ["MntNeto", "MntExe", "IVA"]
    with pytest.raises(ValueError, match="Otro"):
        derived(group, without=("Otro",))
