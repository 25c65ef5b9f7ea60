"""Documents that were issued elsewhere: taken out of the files that carry them, verified, and read.

A note may change a document that another program issued, and its folio must never be given again. What is kept is what
its signature covers: each document is taken out of its file by position, letter by letter where it holds so, verified
alone (`domain.verification`), and read from nowhere else. An envelope's own signature is not asked about.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from lxml import etree

from domain.changes import ANNULS, Changed
from domain.codes.document_types import DOCUMENT_TYPES, NOTES, SETTLEMENT, TAX_DOCUMENTS
from domain.document import annuls_settlement
from domain.dte import PROLOG
from domain.money import Number, rounded
from domain.problems import DomainError, Problem, shown
from domain.rut import is_valid
from domain.verification import Trust, Verdict, verify
from domain.verification.documents import CONTENTS, judge_document
from domain.verification.reading import Reading, Unreadable, children, fields, first, local_name, named_children, read

PROVEN: Final = ("doc_signature_valid", "ted_valid", "caf_valid", "coherent", "certificate_ok")
"""What makes a document somebody's; whether it follows the schema and adds up is told, but decides nothing here."""

_TOKEN: Final = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<(/?)(?:[\w.-]+:)?DTE(?=[\s/>])(?:[^>\"']|\"[^\"]*\"|'[^']*')*>", re.DOTALL
)
_FIGURE: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,4})?", re.ASCII)
_FOLIO: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
_CODES: Final = ("1", "2", "3")
_DECIMALS: Final = 4


class NotImportable(DomainError):  # noqa: N818  (a finding about a file)
    """A file, or a document in it, that can't be imported."""


@dataclass(frozen=True, slots=True)
class IssuedElsewhere:
    """A document as its issuer signed it; amounts in its currency, None where it states none."""

    xml: bytes
    """`<DTE …>…</DTE>` alone, ISO-8859-1, no prolog."""
    issuer: str
    document_type: int
    folio: int
    issued_on: date
    receiver: str
    total: Number
    net: int | None
    exempt: Number | None
    vat: int | None
    signature_value: str
    """Base64 without blanks; empty when it isn't signed."""
    idk: int | None
    """The SII's key that signed its CAF: says in which of the SII's worlds it was issued."""
    changes: tuple[Changed, ...]
    verified: bool
    """Whether signature, stamp, CAF and certificate hold and belong together."""
    problems: tuple[Problem, ...]
    """What the verifier found; errors became warnings where it was imported all the same."""


def documents_in(data: bytes) -> list[bytes]:
    """The documents of a DTE, EnvioDTE or EnvioBOLETA, each as `<DTE>` alone, ISO-8859-1, no prolog.

    Raises Unreadable (XML-…) or NotImportable (IMPORT-KIND, IMPORT-STRUCTURE).
    """
    reading = _as_signed(read(data))
    wanted = _elements(reading.root)
    if not wanted:
        name = shown(local_name(reading.root))
        raise _refusal("IMPORT-KIND", f"{name} holds no documents to import: give DTE, EnvioDTE or EnvioBOLETA files.")
    everywhere = [element for element in reading.root.iter(etree.Element) if local_name(element) == "DTE"]
    written = list(_written(reading))
    if len(everywhere) != len(wanted) or len(written) != len(wanted):
        raise _refusal("IMPORT-STRUCTURE", "The file has documents in places where none belong.")
    return [_best(letters, element) for letters, element in zip(written, wanted, strict=True)]


def _as_signed(reading: Reading) -> Reading:
    """The file as most of its documents were signed: some were saved anew under another encoding's name."""
    others = list(reading.otherwise())
    return max((reading, *others), key=_signatures_held) if others else reading


def _signatures_held(reading: Reading) -> int:
    nobody = Trust({})
    judged = (
        judge_document(element, trust=nobody, ids=lambda _: 1, raw=lambda: None, enveloped=True, path="DTE")
        for element in _elements(reading.root)
    )
    return sum(each.signature_valid for each in judged)


def read_document(xml: bytes, *, trust: Trust, at: datetime, unverified: bool = False) -> IssuedElsewhere:
    """Verify and read one document (as `documents_in` gives it), judged at `at` (aware).

    Raises NotImportable with what the verifier found unless it is somebody's beyond doubt; `unverified` takes it as it
    stands. Raises NotImportable (IMPORT-INCOMPLETE) whenever it can't be told what it is.
    """
    verdict = verify(PROLOG + xml, trust=trust, at=at)
    proven = all(verdict.facts.get(fact) is True for fact in PROVEN)
    if not proven and not unverified:
        raise NotImportable(_reasons(verdict))
    try:
        root = read(PROLOG + xml).root
    except Unreadable as fault:
        raise NotImportable(fault.problems) from None
    return _read(xml, root, proven, tuple(replace(problem, level="warning") for problem in verdict.problems))


def _refusal(code: str, sentence: str) -> NotImportable:
    return NotImportable([Problem(code, "", sentence)])


