"""What the answers of both sides share: states of a document, of a token, numbers of attention."""

from dataclasses import dataclass
from decimal import Decimal

from deploy.sandbox.sii.registry import Document, Identity
from deploy.sandbox.sii.world import World

_TOKENS = {"unknown": ("003", "TOKEN NO EXISTE"), "expired": ("001", "TOKEN INACTIVO")}

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

# States of a document that the SII doesn't hold.
NOT_HELD = frozenset({"FAU", "FNA", "FAN", "EMP"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a query says of a document: receiver, total (pesos or an export's currency), day of issue.

    The day is ISO, empty when it can't be read.
    """

    receiver: str
    total: int | Decimal
    issued_on: str


def token_states(world: World, why: str) -> tuple[str, str]:
    """ESTADO and GLOSA of QueryEstUp and QueryEstDte for a token that isn't one."""
    state, gloss = _TOKENS[why]
    return (world.switches.expired_state if why == "expired" else state), gloss


def attention(world: World) -> str:
    """The NUM_ATENCION of an answer, in one of its forms."""
    form = world.choose(world.switches.num_atencion, ("full", "digits", "absent"))
    number = world.random.randrange(1, 10**6)
    moment = world.clock.now().strftime("%Y/%m/%d %H:%M:%S")
    text = {"full": f"{number} ( {moment})", "digits": str(number), "absent": ""}[form]
    return f"<NUM_ATENCION>{text}</NUM_ATENCION>" if text else ""


async def document_state(world: World, identity: Identity, asked: Asked, signature: str | None = None) -> str:
    """What a query about a document answers: a key of DOCUMENT_STATES.

    `signature` is the document's SignatureValue without white space; None when the query doesn't compare it.
    """
    company = world.registry.companies.get(identity[0])
    if company is None or not company.authorised:
        return "EMP"
    if not world.registry.is_authorised(identity):
        return "FNA"
    if identity in world.registry.annulled:
        return "FAN"
    document = await held_document(world, identity)
    if document is None:
        return "FAU"
    held = Asked(document.receiver, document.total, document.issued_on)
    if held != asked or signature not in {None, document.signature}:
        return "DNK"
    return next((code for note, code in _NOTES if note in document.notes), "DOK")


async def held_document(world: World, identity: Identity) -> Document | None:
    """The accepted document of that identity, None before its envelope shows as processed."""
    document = world.registry.documents.get(identity)
    if document is None:
        return None
    upload = world.registry.uploads[document.track_id]
    return document if await world.look(upload) == "EPR" else None
