"""Asking the SII about single documents, with one token for all of an envelope's."""

from collections.abc import Sequence

from domain.answers.document import DocumentStatus
from domain.signature import RsaSigner
from tasks.base import tools
from workers.database.envelopes import ClaimedEnvelope
from workers.database.verdicts import Rider
from workers.sessions import NoSessionError, Sessions


def ask_each(
    envelope: ClaimedEnvelope, riders: Sequence[Rider], access: Sessions, signer: RsaSigner
) -> dict[Rider, DocumentStatus]:
    """What the SII says of each document; raises NoSessionError when the token dies on the way."""
    token = access.token(envelope.sender, envelope.environment, envelope.channel, signer)
    said = {}
    for rider in riders:
        status = tools().sii.document_status(
            envelope.channel,
            token.value,
            envelope.sender,
            envelope.issuer,
            rider.receiver,
            rider.document_type,
            rider.folio,
            rider.issued_on,
            rider.total,
        )
        if status.meaning == "token":
            access.refuse(envelope.sender, envelope.environment, envelope.channel, token)
            raise NoSessionError("the token was refused while documents were asked about", after_seconds=0)
        said[rider] = status
    return said