def _reasons(verdict: Verdict) -> Sequence[Problem]:
    errors = [problem for problem in verdict.problems if problem.level == "error"]
    if errors:
        return errors
    missing = ", ".join(fact for fact in PROVEN if verdict.facts.get(fact) is not True)
    return [Problem("IMPORT-UNPROVEN", "", f"Not proven: {missing}. The key that signed its CAF may not be known.")]


def _elements(root: etree._Element) -> list[etree._Element]:
    name = local_name(root)
    if name == "DTE":
        return [root]
    return children(first(root, "SetDTE"), "DTE") if name in ("EnvioDTE", "EnvioBOLETA") else []


def _written(reading: Reading) -> Iterator[str]:
    """The documents of a file as its letters stand there, in order; nested ones only as a whole."""
    text = reading.text
    depth, start = 0, 0
    for token in _TOKEN.finditer(text):
        if token[0].startswith("<!"):
            continue
        if token[1]:
            depth -= 1
        elif not token[0].endswith("/>"):
            start = token.start() if depth == 0 else start
            depth += 1
            continue
        if depth == 0:
            yield text[start if token[1] else token.start() : token.end()]


def _best(letters: str, element: etree._Element) -> bytes:
    """The document's own letters; where they need declarations of the file around it, written with those."""
    own = letters.encode("iso-8859-1", "xmlcharrefreplace")
    try:
        alone = read(PROLOG + own).root
    except Unreadable:  # a prefix that the file declares
        alone = None
    if alone is not None and [each.tag for each in alone.iter()] == [each.tag for each in element.iter()]:
        return own
    return etree.tostring(element, encoding="iso-8859-1", xml_declaration=False, with_tail=False)


def _read(xml: bytes, root: etree._Element, proven: bool, problems: tuple[Problem, ...]) -> IssuedElsewhere:  # noqa: FBT001
    content = next((child for name, child in named_children(root) if name in CONTENTS), None)
    header = first(content, "Encabezado")
    id_doc, totals = fields(first(header, "IdDoc")), fields(first(header, "Totales"))
    issuer = fields(first(header, "Emisor")).get("RUTEmisor", "")
    missing = []
    document_type = int(id_doc["TipoDTE"]) if _FOLIO.fullmatch(id_doc.get("TipoDTE", "")) else 0
    folio = int(id_doc["Folio"]) if _FOLIO.fullmatch(id_doc.get("Folio", "")) else 0
    issued_on = _day(id_doc.get("FchEmis"))
    total = _figure(totals.get("MntTotal"))
    for tag, usable in (
        ("TipoDTE", document_type in DOCUMENT_TYPES),
        ("Folio", folio > 0),
        ("FchEmis", issued_on is not None),
        ("RUTEmisor", is_valid(issuer)),
        ("MntTotal", total is not None),
    ):
        if not usable:
            missing.append(Problem("IMPORT-INCOMPLETE", f"Encabezado/{tag}", f"The document states no usable {tag}."))
    if missing or issued_on is None or total is None:
        raise NotImportable(missing)
    idk = first(content, "TED", "DD", "CAF", "DA", "IDK")
    stated_idk = "" if idk is None else idk.text or ""
    return IssuedElsewhere(
        xml=xml,
        issuer=issuer,
        document_type=document_type,
        folio=folio,
        issued_on=issued_on,
        receiver=fields(first(header, "Receptor")).get("RUTRecep", ""),
        total=total,
        net=_whole(totals.get("MntNeto")),
        exempt=_figure(totals.get("MntExe")),
        vat=_whole(totals.get("IVA")),
        signature_value="".join(_signature(root).split()),
        idk=int(stated_idk) if _FOLIO.fullmatch(stated_idk) else None,
        changes=_changes(children(content, "Referencia"), document_type, total),
        verified=proven,
        problems=problems,
    )


def _signature(root: etree._Element) -> str:
    for child in root:
        if local_name(child) == "Signature":
            return fields(child).get("SignatureValue", "")
    return ""


def _changes(references: Sequence[etree._Element], document_type: int, total: Number) -> tuple[Changed, ...]:
    annuls_settlements = document_type == SETTLEMENT and total < 0
    if document_type not in NOTES and not annuls_settlements:
        return ()
    found: dict[tuple[int, int], Changed] = {}
    for reference in map(fields, references):
        kind, folio, code = (reference.get(tag, "") for tag in ("TpoDocRef", "FolioRef", "CodRef"))
        if annuls_settlements:
            code = str(ANNULS) if annuls_settlement(kind, code) else ""
        if not (_FOLIO.fullmatch(kind) and _FOLIO.fullmatch(folio) and code in _CODES):
            continue
        changed = Changed(int(kind), int(folio), int(code))
        if changed.document_type in TAX_DOCUMENTS and changed.folio and "RUTOtr" not in reference:
            found.setdefault(changed.key, changed)
    return tuple(found.values())


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError:
        return None


def _figure(text: str | None) -> Number | None:
    plain = (text or "").strip()
    return rounded(Decimal(plain), _DECIMALS) if _FIGURE.fullmatch(plain) else None


def _whole(text: str | None) -> int | None:
    figure = _figure(text)
    return figure if isinstance(figure, int) else None
