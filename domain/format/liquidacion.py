"""The format of `Liquidacion` in DTE_v10.xsd: liquidaciones factura (43).

It is that of `Documento` with signed amounts and without what a settlement has no use for: transport, other currency,
discounts, withholding agents, global lines. Obligations: SII, Formato DTE 2.5.
"""

from domain.format import dte
from domain.format.kinds import Text, choice
from domain.format.sizes import RATE, SIGNED_PESOS, TAX_CODE
from domain.format.table import ALWAYS, Group, Leaf, after, derived

ID_DOC = derived(
    dte.ID_DOC,
    Leaf("TipoDTE", choice(43), ALWAYS),
    without=("IndNoRebaja", "TipoDespacho", "IndTraslado", "TpoImpresion", "FmaPagExp"),
)
EMISOR = derived(dte.EMISOR, without=("GuiaExport", "IdAdicEmisor"))
RECEPTOR = derived(dte.RECEPTOR, without=("Extranjero",))

_TAXES = Group(
    "ImptoReten",
    (
        Leaf("TipoImp", TAX_CODE, ALWAYS),
        Leaf("TasaImp", RATE),
        Leaf("MontoImp", SIGNED_PESOS, ALWAYS),
    ),
    most=20,
)
_COMMISSIONS = Group(
    "Comisiones",
    (Leaf("ValComNeto", SIGNED_PESOS), Leaf("ValComExe", SIGNED_PESOS), Leaf("ValComIVA", SIGNED_PESOS)),
)
TOTALS = derived(
    dte.TOTALS,
    *(Leaf(tag, SIGNED_PESOS) for tag in ("MntNeto", "MntExe", "IVA", "IVAProp", "IVATerc")),
    Leaf("MntTotal", SIGNED_PESOS, ALWAYS),
    Leaf("MontoPeriodo", SIGNED_PESOS),
    Leaf("SaldoAnterior", SIGNED_PESOS),
    Leaf("VlrPagar", SIGNED_PESOS),
    _TAXES,
    _COMMISSIONS,
    without=("MntBase", "MntMargenCom", "IVANoRet", "CredEC", "GrntDep", "MontoNF"),
)
HEADER = Group("Encabezado", (ID_DOC, EMISOR, RECEPTOR, TOTALS), ALWAYS)

LINE = after(
    derived(
        dte.LINE,
        Leaf("MontoItem", SIGNED_PESOS, ALWAYS),
        without=(
            "Retenedor",
            "OtrMnda",
            "DescuentoPct",
            "DescuentoMonto",
            "SubDscto",
            "RecargoPct",
            "RecargoMonto",
            "SubRecargo",
        ),
    ),
    "CdgItem",
    Leaf("TpoDocLiq", Text(3), ALWAYS),
)
REFERENCE = derived(dte.REFERENCE, without=("RUTOtr",))
COMMISSION = derived(
    dte.COMMISSION,
    Leaf("ValComNeto", SIGNED_PESOS, ALWAYS),
    Leaf("ValComExe", SIGNED_PESOS, ALWAYS),
    Leaf("ValComIVA", SIGNED_PESOS),
)

DOCUMENT = Group("document", (HEADER, LINE, dte.SUBTOTAL, REFERENCE, COMMISSION), ALWAYS)
"""The whole of Liquidacion that a producer writes."""
