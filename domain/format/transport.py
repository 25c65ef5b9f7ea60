"""The zone Transporte with its customs part (Aduana), which guías and export documents share.

Obligations are those of SII, Formato DTE 2.5, but that a guía's (52) mandatory data of transport are rules
(domain/rules/guides): only profile 2026 can carry all of them, and what isn't known may be declared instead.
"""

from domain.format.kinds import Hour, Text
from domain.format.sizes import ADDRESS, AMOUNT_2, AMOUNT_4, CITY, COMUNA, DATE, RUT, WEIGHT, digits
from domain.format.table import ALWAYS, Group, Leaf

PACKAGES = Group(
    "TipoBultos",
    (
        Leaf("CodTpoBultos", digits(3)),
        Leaf("CantBultos", digits(10)),
        Leaf("Marcas", Text(255)),
        Leaf("IdContainer", Text(25)),
        Leaf("Sello", Text(20)),
        Leaf("EmisorSello", Text(70)),
    ),
    most=10,
)

CUSTOMS = Group(
    "Aduana",
    (
        Leaf("CodModVenta", digits(2)),
        Leaf("CodClauVenta", digits(2)),
        Leaf("TotClauVenta", AMOUNT_2),
        Leaf("CodViaTransp", digits(2)),
        Leaf("NombreTransp", Text(40)),
        Leaf("RUTCiaTransp", RUT),
        Leaf("NomCiaTransp", Text(40)),
        Leaf("IdAdicTransp", Text(20)),
        Leaf("Booking", Text(20)),
        Leaf("Operador", Text(20)),
        Leaf("CodPtoEmbarque", digits(4)),
        Leaf("IdAdicPtoEmb", Text(20)),
        Leaf("CodPtoDesemb", digits(4)),
        Leaf("IdAdicPtoDesemb", Text(20)),
        Leaf("Tara", digits(7)),
        Leaf("CodUnidMedTara", digits(2)),
        Leaf("PesoBruto", WEIGHT),
        Leaf("CodUnidPesoBruto", digits(2)),
        Leaf("PesoNeto", WEIGHT),
        Leaf("CodUnidPesoNeto", digits(2)),
        Leaf("TotItems", digits(18)),
        Leaf("TotBultos", digits(18)),
        PACKAGES,
        Leaf("MntFlete", AMOUNT_4),
        Leaf("MntSeguro", AMOUNT_4),
        Leaf("CodPaisRecep", digits(3)),
        Leaf("CodPaisDestin", digits(3)),
    ),
    "0020000233",
)

TRANSPORT = Group(
    "Transporte",
    (
        Leaf("Patente", Text(8), "2220020300"),
        Leaf("PatenteCarro", Text(8), "2220020300", profile="2026"),
        Leaf("RUTTrans", RUT, "2220020300"),
        Group("Chofer", (Leaf("RUTChofer", RUT, ALWAYS), Leaf("NombreChofer", Text(30, cut=True), ALWAYS))),
        Leaf("DirDest", ADDRESS),
        Leaf("CmnaDest", COMUNA),
        Leaf("CiudadDest", CITY),
        CUSTOMS,
        Leaf("FchSalida", DATE, "2223320333", profile="2026"),
        Leaf("HraSalida", Hour(), "2223320333", profile="2026"),
        Leaf("FchLlegada", DATE, "2223320333", profile="2026"),
    ),
    "2222220222",
)
