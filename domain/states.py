"""The life of a document and of an envelope, as tables of legal steps.

The ledger holds the same tables as rows (`document_transitions`, `envelope_transitions`) that every recorded step
must refer to; a test keeps both equal, so that neither Python nor SQL can invent a step. `''` is the state before
the first one.

A document stays `enveloped` until the SII's verdict; that it has been sent is read from its envelope, and told to its
producer as `sent`.
"""

from typing import Final

WAITING_TO_BE_BORN: Final = ""

DOCUMENT_STATES: Final[dict[str, str]] = {
    "received": "recorded, to be validated",
    "waiting": "needs something before it gets a folio: an issuer, a certificate, folios, or the document it changes",
    "invalid": "refused with all its problems; no folio was spent",
    "cancelled": "withdrawn before it had a folio",
    "numbered": "has its folio for ever, to be stamped and signed",
    "signed": "its bytes exist and will never change; to be put in an envelope",
    "withdrawn": "withdrawn with its folio, which is void, before anything of it had left",
    "enveloped": "inside an envelope; the SII has not decided",
    "accepted": "the SII holds it",
    "accepted_with_repairs": "the SII holds it, with observations (reparos)",
    "rejected": "the SII refused this document",
    "conflict": "the SII holds other data under this folio, or didn't tell in days; a person must look",
    "quarantined": "processes die on it; a person must look",
    "imported": "issued elsewhere; kept so that notes can refer to it and its folio is never given again",
}

DOCUMENT_TRANSITIONS: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        (WAITING_TO_BE_BORN, "received"),
        (WAITING_TO_BE_BORN, "imported"),
        ("received", "numbered"),
        ("received", "waiting"),
        ("received", "invalid"),
        ("received", "cancelled"),
        ("received", "quarantined"),
        ("waiting", "received"),
        ("waiting", "cancelled"),
        ("numbered", "signed"),
        ("numbered", "quarantined"),
        ("numbered", "withdrawn"),
        ("signed", "enveloped"),
        ("signed", "quarantined"),
        ("signed", "withdrawn"),
        ("enveloped", "signed"),
        ("enveloped", "accepted"),
        ("enveloped", "accepted_with_repairs"),
        ("enveloped", "rejected"),
        ("enveloped", "conflict"),
        ("conflict", "accepted"),
        ("conflict", "rejected"),
        ("accepted", "accepted_with_repairs"),
        ("quarantined", "received"),
        ("quarantined", "numbered"),
        ("quarantined", "signed"),
        ("quarantined", "cancelled"),
        ("quarantined", "withdrawn"),
    }
)

ENVELOPE_STATES: Final[dict[str, str]] = {
    "sealed": "built and signed; to be sent",
    "sending": "an attempt is under way",
    "uncertain": "an attempt ended without a readable answer: the SII may hold it",
    "sent": "the SII gave a track id; its verdict is awaited",
    "processed": "every document has its verdict",
    "refused": "the SII refused it as a whole; its documents went back to `signed`",
}

ENVELOPE_TRANSITIONS: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        (WAITING_TO_BE_BORN, "sealed"),
        ("sealed", "sending"),
        ("sealed", "refused"),
        ("sending", "sent"),
        ("sending", "sealed"),
        ("sending", "uncertain"),
        ("sending", "refused"),
        ("uncertain", "sending"),
        ("uncertain", "sent"),
        ("uncertain", "processed"),
        ("uncertain", "refused"),
        ("sent", "processed"),
        ("sent", "refused"),
    }
)

SENT: Final = "sent"
"""What results call an enveloped document from the SII's receipt on; the ledger's rows don't know the word."""
ISSUED: Final = frozenset({"signed", "enveloped", "accepted", "accepted_with_repairs", "rejected", "conflict"})
DECIDED: Final = frozenset(
    {"accepted", "accepted_with_repairs", "rejected", "invalid", "cancelled", "withdrawn", "conflict", "imported"}
)
ACCEPTED: Final = frozenset({"accepted", "accepted_with_repairs"})
REPLACEABLE: Final = frozenset({"rejected"})
UNSENDABLE: Final = frozenset({"schema-refused", "caf-expired"})
"""What a signed document is held for that can never go: it may be replaced like a rejected one."""
REUSABLE_KEY: Final = frozenset({"invalid", "cancelled", "withdrawn"})
