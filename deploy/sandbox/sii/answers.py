"""Words and codes of the answers that both sides share: states of an envelope, states of a document."""

from decimal import Decimal

from deploy.sandbox.sii.registry import Document, Identity
from deploy.sandbox.sii.world import World

_ENVELOPE = {
    "REC": "Envio Recibido",
    "SOK": "Schema Validado",
    "CRT": "Caratula OK",
    "FOK": "Firma de Envio Validada",
    "PDR": "Envio en Proceso",
    "EPR": "Envio Procesado",
    "RSC": "Rechazado por Error en Schema",
    "RCT": "Rechazado por Error en Caratula",
    "RFR": "Rechazado por Error en Firma",
}

# ESTADO: ERR_CODE, GLOSA_ESTADO, GLOSA_ERR (SII, manual de consulta de estado de DTE).
DOCUMENT_STATES = {
    "DOK": (0, "DTE Recibido", "Documento Recibido por el SII. Datos Coinciden con los Registrados"),
    "DNK": (1, "DTE Recibido", "Documento Recibido por el SII pero Datos NO Coinciden con los registrados"),
    "FAU": (3, "DTE No Recibido", "Documento No Recibido por el SII"),
    "FNA": (4, "DTE No Autorizado", "Documento No Autorizado"),
    "FAN": (5, "DTE Anulado", "Documento Anulado"),
    "EMP": (6, "Empresa No Autorizada", "Empresa no autorizada a Emitir Documentos Tributarios Electronicos"),
    "TMD": (10, "DTE Recibido", "Existe Nota de Debito que Modifica Texto Documento"),
    "TMC": (11, "DTE Recibido", "Existe Nota de Credito que Modifica Textos Documento"),
    "MMD": (12, "DTE Recibido", "Existe Nota de Debito que Modifica Montos Documento"),
    "MMC": (13, "DTE Recibido", "Existe Nota de Credito que Modifica Montos Documento"),
    "AND": (14, "DTE Recibido", "Existe Nota de Debito que Anula Documento"),
    "ANC": (15, "DTE Recibido", "Existe Nota de Credito que Anula Documento"),
}

# What accepted notes do to the document they change, the strongest first: type of the note, CodRef.
_NOTES = (((56, 1), "AND"), ((61, 1), "ANC"), ((56, 3), "MMD"), ((61, 3), "MMC"), ((56, 2), "TMD"), ((61, 2), "TMC"))


def envelope_gloss(state: str) -> str:
    """The GLOSA of an envelope's state."""
    return _ENVELOPE.get(state, "Estado no Definido")


async def document_state(world: World, identity: Identity, receiver: str, total: int | Decimal, issued_on: str) -> str:
    """What a query about a document answers: a key of DOCUMENT_STATES.

    `total` is in pesos or an export's currency, `issued_on` ISO.
    """
    company = world.registry.companies.get(identity[0])
    if company is None or not company.authorised:
        return "EMP"
    if not world.registry.is_authorised(identity):
        return "FNA"
    if identity in world.registry.annulled:
        return "FAN"
    document = await _visible(world, identity)
    if document is None:
        return "FAU"
    if (document.receiver, document.total, document.issued_on) != (receiver, total, issued_on):
        return "DNK"
    return next((code for note, code in _NOTES if note in document.notes), "DOK")


async def _visible(world: World, identity: Identity) -> Document | None:
    document = world.registry.documents.get(identity)
    if document is None:
        return None
    upload = world.registry.uploads[document.track_id]
    return document if await world.look(upload) == "EPR" else None
