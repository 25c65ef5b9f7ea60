"""The format of `Documento` in EnvioBOLETA_v11.xsd: boletas (39, 41).

Profile 2019 is kept inside what both variants of the schema in circulation accept: percentages above 0, OrdenSTI always
present, LineasDeta up to 60, no ticket block (its tag is spelled in two ways), no TpoDocRef and FolioRef (one variant
lacks them; completion keeps what they say in CodRef and RazonRef). Obligations are those of SII, Formato Boletas 4.2,
for 39 and 41. What that edition adds belongs to profile 2026, by a public list of the fields of a newer schema, and is
unverified: the SII's public archive still holds the older file. Profile 2019 leaves it out with a warning.
"""

from dataclasses import replace
from datetime import date

from domain.format.dte import PLACE
from domain.format.kinds import Choice, Moment, Text, Whole, choice
from domain.format.sizes import (
    ADDRESS,
    AMOUNT_2,
    CITY,
    COMUNA,
    DATE,
    FOLIO,
    NAME,
    PESOS,
    QUANTITY,
    RUT,
    SHARE,
    SIGN,
    SIGNED_PESOS,
    SOME_PESOS,
    digits,
)
from domain.format.table import ALWAYS, OPTIONAL, Group, Leaf

SOFTWARE = frozenset({"RutProvSW", "RznSocProvSW"})
"""Who made the software, as edition 4.2 spells it; the newer schema has RUTProvSW alone."""
_TICKET_DAYS = Moment(date(2010, 3, 10), date(2050, 12, 31))

ID_DOC = Group(
    "IdDoc",
    (
        Leaf("TipoDTE", choice(39, 41), ALWAYS),
        Leaf("Folio", FOLIO),
        Leaf("FchEmis", DATE, ALWAYS),
        Leaf("IndServicio", choice(1, 2, 3, 4), ALWAYS),
        Leaf("IndMntNeto", choice(2), "30"),
        Leaf("PeriodoDesde", DATE),
        Leaf("PeriodoHasta", DATE),
        Leaf("FchVenc", DATE),
        Leaf("MedioPago", choice(1, 2, 3, 4, 5), profile="2026"),
    ),
    ALWAYS,
    left_out=frozenset({"MedioPago"}),
)

EMISOR = Group(
    "Emisor",
    (
        Leaf("RUTEmisor", RUT, ALWAYS),
        Leaf("RznSocEmisor", NAME),
        Leaf("GiroEmisor", Text(80, cut=True)),
        Leaf("CdgSIISucur", digits(9)),
        Leaf("DirOrigen", ADDRESS),
        Leaf("CmnaOrigen", COMUNA),
        Leaf("CiudadOrigen", CITY),
    ),
    ALWAYS,
    renamed=(("RznSoc", "RznSocEmisor"), ("GiroEmis", "GiroEmisor")),
    left_out=frozenset({"Acteco", "Telefono", "CorreoEmisor", "Sucursal", "CdgVendedor", *SOFTWARE}),
)

RECEPTOR = Group(
    "Receptor",
    (
        Leaf("RUTRecep", RUT, ALWAYS),
        Leaf("CdgIntRecep", Text(20)),
        Leaf("RznSocRecep", NAME),
        Leaf("Contacto", Text(80, cut=True)),
        Leaf("CorreoRecep", Text(80), profile="2026"),
        Leaf("TelefonoRecep", Text(20), profile="2026"),
        Leaf("DirRecep", ADDRESS),
        Leaf("CmnaRecep", COMUNA),
        Leaf("CiudadRecep", CITY),
        Leaf("DirPostal", ADDRESS),
        Leaf("CmnaPostal", COMUNA),
        Leaf("CiudadPostal", CITY),
    ),
    ALWAYS,
    left_out=frozenset({"GiroRecep", "CorreoRecep", "TelefonoRecep"}),
)

TOTALS = Group(
    "Totales",
    (
        Leaf("MntNeto", PESOS, "20"),
        Leaf("MntExe", PESOS),
        Leaf("IVA", SOME_PESOS, "20"),
        Leaf("MntTotal", PESOS, ALWAYS),
        Leaf("MontoNF", SIGNED_PESOS),
        Leaf("TotalPeriodo", PESOS, profile="2019"),
        Leaf("TotalPeriodo", SIGNED_PESOS, profile="2026"),
        Leaf("SaldoAnterior", SIGNED_PESOS),
        Leaf("VlrPagar", SIGNED_PESOS),
    ),
    ALWAYS,
    renamed=(("MontoPeriodo", "TotalPeriodo"),),
    left_out=frozenset({"TasaIVA"}),
)

