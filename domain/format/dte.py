"""The format of `Documento` in DTE_v10.xsd: facturas, guías and notes (33, 34, 46, 52, 56, 61).

Rows stand in the schema's order with the schema's sizes; obligations are those of SII, Formato DTE 2.5, in its order of
types: 33 34 52 61 56 46 43 110 112 111. Zones: A Encabezado, B Detalle, C SubTotInfo, D DscRcgGlobal, E Referencia,
F Comisiones.
"""

from domain.format.kinds import Text, Whole, choice
from domain.format.sizes import (
    ADDRESS,
    AMOUNT_2,
    AMOUNT_4,
    ANY_DATE,
    CITY,
    COMUNA,
    CURRENCY,
    DATE,
    FACTOR_4,
    FOLIO,
    MEASURE,
    NAME,
    ONE,
    PERCENT,
    PESOS,
    QUANTITY,
    RATE,
    REFERENCE_DATE,
    RUT,
    SHARE,
    SIGN,
    SIGNED_PESOS,
    SOME_PESOS,
    TAX_CODE,
    digits,
)
from domain.format.table import ALWAYS, Group, Leaf
from domain.format.transport import TRANSPORT

PAYMENTS = Group(
    "MntPagos",
    (
        Leaf("FchPago", DATE, ALWAYS),
        Leaf("MntPago", PESOS, ALWAYS),
        Leaf("GlosaPagos", Text(40, cut=True)),
    ),
    most=30,
)

ID_DOC = Group(
    "IdDoc",
    (
        Leaf("TipoDTE", choice(33, 34, 46, 52, 56, 61), ALWAYS),
        Leaf("Folio", FOLIO),
        Leaf("FchEmis", DATE, ALWAYS),
        Leaf("IndNoRebaja", ONE, "0002000000"),
        Leaf("TipoDespacho", choice(1, 2, 3), "2220020200"),
        Leaf("IndTraslado", choice(1, 2, 3, 4, 5, 6, 7, 8, 9), "0010000000"),
        Leaf("TpoImpresion", choice("N", "T"), "0020000000"),
        Leaf("IndServicio", choice(1, 2, 3), "2202222222"),
        Leaf("MntBruto", ONE, "2202222000"),
        Leaf("TpoTranCompra", choice(1, 2, 3, 4, 5, 6, 7), "3330033000"),
        Leaf("TpoTranVenta", choice(1, 2, 3, 4), "3333033000"),
        Leaf("FmaPago", choice(1, 2, 3), "2232223333"),
        Leaf("FmaPagExp", digits(2), "0030000333"),
        Leaf("FchCancel", DATE),
        Leaf("MntCancel", PESOS),
        Leaf("SaldoInsol", PESOS),
        PAYMENTS,
        Leaf("PeriodoDesde", DATE, "3303333333"),
        Leaf("PeriodoHasta", DATE, "3303333333"),
        Leaf("MedioPago", choice("CH", "CF", "LT", "EF", "PE", "TC", "OT"), "3303333333"),
        Leaf("TpoCtaPago", choice("AHORRO", "CORRIENTE", "VISTA"), "3303333333"),
        Leaf("NumCtaPago", Text(20), "3303333333"),
        Leaf("BcoPago", Text(40, cut=True), "3303333333"),
        Leaf("TermPagoCdg", Text(4)),
        Leaf("TermPagoGlosa", Text(100, cut=True)),
        Leaf("TermPagoDias", digits(3)),
        Leaf("FchVenc", DATE, "2203333233"),
        Leaf("TipoFactEsp", ONE, "3003000000", profile="2026"),
    ),
    ALWAYS,
)

