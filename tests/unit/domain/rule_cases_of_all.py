"""Cases for the rules of every document: parties, days, lines, totals, taxes, references, communes."""

from datetime import date

from tests.unit.domain.rule_case import Case
from tests.unit.domain.samples import (
    RECEIVER,
    Raw,
    boleta,
    credit_note,
    debit_note,
    exempt_invoice,
    guide,
    invoice,
    line,
    purchase,
    settlement,
    spoilt,
    text_note,
)


def _with_tax(code: object = "27", **changes: object) -> Raw:
    return spoilt(invoice(), Detalle__0__CodImpAdic=[code], **changes)


def _boleta_with(**changes: object) -> Raw:
    return spoilt(boleta(), **changes)


_TWO = [line(), line(NmbItem="Servicio de médico", IndExe=1)]
_TOTALS = "Encabezado__Totales__"
_ID = "Encabezado__IdDoc__"
_RUT = "Encabezado__Receptor__RUTRecep"
_SECOND = {"TpoDocRef": 33, "FolioRef": 10, "FchRef": "2026-11-20", "CodRef": 3}
_GUIDE = {"TpoDocRef": 52, "FolioRef": 7, "FchRef": "2026-11-20"}
_ORDER = {"TpoDocRef": 801, "FolioRef": "1234-56-SE26", "FchRef": "2026-11-20"}
_HUGE = 10**11
_PER_CENT = {"TpoMov": "D", "TpoValor": "%", "ValorDR": 1}
_SMALL = line(NmbItem="Servicio de médico", IndExe=1, PrcItem=49)
_DOLLARS = {"TpoMoneda": "DOLAR USA", "TpoCambio": 1000}
_FUEL = "Base 900 y variable 100, 24-11-2026, patente ABCD12"


def _on_settlement(code: int) -> Raw:
    """A note on a liquidación of the ledger with its amounts."""
    lines = [line(PrcItem=100000), line(PrcItem=20000, IndExe=1)]
    return spoilt(credit_note(code, 70, 43), Detalle=lines, Comisiones=settlement()["Comisiones"])


