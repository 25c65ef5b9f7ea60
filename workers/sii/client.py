"""The SII as the phases see it: log in, upload, ask.

One client per process, made after the fork and shared by its threads. Everything that the SII or the network does
becomes an answer with a meaning (`domain.answers`); only a login that brings no token raises (`SiiLoginError`). Who
calls decides when to ask again and with which token, and writes down before an upload that it is about to begin.
"""

from types import TracebackType
from typing import Self

from domain.answers import DocumentStatus, EnvelopeStatus, UploadAnswer
from domain.answers.claims import ClaimsAnswer
from domain.answers.mail_again import MailAgainAnswer
from domain.signature import Signer
from workers.settings import SOAP_HOSTS, Settings
from workers.sii.afterwards import Afterwards
from workers.sii.errors import SiiLoginError as SiiLoginError
from workers.sii.login import Channel, Login, Silence, Token
from workers.sii.query import Folio, Query
from workers.sii.soap import SoapServices
from workers.sii.transport import Keep, Transport, keep_nothing
from workers.sii.upload import Parcel, Upload
from workers.sii.wire import Deadline


class SiiClient:
    """The services of one environment of the SII. Safe from many threads."""

    def __init__(self, settings: Settings, keep: Keep = keep_nothing) -> None:
        """Take the hosts from the settings; no connection is opened yet. `keep` gets each exchange when it is over."""
        self._transport = Transport(settings, keep)
        services = SoapServices(self._transport, settings.soap_host, SOAP_HOSTS[settings.sii_environment])
        self._login = Login(self._transport, services, settings.rest_host)
        self._upload = Upload(self._transport, settings.soap_host, settings.rest_upload_host)
        self._query = Query(self._transport, services, settings.rest_host)
        self._afterwards = Afterwards(self._transport, services, settings.claims_host, settings.sii_environment)

    def login(self, channel: Channel, signer: Signer) -> Token:
        """Return a new token for the signer's person; raises `SiiLoginError`, whose `retry` says what may help."""
        return self._login.login(channel, signer)

    def silence(self, channel: Channel) -> Silence | None:
        """Ask for a seed, which changes nothing: None when the SII gives one, else why none came."""
        return self._login.silence(channel)

    def upload(self, channel: Channel, token: str, parcel: Parcel, deadline: Deadline) -> UploadAnswer:
        """Send an envelope and say what became of it before the deadline.

        The first byte leaves within half of the deadline or not at all. The parcel's `sender` is the token's person,
        its `company` the Carátula's RutEmisor; a repeated upload must keep all of it equal. Raises ValueError for a
        token or a file name that a request can't carry.
        """
        return self._upload.upload(channel, token, parcel, deadline)

    def envelope_status(self, channel: Channel, token: str, company: str, track_id: str) -> EnvelopeStatus:
        """Return how far an upload is; `company` is the upload's, `track_id` without leading zeros."""
        return self._query.envelope_status(channel, token, company, track_id)

    def document_status(self, channel: Channel, token: str, document: Folio) -> DocumentStatus:
        """Return what the SII says of one document by its data."""
        return self._query.document_status(channel, token, document)

    def document_proof(self, token: str, document: Folio) -> DocumentStatus:
        """Return whether the SII holds a document of DTEUpload with its very signature (QueryEstDteAv)."""
        return self._query.document_proof(token, document)

    def state(self) -> str | None:
        """Return what the service of uploads' states says of itself (getState); None when nothing came."""
        return self._query.state()

    def mail_again(self, token: str, company: str, track_id: str) -> MailAgainAnswer:
        """Ask the SII to send the result mail of an upload again, to the company's registered address."""
        return self._afterwards.mail_again(token, company, track_id)

    def claim_events(self, token: str, company: str, document_type: int, folio: int) -> ClaimsAnswer:
        """Return what receivers said of a document of `company` (types 33, 34, 43)."""
        return self._afterwards.claim_events(token, company, document_type, folio)

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