EMISOR = Group(
    "Emisor",
    (
        Leaf("RUTEmisor", RUT, ALWAYS),
        Leaf("RznSoc", NAME, ALWAYS),
        Leaf("GiroEmis", Text(80, cut=True), ALWAYS),
        Leaf("Telefono", Text(20), most=2),
        Leaf("CorreoEmisor", Text(80)),
        Leaf("Acteco", digits(6), ALWAYS, most=4),
        Group(
            "GuiaExport",
            (Leaf("CdgTraslado", choice(1, 2, 3, 4)), Leaf("FolioAut", Whole(0, 999_999)), Leaf("FchAut", DATE)),
            "0030000000",
        ),
        Leaf("Sucursal", Text(20, cut=True)),
        Leaf("CdgSIISucur", digits(9)),
        Leaf("DirOrigen", ADDRESS, "1113311133"),
        Leaf("CmnaOrigen", COMUNA, "1113333333"),
        Leaf("CiudadOrigen", CITY),
        Leaf("CdgVendedor", Text(60)),
        Leaf("IdAdicEmisor", Text(20), "0030000333"),
    ),
    ALWAYS,
    renamed=(("RznSocEmisor", "RznSoc"), ("GiroEmisor", "GiroEmis")),
)

RECEPTOR = Group(
    "Receptor",
    (
        Leaf("RUTRecep", RUT, ALWAYS),
        Leaf("CdgIntRecep", Text(20)),
        Leaf("RznSocRecep", NAME, ALWAYS),
        Group(
            "Extranjero",
            (
                Leaf("NumId", Text(20)),
                Leaf("Nacionalidad", Text(3)),
                Leaf("TipoDocID", choice(1, 2), profile="2026"),
            ),
        ),
        Leaf("GiroRecep", Text(40, cut=True), "1113311333"),
        Leaf("Contacto", Text(80, cut=True)),
        Leaf("CorreoRecep", Text(80)),
        Leaf("DirRecep", ADDRESS, "1113311133"),
        Leaf("CmnaRecep", COMUNA, "1113311333"),
        Leaf("CiudadRecep", CITY),
        Leaf("DirPostal", ADDRESS),
        Leaf("CmnaPostal", COMUNA),
        Leaf("CiudadPostal", CITY),
    ),
    ALWAYS,
)

TOTALS = Group(
    "Totales",
    (
        Leaf("MntNeto", PESOS, "2032222000"),
        Leaf("MntExe", PESOS, "2132222111"),
        Leaf("MntBase", PESOS, "2032200000"),
        Leaf("MntMargenCom", PESOS, "2032200000"),
        Leaf("TasaIVA", PERCENT, "2232222000"),
        Leaf("IVA", PESOS, "2232222000"),
        Leaf("IVAProp", PESOS, "3033333000"),
        Leaf("IVATerc", PESOS, "3033333000"),
        Group(
            "ImptoReten",
            (
                Leaf("TipoImp", TAX_CODE, ALWAYS),
                Leaf("TasaImp", SHARE),
                Leaf("MontoImp", SOME_PESOS, profile="2019"),
                Leaf("MontoImp", SIGNED_PESOS, profile="2026"),
            ),
            "2232222000",
            most=20,
        ),
        Leaf("IVANoRet", SOME_PESOS, "0002220000"),
        Leaf("CredEC", PESOS, "2032200000"),
        Leaf("GrntDep", PESOS, "2202200000"),
        Group(
            "Comisiones",
            (Leaf("ValComNeto", PESOS), Leaf("ValComExe", PESOS), Leaf("ValComIVA", PESOS)),
            "0002222000",
        ),
        Leaf("MntTotal", PESOS, ALWAYS),
        Leaf("MontoNF", SIGNED_PESOS, "2222220000"),
        Leaf("MontoPeriodo", SIGNED_PESOS, "3333333000"),
        Leaf("SaldoAnterior", SIGNED_PESOS, "3333333000"),
        Leaf("VlrPagar", SIGNED_PESOS, "3333333000"),
    ),
    ALWAYS,
)