OF_ALL: dict[str, Case] = {
    "DTE-RUT-01": Case(
        spoilt(invoice(), Encabezado__Emisor__RUTEmisor="77777777-7", Encabezado__Receptor__RUTRecep="60803000-K"),
        spoilt(invoice(), Encabezado__Emisor__RUTEmisor="76.900.101-8"),
    ),
    "DTE-RUT-02": Case(
        spoilt(invoice(), **{_RUT: "76900101-8"}),
        spoilt(guide(6), **{_RUT: "76900101-8"}),
    ),
    "DTE-RUT-03": Case(spoilt(invoice(), **{_RUT: "55555555-5"}), spoilt(invoice(), **{_RUT: "60803000-K"})),
    "DTE-RUT-04": Case(spoilt(invoice(), **{_RUT: "66666666-6"}), spoilt(invoice(), **{_RUT: "60803000-K"})),
    "DTE-DAT-01": Case(
        spoilt(invoice(), **{f"{_ID}FchEmis": "2026-11-25"}), spoilt(invoice(), **{f"{_ID}FchEmis": "2026-11-24"})
    ),
    "DTE-DAT-02": Case(
        spoilt(invoice(), **{f"{_ID}FchEmis": "2026-11-20"}), spoilt(invoice(), **{f"{_ID}FchEmis": "2026-11-21"})
    ),
    "DTE-DAT-03": Case(
        spoilt(invoice(), **{f"{_ID}FchEmis": "2026-10-31"}),
        spoilt(invoice(), **{f"{_ID}FchEmis": "2026-11-01"}),
        today=date(2026, 11, 2),
    ),
    "DTE-DAT-04": Case(
        spoilt(invoice(), **{f"{_ID}FchVenc": "2026-11-23"}), spoilt(invoice(), **{f"{_ID}FchVenc": "2026-11-24"})
    ),
    "DTE-DAT-05": Case(
        spoilt(invoice(), **{f"{_ID}FchCancel": "2026-11-25"}), spoilt(invoice(), **{f"{_ID}FchCancel": "2026-11-24"})
    ),
    "DTE-DAT-06": Case(
        spoilt(invoice(), **{f"{_ID}PeriodoDesde": "2026-11-02", f"{_ID}PeriodoHasta": "2026-11-01"}),
        spoilt(invoice(), **{f"{_ID}PeriodoDesde": "2026-11-01", f"{_ID}PeriodoHasta": "2026-11-01"}),
    ),
    "DTE-DAT-07": Case(
        spoilt(invoice(), Referencia=[{**_GUIDE, "FchRef": "2026-10-27"}], **{f"{_ID}FchEmis": "2026-11-05"}),
        spoilt(invoice(), Referencia=[{**_GUIDE, "FchRef": "2026-10-27"}], **{f"{_ID}FchEmis": "2026-10-31"}),
        today=date(2026, 11, 5),
    ),
    "DTE-DAT-08": Case(
        spoilt(invoice(), Referencia=[{**_GUIDE, "FchRef": "2026-10-27"}], **{f"{_ID}FchEmis": "2026-10-31"}),
        spoilt(invoice(), Referencia=[{**_GUIDE, "FchRef": "2026-11-01"}], **{f"{_ID}FchEmis": "2026-11-01"}),
        today=date(2026, 11, 11),
    ),
    "DTE-SAL-01": Case(spoilt(invoice(), **{f"{_ID}TpoTranVenta": 4}), spoilt(invoice(), **{f"{_ID}TpoTranVenta": 3})),
    "DTE-PAY-01": Case(
        spoilt(invoice(), **{f"{_ID}MntPagos": [{"FchPago": "2026-12-24", "MntPago": 11899}]}),
        spoilt(invoice(), **{f"{_ID}MntPagos": [{"FchPago": "2026-12-24", "MntPago": 11900}]}),
    ),
    "DTE-PAY-02": Case(
        spoilt(invoice(), **{f"{_ID}MntCancel": 900, f"{_ID}SaldoInsol": 10999}),
        spoilt(invoice(), **{f"{_ID}MntCancel": 900, f"{_ID}SaldoInsol": 11000}),
    ),
    "DTE-PAY-03": Case(
        spoilt(invoice(), **{f"{_ID}FmaPago": 2}),
        spoilt(invoice(), **{f"{_ID}FmaPago": 2, f"{_ID}FchVenc": "2026-11-24"}),
    ),
    "DTE-LIN-01": Case(spoilt(invoice(), Detalle__0__MontoItem=10002), spoilt(invoice(), Detalle__0__MontoItem=10000)),
    "DTE-LIN-02": Case(
        spoilt(invoice(), Detalle__0__MontoItem=10001), spoilt(invoice(), Detalle__0__MontoItem="10000")
    ),
    "DTE-LIN-03": Case(
        spoilt(invoice(), Detalle=[line(), line(QtyItem=0)]),
        spoilt(invoice(), Detalle=[line(), line(QtyItem=0.000001)]),
    ),
    "DTE-LIN-04": Case(
        spoilt(invoice(), Detalle=[line(), {"NmbItem": "Flete a Arica", "DescuentoPct": 10}]),
        spoilt(invoice(), Detalle=[line(), {"NmbItem": "Flete a Arica", "DescuentoPct": 0}]),
    ),
    "DTE-LIN-10": Case(
        spoilt(invoice(), Detalle=[{"NmbItem": "Flete a Arica", "MontoItem": 1000, "DescuentoPct": 10}]),
        spoilt(invoice(), Detalle=[{"NmbItem": "Flete a Arica", "MontoItem": 1000, "DescuentoPct": 0}]),
    ),
    "DTE-LIN-11": Case(
        spoilt(invoice(), Detalle=[line(), line(PrcItem=49, DescuentoPct=1)]),
        spoilt(invoice(), Detalle=[line(), line(PrcItem=50, DescuentoPct=1)]),
    ),
    "DTE-LIN-12": Case(
        spoilt(invoice(), Detalle=[line(SubDscto=[{"TipoDscto": "$", "ValorDscto": 200}])]),
        spoilt(invoice(), Detalle=[line(SubDscto=[{"TipoDscto": "$", "ValorDscto": 200}], DescuentoMonto=200)]),
    ),
    "DTE-LIN-13": Case(
        spoilt(text_note(), Detalle=[{"NmbItem": "Donde dice Comercio"}, {"NmbItem": "debe decir Ferretería"}]),
        text_note(),
    ),
    "DTE-GLO-03": Case(
        spoilt(invoice(), DscRcgGlobal=[{**_PER_CENT, "IndExeDR": 1}]),
        spoilt(invoice(), DscRcgGlobal=[{**_PER_CENT, "IndExeDR": 1}], Detalle=_TWO),
    ),
    "DTE-GLO-04": Case(
        spoilt(invoice(), DscRcgGlobal=[_PER_CENT, {**_PER_CENT, "IndExeDR": 1}], Detalle=[line(), _SMALL]),
        spoilt(invoice(), DscRcgGlobal=[_PER_CENT, {**_PER_CENT, "IndExeDR": 1}], Detalle=_TWO),
    ),
    "DTE-LIN-05": Case(
        spoilt(invoice(), Detalle=[line(), line(DescuentoMonto=1001)]),
        spoilt(invoice(), Detalle=[line(), line(DescuentoMonto=1000)]),
    ),
    "DTE-LIN-06": Case(
        spoilt(invoice(), Detalle__0__DescuentoPct=10, Detalle__0__DescuentoMonto=1001),
        spoilt(invoice(), Detalle__0__DescuentoPct=10, Detalle__0__DescuentoMonto=1000),
    ),
    "DTE-LIN-07": Case(
        spoilt(invoice(), Detalle=[line(), line(IndExe=5)]),
        spoilt(invoice(), Detalle=[line(), line(IndExe=4)]),
    ),
    "DTE-LIN-08": Case(
        spoilt(invoice(), Detalle=[line(QtyItem=_HUGE, PrcItem=_HUGE)]),
        spoilt(invoice(), Detalle=[line(QtyItem=10**6, PrcItem=10**11)]),
    ),
    "DTE-LIN-09": Case(
        spoilt(invoice(), Detalle__0__NmbItem="Varios"), spoilt(invoice(), Detalle__0__NmbItem="Varios clavos")
    ),
    "DTE-GLO-01": Case(
        spoilt(
            invoice(), Detalle=_TWO, DscRcgGlobal=[{"TpoMov": "D", "TpoValor": "$", "ValorDR": 1001, "IndExeDR": 1}]
        ),
        spoilt(
            invoice(), Detalle=_TWO, DscRcgGlobal=[{"TpoMov": "D", "TpoValor": "$", "ValorDR": 1000, "IndExeDR": 1}]
        ),
    ),
    "DTE-GLO-02": Case(
        spoilt(
            _with_tax(),
            Detalle=[line(CodImpAdic=["27"]), line()],
            DscRcgGlobal=[{"TpoMov": "D", "TpoValor": "$", "ValorDR": 100}],
        ),
        spoilt(
            _with_tax(),
            Detalle=[line(CodImpAdic=["27"]), line(CodImpAdic="27")],
            DscRcgGlobal=[{"TpoMov": "D", "TpoValor": "$", "ValorDR": 100}],
        ),
    ),
    "DTE-TOT-01": Case(
        spoilt(invoice(), **{f"{_TOTALS}MntNeto": 9998}), spoilt(invoice(), **{f"{_TOTALS}MntNeto": 10000})
    ),
    "DTE-TOT-02": Case(spoilt(invoice(), **{f"{_TOTALS}IVA": 1901}), spoilt(invoice(), **{f"{_TOTALS}IVA": 1900})),
    "DTE-TOT-03": Case(
        spoilt(invoice(), **{f"{_TOTALS}MntTotal": 11901}), spoilt(invoice(), **{f"{_TOTALS}MntTotal": 11900})
    ),
    "DTE-TOT-04": Case(
        spoilt(invoice(), Detalle=[line(QtyItem=10**6, PrcItem=9 * 10**11)]),
        spoilt(invoice(), Detalle=[line(QtyItem=10**6, PrcItem=8 * 10**11)]),
    ),
    "DTE-TOT-05": Case(
        spoilt(invoice(), **{f"{_TOTALS}TasaIVA": 18}), spoilt(invoice(), **{f"{_TOTALS}TasaIVA": "19.00"})
    ),
    "DTE-TOT-06": Case(
        spoilt(invoice(), Detalle=_TWO, **{f"{_TOTALS}MntExe": 1001}),
        spoilt(invoice(), Detalle=_TWO, **{f"{_TOTALS}MntExe": 1000}),
    ),
    "DTE-TOT-07": Case(
        _boleta_with(Detalle=[line(), line(IndExe=6, PrcItem=1001)]),
        _boleta_with(Detalle=[line(), line(IndExe=6, PrcItem=1000)]),
    ),
    "DTE-TOT-08": Case(
        spoilt(invoice(), **{f"{_TOTALS}CredEC": 1901}), spoilt(invoice(), **{f"{_TOTALS}CredEC": 1900})
    ),
    "DTE-TOT-09": Case(spoilt(invoice(), Detalle__0__IndExe=1), spoilt(invoice(), Detalle=_TWO)),
    "DTE-TOT-14": Case(
        spoilt(invoice(), Detalle=[line(IndExe=2)]),
        spoilt(invoice(), Detalle=[line(IndExe=2), line()]),
    ),
    "DTE-TOT-10": Case(
        spoilt(invoice(), Detalle__0__DescuentoPct=100),
        spoilt(invoice(), Detalle__0__DescuentoPct="99.99"),
    ),
    "DTE-TOT-11": Case(_boleta_with(Detalle__0__IndExe=1), _boleta_with(Detalle=_TWO)),
    "DTE-TAX-01": Case(_with_tax("15"), _with_tax("19")),
    "DTE-TAX-02": Case(
        spoilt(invoice(), Detalle=[line(CodImpAdic="27"), line(CodImpAdic="27", IndExe=1)]),
        spoilt(invoice(), Detalle=[line(CodImpAdic="27"), line(IndExe=1)]),
    ),
    "DTE-TAX-03": Case(
        spoilt(invoice(), **{f"{_TOTALS}ImptoReten": [{"TipoImp": "27", "MontoImp": 0}]}),
        _with_tax(**{f"{_TOTALS}ImptoReten": [{"TipoImp": "27", "MontoImp": 1000}]}),
    ),
    "DTE-TAX-04": Case(
        _with_tax(**{f"{_TOTALS}ImptoReten": [{"TipoImp": "27", "TasaImp": 13, "MontoImp": 1000}]}),
        _with_tax(**{f"{_TOTALS}ImptoReten": [{"TipoImp": "27", "TasaImp": 10, "MontoImp": 1000}]}),
    ),
    "DTE-TAX-05": Case(
        _with_tax(**{f"{_TOTALS}ImptoReten": [{"TipoImp": "27", "MontoImp": 1001}]}),
        _with_tax(**{f"{_TOTALS}ImptoReten": {"TipoImp": 27, "MontoImp": 1000}}),
    ),
    "DTE-TAX-06": Case(
        _with_tax("51"), _with_tax("51", **{f"{_TOTALS}ImptoReten": [{"TipoImp": "51", "MontoImp": 777}]})
    ),
    "DTE-FUE-01": Case(
        _with_tax(
            "28",
            Detalle__0__DscItem="24-11-2026, patente ABCD12",
            **{f"{_TOTALS}ImptoReten": [{"TipoImp": "28", "MontoImp": 1000}]},
        ),
        _with_tax("28", Detalle__0__DscItem=_FUEL, **{f"{_TOTALS}ImptoReten": [{"TipoImp": "28", "MontoImp": 1000}]}),
    ),
    "DTE-CUR-01": Case(
        spoilt(invoice(), Encabezado__OtraMoneda={**_DOLLARS, "MntTotOtrMnda": 11.92}),
        spoilt(invoice(), Encabezado__OtraMoneda={**_DOLLARS, "MntTotOtrMnda": 11.91}),
    ),
    "DTE-CUR-03": Case(
        spoilt(invoice(), Encabezado__OtraMoneda={"TpoMoneda": "DOLAR USA"}),
        spoilt(invoice(), Encabezado__OtraMoneda={"TpoMoneda": "DOLAR USA", "MntTotOtrMnda": 99}),
    ),
    "DTE-CUR-02": Case(
        spoilt(text_note(), Encabezado__OtraMoneda=_DOLLARS),
        spoilt(invoice(), Encabezado__OtraMoneda=_DOLLARS),
    ),
    "DTE-TOT-15": Case(
        _boleta_with(Detalle=[line(PrcItem=0)]),
        _boleta_with(Detalle=[line(PrcItem=0), line(PrcItem=1, NmbItem="Bolsa")]),
    ),
    "DTE-TAX-07": Case(
        _with_tax(
            **{f"{_TOTALS}ImptoReten": [{"TipoImp": "27", "MontoImp": 1000}, {"TipoImp": "27", "MontoImp": 1000}]}
        ),
        _with_tax(**{f"{_TOTALS}ImptoReten": [{"TipoImp": "27", "MontoImp": 1000}]}),
    ),
    "DTE-TAX-08": Case(_with_tax(**{f"{_ID}MntBruto": 1}), spoilt(invoice(), **{f"{_ID}MntBruto": 1})),
    "DTE-TAX-09": Case(
        _with_tax("53", Detalle__0__Retenedor={"IndAgente": "R"}),
        _with_tax("53", Detalle__0__Retenedor={"IndAgente": "R", "PrcConsFinal": 1200}),
    ),
    "DTE-TAX-10": Case(
        spoilt(purchase("34"), **{f"{_TOTALS}ImptoReten": [{"TipoImp": "34", "TasaImp": 5}]}),
        spoilt(purchase("34"), **{f"{_TOTALS}ImptoReten": [{"TipoImp": "34", "TasaImp": 4}]}),
    ),
    "DTE-TOT-12": Case(
        spoilt(invoice(), **{f"{_TOTALS}CredEC": 1235, f"{_ID}FchEmis": "2027-01-01"}),
        spoilt(invoice(), **{f"{_ID}FchEmis": "2027-01-01"}),
        today=date(2027, 1, 1),
    ),
    "DTE-TOT-13": Case(
        spoilt(invoice(), **{f"{_TOTALS}IVAProp": 900, f"{_TOTALS}IVATerc": 999}),
        spoilt(invoice(), **{f"{_TOTALS}IVAProp": 900, f"{_TOTALS}IVATerc": 1000}),
    ),
    "DTE-EXE-01": Case(spoilt(exempt_invoice(), **{f"{_ID}MntBruto": 1}), exempt_invoice()),
    "DTE-REF-01": Case(spoilt(credit_note(), Referencia=[_ORDER]), spoilt(credit_note(), Referencia__0__CodRef=1)),
    "DTE-REF-02": Case(
        spoilt(credit_note(), Referencia=[_SECOND, {**_SECOND, "CodRef": None}]),
        spoilt(credit_note(), Referencia=[_SECOND, _ORDER]),
    ),
    "DTE-REF-03": Case(credit_note(3, 7, 52), spoilt(invoice(), Referencia=[_GUIDE])),
    "DTE-REF-04": Case(
        spoilt(credit_note(), Referencia=[{**_SECOND, "CodRef": 1}, _SECOND]),
        spoilt(credit_note(), Referencia=[_SECOND, _SECOND]),
    ),
    "DTE-REF-05": Case(
        spoilt(invoice(), Referencia=[{**_ORDER, "TpoDocRef": 899}]),
        spoilt(invoice(), Referencia=[{**_ORDER, "TpoDocRef": "HES"}]),
    ),
    "DTE-REF-06": Case(
        spoilt(invoice(), Referencia=[{**_GUIDE, "FolioRef": "A7"}]),
        spoilt(invoice(), Referencia=[{**_GUIDE, "FolioRef": "0009999999999"}]),
    ),
    "DTE-REF-07": Case(
        spoilt(invoice(), Referencia=[{**_GUIDE, "IndGlobal": 1}]),
        spoilt(invoice(), Referencia=[{**_GUIDE, "IndGlobal": 1, "FolioRef": 0}]),
    ),
    "DTE-REF-08": Case(
        spoilt(credit_note(), Referencia=[_SECOND, {**_ORDER, "RUTOtr": RECEIVER}]),
        spoilt(credit_note(), Referencia=[_SECOND, _ORDER]),
    ),
    "DTE-REF-09": Case(
        spoilt(invoice(), Referencia=[{**_GUIDE, "FchRef": "2026-11-25"}]),
        spoilt(invoice(), Referencia=[{**_GUIDE, "FchRef": "2026-11-24"}]),
    ),
    "DTE-REF-10": Case(spoilt(credit_note(), Detalle__0__PrcItem=999), credit_note()),
    "DTE-REF-11": Case(spoilt(credit_note(), **{_RUT: "60803000-K"}), credit_note()),
    "DTE-REF-12": Case(spoilt(text_note(), Detalle__0__MontoItem=1), text_note()),
    "DTE-REF-13": Case(
        spoilt(credit_note(3, 13), Detalle__0__PrcItem=901), spoilt(credit_note(3, 13), Detalle__0__PrcItem=900)
    ),
    "DTE-REF-14": Case(credit_note(1, 11), credit_note(1, 10)),
    "DTE-REF-15": Case(credit_note(1, 99), credit_note(1, 10)),
    "DTE-REF-16": Case(
        spoilt(credit_note(), Referencia__0__FchRef="2026-11-19"),
        spoilt(credit_note(), Referencia__0__FchRef=None),
    ),
    "DTE-REF-17": Case(
        spoilt(credit_note(3, 12), Referencia__0__FchRef="2026-05-24"),
        spoilt(credit_note(3, 12), Referencia__0__FchRef="2026-05-24", **{f"{_ID}FchEmis": "2026-11-24"}),
        today=date(2026, 11, 25),
    ),
    "DTE-REF-18": Case(credit_note(3, 14), credit_note(3, 10)),
    "DTE-REF-19": Case(debit_note(1), debit_note(1, 30, 61)),
    "DTE-REF-20": Case(
        spoilt(
            credit_note(1, 15),
            Detalle__0__CodImpAdic=["28"],
            Encabezado__Totales__ImptoReten=[{"TipoImp": "28", "MontoImp": 1800}],
        ),
        spoilt(credit_note(1, 15), Detalle__0__CodImpAdic=["271"]),
    ),
    "DTE-REF-21": Case(
        spoilt(credit_note(3, 20, 39), **{_RUT: "76900101-8"}),
        credit_note(3, 20, 39),
    ),
    "DTE-REF-22": Case(
        spoilt(credit_note(1, 16), **{f"{_ID}TpoTranVenta": 1}),
        spoilt(credit_note(1, 16), **{f"{_ID}TpoTranVenta": 2}),
    ),
    "DTE-REF-23": Case(
        spoilt(credit_note(), **{f"{_ID}FchEmis": "2027-01-01"}),
        spoilt(credit_note(), **{f"{_ID}FchEmis": "2027-01-01", f"{_ID}IndNoRebaja": 1}),
        today=date(2027, 1, 1),
    ),
    "DTE-REF-24": Case(_on_settlement(1), _on_settlement(3)),
    "DTE-REF-25": Case(
        spoilt(credit_note(), Referencia=[{**_SECOND, "TpoDocRef": 39, "FolioRef": 0, "IndGlobal": 1}]),
        spoilt(credit_note(), Referencia=[{**_SECOND, "TpoDocRef": 39, "FolioRef": 20}] * 40),
    ),
    "DTE-CMN-01": Case(
        spoilt(invoice(), Encabezado__Receptor__CmnaRecep="Providensia"),
        spoilt(invoice(), Encabezado__Receptor__CmnaRecep="ÑUÑOA", Encabezado__Receptor__CmnaPostal="o'higgins"),
    ),
}
