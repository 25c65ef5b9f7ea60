"""Cases for the rules of some types: boletas, guías, facturas de compra, liquidaciones, tourists, exports."""

from datetime import date
from decimal import Decimal

from tests.unit.domain.rule_case import Case
from tests.unit.domain.samples import (
    RECEIVER,
    Raw,
    World,
    boleta,
    export_invoice,
    export_note,
    guide,
    guide_2026,
    invoice,
    opposite,
    purchase,
    settlement,
    spoilt,
)


def _boleta_with(**changes: object) -> Raw:
    return spoilt(boleta(), **changes)


_ID = "Encabezado__IdDoc__"
_RUT = "Encabezado__Receptor__RUTRecep"
_GUIDE = {"TpoDocRef": 52, "FolioRef": 7, "FchRef": "2026-11-20"}
_ORDER = {"TpoDocRef": 801, "FolioRef": "1234-56-SE26", "FchRef": "2026-11-20"}
_WAYBILL = {**_ORDER, "TpoDocRef": 811}
_EXIT = {**_ORDER, "TpoDocRef": 807}
_FREIGHT = {"TpoMov": "R", "TpoValor": "$", "ValorDR": 10.5}
_BOX = {"CodTpoBultos": 75, "CantBultos": 1, "IdContainer": "MSKU1234567", "Sello": "S1", "EmisorSello": "Maersk"}
_PERIODIC = spoilt(
    boleta(),
    Encabezado__IdDoc={"TipoDTE": 39, "IndServicio": 1, "PeriodoDesde": "2026-10-01", "PeriodoHasta": "2026-10-31"},
    Encabezado__Receptor={"RUTRecep": RECEIVER, "RznSocRecep": "Ana Díaz", "DirRecep": "Calle Dos 456"},
)
_ANA = {"RUTRecep": RECEIVER, "RznSocRecep": "Ana Díaz", "CorreoRecep": "ana@example.cl"}
_DEAR = {"NmbItem": "Televisor de 85 pulgadas", "QtyItem": 1, "PrcItem": 5_400_001}
_CUT = {**_DEAR, "NmbItem": "Ventas del 23-11-2026 durante el corte de energía"}
_OWN_GOODS = spoilt(
    guide(6),
    Encabezado__Receptor={
        "RUTRecep": "76900101-8",
        "RznSocRecep": "Comercial Ñandú SpA",
        "GiroRecep": "Venta al por menor",
        "DirRecep": "Calle Uno 123",
        "CmnaRecep": "Santiago",
    },
)
_CUSTOMS = "Encabezado__Transporte__Aduana__"
_EXPORTER = "Encabezado__Emisor__GuiaExport"
_NEWER = World(profile="2026")
_LIMITED = World(profile="2026", uf=Decimal(40_000))
_TICKET = {
    "FolioTicket": 77,
    "FchGenera": "2026-11-24T10:00:00",
    "NmbEvento": "Concierto de Ñandúes",
    "TpoTicket": "GENERAL",
    "CdgEvento": "E1",
    "FchEvento": "2026-12-24T21:30:00",
    "LugarEvento": "Teatro Municipal",
    "UbicEvento": "Platea",
}
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


OF_TYPES: dict[str, Case] = {
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
    "BOL-SRV-06": Case(
        _boleta_with(Detalle__0__ItemEspectaculo=1),
        _boleta_with(Detalle__0__ItemEspectaculo=1, Detalle__0__InfoTicket=_TICKET),
        world=_NEWER,
    ),
    "BOL-SRV-07": Case(
        spoilt(_PERIODIC, Encabezado__Receptor={"DirRecep": "Calle Dos 456"}),
        spoilt(_PERIODIC, Encabezado__Receptor={"DirRecep": "Calle Dos 456", "CdgIntRecep": "CLI-7"}),
    ),
    "BOL-UF-01": Case(
        _boleta_with(Detalle__0__PrcItem=540_001),
        _boleta_with(Detalle__0__PrcItem=540_000),
        world=World(uf=Decimal(40_000)),
    ),
    "BOL-UF-02": Case(
        _boleta_with(Detalle=[_DEAR], Encabezado__Receptor=_ANA),
        _boleta_with(Detalle=[_DEAR], Encabezado__Receptor=_ANA, **{f"{_ID}MedioPago": 2}),
        world=_LIMITED,
    ),
    "BOL-UF-03": Case(
        _boleta_with(Detalle=[_CUT]),
        _boleta_with(Detalle=[{**_CUT, "PrcItem": 5_400_000}]),
        world=_LIMITED,
    ),
    "GUI-TRA-01": Case(spoilt(guide(), **{f"{_ID}TipoDespacho": None}), spoilt(guide(), **{f"{_ID}TipoDespacho": 1})),
    "GUI-TRA-02": Case(guide(5), spoilt(guide(5), **{_RUT: "76900101-8"})),
    "GUI-TRA-09": Case(
        spoilt(_OWN_GOODS, Encabezado__Transporte__DirDest=None),
        spoilt(_OWN_GOODS, Encabezado__Transporte__DirDest=None, Encabezado__Receptor__DirRecep="Bodega 2, km 9"),
        today=date(2026, 10, 15),
    ),
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
    "GUI-TRP-04": Case(
        spoilt(guide(), Encabezado__Transporte__Patente=None),
        spoilt(guide(), Encabezado__Transporte__Patente=None, Detalle__0__DscItem="Salida 15:30, se desconoce patente"),
    ),
    "GUI-TRP-05": Case(
        spoilt(guide_2026(), Encabezado__Transporte__HraSalida=None, Detalle__0__DscItem="Se desconoce la hora"),
        spoilt(guide_2026(), Encabezado__Transporte__PatenteCarro=None),
        world=_NEWER,
    ),
    "COM-RET-01": Case(spoilt(purchase(), Detalle__0__CodImpAdic=None), purchase("49")),
    "LIQ-DET-01": Case(
        spoilt(settlement(), Detalle__0__TpoDocLiq="98"), spoilt(settlement(), Detalle__0__TpoDocLiq=99)
    ),
    "LIQ-REF-01": Case(
        spoilt(opposite(), Detalle__1__MontoItem=-20001),
        opposite(),
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
        spoilt(export_invoice(), Encabezado__OtraMoneda__MntTotOtrMnda=1175700.765),
    ),
    "EXP-CUR-05": Case(
        spoilt(export_invoice(), DscRcgGlobal=[{**_FREIGHT, "ValorDROtrMnda": 10001}]),
        spoilt(export_invoice(), DscRcgGlobal=[{**_FREIGHT, "ValorDROtrMnda": 10000}]),
    ),
    "BOL-ADI-01": Case(
        spoilt(boleta(), SubTotInfo=[{"SubTotAdicSTI": 11901}]),
        spoilt(boleta(), SubTotInfo=[{"SubTotAdicSTI": 1500}]),
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
}
