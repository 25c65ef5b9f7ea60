"""For every rule a document that breaks only it and one that stays just inside; a test refuses a rule without both."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from tests.unit.domain.samples import (
    RECEIVER,
    TODAY,
    USUAL,
    Raw,
    World,
    boleta,
    credit_note,
    debit_note,
    exempt_invoice,
    export_invoice,
    export_note,
    guide,
    guide_2026,
    invoice,
    line,
    purchase,
    settlement,
    spoilt,
    text_note,
)


@dataclass(frozen=True)
class Case:
    """`breaks` breaks only the rule, `inside` breaks none; `today` is the day of both, `world` what else they meet."""

    breaks: Raw
    inside: Raw
    today: date = TODAY
    world: World = USUAL

    @property
    def around(self) -> World:
        """Everything that both are judged in."""
        return replace(self.world, today=self.today)


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
_WAYBILL = {**_ORDER, "TpoDocRef": 811}
_EXIT = {**_ORDER, "TpoDocRef": 807}
_FREIGHT = {"TpoMov": "R", "TpoValor": "$", "ValorDR": 10.5}
_BOX = {"CodTpoBultos": 75, "CantBultos": 1, "IdContainer": "MSKU1234567", "Sello": "S1", "EmisorSello": "Maersk"}
_HUGE = 10**11
_PERIODIC = spoilt(
    boleta(),
    Encabezado__IdDoc={"TipoDTE": 39, "IndServicio": 1, "PeriodoDesde": "2026-10-01", "PeriodoHasta": "2026-10-31"},
    Encabezado__Receptor__DirRecep="Calle Dos 456",
)
_CUSTOMS = "Encabezado__Transporte__Aduana__"
_EXPORTER = "Encabezado__Emisor__GuiaExport"
_NEWER = World(profile="2026")
_TOURIST = spoilt(
    invoice(),
    Encabezado__IdDoc={"TipoDTE": 33, "FmaPago": 1, "TipoFactEsp": 1},
    Encabezado__Emisor={"DirOrigen": "Calle Tres 789", "CmnaOrigen": "Arica"},
    Encabezado__Receptor__RUTRecep="55555555-5",
    Encabezado__Receptor__RznSocRecep="Extranjero sin RUT",
    Encabezado__Receptor__Extranjero={"NumId": "AB-1", "TipoDocID": 1},
)


def _unpriced(raw: Raw) -> Raw:
    return spoilt(raw, Detalle__0__PrcItem=None)


def _carrying() -> Raw:
    """A factura that travels with the goods."""
    raw = spoilt(invoice(), Encabezado__IdDoc__TipoDespacho=2)
    raw["Encabezado"]["Transporte"] = guide_2026()["Encabezado"]["Transporte"]
    return raw


def _leaving(motive: int) -> Raw:
    """A guía of goods that leave the country."""
    price = {"PrcOtrMon": 1, "Moneda": "USD", "MontoItemOtrMnda": 10}
    return spoilt(
        guide(motive),
        Encabezado__Transporte__Aduana=export_invoice()["Encabezado"]["Transporte"]["Aduana"],
        Encabezado__Emisor__GuiaExport={"CdgTraslado": 1},
        Detalle__0__OtrMnda=price,
    )


CASES: dict[str, Case] = {
    "DTE-RUT-01": Case(
        spoilt(invoice(), Encabezado__Emisor__RUTEmisor="77777777-7", Encabezado__Receptor__RUTRecep="60803000-K"),
        spoilt(invoice(), Encabezado__Emisor__RUTEmisor="76.900.101-8"),
    ),
    "DTE-RUT-02": Case(
        spoilt(invoice(), **{_RUT: "76900101-8"}),
        spoilt(credit_note(3, 20, 39), **{_RUT: "76900101-8"}),
    ),
    "DTE-RUT-03": Case(spoilt(invoice(), **{_RUT: "55555555-5"}), spoilt(invoice(), **{_RUT: "60803000-K"})),
    "DTE-RUT-04": Case(
        spoilt(invoice(), **{_RUT: "66666666-6"}), spoilt(credit_note(3, 20, 39), **{_RUT: "66666666-6"})
    ),
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
        spoilt(invoice(), Detalle=[{"NmbItem": "Flete a Arica", "MontoItem": 1000, "DescuentoPct": 10}]),
        spoilt(invoice(), Detalle=[{"NmbItem": "Flete a Arica", "MontoItem": 1000, "DescuentoPct": 0}]),
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
        _with_tax("28"), _with_tax("28", **{f"{_TOTALS}ImptoReten": [{"TipoImp": "28", "MontoImp": 777}]})
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
        spoilt(credit_note(1, 12), Referencia__0__FchRef="2026-05-24"),
        spoilt(credit_note(1, 12), Referencia__0__FchRef="2026-05-24", **{f"{_ID}FchEmis": "2026-11-24"}),
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
    "BOL-SRV-01": Case(
        spoilt(_PERIODIC, Encabezado__Receptor__DirRecep=None),
        _PERIODIC,
    ),
    "BOL-SRV-02": Case(
        spoilt(_PERIODIC, **{f"{_ID}IndServicio": 2}),
        spoilt(_PERIODIC, **{f"{_ID}IndServicio": 2, f"{_ID}FchVenc": "2026-12-24"}),
    ),
    "BOL-SRV-03": Case(
        _boleta_with(**{f"{_ID}IndServicio": 4}),
        _boleta_with(**{f"{_ID}IndServicio": 4, "Detalle__0__ItemEspectaculo": "02"}),
    ),
    "BOL-SRV-04": Case(_boleta_with(Detalle__0__ItemEspectaculo=1), _boleta_with(Detalle__0__ItemEspectaculo=2)),
    "BOL-SRV-05": Case(
        spoilt(_PERIODIC, **{f"{_ID}PeriodoHasta": None}),
        _PERIODIC,
    ),
    "BOL-UF-01": Case(
        _boleta_with(Detalle__0__PrcItem=540_001),
        _boleta_with(Detalle__0__PrcItem=540_000),
        world=World(uf=Decimal(40_000)),
    ),
    "GUI-TRA-01": Case(spoilt(guide(), **{f"{_ID}TipoDespacho": None}), spoilt(guide(), **{f"{_ID}TipoDespacho": 1})),
    "GUI-TRA-02": Case(guide(5), spoilt(guide(5), **{_RUT: "76900101-8"})),
    "GUI-TRA-03": Case(_unpriced(guide(1)), _unpriced(guide(6))),
    "GUI-TRA-04": Case(
        spoilt(_leaving(8), **{f"{_CUSTOMS}PesoBruto": None}), spoilt(_leaving(8), **{f"{_CUSTOMS}PesoNeto": None})
    ),
    "GUI-TRA-05": Case(
        spoilt(_leaving(9), Detalle__0__OtrMnda={"PrcOtrMon": 1, "Moneda": "USD"}),
        spoilt(_leaving(9), Detalle__0__OtrMnda={"PrcOtrMon": 1, "Moneda": "USD", "MontoItemOtrMnda": 10}),
    ),
    "GUI-TRA-06": Case(
        spoilt(guide(2), Detalle__0__IndExe=5), spoilt(guide(2), Detalle__0__IndExe=5, Referencia=[_GUIDE])
    ),
    "GUI-TRA-07": Case(
        spoilt(guide(2), **{_EXPORTER: {"CdgTraslado": 4, "FolioAut": 12}}),
        spoilt(guide(2), **{_EXPORTER: {"CdgTraslado": 4, "FolioAut": 12, "FchAut": "2026-01-01"}}),
    ),
    "GUI-TRA-08": Case(spoilt(guide(), Detalle__0__UnmdItem=None), guide()),
    "GUI-REF-01": Case(
        spoilt(guide(), Referencia=[{**_ORDER, "TpoDocRef": 807}, {**_ORDER, "TpoDocRef": 810}]),
        spoilt(guide(), Referencia=[{**_ORDER, "TpoDocRef": 807}, _ORDER]),
    ),
    "GUI-TRP-01": Case(
        spoilt(guide_2026(), Encabezado__Transporte__Patente=None),
        spoilt(guide_2026(), Encabezado__Transporte__Patente=None, Detalle__0__DscItem="Se desconoce la patente"),
        world=_NEWER,
    ),
    "GUI-TRP-02": Case(
        spoilt(guide_2026(), Encabezado__Transporte__FchLlegada="2026-11-23"),
        spoilt(guide_2026(), Encabezado__Transporte__FchLlegada="2026-11-24"),
        world=_NEWER,
    ),
    "GUI-TRP-03": Case(
        spoilt(_carrying(), Encabezado__Transporte__HraSalida=None),
        _carrying(),
        world=_NEWER,
    ),
    "COM-RET-01": Case(spoilt(purchase(), Detalle__0__CodImpAdic=None), purchase("49")),
    "LIQ-DET-01": Case(
        spoilt(settlement(), Detalle__0__TpoDocLiq="98"), spoilt(settlement(), Detalle__0__TpoDocLiq=99)
    ),
    "LIQ-COM-01": Case(spoilt(settlement(), Comisiones=None), settlement()),
    "TUR-FAC-01": Case(
        spoilt(_TOURIST, Encabezado__Receptor__Extranjero={"NumId": "AB-1"}),
        _TOURIST,
        world=_NEWER,
    ),
    "EXP-RUT-01": Case(spoilt(export_invoice(), **{_RUT: RECEIVER}), spoilt(export_invoice(), **{_RUT: "55555555-5"})),
    "EXP-CUR-01": Case(spoilt(export_invoice(), Encabezado__OtraMoneda=None), export_invoice()),
    "EXP-CUR-02": Case(
        spoilt(export_invoice(), Encabezado__OtraMoneda={"TpoMoneda": "PESO CL", "MntExeOtrMnda": 1}),
        spoilt(
            export_invoice(),
            Encabezado__OtraMoneda={"TpoMoneda": "PESO CL", "MntExeOtrMnda": 1, "MntTotOtrMnda": 1},
        ),
    ),
    "EXP-CUR-03": Case(
        spoilt(export_invoice(), Encabezado__OtraMoneda__MntTotOtrMnda=1175702),
        spoilt(export_invoice(), Encabezado__OtraMoneda__MntTotOtrMnda="1175700.765"),
    ),
    "EXP-CUR-04": Case(
        spoilt(export_invoice(), Encabezado__OtraMoneda__TpoMoneda="EURO"),
        spoilt(export_invoice(), Encabezado__OtraMoneda__TpoMoneda="PESO CL"),
    ),
    "EXP-ADU-01": Case(
        spoilt(export_invoice(), **{f"{_CUSTOMS}TotBultos": None}),
        spoilt(export_invoice(), **{f"{_CUSTOMS}TotItems": None}),
    ),
    "EXP-ADU-02": Case(
        spoilt(export_invoice(), **{f"{_CUSTOMS}TipoBultos__0": {**_BOX, "Sello": ""}}),
        spoilt(export_invoice(), **{f"{_CUSTOMS}TipoBultos__0": _BOX}),
    ),
    "EXP-ADU-03": Case(
        spoilt(export_invoice(), **{f"{_CUSTOMS}CodPtoEmbarque": 9999}),
        spoilt(export_invoice(), **{f"{_CUSTOMS}CodPtoEmbarque": "0905"}),
    ),
    "EXP-ADU-04": Case(
        spoilt(export_invoice(), DscRcgGlobal=[_FREIGHT], **{f"{_CUSTOMS}MntFlete": "10.51"}),
        spoilt(export_invoice(), DscRcgGlobal=[_FREIGHT], **{f"{_CUSTOMS}MntFlete": "10.50"}),
    ),
    "EXP-PAY-01": Case(spoilt(export_invoice(), **{f"{_ID}FmaPagExp": None}), export_invoice()),
    "EXP-PAY-02": Case(
        spoilt(export_invoice(), **{f"{_ID}FmaPagExp": 32}),
        spoilt(export_invoice(), **{f"{_ID}FmaPagExp": 32, f"{_ID}FchCancel": "2026-11-01"}),
    ),
    "EXP-PAY-03": Case(
        spoilt(export_invoice(), **{f"{_ID}TermPagoCdg": "N30"}),
        spoilt(export_invoice(), **{f"{_ID}TermPagoCdg": "N30", f"{_ID}TermPagoGlosa": "Net 30 days"}),
    ),
    "EXP-EXT-01": Case(
        spoilt(export_invoice(), Encabezado__Receptor__Extranjero={"NumId": "US-1"}),
        spoilt(export_invoice(), Encabezado__Receptor__Extranjero={"NumId": "US-1", "Nacionalidad": 225}),
    ),
    "EXP-REF-01": Case(
        spoilt(export_invoice(), **{f"{_ID}IndServicio": 5}, Referencia=[_WAYBILL, _WAYBILL]),
        spoilt(export_invoice(), **{f"{_ID}IndServicio": 5}, Referencia=[_WAYBILL]),
    ),
    "EXP-REF-02": Case(
        spoilt(export_note(), Referencia=[export_note()["Referencia"][0], _EXIT, _EXIT]),
        spoilt(export_note(), Referencia=[export_note()["Referencia"][0], _EXIT]),
    ),
    "DTE-CMN-01": Case(
        spoilt(invoice(), Encabezado__Receptor__CmnaRecep="Providensia"),
        spoilt(invoice(), Encabezado__Receptor__CmnaRecep="ÑUÑOA", Encabezado__Receptor__CmnaPostal="o'higgins"),
    ),
}
