"""What notes (56, 61) refer to: the document must have been accepted here.

A note needs a reference with CodRef to a tax document (SII, Formato DTE, Referencia): 1 annuls it, 2 corrects its
text, 3 corrects its amounts.
"""

from deploy.sandbox.sii.reading import Element, find_all, text_of
from deploy.sandbox.sii.registry import Document, Finding, Identity, Registry, Upload

NOTES = frozenset({56, 61})
_PAPER = frozenset({"30", "32", "35", "38", "40", "45", "55", "60"})
_CHANGEABLE = {
    56: frozenset({"33", "34", "43", "46", "61"}),
    61: frozenset({"33", "34", "39", "41", "43", "46", "56"}),
}
_ANNULS, _CORRECTS_TEXT = "1", "2"


def reference_findings(body: Element, upload: Upload, identity: Identity, registry: Registry) -> list[Finding]:
    """The findings about a note's references; other documents have none."""
    issuer, document_type, _ = identity
    if document_type not in NOTES:
        return []
    allowed = _CHANGEABLE[document_type] | _PAPER
    found = [r for r in find_all(body, "Referencia") if text_of(r, "TpoDocRef") in allowed]
    if not found:
        return [Finding("REF-3-415", "Nota sin Referencia Valida")]
    findings: list[Finding] = []
    for reference in found:
        line = text_of(reference, "NroLinRef")
        if not text_of(reference, "CodRef"):
            findings.append(Finding("REF-3-758", f"L[{line}] Falta Codigo de Referencia"))
        if text_of(reference, "TpoDocRef") in _PAPER:
            continue
        original = referred(reference, issuer, registry)
        if original is None or not _is_received(original, upload):
            findings.append(Finding("REF-3-750", f"L[{line}] Documento Referenciado No Recibido"))
        else:
            findings.extend(_against(body, reference, original))
    return findings


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
        if original is not None and code.isdigit():
            original.notes.append((note.document_type, int(code)))
            original.noted_by.append(note.identity)


def _is_received(original: Document, upload: Upload) -> bool:
    return original.track_id == upload.track_id or original.final_at <= upload.timeline["PDR"]


def _against(body: Element, reference: Element, original: Document) -> list[Finding]:
    findings = []
    code, line = text_of(reference, "CodRef"), text_of(reference, "NroLinRef")
    total = text_of(body, "Encabezado/Totales/MntTotal")
    if text_of(body, "Encabezado/Receptor/RUTRecep") != original.receiver:
        findings.append(Finding("REF-3-751", f"L[{line}] RUT Receptor Distinto al del Documento Referenciado"))
    if code == _ANNULS and total != str(original.total):
        findings.append(Finding("REF-2-780", f"L[{line}] Anulacion con Monto Distinto [{total} <> {original.total}]"))
    if code == _CORRECTS_TEXT and total != "0":
        findings.append(Finding("REF-2-781", f"L[{line}] Correccion de Texto con Montos"))
    if text_of(reference, "FchRef") != original.issued_on:
        findings.append(Finding("REF-2-999", f"L[{line}] Fecha Distinta a la del Documento Referenciado"))
    return findings
