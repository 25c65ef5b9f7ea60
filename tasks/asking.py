"""Asking the SII about single documents, with one token for all of an envelope's.

Documents of DTEUpload are asked about with their SignatureValue (QueryEstDteAv), so that the answer speaks of the very
bytes that FMgo made; where that service has no answer, and for boletas, their data are compared.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from domain.answers.document import DocumentStatus
from domain.signature import RsaSigner
from tasks.base import tools
from workers.database.envelopes import ClaimedEnvelope
from workers.database.sealing import Channel
from workers.database.verdicts import Rider
from workers.exchanges import about_document
from workers.pace import NotNowError, admitted, service_of
from workers.sessions import NoSessionError, Sessions, Token
from workers.settings import settings
from workers.sii import Folio

SILENT_IN_A_ROW: Final = 3
"""After so many documents without any answer the service is away: the others aren't asked about now."""


def silence_in(channel: Channel, answers: Iterable[DocumentStatus]) -> str | None:
    """The service of questions, if some of the documents had no answer of it; None when all had."""
    return service_of(channel, "query") if any(not answer.code for answer in answers) else None


def pause_of(seconds: float, channel: Channel, answers: Iterable[DocumentStatus]) -> float:
    """The pause before the next question: after silence no longer than the longest between two tries of a service."""
    return seconds if silence_in(channel, answers) is None else min(seconds, settings().sii_longest_pause_seconds)


@dataclass(slots=True)
class Asking:
    """Questions about the documents of one envelope."""

    envelope: ClaimedEnvelope
    access: Sessions
    signer: RsaSigner

    def each(self, riders: Sequence[Rider]) -> dict[Rider, DocumentStatus]:
        """What the SII says of each document.

        A token that dies on the way is renewed once; raises NoSessionError when there is none to be had, and
        NotNowError when the service isn't to be asked.
        """
        if not riders:
            return {}
        token = self._token()
        said: dict[Rider, DocumentStatus] = {}
        silent = 0
        envelope = self.envelope
        with admitted(
            envelope.channel, "query", self.access.worker, lane=envelope.lane, requests=len(riders)
        ) as admission:
            for rider in riders:
                if silent >= SILENT_IN_A_ROW:
                    said[rider] = DocumentStatus("unknown", "", "not asked: the service doesn't answer")
                    continue
                status = self._ask(token, rider)
                if status.meaning == "token":
                    self._refuse(token)
                    token = self._token()
                    status = self._ask(token, rider)
                admission.learn(
                    answered=bool(status.code) or status.meaning == "token",
                    words=status.gloss,
                    retry_after=status.retry_after,
                )
                if status.meaning == "token":
                    self._refuse(token)
                    raise NoSessionError("a fresh token was refused while documents were asked about", after_seconds=60)
                if status.retry_after is not None:
                    raise NotNowError(admission.service, status.gloss, status.retry_after)
                if status.code:
                    self._taken(token)
                silent = 0 if status.code else silent + 1
                said[rider] = status
        return said

    def _ask(self, token: Token, rider: Rider) -> DocumentStatus:
        document = Folio(
            consultant=self.envelope.sender,
            company=self.envelope.issuer,
            receiver=rider.receiver,
            document_type=rider.document_type,
            folio=rider.folio,
            issued_on=rider.issued_on,
            total=rider.total,
            signature_value=rider.signature_value,
        )
        with about_document(rider.document_type, rider.folio):
            if self.envelope.channel == "soap":
                proof = tools().sii.document_proof(token.value, document)
                if proof.meaning != "unknown" or proof.retry_after is not None:
                    return proof
            return tools().sii.document_status(self.envelope.channel, token.value, document)

    def _token(self) -> Token:
        envelope = self.envelope
        return self.access.token(envelope.sender, envelope.environment, envelope.channel, self.signer)

    def _refuse(self, token: Token) -> None:
        self.access.refuse(self.envelope.sender, self.envelope.environment, self.envelope.channel, token)

    def _taken(self, token: Token) -> None:
        self.access.taken(self.envelope.sender, self.envelope.environment, self.envelope.channel, token)
