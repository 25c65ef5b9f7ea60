"""Documents as producers write them, small and right, and ways to spoil them."""

from copy import deepcopy
from datetime import date
from typing import Any

from domain.preparing import IssuerData, Prepared, ReferencedDocument, prepare
from domain.problems import InvalidDocument, Problem

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


def prepared(
    raw: Raw, *, today: date = TODAY, known: dict[tuple[int, int], ReferencedDocument] | None = None
) -> Prepared:
    """The document, prepared for the usual issuer."""
    return prepare(raw, issuer=ISSUER, today=today, referenced=KNOWN if known is None else known)


def problems_of(raw: Any, *, today: date = TODAY, known: Any = None) -> tuple[Problem, ...]:
    """Errors and warnings of a document, whether it is refused or not."""
    try:
        return prepared(raw, today=today, known=known).warnings
    except InvalidDocument as refused:
        return refused.problems


def codes_of(raw: Any, *, today: date = TODAY, known: Any = None) -> list[str]:
    """The codes of its problems, sorted."""
    return sorted(problem.code for problem in problems_of(raw, today=today, known=known))


def totals_of(raw: Raw, *, today: date = TODAY) -> dict[str, Any]:
    """The totals that come out, without the VAT rate."""
    return {tag: value for tag, value in prepared(raw, today=today).document.totals.items() if tag != "TasaIVA"}
