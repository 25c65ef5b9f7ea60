"""The format of `Documento` in EnvioBOLETA_v11.xsd: boletas (39, 41).

Kept inside what both variants of the schema in circulation accept: percentages above 0, OrdenSTI always present,
LineasDeta up to 60, no ticket block (its tag is spelled in two ways), no TpoDocRef and FolioRef (one variant lacks
them; completion keeps what they say in CodRef and RazonRef). Obligations are those of SII, Formato Boletas 4.2, for
39 and 41; the additions of that edition aren't in any schema that could be read: they are left out with a warning.
"""

from domain.format.kinds import Choice, Text, Whole, choice
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
from domain.format.table import ALWAYS, Group, Leaf

SOFTWARE = frozenset({"RutProvSW", "RznSocProvSW"})
"""Who made the software: an addition of edition 4.2 that no schema has yet, like MedioPago and the ways to reach the
buyer."""

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
        Leaf("TotalPeriodo", PESOS),
        Leaf("SaldoAnterior", SIGNED_PESOS),
        Leaf("VlrPagar", SIGNED_PESOS),
    ),
    ALWAYS,
    renamed=(("MontoPeriodo", "TotalPeriodo"),),
    left_out=frozenset({"TasaIVA"}),
)

HEADER = Group("Encabezado", (ID_DOC, EMISOR, RECEPTOR, TOTALS), ALWAYS, left_out=SOFTWARE)

LINE = Group(
    "Detalle",
    (
        Leaf("NroLinDet", Whole(0, 10**6), ALWAYS),
        Group("CdgItem", (Leaf("TpoCodigo", Text(10), ALWAYS), Leaf("VlrCodigo", Text(35), ALWAYS)), most=5),
        Leaf("IndExe", choice(1, 2, 6)),
        Leaf("ItemEspectaculo", Choice({"1": "01", "01": "01", "2": "02", "02": "02"})),
        Leaf("RUTMandante", RUT),
        Leaf("NmbItem", Text(80, cut=True), ALWAYS),
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

DOCUMENT = Group("document", (HEADER, LINE, SUBTOTAL, GLOBAL, REFERENCE), ALWAYS)
"""The whole of Documento that a producer writes; stamp, time and signature are added when it is issued."""
