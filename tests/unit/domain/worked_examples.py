"""Examples of the arithmetic with figures that were published or accepted elsewhere; amounts in pesos.

The names say what each shows. `lines` are the amounts of the lines, `totals` all totals but the VAT rate.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.unit.domain.samples import Raw, boleta, credit_note, invoice, spoilt, text_note


@dataclass(frozen=True)
class Example:
    """A document and what must come out of it."""

    raw: Raw
    lines: list[int]
    totals: dict[str, Any] = field(default_factory=dict)


def _item(quantity: object, price: object, **tags: Any) -> Raw:
    return {"NmbItem": "Cosa vendida", "QtyItem": quantity, "PrcItem": price, **tags}


def _of(raw: Raw, *items: Raw, **changes: Any) -> Raw:
    return spoilt(raw, Detalle=list(items), **changes)


def _change(movement: str, sign: str, value: object, **tags: Any) -> Raw:
    return {"TpoMov": movement, "TpoValor": sign, "ValorDR": value, **tags}


def _net(net: int, vat: int, total: int, **others: Any) -> dict[str, Any]:
    return {"MntNeto": net, "IVA": vat, "MntTotal": total, **others}


def _tax(code: str, rate: object, amount: int) -> Raw:
    return {"TipoImp": code, "TasaImp": str(rate), "MontoImp": amount}


_GROSS = {"Encabezado__IdDoc__MntBruto": 1}

EXAMPLES: dict[str, Example] = {
    "33 plain": Example(_of(invoice(), _item(450, 70)), [31500], _net(31500, 5985, 37485)),
    "33 one line": Example(_of(invoice(), _item(99, 540)), [53460], _net(53460, 10157, 63617)),
    "33 half a peso of VAT goes up": Example(_of(invoice(), _item(1, 1350)), [1350], _net(1350, 257, 1607)),
    "33 fractional quantity": Example(_of(invoice(), _item(2.333, 1499)), [3497], _net(3497, 664, 4161)),
    "33 half a peso of a line goes up": Example(
        _of(invoice(), *[_item("1.5", 333)] * 3), [500, 500, 500], _net(1500, 285, 1785)
    ),
    "33 discount of a line": Example(
        _of(invoice(), _item(1, 104090, DescuentoPct=10)), [93681], _net(93681, 17799, 111480)
    ),
    "33 discount, then surcharge": Example(
        _of(invoice(), _item(10, 999, DescuentoPct=7.5, RecargoPct=3)), [9518], _net(9518, 1808, 11326)
    ),
    "33 global discount in per cent": Example(
        _of(invoice(), _item(1, 104090), DscRcgGlobal=[_change("D", "%", 10)]), [104090], _net(93681, 17799, 111480)
    ),
    "33 global discount in pesos": Example(
        _of(invoice(), _item(1, 104097), DscRcgGlobal=[_change("D", "$", 10000)]), [104097], _net(94097, 17878, 111975)
    ),
    "33 a global discount for each class": Example(
        _of(
            invoice(),
            _item(3, 25000),
            _item(2, 12345, IndExe=1),
            DscRcgGlobal=[_change("D", "%", 16), _change("D", "%", 16, IndExeDR=1)],
        ),
        [75000, 24690],
        _net(63000, 11970, 95710, MntExe=20740),
    ),
    "33 global lines one after the other": Example(
        _of(invoice(), _item(1, 10000), DscRcgGlobal=[_change("D", "%", 10), _change("R", "$", 500)]),
        [10000],
        _net(9500, 1805, 11305),
    ),
    "33 gross lines": Example(
        _of(invoice(), _item(3, 1190), _item(1, 1000), **_GROSS), [3570, 1000], _net(3840, 730, 4570)
    ),
    "33 gross total that no net reaches": Example(_of(invoice(), _item(1, 3), **_GROSS), [3], _net(3, 0, 3)),
    "33 flour": Example(
        _of(invoice(), _item(2.5, 280000, CodImpAdic="19")),
        [700000],
        _net(700000, 133000, 917000, ImptoReten=[_tax("19", 12, 84000)]),
    ),
    "33 pisco": Example(
        _of(invoice(), _item(1, 1000, CodImpAdic=[24])),
        [1000],
        _net(1000, 190, 1505, ImptoReten=[_tax("24", 31.5, 315)]),
    ),
    "33 two taxes under one global discount": Example(
        _of(
            invoice(),
            _item(12, 890, CodImpAdic=["26"]),
            _item(6, 1150, CodImpAdic=["271"]),
            DscRcgGlobal=[_change("D", "%", 10)],
        ),
        [10680, 6900],
        _net(15822, 3006, 21916, ImptoReten=[_tax("26", 20.5, 1970), _tax("271", 18, 1118)]),
    ),
    "33 deposit, not billable lines and an earlier balance": Example(
        _of(
            invoice(),
            _item(10, 1000, CodImpAdic=["27"]),
            _item(10, 200, IndExe=3),
            _item(1, 500, IndExe=2),
            _item(1, 120, IndExe=6),
            Encabezado__Totales__SaldoAnterior=1500,
        ),
        [10000, 2000, 500, 120],
        _net(
            10000,
            1900,
            14900,
            ImptoReten=[_tax("27", 10, 1000)],
            GrntDep=2000,
            MontoNF=380,
            MontoPeriodo=15280,
            SaldoAnterior=1500,
            VlrPagar=16780,
        ),
    ),
    "33 construction credit": Example(
        _of(invoice(), _item(1, 10_000_000), Encabezado__Totales__CredEC=1_235_000),
        [10_000_000],
        _net(10_000_000, 1_900_000, 10_665_000, CredEC=1_235_000),
    ),
    "39 gross": Example(_of(boleta(), _item(1, 1190)), [1190], _net(1000, 190, 1190)),
    "39 gross less ten per cent": Example(
        _of(boleta(), _item(1, 1190), DscRcgGlobal=[_change("D", "%", 10)]), [1190], _net(900, 171, 1071)
    ),
    "39 rounding": Example(_of(boleta(), _item(1, 5000)), [5000], _net(4202, 798, 5000)),
    "39 mixed": Example(
        _of(boleta(), _item(2, 2990), _item(1, 1500, IndExe=1)), [5980, 1500], _net(5025, 955, 7480, MntExe=1500)
    ),
    "39 net lines": Example(
        _of(boleta(), _item(1, 1190), Encabezado__IdDoc__IndMntNeto=2), [1190], _net(1190, 226, 1416)
    ),
    "39 without a peso of VAT": Example(_of(boleta(), _item(1, 3)), [3], {"MntNeto": 3, "MntTotal": 3}),
    "39 what is due in the period": Example(
        _of(boleta(), _item(1, 1190), _item(1, 500, IndExe=2), Encabezado__Totales__SaldoAnterior=-90),
        [1190, 500],
        _net(1000, 190, 1190, MontoNF=500, TotalPeriodo=1690, SaldoAnterior=-90, VlrPagar=1600),
    ),
    "61 corrects amounts": Example(_of(credit_note(3), _item(450, 20)), [9000], _net(9000, 1710, 10710)),
    "61 corrects text": Example(text_note(), [0], {"MntTotal": 0}),
    "61 on an exempt document": Example(
        _of(credit_note(3, 5, 34), _item(1, 9000)), [9000], {"MntExe": 9000, "MntTotal": 9000}
    ),
    "61 with a commission": Example(
        _of(
            credit_note(3),
            _item(1, 1000),
            Comisiones=[{"TipoMovim": "C", "Glosa": "Comisión", "ValComNeto": 50, "ValComExe": 0, "ValComIVA": 10}],
        ),
        [1000],
        _net(1000, 190, 1130, Comisiones={"ValComNeto": 50, "ValComExe": 0, "ValComIVA": 10}),
    ),
    **{
        f"61 on a boleta of {total}, gross as it was": Example(
            _of(credit_note(3, 20, 39), _item(1, total), Encabezado__Receptor=None, **_GROSS),
            [total],
            _net(net, total - net, total),
        )
        for total, net in ((3, 3), (9, 8), (16, 13), (22, 18), (28, 24))
    },
}