HEADER = Group(
    "Encabezado",
    (ID_DOC, EMISOR, RECEPTOR, Leaf("RUTProvSW", RUT, profile="2026"), TOTALS),
    ALWAYS,
    renamed=(("RutProvSW", "RUTProvSW"),),
    left_out=SOFTWARE | {"RUTProvSW"},
)

TICKET = Group(
    "InfoTicket",
    (
        Leaf("FolioTicket", digits(6), ALWAYS),
        Leaf("FchGenera", _TICKET_DAYS, ALWAYS),
        Leaf("NmbEvento", Text(80, cut=True), ALWAYS),
        Leaf("TpoTicket", Text(10), ALWAYS),
        Leaf("CdgEvento", Text(5), ALWAYS),
        Leaf("FchEvento", _TICKET_DAYS, ALWAYS),
        Leaf("LugarEvento", Text(80, cut=True), ALWAYS),
        Leaf("UbicEvento", Text(20, cut=True), ALWAYS),
        Leaf("FilaUbicEvento", Text(3)),
        Leaf("AsntoUbicEvento", Text(3)),
    ),
    renamed=(("TpoTiket", "TpoTicket"),),
    profile="2026",
)
"""A ticket of a show: its number, the event, when and where, and the seat."""

LINE = Group(
    "Detalle",
    (
        Leaf("NroLinDet", Whole(0, 10**6), ALWAYS),
        Group("CdgItem", (Leaf("TpoCodigo", Text(10), ALWAYS), Leaf("VlrCodigo", Text(35), ALWAYS)), most=5),
        Leaf("IndExe", choice(1, 2, 6)),
        Leaf("ItemEspectaculo", Choice({"1": "01", "01": "01", "2": "02", "02": "02"})),
        Leaf("RUTMandante", RUT),
        Leaf("NmbItem", Text(80, cut=True), ALWAYS),
        TICKET,
        Leaf("DscItem", Text(1000, cut=True)),
        Leaf("QtyItem", QUANTITY),
        Leaf("UnmdItem", Text(4)),
        Leaf("PrcItem", QUANTITY),
        Leaf("DescuentoPct", SHARE),
        Leaf("DescuentoMonto", SOME_PESOS),
        Leaf("RecargoPct", SHARE),
        Leaf("RecargoMonto", SOME_PESOS),
        Leaf("MontoItem", PESOS, ALWAYS),
    ),
    ALWAYS,
    most=1000,
)

SUBTOTAL = Group(
    "SubTotInfo",
    (
        Leaf("NroSTI", digits(2), ALWAYS),
        Leaf("GlosaSTI", Text(80, cut=True)),
        Leaf("OrdenSTI", digits(2), ALWAYS),
        Leaf("SubTotNetoSTI", AMOUNT_2),
        Leaf("SubTotIVASTI", AMOUNT_2),
        Leaf("SubTotAdicSTI", AMOUNT_2),
        Leaf("SubTotExeSTI", AMOUNT_2),
        Leaf("ValSubtotSTI", AMOUNT_2),
        Leaf("LineasDeta", Whole(1, 60), most=60),
    ),
    most=20,
)

GLOBAL = Group(
    "DscRcgGlobal",
    (
        Leaf("NroLinDR", Whole(0, 10**6), ALWAYS),
        Leaf("TpoMov", choice("D", "R"), ALWAYS),
        Leaf("GlosaDR", Text(45, cut=True)),
        Leaf("TpoValor", SIGN, ALWAYS),
        Leaf("ValorDR", AMOUNT_2, ALWAYS),
        Leaf("IndExeDR", choice(1, 2)),
    ),
    most=20,
)

REFERENCE = Group(
    "Referencia",
    (
        Leaf("NroLinRef", Whole(0, 10**6), ALWAYS),
        Leaf("TpoDocRef", Text(3)),
        Leaf("FolioRef", Text(18)),
        Leaf("CodRef", Text(18)),
        Leaf("RazonRef", Text(90, cut=True)),
        Leaf("CodVndor", Text(8)),
        Leaf("CodCaja", Text(8)),
    ),
    most=40,
    left_out=frozenset({"FchRef"}),
)

DOCUMENT = Group("document", (HEADER, LINE, SUBTOTAL, GLOBAL, REFERENCE, replace(PLACE, needed=OPTIONAL)), ALWAYS)
"""The whole of Documento that a producer writes; stamp, time and signature are added when it is issued."""