OTHER_CURRENCY = Group(
    "OtraMoneda",
    (
        Leaf("TpoMoneda", CURRENCY, ALWAYS),
        Leaf("TpoCambio", FACTOR_4),
        Leaf("MntNetoOtrMnda", AMOUNT_4),
        Leaf("MntExeOtrMnda", AMOUNT_4),
        Leaf("MntFaeCarneOtrMnda", AMOUNT_4),
        Leaf("MntMargComOtrMnda", AMOUNT_4),
        Leaf("IVAOtrMnda", AMOUNT_4),
        Group(
            "ImpRetOtrMnda",
            (
                Leaf("TipoImpOtrMnda", TAX_CODE, ALWAYS),
                Leaf("TasaImpOtrMnda", RATE),
                Leaf("VlrImpOtrMnda", AMOUNT_4, ALWAYS),
            ),
            most=20,
        ),
        Leaf("IVANoRetOtrMnda", AMOUNT_4),
        Leaf("MntTotOtrMnda", AMOUNT_4, ALWAYS),
    ),
)

HEADER = Group(
    "Encabezado",
    (
        ID_DOC,
        EMISOR,
        Leaf("RUTMandante", RUT, "2222200000"),
        RECEPTOR,
        Leaf("RUTSolicita", RUT, "2202220000"),
        TRANSPORT,
        TOTALS,
        OTHER_CURRENCY,
    ),
    ALWAYS,
)

ITEM_CODE = Group(
    "CdgItem", (Leaf("TpoCodigo", Text(10), ALWAYS), Leaf("VlrCodigo", Text(35), ALWAYS)), most=5
)  # fmt: skip

SUBQUANTITY = Group(
    "Subcantidad",
    (Leaf("SubQty", MEASURE, ALWAYS), Leaf("SubCod", Text(35), ALWAYS)),
    "3330033333",
    most=5,
)

OTHER_PRICE = Group(
    "OtrMnda",
    (
        Leaf("PrcOtrMon", MEASURE, ALWAYS),
        Leaf("Moneda", Text(3), ALWAYS),
        Leaf("FctConv", FACTOR_4),
        Leaf("DctoOtrMnda", AMOUNT_4),
        Leaf("RecargoOtrMnda", AMOUNT_4),
        Leaf("MontoItemOtrMnda", AMOUNT_4),
    ),
)

LINE = Group(
    "Detalle",
    (
        Leaf("NroLinDet", Whole(0, 10**6), ALWAYS),
        ITEM_CODE,
        Leaf("IndExe", choice(1, 2, 3, 4, 5, 6)),
        Group(
            "Retenedor",
            (
                Leaf("IndAgente", choice("R"), ALWAYS),
                Leaf("MntBaseFaena", PESOS),
                Leaf("MntMargComer", PESOS),
                Leaf("PrcConsFinal", PESOS),
            ),
            "2032220000",
        ),
        Leaf("NmbItem", Text(80, cut=True), ALWAYS),
        Leaf("DscItem", Text(1000, cut=True)),
        Leaf("QtyRef", MEASURE),
        Leaf("UnmdRef", Text(4)),
        Leaf("PrcRef", MEASURE),
        Leaf("QtyItem", QUANTITY),
        SUBQUANTITY,
        Leaf("FchElabor", ANY_DATE, "3330033333"),
        Leaf("FchVencim", ANY_DATE, "3330033333"),
        Leaf("UnmdItem", Text(4)),
        Leaf("PrcItem", QUANTITY),
        OTHER_PRICE,
        Leaf("DescuentoPct", SHARE),
        Leaf("DescuentoMonto", SOME_PESOS),
        Group("SubDscto", (Leaf("TipoDscto", SIGN, ALWAYS), Leaf("ValorDscto", AMOUNT_2, ALWAYS)), most=5),
        Leaf("RecargoPct", PERCENT),
        Leaf("RecargoMonto", SOME_PESOS),
        Group("SubRecargo", (Leaf("TipoRecargo", SIGN, ALWAYS), Leaf("ValorRecargo", AMOUNT_2, ALWAYS)), most=5),
        Leaf("CodImpAdic", TAX_CODE, "2232220000", most=2),
        Leaf("MontoItem", PESOS, ALWAYS),
    ),
    ALWAYS,
    most=60,
)

