"""The format of `Exportaciones` in DTE_v10.xsd: export documents (110, 111, 112).

It is that of `Documento` with amounts in another currency, up to four decimals, and without what exports have no use
for: VAT, additional taxes, principals, commissions. Obligations: SII, Formato DTE 2.5.
"""

from datetime import date

from domain.format import dte, transport
from domain.format.kinds import Day, Text, choice
from domain.format.sizes import AMOUNT_4, CITY, CURRENCY, FACTOR_4, FOREIGN_AMOUNT, FOREIGN_TOTAL
from domain.format.table import ALWAYS, Group, Leaf, after, derived

ID_DOC = after(
    derived(
        dte.ID_DOC,
        Leaf("TipoDTE", choice(110, 111, 112), ALWAYS),
        without=(
            "IndNoRebaja",
            "IndTraslado",
            "TpoImpresion",
            "IndServicio",
            "MntBruto",
            "TpoTranCompra",
            "TpoTranVenta",
        ),
    ),
    "TipoDespacho",
    Leaf("IndServicio", choice(3, 4, 5), profile="2019"),
    Leaf("IndServicio", choice(3, 4, 5, 6), profile="2026"),
)
EMISOR = after(
    derived(dte.EMISOR, Leaf("CiudadOrigen", CITY, "3333333133"), without=("GuiaExport",)),
    "CdgSIISucur",
    Leaf("CodAdicSucur", Text(20)),
)
RECEPTOR = derived(
    dte.RECEPTOR,
    Group("Extranjero", (Leaf("NumId", Text(20)), Leaf("Nacionalidad", Text(3)), Leaf("IdAdicRecep", Text(20)))),
    Leaf("CiudadRecep", CITY, "3333333133"),
)
TRANSPORT = derived(transport.TRANSPORT)
TOTALS = Group(
    "Totales",
    (
        Leaf("TpoMoneda", CURRENCY, ALWAYS),
        Leaf("MntExe", FOREIGN_AMOUNT, ALWAYS),
        Leaf("MntTotal", FOREIGN_AMOUNT, ALWAYS),
    ),
    ALWAYS,
    left_out=frozenset({"TasaIVA", "IVA", "MntNeto"}),
)
OTHER_CURRENCY = Group(
    "OtraMoneda",
    (
        Leaf("TpoMoneda", CURRENCY, ALWAYS),
        Leaf("TpoCambio", FACTOR_4),
        Leaf("MntExeOtrMnda", FOREIGN_TOTAL),
        Leaf("MntTotOtrMnda", FOREIGN_TOTAL, ALWAYS),
    ),
)
HEADER = Group("Encabezado", (ID_DOC, EMISOR, RECEPTOR, TRANSPORT, TOTALS, OTHER_CURRENCY), ALWAYS)

LINE = derived(
    dte.LINE,
    after(dte.SUBQUANTITY, "SubCod", Leaf("TipCodSubQty", Text(10))),
    derived(dte.OTHER_PRICE, Leaf("PrcOtrMon", AMOUNT_4, ALWAYS), Leaf("MontoItemOtrMnda", AMOUNT_4, ALWAYS)),
    Leaf("MontoItem", FOREIGN_AMOUNT, ALWAYS),
    without=("Retenedor", "CodImpAdic"),
)
REFERENCE = after(
    derived(dte.REFERENCE, Leaf("FchRef", Day(date(1950, 1, 1), date(2050, 12, 31)), ALWAYS)),
    "RUTOtr",
    Leaf("IdAdicOtr", Text(20)),
)

DOCUMENT = Group("document", (HEADER, LINE, dte.SUBTOTAL, dte.GLOBAL, REFERENCE), ALWAYS)
"""The whole of Exportaciones that a producer writes."""
