"""Questions about uploads and documents, SOAP and REST.

A question may be asked again at any time, so a lost or odd answer is simply "unknown" (law 12: never a verdict).
Dates go out as each service takes them: ddMMyyyy to QueryEstDte and QueryEstDteAv, dd-mm-yyyy to the boletas' API;
sources disagree about the first, so an answer "other data" is asked about once more in the second form before it is
believed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlencode

from domain import rut
from domain.answers import (
    DocumentStatus,
    EnvelopeStatus,
    read_document_proof,
    read_document_status,
    read_envelope_status,
    read_rest_document_status,
    read_rest_envelope_status,
)
from domain.answers.reading import excerpt
from domain.money import Number, figure
from workers.sii import soap
from workers.sii.errors import SiiError
from workers.sii.login import Channel
from workers.sii.messages import REST_USER_AGENT, cookie
from workers.sii.transport import Transport

REST_ENVELOPE: Final = "/recursos/v1/boleta.electronica.envio"
_OK: Final = 200
REST_DOCUMENT: Final = "/recursos/v1/boleta.electronica"


@dataclass(frozen=True, slots=True)
class Folio:
    """A document as the SII is asked about it; RUTs canonical, `total` as in MntTotal: exports have decimals.

    `signature_value` is the SignatureValue of its DTE in base64, on one line or several.
    """

    consultant: str
    company: str
    receiver: str
    document_type: int
    folio: int
    issued_on: date
    total: Number
    signature_value: str = ""


class Query:
    """Asks. Safe from many threads."""

    def __init__(self, transport: Transport, services: soap.SoapServices, rest_host: str) -> None:
        """Take the ways to both channels' services."""
        self._transport = transport
        self._services = services
        self._rest_host = rest_host

    def envelope_status(self, channel: Channel, token: str, company: str, track_id: str) -> EnvelopeStatus:
        """How far an upload is; `company` is the one of the upload, not the certificate's person."""
        body, digit = rut.split(company)
        try:
            if channel == "soap":
                parameters = (
                    ("RutCompania", body),
                    ("DvCompania", digit),
                    ("TrackId", track_id),
                    ("Token", token),
                )
                answer = self._services.ask(soap.UPLOAD_STATUS, "getEstUp", parameters)
                return read_envelope_status(answer.http_status, answer.body, retry_after=answer.retry_after)
            url = f"{self._rest_host}{REST_ENVELOPE}/{body}-{digit}-{track_id}"
            answer = self._transport.query("GET", url, _rest_headers(token))
            return read_rest_envelope_status(answer.http_status, answer.body, retry_after=answer.retry_after)
        except SiiError as error:
            return EnvelopeStatus("unknown", "", str(error))

    def state(self) -> str | None:
        """What the service of uploads' states says of itself (no token is needed); None when nothing came."""
        try:
            answer = self._services.ask(soap.UPLOAD_STATUS, "getState", ())
        except SiiError:
            return None
        return excerpt(answer.body) if answer.http_status == _OK else None

    def document_status(self, channel: Channel, token: str, folio: Folio) -> DocumentStatus:
        """What the SII says of one document, by its data."""
        try:
            if channel == "rest":
                return self._rest_document(token, folio)
            return self._in_both_forms(self._soap_document, token, folio)
        except SiiError as error:
            return DocumentStatus("unknown", "", str(error))

    def document_proof(self, token: str, folio: Folio) -> DocumentStatus:
        """Whether the SII holds this document with this signature (documents of DTEUpload only)."""
        try:
            return self._in_both_forms(self._soap_proof, token, folio)
        except SiiError as error:
            return DocumentStatus("unknown", "", str(error), by_signature=True)

    def _in_both_forms(
        self, ask: Callable[[str, Folio, str], DocumentStatus], token: str, folio: Folio
    ) -> DocumentStatus:
        """Ask with the date in one form and, if that doesn't match, in the other."""
        status = ask(token, folio, folio.issued_on.strftime("%d%m%Y"))
        if status.meaning != "mismatch":
            return status
        other = ask(token, folio, folio.issued_on.strftime("%d-%m-%Y"))
        return other if other.held else status

    def _soap_proof(self, token: str, folio: Folio, issued_on: str) -> DocumentStatus:
        """Call getEstDteAv with the date in one form."""
        company, receiver = rut.split(folio.company), rut.split(folio.receiver)
        parameters = (
            ("RutEmpresa", company[0]),
            ("DvEmpresa", company[1]),
            ("RutReceptor", receiver[0]),
            ("DvReceptor", receiver[1]),
            ("TipoDte", str(folio.document_type)),
            ("FolioDte", str(folio.folio)),
            ("FechaEmisionDte", issued_on),
            ("MontoDte", figure(folio.total)),
            ("FirmaDte", "".join(folio.signature_value.split())),
            ("Token", token),
        )
        answer = self._services.ask(soap.DOCUMENT_PROOF, "getEstDteAv", parameters)
        return read_document_proof(answer.http_status, answer.body, retry_after=answer.retry_after)

    def _soap_document(self, token: str, folio: Folio, issued_on: str) -> DocumentStatus:
        """Call getEstDte with the date in one form."""
        consultant, company, receiver = (
            rut.split(person) for person in (folio.consultant, folio.company, folio.receiver)
        )
        parameters = (
            ("RutConsultante", consultant[0]),
            ("DvConsultante", consultant[1]),
            ("RutCompania", company[0]),
            ("DvCompania", company[1]),
            ("RutReceptor", receiver[0]),
            ("DvReceptor", receiver[1]),
            ("TipoDte", str(folio.document_type)),
            ("FolioDte", str(folio.folio)),
            ("FechaEmisionDte", issued_on),
            ("MontoDte", figure(folio.total)),
            ("Token", token),
        )
        answer = self._services.ask(soap.DOCUMENT_STATUS, "getEstDte", parameters)
        return read_document_status(answer.http_status, answer.body, retry_after=answer.retry_after)

    def _rest_document(self, token: str, folio: Folio) -> DocumentStatus:
        """Ask for a boleta; all four parameters are necessary in practice."""
        company, receiver = rut.split(folio.company), rut.split(folio.receiver)
        parameters = urlencode(
            {
                "rut_receptor": receiver[0],
                "dv_receptor": receiver[1],
                "monto": figure(folio.total),
                "fechaEmision": folio.issued_on.strftime("%d-%m-%Y"),
            }
        )
        path = f"{company[0]}-{company[1]}-{folio.document_type}-{folio.folio}/estado"
        url = f"{self._rest_host}{REST_DOCUMENT}/{path}?{parameters}"
        answer = self._transport.query("GET", url, _rest_headers(token))
        return read_rest_document_status(answer.http_status, answer.body, retry_after=answer.retry_after)


def _rest_headers(token: str) -> tuple[tuple[str, str], ...]:
    return (("User-Agent", REST_USER_AGENT), ("Accept", "application/json"), cookie(token))