SUBTOTAL = Group(
    "SubTotInfo",
    (
        Leaf("NroSTI", digits(2), ALWAYS),
        Leaf("GlosaSTI", Text(40, cut=True), ALWAYS),
        Leaf("OrdenSTI", digits(2)),
        Leaf("SubTotNetoSTI", AMOUNT_2),
        Leaf("SubTotIVASTI", AMOUNT_2),
        Leaf("SubTotAdicSTI", AMOUNT_2),
        Leaf("SubTotExeSTI", AMOUNT_2),
        Leaf("ValSubtotSTI", AMOUNT_2),
        Leaf("LineasDeta", digits(2), most=60),
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
        Leaf("ValorDROtrMnda", AMOUNT_4),
        Leaf("IndExeDR", choice(1, 2)),
    ),
    "2202220222",
    most=20,
)

REFERENCE = Group(
    "Referencia",
    (
        Leaf("NroLinRef", Whole(0, 10**6), ALWAYS),
        Leaf("TpoDocRef", Text(3), ALWAYS),
        Leaf("IndGlobal", ONE, "2222222222"),
        Leaf("FolioRef", Text(18), ALWAYS),
        Leaf("RUTOtr", RUT, "0002220333"),
        Leaf("FchRef", REFERENCE_DATE, ALWAYS),
        Leaf("CodRef", choice(1, 2, 3)),
        Leaf("RazonRef", Text(90, cut=True)),
    ),
    most=40,
)

COMMISSION = Group(
    "Comisiones",
    (
        Leaf("NroLinCom", digits(2), ALWAYS),
        Leaf("TipoMovim", choice("C", "O"), ALWAYS),
        Leaf("Glosa", Text(60, cut=True), ALWAYS),
        Leaf("TasaComision", RATE),
        Leaf("ValComNeto", PESOS, ALWAYS),
        Leaf("ValComExe", PESOS, ALWAYS),
        Leaf("ValComIVA", PESOS),
    ),
    "0002222000",
    most=20,
)

PLACE = Group(
    "GeoRefEmision",
    (
        Leaf("LatitudEmision", Text(30), ALWAYS),
        Leaf("LongitudEmision", Text(30), ALWAYS),
        Leaf("SistemaReferencia", ONE, ALWAYS),
    ),
    "3030000000",
    profile="2026",
)
_ROL = digits(6)
TIMBER = Group(
    "ManejoMadera",
    (
        Leaf("ComunaRolOrigen", _ROL, ALWAYS),
        Leaf("MnzRolOrigen", _ROL, ALWAYS),
        Leaf("PrdRolOrigen", _ROL, ALWAYS),
        Leaf("ComunaRolDestino", _ROL),
        Leaf("MnzRolDestino", _ROL),
        Leaf("PrdRolDestino", _ROL),
        Leaf("CodPlanConaf", Text(40), ALWAYS),
        Leaf("AvisoEjecucionFaena", Text(40)),
        Leaf("LatitudOrigenMadera", Text(30), ALWAYS),
        Leaf("LongitudOrigenMadera", Text(30), ALWAYS),
        Leaf("LatitudDestinoMadera", Text(30)),
        Leaf("LongitudDestinoMadera", Text(30)),
        Leaf("SistemareferenciaMadera", ONE, ALWAYS),
    ),
    "3030000000",
    profile="2026",
)

DOCUMENT = Group("document", (HEADER, LINE, SUBTOTAL, GLOBAL, REFERENCE, PLACE, TIMBER, COMMISSION), ALWAYS)
"""The whole of Documento that a producer writes; stamp, time and signature are added when it is issued."""
