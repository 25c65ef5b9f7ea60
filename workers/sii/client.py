"""The SII as the phases see it: log in, upload, ask.

One client per process, made after the fork and shared by its threads. Everything that the SII or the network does
becomes an answer with a meaning (`domain.answers`); only a login that brings no token raises (`SiiLoginError`). Who
calls decides when to ask again and with which token, and writes down before an upload that it is about to begin.
"""

from datetime import date
from types import TracebackType
from typing import Self

from domain.answers import DocumentStatus, EnvelopeStatus, UploadAnswer
from domain.money import Number
from domain.signature import Signer
from workers.settings import Settings
from workers.sii.errors import SiiLoginError as SiiLoginError
from workers.sii.login import Channel, Login, Token
from workers.sii.query import Folio, Query
from workers.sii.soap import SoapServices
from workers.sii.transport import Transport
from workers.sii.upload import Parcel, Upload


class SiiClient:
    """The services of one environment of the SII. Safe from many threads."""

    def __init__(self, settings: Settings) -> None:
        """Take the hosts from the settings; no connection is opened yet."""
        self._transport = Transport(settings)
        services = SoapServices(self._transport, settings.soap_host)
        self._login = Login(self._transport, services, settings.rest_host)
        self._upload = Upload(self._transport, settings.soap_host, settings.rest_upload_host)
        self._query = Query(self._transport, services, settings.rest_host)

    def login(self, channel: Channel, signer: Signer) -> Token:
        """Return a new token for the signer's person; raises `SiiLoginError`, whose `retry` says what may help."""
        return self._login.login(channel, signer)

    def silence(self, channel: Channel) -> str | None:
        """Ask for a seed, which changes nothing: None when the SII gives one, else why none came."""
        return self._login.silence(channel)

    def upload(
        self,
        channel: Channel,
        token: str,
        sender: str,
        company: str,
        filename: str,
        data: bytes,
        *,
        deadline_seconds: float,
    ) -> UploadAnswer:
        """Send an envelope (`data` as signed, ISO-8859-1) and say what became of it within `deadline_seconds`.

        The first byte leaves within half of the deadline or not at all. `sender` is the token's person, `company` the
        Carátula's RutEmisor; a repeated upload must keep sender, company, file name and data equal.
        Raises ValueError for a token or a file name that a request can't carry.
        """
        return self._upload.upload(
            channel, token, Parcel(sender, company, filename, data), deadline_seconds=deadline_seconds
        )

    def envelope_status(self, channel: Channel, token: str, company: str, track_id: str) -> EnvelopeStatus:
        """Return how far an upload is; `company` is the upload's, `track_id` without leading zeros."""
        return self._query.envelope_status(channel, token, company, track_id)

    def document_status(  # noqa: PLR0913, PLR0917 - the SII's own parameters
        self,
        channel: Channel,
        token: str,
        consultant: str,
        company: str,
        receiver: str,
        document_type: int,
        folio: int,
        issued_on: date,
        total: Number,
    ) -> DocumentStatus:
        """Return what the SII says of one document; `consultant` is the token's person, `total` its MntTotal."""
        return self._query.document_status(
            channel, token, Folio(consultant, company, receiver, document_type, folio, issued_on, total)
        )

    def upload_address(self, channel: Channel) -> str:
        """Return the URL that takes the envelopes of a channel, for the record of an attempt."""
        return self._upload.address(channel)

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        """Use the client for the length of a block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close all connections."""
        self.close()
