"""Documents that were issued already, as their XML tells of them: what notes on them are held to.

For documents of any maker, so they are read as the verifier reads files (bounded, no document types), but not verified:
whoever hands a document in vouches for it. Source: SII, Formato DTE 2.5, zones A and F.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from lxml import etree

from domain.codes.document_types import BOLETA_TYPES, DOCUMENT_TYPES, EXPORTS
from domain.completion import ReferencedDocument
from domain.money import LARGEST, Number
from domain.problems import DomainError, Problem, shown
from domain.verification.reading import children, fields, first, local_name, read

_CONTENTS = ("Documento", "Liquidacion", "Exportaciones")
_MOST_CHARACTERS = 24
"""Characters of the longest figure."""
_SALE_KINDS = ("1", "2", "3", "4")
STATE = "issued"
"""The state of a document of which only its XML is known."""


class IssuedError(DomainError):
    """A file that holds no document to refer to; code ISSUED-…, or XML-… as the verifier says it."""


@dataclass(frozen=True, slots=True)
class IssuedDocument:
    """A document by its issuer's RUT, and what a note on it must know."""

    issuer: str
    facts: ReferencedDocument


def documents_in(data: bytes) -> tuple[IssuedDocument, ...]:
    """The documents in a file: a DTE, an envelope, a cession. Raises IssuedError, Unreadable."""
    root = read(data).root
    found = tuple(_document(content) for content in _contents(root))
    if not found:
        raise IssuedError([Problem("ISSUED-NOTHING", "", f"{shown(local_name(root))} holds no document.")])
    return found


@dataclass(frozen=True, slots=True)
class Stated:
    """What only a document's own bytes say of it, as `ReferencedDocument` has it; None where it can't be told."""

    taxes: Mapping[str, int] | None = None
    sale_kind: int | None = None
    principal: str | None = None


def stated_in(data: bytes) -> Stated:
    """What a document's bytes state that notes on it repeat. Never raises."""
    try:
        content = next(_contents(read(data).root), None)
        return _stated(first(content, "Encabezado"))
    except DomainError:
        return Stated()


def _stated(header: etree._Element | None) -> Stated:
    id_doc = fields(first(header, "IdDoc"))
    taxes = _taxes(int(_figure(id_doc, "TipoDTE", most=999)), first(header, "Totales"))
    kind = id_doc.get("TpoTranVenta", "").strip()
    principal = fields(header).get("RUTMandante", "").strip() or None
    return Stated(taxes, int(kind) if kind in _SALE_KINDS else 0, principal)


def _contents(root: etree._Element) -> Iterator[etree._Element]:
    """The elements that hold a document, wherever a file has them."""
    for dte in root.iter():
        if isinstance(dte.tag, str) and local_name(dte) == "DTE":
            for name in _CONTENTS:
                yield from children(dte, name)


def _document(content: etree._Element) -> IssuedDocument:
    header = first(content, "Encabezado")
    id_doc, totals = fields(first(header, "IdDoc")), fields(first(header, "Totales"))
    kind = int(_figure(id_doc, "TipoDTE", most=999))
    if kind not in DOCUMENT_TYPES:
        raise _unreadable("TipoDTE", str(kind))
    amounts = {tag: _figure(totals, tag, kind) for tag in ("MntTotal", "MntNeto", "MntExe", "IVA") if tag in totals}
    if "MntTotal" not in amounts:
        raise _unreadable("MntTotal", "")
    stated = _stated(header)
    whole = {tag: int(amounts[tag]) if tag in amounts else None for tag in ("MntNeto", "IVA")}
    return IssuedDocument(
        fields(first(header, "Emisor")).get("RUTEmisor", "").strip(),
        ReferencedDocument(
            document_type=kind,
            folio=int(_figure(id_doc, "Folio")),
            state=STATE,
            receiver=fields(first(header, "Receptor")).get("RUTRecep", "").strip(),
            total=amounts["MntTotal"],
            net=whole["MntNeto"],
            exempt=amounts.get("MntExe"),
            vat=whole["IVA"],
            issued_on=_day(id_doc),
            taxes=stated.taxes,
            sale_kind=stated.sale_kind,
            principal=stated.principal,
        ),
    )


def _taxes(kind: int, totals: etree._Element | None) -> Mapping[str, int] | None:
    """What documents state of their taxes; boletas state none, whatever is in their prices."""
    if kind in BOLETA_TYPES:
        return None
    found: dict[str, int] = {}
    for tax in map(fields, children(totals, "ImptoReten")):
        code = str(int(_figure(tax, "TipoImp")))
        found[code] = found.get(code, 0) + int(_figure(tax, "MontoImp"))
    return found


def _figure(values: Mapping[str, str], tag: str, kind: int = 0, *, most: Number = LARGEST) -> Number:
    """A figure as it is written; whole but in exports."""
    text = values.get(tag, "").strip()
    try:
        number = Decimal(text) if len(text) <= _MOST_CHARACTERS and "e" not in text.lower() else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or abs(number) > most:
        raise _unreadable(tag, text)
    if number == number.to_integral_value():
        return int(number)
    if kind not in EXPORTS:
        raise _unreadable(tag, text)
    return number


def _day(id_doc: Mapping[str, str]) -> date:
    text = id_doc.get("FchEmis", "").strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _unreadable("FchEmis", text) from None


def _unreadable(tag: str, text: str) -> IssuedError:
    return IssuedError([Problem("ISSUED-UNREADABLE", tag, f"{shown(text or 'nothing')} is no {tag} of a document.")])
