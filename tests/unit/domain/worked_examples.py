"""Examples of the arithmetic with figures that were published or accepted elsewhere; amounts in pesos.

The names say what each shows. `lines` are the amounts of the lines, `totals` all totals but the VAT rate.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.unit.domain.samples import (
    Raw,
    boleta,
    credit_note,
    debit_note,
    exempt_boleta,
    exempt_invoice,
    export_invoice,
    export_note,
    guide,
    invoice,
    purchase,
    settlement,
    spoilt,
    text_note,
)


@dataclass(frozen=True)
class Example:
    """A document and what must come out of it."""

    raw: Raw
    lines: list[Any]
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


def _bought(code: object, *items: Raw) -> Raw:
    return _of(purchase(), *({**item, "CodImpAdic": [code]} for item in items))


def _abroad(total: str) -> dict[str, Any]:
    amount = int(total) if total.isdecimal() else Decimal(total)
    return {"TpoMoneda": "DOLAR USA", "MntExe": amount, "MntTotal": amount}


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
    "34 plain with a line that is not billable": Example(
        _of(exempt_invoice(), _item(1, 20000), _item(1, 35000, IndExe=2)),
        [20000, 35000],
        {"MntExe": 20000, "MntTotal": 20000, "MontoNF": 35000, "MontoPeriodo": 55000},
    ),
    "34 with a global discount in pesos": Example(
        _of(exempt_invoice(), _item(1, 125000), DscRcgGlobal=[_change("D", "$", 25000, IndExeDR=1)]),
        [125000],
        {"MntExe": 100000, "MntTotal": 100000},
    ),
    "34 where a global discount means the exempt lines without saying so": Example(
        _of(exempt_invoice(), _item(1, 125000), DscRcgGlobal=[_change("D", "%", 10)]),
        [125000],
        {"MntExe": 112500, "MntTotal": 112500},
    ),
    "41": Example(_of(exempt_boleta(), _item(1, 24500)), [24500], {"MntExe": 24500, "MntTotal": 24500}),
    "46 all VAT kept": Example(
        _bought("15", _item(1, 100000)),
        [100000],
        _net(100000, 19000, 100000, ImptoReten=[_tax("15", 19, 19000)]),
    ),
    "46 wheat": Example(
        _bought("34", _item(1, 10000)),
        [10000],
        _net(10000, 1900, 11500, ImptoReten=[_tax("34", 4, 400)], IVANoRet=1500),
    ),
    "46 legumes, all VAT kept": Example(
        _bought("301", _item(200, 555)),
        [111000],
        _net(111000, 21090, 111000, ImptoReten=[_tax("301", 19, 21090)]),
    ),
    "46 rice": Example(
        _bought("36", _item(1, 123457)),
        [123457],
        _net(123457, 23457, 134568, ImptoReten=[_tax("36", 10, 12346)], IVANoRet=11111),
    ),
    "46 nothing kept": Example(_bought("49", _item(1, 10000)), [10000], _net(10000, 1900, 11900, IVANoRet=1900)),
    "46 two codes keep all VAT to the peso": Example(
        _of(purchase(), _item(1, 1003, CodImpAdic=["15"]), _item(1, 1003, CodImpAdic=["38"])),
        [1003, 1003],
        _net(2006, 381, 2006, ImptoReten=[_tax("15", 19, 191), _tax("38", 19, 190)]),
    ),
    "52 sale": Example(_of(guide(), _item(450, 70, UnmdItem="UN")), [31500], _net(31500, 5985, 37485)),
    "52 without prices": Example(
        _of(guide(6), {"NmbItem": "Cajas", "QtyItem": 66, "UnmdItem": "UN"}), [0], {"MntTotal": 0}
    ),
    "43": Example(
        settlement(),
        [100000, 20000],
        _net(
            100000,
            19000,
            133050,
            MntExe=20000,
            IVAProp=950,
            IVATerc=18050,
            Comisiones={"ValComNeto": 5000, "ValComExe": 0, "ValComIVA": 950},
        ),
    ),
    "43 that comes to less than nothing": Example(
        _of(
            settlement(),
            {"TpoDocLiq": "33", "NmbItem": "Facturas", "MontoItem": 1000},
            {"TpoDocLiq": "61", "NmbItem": "Notas de crédito", "QtyItem": 3, "PrcItem": 1000, "MontoItem": -3000},
            {"TpoDocLiq": "99", "NmbItem": "Anticipo", "MontoItem": -500, "IndExe": 2},
        ),
        [1000, -3000, -500],
        _net(
            -2000,
            -380,
            -8330,
            IVAProp=950,
            IVATerc=-1330,
            MontoPeriodo=-8830,
            Comisiones={"ValComNeto": 5000, "ValComExe": 0, "ValComIVA": 950},
        ),
    ),
    "110 with freight and insurance": Example(
        _of(
            export_invoice(),
            _item(872, 177),
            DscRcgGlobal=[_change("R", "$", 3574.57, IndExeDR=1), _change("R", "$", "2759.05", IndExeDR=1)],
        ),
        [154344],
        _abroad("160677.62"),
    ),
    "110 discount of a line is whole": Example(
        _of(
            export_invoice(),
            _item(239, 114, DescuentoPct=5),
            _item(164, 62),
            DscRcgGlobal=[_change("R", "$", value) for value in ("115.14", "15.95", "91.43")],
        ),
        [25884, 10168],
        _abroad("36274.52"),
    ),
    "110 that nobody pays": Example(
        _of(export_invoice(), _item(1, 50), Encabezado__IdDoc__FmaPagExp=21), [50], _abroad("0")
    ),
    "110 keeps four decimals": Example(
        _of(export_invoice(), _item("0.333333", "1.5"), DscRcgGlobal=[_change("D", "%", "1.01")]),
        [Decimal("0.5")],
        _abroad("0.4949"),
    ),
    "112": Example(export_note(), [Decimal("1234.5")], _abroad("1234.5")),
    "111": Example(export_note(111, 1, 112, 60), [Decimal("1234.5")], _abroad("1234.5")),
    "56 adds": Example(_of(debit_note(), _item(1, 500)), [500], _net(500, 95, 595)),
    "56 that annuls a note on an exempt document": Example(
        _of(debit_note(1, 31, 61), _item(1, 10000)), [10000], {"MntExe": 10000, "MntTotal": 10000}
    ),
    "61 that annuls a factura de compra": Example(
        _of(credit_note(1, 40, 46), _item(10, 1000, CodImpAdic=["15"])),
        [10000],
        _net(10000, 1900, 10000, ImptoReten=[_tax("15", 19, 1900)]),
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
