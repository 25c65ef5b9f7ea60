"""What notes (56, 61, 111, 112) refer to: the document must have been accepted here.

A note needs a reference with CodRef to a tax document (SII, Formato DTE, Referencia): 1 annuls it, 2 corrects its
text, 3 corrects its amounts. A document is annulled once, unless the note that annulled it is annulled itself; all
notes together take off no more than there was. One note may correct many boletas at once: IndGlobal, and folio 0. A
liquidación (43) is annulled by another one of the same amounts below zero (SII, FAQ 001.003.7335).
"""

from collections.abc import Iterator
from decimal import Decimal

from deploy.sandbox.sii.amounts import SETTLEMENT, amount_of, figure
from deploy.sandbox.sii.reading import Element, find_all, text_of
from deploy.sandbox.sii.registry import Document, Finding, Identity, Registry, Upload

_CREDITS, _DEBITS = frozenset({61, 112}), frozenset({56, 111})
NOTES = _CREDITS | _DEBITS
_PAPER = frozenset({"30", "32", "35", "38", "40", "45", "55", "60", "101", "104", "106"})
_CHANGEABLE = {
    56: frozenset({"33", "34", "43", "46", "61", "30", "32", "40", "45", "60"}),
    61: frozenset({"33", "34", "39", "41", "43", "46", "56", "30", "32", "35", "38", "40", "45", "55"}),
    111: frozenset({"110", "112", "101", "106"}),
    112: frozenset({"110", "111", "101", "104"}),
}
# A debit note annuls nothing but a credit note.
_ANNULLED_BY_DEBIT = {56: frozenset({"61", "60"}), 111: frozenset({"112", "106"})}
_BOLETAS = frozenset({39, 41})
_NOBODY = "66666666-6"
_WITH_KIND_OF_SALE, _USUAL_SALE = frozenset({33, 34, 43, 46}), "1"
_GLOBAL, _NO_FOLIO = "1", "0"
_ANNULS, _CORRECTS_TEXT, _CORRECTS_AMOUNTS = "1", "2", "3"
_TOTAL = "Encabezado/Totales/MntTotal"
_AMOUNTS = (("MntTotal", "total"), ("MntNeto", "net"), ("MntExe", "exempt"), ("IVA", "vat"))


def reference_findings(body: Element, upload: Upload, identity: Identity, registry: Registry) -> list[Finding]:
    """The findings about a note's references, and about those of a liquidación below zero; others have none."""
    issuer, document_type, _ = identity
    if document_type == SETTLEMENT and amount_of(body, _TOTAL) < 0:
        return _settlement_findings(body, upload, issuer, registry)
    if document_type not in NOTES:
        return []
    found = [r for r in find_all(body, "Referencia") if text_of(r, "TpoDocRef") in _CHANGEABLE[document_type]]
    if not found:
        return [Finding("REF-3-415", "Nota sin Referencia Valida")]
    findings: list[Finding] = []
    if len(found) > 1 and any(text_of(r, "CodRef") in {_ANNULS, _CORRECTS_TEXT} for r in found):
        findings.append(Finding("REF-3-999", "Mas de un Documento Anulado o Corregido"))
    for reference in found:
        line, kind, code = (text_of(reference, tag) for tag in ("NroLinRef", "TpoDocRef", "CodRef"))
        if not code:
            findings.append(Finding("REF-3-758", f"L[{line}] Falta Codigo de Referencia"))
        if code == _ANNULS and kind not in _ANNULLED_BY_DEBIT.get(document_type, {kind}):
            findings.append(Finding("REF-3-999", f"L[{line}] Nota de Debito Solo Anula Nota de Credito"))
        if kind in _PAPER or text_of(reference, "RUTOtr") or _is_of_many_boletas(reference):
            continue
        original = referred(reference, issuer, registry)
        if original is None or not _is_received(original, upload):
            findings.append(Finding("REF-3-750", f"L[{line}] Documento Referenciado No Recibido"))
        else:
            findings.extend(_against(body, reference, original, document_type))
    return findings


def _is_of_many_boletas(reference: Element) -> bool:
    return (
        text_of(reference, "TpoDocRef") in {str(kind) for kind in _BOLETAS}
        and text_of(reference, "IndGlobal") == _GLOBAL
        and text_of(reference, "FolioRef") == _NO_FOLIO
    )


def _settlement_findings(body: Element, upload: Upload, issuer: str, registry: Registry) -> list[Finding]:
    """The findings about a liquidación below zero: it annuls another, once, with the same amounts negated."""
    found = [r for r in find_all(body, "Referencia") if text_of(r, "TpoDocRef") == str(SETTLEMENT)]
    if len(found) != 1:
        return [Finding("REF-3-415", "Liquidacion Negativa sin Referencia a la que Anula")]
    line = text_of(found[0], "NroLinRef")
    original = referred(found[0], issuer, registry)
    if original is None or not _is_received(original, upload):
        return [Finding("REF-3-750", f"L[{line}] Documento Referenciado No Recibido")]
    if original.annulled:
        return [Finding("REF-3-999", f"L[{line}] Documento Referenciado Ya Anulado")]
    for tag, name in _AMOUNTS:
        stated, held = figure(text_of(body, f"Encabezado/Totales/{tag}")) or 0, getattr(original, name) or 0
        if stated != -held:
            return [Finding("REF-2-780", f"L[{line}] Anulacion con Monto Distinto [{tag} {stated} <> -{held}]")]
    return []


