"""Documents as producers write them, small and right, and ways to spoil them."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from domain.format.table import Profile
from domain.preparing import IssuerData, Prepared, ReferencedDocument, prepare
from domain.problems import InvalidDocument, Problem
from domain.rut import FOREIGNER

Raw = dict[str, Any]

TODAY = date(2026, 11, 24)
ISSUER = IssuerData(
    rut="76900101-8",
    environment="certification",
    razon_social="Comercial Ñandú SpA",
    giro="Venta al por menor",
    acteco=(479100,),
    dir_origen="Calle Uno 123",
    cmna_origen="Santiago",
    ciudad_origen="Santiago",
    telefono="+56 2 2345 6789",
    correo="ventas@nandu.example",
    cdg_sii_sucur="78525666",
)
RECEIVER = "77777777-7"
OLDER = date(2026, 11, 20)

KNOWN = {
    (33, 10): ReferencedDocument(33, 10, "accepted", RECEIVER, 11900, 10000, None, 1900, OLDER),
    (33, 11): ReferencedDocument(33, 11, "rejected", RECEIVER, 11900, 10000, None, 1900, OLDER),
    (33, 12): ReferencedDocument(33, 12, "accepted", RECEIVER, 11900, 10000, None, 1900, date(2026, 5, 24)),
    (34, 5): ReferencedDocument(34, 5, "accepted", RECEIVER, 10000, None, 10000, None, OLDER),
    (39, 20): ReferencedDocument(39, 20, "accepted", "66666666-6", 11900, 10000, None, 1900, OLDER),
    (52, 7): ReferencedDocument(52, 7, "accepted", RECEIVER, 11900, 10000, None, 1900, OLDER),
    (61, 30): ReferencedDocument(61, 30, "accepted", RECEIVER, 11900, 10000, None, 1900, OLDER),
    (61, 31): ReferencedDocument(61, 31, "accepted", RECEIVER, 10000, None, 10000, None, OLDER),
    (46, 40): ReferencedDocument(46, 40, "accepted", RECEIVER, 10000, 10000, None, 1900, OLDER),
    (110, 50): ReferencedDocument(
        110, 50, "accepted", FOREIGNER, Decimal("1234.5"), None, Decimal("1234.5"), None, OLDER
    ),
    (112, 60): ReferencedDocument(
        112, 60, "accepted", FOREIGNER, Decimal("1234.5"), None, Decimal("1234.5"), None, OLDER
    ),
    (33, 13): ReferencedDocument(33, 13, "accepted", RECEIVER, 11900, 10000, None, 1900, OLDER, credited=1190),
    (33, 15): ReferencedDocument(33, 15, "accepted", RECEIVER, 13700, 10000, None, 1900, OLDER, taxes={"271": 1800}),
    (43, 70): ReferencedDocument(43, 70, "accepted", RECEIVER, 133050, 100000, 20000, 19000, OLDER),
    (33, 16): ReferencedDocument(33, 16, "accepted", RECEIVER, 11900, 10000, None, 1900, OLDER, sale_kind=2),
    (33, 14): ReferencedDocument(33, 14, "accepted", RECEIVER, 11900, 10000, None, 1900, OLDER, annulled=True),
}
"""What the ledger holds."""


def invoice() -> Raw:
    """A factura of one line: 10 × 1000 net."""
    return {
        "Encabezado": {
            "IdDoc": {"TipoDTE": 33, "FmaPago": 1},
            "Receptor": {
                "RUTRecep": RECEIVER,
                "RznSocRecep": "EMPRESA LTDA",
                "GiroRecep": "Comercio",
                "DirRecep": "Calle Dos 456",
                "CmnaRecep": "Providencia",
            },
        },
        "Detalle": [{"NmbItem": "Tornillo de 5 mm", "QtyItem": 10, "PrcItem": 1000}],
    }


def credit_note(code: int = 1, folio: int = 10, kind: int = 33) -> Raw:
    """A note on a document of the ledger, with the same line."""
    raw = invoice()
    raw["Encabezado"]["IdDoc"] = {"TipoDTE": 61}
    raw["Referencia"] = [
        {"TpoDocRef": kind, "FolioRef": folio, "FchRef": "2026-11-20", "CodRef": code, "RazonRef": "Corrige"},
    ]
    return raw


def text_note() -> Raw:
    """A note that corrects text."""
    raw = credit_note(2)
    raw["Detalle"] = [{"NmbItem": "Donde dice Comercio debe decir Ferretería"}]
    return raw


def boleta() -> Raw:
    """A boleta of one gross line."""
    return {
        "Encabezado": {"IdDoc": {"TipoDTE": 39}},
        "Detalle": [{"NmbItem": "Café de grano", "QtyItem": 10, "PrcItem": 1190}],
    }


def exempt_invoice() -> Raw:
    """A factura exenta of one line."""
    return spoilt(invoice(), Encabezado__IdDoc={"TipoDTE": 34, "FmaPago": 1})


def exempt_boleta() -> Raw:
    """A boleta exenta of one line."""
    return spoilt(boleta(), Encabezado__IdDoc={"TipoDTE": 41})


def settlement() -> Raw:
    """A liquidación of boletas sold for somebody else, with its commission."""
    return spoilt(
        invoice(),
        Encabezado__IdDoc={"TipoDTE": 43, "FmaPago": 1},
        Detalle=[
            {"TpoDocLiq": "39", "NmbItem": "Boletas del período", "MontoItem": 100000},
            {"TpoDocLiq": "41", "NmbItem": "Boletas exentas", "MontoItem": 20000, "IndExe": 1},
        ],
        Comisiones=[
            {"TipoMovim": "C", "Glosa": "Comisión por venta", "TasaComision": 5, "ValComNeto": 5000, "ValComExe": 0}
        ],
    )


def opposite() -> Raw:
    """A liquidación that annuls the one of the ledger: the same amounts below zero."""
    raw = settlement()
    for item in raw["Detalle"]:
        item["MontoItem"] = -item["MontoItem"]
    raw["Comisiones"][0]["ValComNeto"] = -5000
    raw["Referencia"] = [{"TpoDocRef": 43, "FolioRef": 70, "FchRef": "2026-11-20"}]
    return raw


def purchase(code: object = "15") -> Raw:
    """A factura de compra whose VAT the buyer keeps."""
    return spoilt(invoice(), Encabezado__IdDoc={"TipoDTE": 46}, Detalle__0__CodImpAdic=[code])


def guide(motive: int = 1) -> Raw:
    """A guía de despacho with everything that its transport asks for."""
    return spoilt(
        invoice(),
        Encabezado__IdDoc={"TipoDTE": 52, "IndTraslado": motive, "TipoDespacho": 2},
        Encabezado__Transporte={
            "Patente": "ABCD12",
            "RUTTrans": "76192083-9",
            "Chofer": {"RUTChofer": "11111111-1", "NombreChofer": "Pedro Pérez"},
            "DirDest": "Calle Dos 456",
            "CmnaDest": "Providencia",
        },
        Detalle__0__UnmdItem="UN",
        Detalle__0__DscItem="Salida 24-11-2026, 15:30",
    )


def guide_2026(motive: int = 1) -> Raw:
    """The same with what the format of 2026 adds."""
    raw = guide(motive)
    raw["Encabezado"]["Transporte"] |= {"PatenteCarro": "XY1234", "FchSalida": "2026-11-24", "HraSalida": "15:30"}
    return raw


def debit_note(code: int = 3, folio: int = 10, kind: int = 33) -> Raw:
    """A note that adds to a document of the ledger."""
    return spoilt(credit_note(code, folio, kind), Encabezado__IdDoc={"TipoDTE": 56})


def export_invoice() -> Raw:
    """A factura de exportación of goods that go by sea."""
    return {
        "Encabezado": {
            "IdDoc": {"TipoDTE": 110, "FmaPago": 1, "FmaPagExp": 1},
            "Receptor": {
                "RznSocRecep": "FOREIGN BUYER INC",
                "Extranjero": {"NumId": "US-1234", "Nacionalidad": "225"},
                "GiroRecep": "Import",
                "DirRecep": "1 Main Street",
                "CiudadRecep": "New York",
            },
            "Transporte": {
                "Aduana": {
                    "CodModVenta": 1,
                    "CodClauVenta": 5,
                    "TotClauVenta": 1234.5,
                    "CodViaTransp": 1,
                    "NombreTransp": "Ever Given",
                    "CodPtoEmbarque": 905,
                    "CodPtoDesemb": 220,
                    "CodUnidMedTara": 10,
                    "PesoBruto": 1200.5,
                    "CodUnidPesoBruto": 6,
                    "PesoNeto": 1100,
                    "CodUnidPesoNeto": 6,
                    "TotBultos": 10,
                    "TipoBultos": [{"CodTpoBultos": 80, "CantBultos": 10, "Marcas": "LOTE 1"}],
                    "CodPaisRecep": 225,
                    "CodPaisDestin": 225,
                }
            },
            "Totales": {"TpoMoneda": "DOLAR USA"},
            "OtraMoneda": {"TpoMoneda": "PESO CL", "TpoCambio": 952.37},
        },
        "Detalle": [{"NmbItem": "Copper wire", "QtyItem": 100, "UnmdItem": "KN", "PrcItem": 12.345}],
    }


def export_note(kind: int = 112, code: int = 1, changed: int = 110, folio: int = 50) -> Raw:
    """A note on an export document of the ledger."""
    raw = export_invoice()
    raw["Encabezado"]["IdDoc"] = {"TipoDTE": kind}
    raw["Referencia"] = [{"TpoDocRef": changed, "FolioRef": folio, "FchRef": "2026-11-20", "CodRef": code}]
    return raw


def spoilt(raw: Raw, **changes: Any) -> Raw:
    """A copy with tags changed: `Encabezado__IdDoc__FchEmis="…"`, `Detalle__0__PrcItem=…`; None takes a tag out."""
    copy = deepcopy(raw)
    for name, value in changes.items():
        *way, last = name.split("__")
        place: Any = copy
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place.setdefault(step, {})
        if isinstance(place, list):
            place[int(last)] = value
        elif value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return copy


def line(**tags: Any) -> Raw:
    """A line of one unit at 1000."""
    return {"NmbItem": "Cable de cobre", "QtyItem": 1, "PrcItem": 1000, **tags}


SAMPLES: dict[int, Callable[[], Raw]] = {
    33: invoice,
    34: exempt_invoice,
    39: boleta,
    41: exempt_boleta,
    43: settlement,
    46: purchase,
    52: guide,
    56: debit_note,
    61: credit_note,
    110: export_invoice,
    111: lambda: export_note(111, 1, 112, 60),
    112: export_note,
}
"""A document of every type, small and right."""


@dataclass(frozen=True)
class World:
    """What a document is judged in."""

    today: date = TODAY
    known: dict[tuple[int, int], ReferencedDocument] = field(default_factory=lambda: KNOWN)
    profile: Profile | None = "2019"
    uf: Decimal | None = None


USUAL = World()


def prepared(
    raw: Raw,
    *,
    today: date = TODAY,
    known: dict[tuple[int, int], ReferencedDocument] | None = None,
    world: World = USUAL,
) -> Prepared:
    """The document, prepared for the usual issuer."""
    return prepare(
        raw,
        issuer=ISSUER,
        today=today if world is USUAL else world.today,
        referenced=world.known if known is None else known,
        profile=world.profile,
        uf=world.uf,
    )


def problems_of(raw: Any, *, today: date = TODAY, known: Any = None, world: World = USUAL) -> tuple[Problem, ...]:
    """Errors and warnings of a document, whether it is refused or not."""
    try:
        return prepared(raw, today=today, known=known, world=world).warnings
    except InvalidDocument as refused:
        return refused.problems


def codes_of(raw: Any, *, today: date = TODAY, known: Any = None, world: World = USUAL) -> list[str]:
    """The codes of its problems, sorted."""
    return sorted(problem.code for problem in problems_of(raw, today=today, known=known, world=world))


def totals_of(raw: Raw, *, today: date = TODAY) -> dict[str, Any]:
    """The totals that come out, without the VAT rate."""
    return {tag: value for tag, value in prepared(raw, today=today).document.totals.items() if tag != "TasaIVA"}
