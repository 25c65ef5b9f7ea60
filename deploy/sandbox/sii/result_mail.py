"""The mail in which the SII tells a company what became of an upload: RESULTADO_ENVIO, attached to a message.

It alone says why documents were rejected or repaired; accepted ones aren't listed (SII, RespSII_v10; recorded texts).
That schema knows six types of document: others are left out unless the switch ``mail_lists_all_types`` is on. The
message comes in the forms in which such mails arrive at a company: as sent, forwarded by a colleague (attached or
inline), recoded by a gateway, in other charsets, forged.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from html import escape

from deploy.sandbox.sii.glosses import envelope_gloss
from deploy.sandbox.sii.registry import Document, Finding, Upload

SENDER = "siidte@sii.cl"
FORGER = "siidte@sii-cl.example"
_LISTED = frozenset({33, 34, 46, 52, 56, 61})  # DTEType of RespSII_v10
_MOST_SUBTOTALS = 5
_CHARSETS = {"utf-8": "UTF-8", "windows-1252": "windows-1252"}


@dataclass(frozen=True, slots=True)
class Letter:
    """What a message says: about which upload, to whom, with which file."""

    track_id: int
    company: str
    to: str
    written_at: datetime
    attachment: bytes


def result_xml(upload: Upload, state: str, variants: Collection[str] = (), *, all_types: bool = False) -> bytes:
    """The attachment for an upload in a final state; `variants` may ask for unknown codes or another charset."""
    lines = [
        "<RESULTADO_ENVIO>",
        "  <IDENTIFICACION>",
        f"    <RUTEMISOR>{upload.company}</RUTEMISOR>",
        f"    <RUTENVIA>{upload.sender}</RUTENVIA>",
        f"    <TRACKID>{upload.track_id}</TRACKID>",
        f"    <TMSTRECEPCION>{upload.received_at:%d/%m/%Y %H:%M:%S}</TMSTRECEPCION>",
        f"    <ESTADO>{state} - {envelope_gloss(state)}</ESTADO>",
        "  </IDENTIFICACION>",
        *_statistics(upload, all_types=all_types),
        *_envelope_errors(upload.findings),
        *_reviews(upload, variants, all_types=all_types),
        "</RESULTADO_ENVIO>",
    ]
    charset = next((name for variant, name in _CHARSETS.items() if variant in variants), "ISO-8859-1")
    text = "\n".join((f'<?xml version="1.0" encoding="{charset}"?>', *lines, ""))
    return text.encode("iso-8859-1" if "mislabelled" in variants else charset, "xmlcharrefreplace")


def contradicting_xml(upload: Upload, track_id: int) -> bytes:
    """A file in the SII's form that says the opposite of the truth, of an upload or of one that doesn't exist."""
    state = "RFR" if upload.final_state == "EPR" else "EPR"
    return "\n".join(
        (
            '<?xml version="1.0" encoding="ISO-8859-1"?>',
            "<RESULTADO_ENVIO><IDENTIFICACION>",
            f"<RUTEMISOR>{upload.company}</RUTEMISOR><RUTENVIA>{upload.sender}</RUTENVIA><TRACKID>{track_id}</TRACKID>",
            f"<TMSTRECEPCION>{upload.received_at:%d/%m/%Y %H:%M:%S}</TMSTRECEPCION>",
            f"<ESTADO>{state} - {envelope_gloss(state)}</ESTADO>",
            "</IDENTIFICACION></RESULTADO_ENVIO>\n",
        )
    ).encode("iso-8859-1")


def message(letter: Letter, variants: Collection[str] = (), sender: str = SENDER) -> bytes:
    """The message as it arrives, line ends CRLF."""
    original = _original(letter, variants, sender)
    if "forwarded" in variants:
        return _bytes(_attached(letter, original))
    if "forwarded-inline" in variants:
        return _bytes(_inline(letter, original))
    return _bytes(original)


def text_message(letter: Letter, subject: str, text: str) -> bytes:
    """A message of text alone."""
    mail = _head(letter, SENDER, subject)
    mail.set_content(text, charset="iso-8859-1", cte="8bit")
    return _bytes(mail)


def _bytes(mail: EmailMessage) -> bytes:
    """A message with boundaries that don't vary from run to run."""
    for number, part in enumerate(mail.walk()):
        if part.get_content_maintype() == "multipart":
            part.set_boundary(f"----=_Part_{number}_SII")
    return mail.as_bytes(policy=SMTP)


