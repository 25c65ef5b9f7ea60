"""Questions after a verdict: for the result mail once more, and for what receivers said.

Both may be asked at any time, with the token of the SOAP services; the registry of claims takes it as a cookie. A lost
or odd answer is "unknown" (law 12: it decides nothing).
"""

from typing import Final

from domain import rut
from domain.answers.claims import ClaimsAnswer, read_claims
from domain.answers.mail_again import MailAgainAnswer, read_mail_again
from workers.settings import Environment
from workers.sii import soap
from workers.sii.errors import SiiError
from workers.sii.messages import SOAP_HEADERS, claims_request, cookie
from workers.sii.transport import Transport

CLAIMS: Final[dict[Environment, str]] = {
    "certification": "/WSREGISTRORECLAMODTECERT/registroreclamodteservice",
    "production": "/WSREGISTRORECLAMODTE/registroreclamodteservice",
}


class Afterwards:
    """Asks. Safe from many threads."""

    def __init__(
        self, transport: Transport, services: soap.SoapServices, claims_host: str, environment: Environment
    ) -> None:
        """Take the ways to the services; the registry's path differs between the environments."""
        self._transport = transport
        self._services = services
        self._claims_url = claims_host + CLAIMS[environment]

    def mail_again(self, token: str, company: str, track_id: str) -> MailAgainAnswer:
        """Call reenvioCorreo."""
        body, digit = rut.split(company)
        parameters = (("Token", token), ("RutEmpresa", body), ("DvEmpresa", digit), ("TrackId", track_id))
        try:
            answer = self._services.ask(soap.MAIL_AGAIN, "reenvioCorreo", parameters)
        except SiiError as error:
            return MailAgainAnswer("unknown", "", str(error))
        return read_mail_again(answer.http_status, answer.body, retry_after=answer.retry_after)

    def claim_events(self, token: str, company: str, document_type: int, folio: int) -> ClaimsAnswer:
        """Call listarEventosHistDoc."""
        body, digit = rut.split(company)
        request = claims_request(
            "listarEventosHistDoc",
            (("rutEmisor", body), ("dvEmisor", digit), ("tipoDoc", str(document_type)), ("folio", str(folio))),
        )
        try:
            answer = self._transport.query("POST", self._claims_url, (*SOAP_HEADERS, cookie(token)), request)
        except SiiError as error:
            return ClaimsAnswer("unknown", "", str(error))
        return read_claims(answer.http_status, answer.body, retry_after=answer.retry_after)
