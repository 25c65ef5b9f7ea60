"""All twelve types are recorded, prepared, issued and stored, with the totals that their documents state."""

import datetime as dt
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from domain.codes.document_types import DOCUMENT_TYPES
from tests.integration.issuing.conftest import Office
from workers.database.documents import stored_bytes
from workers.database.results import results

GUIDE = 52
TOMORROW = (dt.datetime.now(dt.UTC) + dt.timedelta(days=1)).date().isoformat()
FOLDER = Path(__file__).resolve().parents[2] / "golden" / "types"


def test_every_type_is_issued_and_stored_with_its_totals(office: Office) -> None:
    types = sorted(DOCUMENT_TYPES)
    office.load(*types)
    names = [f"{kind}-2026" if kind == GUIDE else str(kind) for kind in types]
    documents = [json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in names]
    documents[types.index(GUIDE)]["Encabezado"]["Transporte"]["FchSalida"] = TOMORROW
    numbers = office.record(*documents)
    office.issue()
    assert office.states(numbers) == ["signed"] * len(types), [office.codes(number) for number in numbers]
    with office.ledger.transaction() as tx:
        files, told = stored_bytes(tx, numbers), results(tx, numbers)
    columns = {
        row[0]: row[1:] for row in office.rows("SELECT id, document_type, total, net, exempt, vat FROM documents")
    }
    for kind, number in zip(types, numbers, strict=True):
        text = files[number]["dte"].decode("iso-8859-1")
        stated = {
            tag: Decimal(value)
            for tag, value in re.findall(
                r"<(MntTotal|MntNeto|MntExe|IVA)>([^<]+)<", text.partition("<Totales>")[2].partition("</Totales>")[0]
            )
        }
        assert columns[number] == (
            kind,
            stated["MntTotal"],
            stated.get("MntNeto"),
            stated.get("MntExe"),
            stated.get("IVA"),
        ), kind
        body = told[number].body
        assert (body["type"], body["folio"]) == (kind, 1)
        assert str(body["total"]) == str(stated["MntTotal"]).removesuffix(".0"), kind


@pytest.mark.parametrize(
    ("price", "quantity", "total", "told"),
    [
        ("0.1234", 1, "0.1234", 0.1234),
        ("1234.5", 1, "1234.5", 1234.5),
        ("111111111111.1111", 81, "8999999999999.9991", "8999999999999.9991"),
        ("30276", 1, "30276", 30276),
    ],
)
def test_a_total_in_another_currency_keeps_every_decimal(
    office: Office, price: str, quantity: int, total: str, told: object
) -> None:
    office.load(110)
    document = json.loads((FOLDER / "110.json").read_text(encoding="utf-8"))
    document["Encabezado"]["OtraMoneda"]["TpoCambio"] = 1
    document["Detalle"] = [{"NmbItem": "Salmón", "QtyItem": quantity, "PrcItem": price}]
    (number,) = office.record(document)
    office.issue()
    assert office.states([number]) == ["signed"], office.codes(number)
    assert office.rows("SELECT total FROM documents") == [(Decimal(total),)]
    with office.ledger.transaction() as tx:
        shown = results(tx, [number])[number].body["total"]
    assert (shown, type(shown)) == (told, type(told))