def _original(letter: Letter, variants: Collection[str], sender: str) -> EmailMessage:
    mail = _head(letter, sender, f"Resultado de Revision Envio {letter.track_id} - {letter.company}")
    mail.set_content("Se adjunta el resultado de la revisión de su envío.\n", charset="iso-8859-1", cte="8bit")
    # Both types have been seen; by the number, so that a run repeats.
    kind = ("application", "text")[letter.track_id % 2]
    mail.add_attachment(
        letter.attachment,
        maintype=kind,
        subtype="xml",
        filename=f"DTEMAIL{letter.track_id}.xml",
        cte="quoted-printable" if "quoted-printable" in variants else "base64",
    )
    return mail


def _attached(letter: Letter, original: EmailMessage) -> EmailMessage:
    mail = _head(letter, letter.to, f"Fwd: {original['Subject']}")
    mail.set_content("Para su información.\n", charset="utf-8", cte="quoted-printable")
    mail.add_attachment(original)
    return mail


def _inline(letter: Letter, original: EmailMessage) -> EmailMessage:
    mail = _head(letter, letter.to, f"RV: {original['Subject']}")
    quoted = "".join(f"> {name}: {original[name]}\n" for name in ("From", "Date", "Subject", "To"))
    mail.set_content(f"---------- Mensaje reenviado ----------\n{quoted}\n", charset="utf-8", cte="quoted-printable")
    for part in original.iter_attachments():
        mail.add_attachment(
            part.get_payload(decode=True),
            maintype=part.get_content_maintype(),
            subtype=part.get_content_subtype(),
            filename=part.get_filename(),
            cte="base64",
        )
    return mail


def _head(letter: Letter, sender: str, subject: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, letter.to, subject
    mail["Date"] = letter.written_at
    mail["Message-ID"] = f"<{letter.track_id}.{letter.written_at.timestamp():.6f}@{sender.rpartition('@')[2]}>"
    return mail


def _statistics(upload: Upload, *, all_types: bool) -> list[str]:
    rows = {t: row for t, row in upload.shown_counters().items() if all_types or t in _LISTED}
    if not rows:
        return []
    names = (("rechazados", "RECHAZO"), ("reparos", "REPARO"), ("aceptados", "ACEPTA"))
    lines = []
    for document_type, row in list(rows.items())[:_MOST_SUBTOTALS]:
        counts = "".join(f"<{tag}>{row[name]}</{tag}>" for name, tag in names if row[name])
        lines.append(
            f"    <SUBTOTAL><TIPODOC>{document_type}</TIPODOC><INFORMADO>{row['informados']}</INFORMADO>"
            f"{counts}</SUBTOTAL>"
        )
    return ["  <ESTADISTICA>", *lines, "  </ESTADISTICA>"]


def _envelope_errors(findings: list[Finding]) -> list[str]:
    lines = [f"    <DETERRENVIO>{_detail(finding)}</DETERRENVIO>" for finding in findings]
    return ["  <ERRORENVIO>", *lines, "  </ERRORENVIO>"] if lines else []


def _reviews(upload: Upload, variants: Collection[str], *, all_types: bool) -> list[str]:
    listed = [d for d in upload.documents if all_types or d.document_type in _LISTED]
    lines: list[str] = []
    for document in listed:
        if document.findings:
            lines += _review(document, _document_state(document), [_detail(f) for f in document.findings])
    if "unknown-codes" in variants and listed:
        lines += _review(listed[0], "QQX - Estado Que Nadie Publico", ["(QRS-7-4242) Codigo Que Nadie Publico"])
    return ["  <REVISIONENVIO>", *lines, "  </REVISIONENVIO>"] if lines else []


def _review(document: Document, state: str, details: list[str]) -> list[str]:
    return [
        "    <REVISIONDTE>",
        f"      <FOLIO>{document.folio}</FOLIO>",
        f"      <TIPODTE>{document.document_type}</TIPODTE>",
        f"      <ESTADO>{state}</ESTADO>",
        *(f"      <DETALLE>{detail}</DETALLE>" for detail in details),
        "    </REVISIONDTE>",
    ]


def _document_state(document: Document) -> str:
    if document.state == "rejected":
        return "RCH - DTE Rechazado"
    if all(finding.level == 1 for finding in document.findings):
        return "RLV - DTE Aceptado con Reparos Leves"
    return "RPR - DTE Aceptado con Reparos"


def _detail(finding: Finding) -> str:
    return f"({finding.code}) {escape(finding.text, quote=False)}"
