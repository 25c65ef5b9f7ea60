"""Uploads of envelopes: DTEUpload through the documents' host, the envío of boletas through theirs.

Promises: the file's bytes go out untouched, on a connection of their own and within an absolute deadline; whatever
happens becomes an `UploadAnswer`, and "not received" is said only when that is sure. Nothing is sent twice here.
"""

from dataclasses import dataclass
from typing import Final

from domain.answers import UploadAnswer, read_rest_upload, read_upload
from workers.sii.errors import AnswerLostError, NotSentError
from workers.sii.login import Channel
from workers.sii.messages import REST_USER_AGENT, UPLOAD_USER_AGENT, cookie, upload_form
from workers.sii.transport import Headers, Transport
from workers.sii.wire import Deadline

SOAP_UPLOAD: Final = "/cgi_dte/UPL/DTEUpload"
REST_UPLOAD: Final = "/recursos/v1/boleta.electronica.envio"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What an upload carries: who sends for which company, and the file. A repeated upload keeps all of it equal."""

    sender: str
    company: str
    filename: str
    data: bytes


class Upload:
    """Sends envelopes. Safe from many threads."""

    def __init__(self, transport: Transport, soap_host: str, rest_upload_host: str) -> None:
        """Take the hosts that receive files (scheme and host)."""
        self._transport = transport
        self._soap_url = soap_host + SOAP_UPLOAD
        self._rest_url = rest_upload_host + REST_UPLOAD

    def address(self, channel: Channel) -> str:
        """URL that takes the envelopes of a channel."""
        return self._soap_url if channel == "soap" else self._rest_url

    def upload(self, channel: Channel, token: str, parcel: Parcel, deadline: Deadline) -> UploadAnswer:
        """Send, and say what became of it. Raises ValueError only for a request that can't be written at all."""
        content_type, body = upload_form(parcel.sender, parcel.company, parcel.filename, parcel.data)
        headers: Headers = (cookie(token), ("Content-Type", content_type))
        if channel == "soap":
            headers = (
                ("User-Agent", UPLOAD_USER_AGENT),
                ("Accept", "*/*"),
                ("Accept-Language", "es-cl"),
                ("Cache-Control", "no-cache"),
                *headers,
            )
            read = read_upload
        else:
            headers = (("User-Agent", REST_USER_AGENT), ("Accept", "application/json"), *headers)
            read = read_rest_upload
        try:
            answer = self._transport.upload(self.address(channel), headers, body, deadline)
        except NotSentError as error:
            return UploadAnswer("not_received", retry="later", detail=str(error))
        except AnswerLostError as error:
            return UploadAnswer("unknown", detail=str(error))
        return read(answer.http_status, answer.body, retry_after=answer.retry_after)
