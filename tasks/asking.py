"""Asking the SII about single documents, with one token for all of an envelope's."""

from collections.abc import Sequence

from domain.answers.document import DocumentStatus
from domain.signature import RsaSigner
from tasks.base import tools
from workers.database.envelopes import ClaimedEnvelope
from workers.database.verdicts import Rider
from workers.pace import NotNowError, admitted
from workers.sessions import NoSessionError, Sessions, Token


def ask_each(
    envelope: ClaimedEnvelope, riders: Sequence[Rider], access: Sessions, signer: RsaSigner
) -> dict[Rider, DocumentStatus]:
    """What the SII says of each document.

    Raises NoSessionError when the token dies on the way, NotNowError when the service isn't to be asked.
    """
    token = access.token(envelope.sender, envelope.environment, envelope.channel, signer)
    if not riders:
        return {}
    said = {}
    with admitted(envelope.channel, "query", access.worker, lane=envelope.lane, requests=len(riders)) as admission:
        for rider in riders:
            status = _ask(envelope, rider, token)
            admission.learn(answered=bool(status.code), words=status.gloss, retry_after=status.retry_after)
            if status.retry_after is not None:
                raise NotNowError(admission.service, status.gloss, status.retry_after)
            if status.meaning == "token":
                access.refuse(envelope.sender, envelope.environment, envelope.channel, token)
                raise NoSessionError("the token was refused while documents were asked about", after_seconds=0)
            said[rider] = status
    return said


def _ask(envelope: ClaimedEnvelope, rider: Rider, token: Token) -> DocumentStatus:
    return tools().sii.document_status(
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