def referred(reference: Element, issuer: str, registry: Registry) -> Document | None:
    """The accepted document that a Referencia names, None when there is none."""
    document_type, folio = text_of(reference, "TpoDocRef"), text_of(reference, "FolioRef")
    if not (document_type.isdigit() and folio.isdigit()):
        return None
    return registry.documents.get((issuer, int(document_type), int(folio)))


def enter_note(body: Element, note: Document, registry: Registry) -> None:
    """Write an accepted note on the documents it changes."""
    for reference in find_all(body, "Referencia"):
        original, code = referred(reference, note.issuer, registry), text_of(reference, "CodRef")
        if note.document_type == SETTLEMENT:
            code = _ANNULS if text_of(reference, "TpoDocRef") == str(SETTLEMENT) else ""
        if original is not None and code.isdigit() and not text_of(reference, "RUTOtr"):
            note.changes = *note.changes, (original.identity, code)
    apply_note(note, registry)


def changes_others(document: Document) -> bool:
    """Whether an accepted document changes those it refers to: a note, or a liquidación below zero."""
    return document.document_type in NOTES or (document.document_type == SETTLEMENT and document.total < 0)


def apply_note(note: Document, registry: Registry) -> None:
    """Let an accepted note change the documents it is known to change, unless they bear it already."""
    pairs = [(registry.documents.get(identity), code) for identity, code in note.changes]
    fresh = [(original, code) for original, code in pairs if original and note.identity not in original.noted_by]
    for original, code in fresh:
        original.notes.append((note.document_type, int(code)))
        original.noted_by.append(note.identity)
        if code == _ANNULS:
            original.annulled = True
            _revive(original, registry)
        if code == _CORRECTS_AMOUNTS:
            original.taken_off += note.total if note.document_type in _CREDITS else -note.total


def _revive(annulled: Document, registry: Registry) -> None:
    """What a note had done, ends with it."""
    for identity, code in annulled.changes:
        original = registry.documents.get(identity)
        if original is not None and code == _ANNULS:
            original.annulled = False
        elif original is not None and code == _CORRECTS_AMOUNTS:
            original.taken_off -= annulled.total if annulled.document_type in _CREDITS else -annulled.total


def _is_received(original: Document, upload: Upload) -> bool:
    return original.track_id == upload.track_id or original.final_at <= upload.timeline["PDR"]


def _against(body: Element, reference: Element, original: Document, document_type: int) -> list[Finding]:
    findings = []
    code, line = text_of(reference, "CodRef"), text_of(reference, "NroLinRef")
    if not _same_receiver(body, original):
        findings.append(Finding("REF-3-751", f"L[{line}] RUT Receptor Distinto al del Documento Referenciado"))
    if original.annulled:
        findings.append(Finding("REF-3-999", f"L[{line}] Documento Referenciado Ya Anulado"))
    findings += _amounts_against(body, reference, original, document_type)
    kind = text_of(body, "Encabezado/IdDoc/TpoTranVenta")
    if kind and original.document_type in _WITH_KIND_OF_SALE and kind != (original.sale_kind or _USUAL_SALE):
        findings.append(Finding("REF-2-999", f"L[{line}] TpoTranVenta Distinto al del Documento Referenciado"))
    if code == _ANNULS and original.document_type == SETTLEMENT:
        findings.append(Finding("REF-2-999", f"L[{line}] Liquidacion se Anula con otra Liquidacion"))
    if text_of(reference, "FchRef") != original.issued_on:
        findings.append(Finding("REF-2-999", f"L[{line}] Fecha Distinta a la del Documento Referenciado"))
    return findings


def _amounts_against(body: Element, reference: Element, original: Document, document_type: int) -> Iterator[Finding]:
    code, line = text_of(reference, "CodRef"), text_of(reference, "NroLinRef")
    totals = "Encabezado/Totales/"
    total = amount_of(body, totals + "MntTotal")
    if code == _ANNULS:
        for tag, name in _AMOUNTS:
            stated, held = figure(text_of(body, totals + tag)) or 0, getattr(original, name) or 0
            if stated != held:
                yield Finding("REF-2-780", f"L[{line}] Anulacion con Monto Distinto [{tag} {stated} <> {held}]")
                break
    if code == _CORRECTS_TEXT and total:
        yield Finding("REF-2-781", f"L[{line}] Correccion de Texto con Montos")
    left = Decimal(original.total) - Decimal(original.taken_off)
    if code == _CORRECTS_AMOUNTS and document_type in _CREDITS and total > left:
        yield Finding("REF-2-999", f"L[{line}] Notas por Mas que el Documento [{total} > {left}]")


def _same_receiver(body: Element, original: Document) -> bool:
    """Notes go to the document's receiver; on a boleta to nobody to whom it may be, or to the issuer itself.

    The SII wants the buyer of a boleta named in its note, who often isn't in the boleta.
    """
    receiver = text_of(body, "Encabezado/Receptor/RUTRecep")
    issuer = text_of(body, "Encabezado/Emisor/RUTEmisor")
    if original.document_type in _BOLETAS and (original.receiver == _NOBODY or receiver in {issuer, _NOBODY}):
        return True
    return receiver == original.receiver
