"""Calls to the SOAP services of DTEWS, with the operation's namespace that each of them takes.

The WSDLs served today say ``http://DefaultNamespace``, the manuals the service's own address; the wrong one is
answered "No such operation". The other is tried once and what worked is remembered for that service.
"""

from collections.abc import Callable, Sequence
from typing import Final

from domain.answers import is_no_such_operation
from workers.sii.messages import SOAP_HEADERS, soap_request
from workers.sii.transport import Answer, Headers, Transport

DEFAULT_NAMESPACE: Final = "http://DefaultNamespace"

SEED: Final = "/DTEWS/CrSeed.jws"
TOKEN: Final = "/DTEWS/GetTokenFromSeed.jws"  # noqa: S105 - a path
UPLOAD_STATUS: Final = "/DTEWS/QueryEstUp.jws"
DOCUMENT_STATUS: Final = "/DTEWS/QueryEstDte.jws"
DOCUMENT_PROOF: Final = "/DTEWS/services/QueryEstDteAv"
MAIL_AGAIN: Final = "/DTEWS/services/wsDTECorreo"


class SoapServices:
    """The SOAP services of one host. Safe from many threads."""

    def __init__(self, transport: Transport, host: str, official: str) -> None:
        """`host` is scheme and host; the address inside a WSDL is never used (some name hosts nobody can reach).

        `official` is the SII's own address of that host, of which the namespaces are made whatever the way to it.
        """
        self._transport = transport
        self._host = host
        self._official = official
        self._namespaces: dict[str, str] = {}

    def ask(self, path: str, operation: str, parameters: Sequence[tuple[str, str]]) -> Answer:
        """Call what may be called twice; raises `NotSentError` or `AnswerLostError`."""
        return self._call(self._transport.query, path, operation, parameters)

    def ask_once(self, path: str, operation: str, parameters: Sequence[tuple[str, str]]) -> Answer:
        """Call what must not be repeated when its answer is lost; raises the same."""
        return self._call(self._transport.once, path, operation, parameters)

    def _call(
        self,
        send: Callable[[str, str, Headers, bytes], Answer],
        path: str,
        operation: str,
        parameters: Sequence[tuple[str, str]],
    ) -> Answer:
        """Call with the namespace that worked last, and with the other where the service doesn't take it."""
        url = self._host + path
        known = self._namespaces.get(path, DEFAULT_NAMESPACE)
        answer = Answer(0, b"")
        for namespace in dict.fromkeys((known, DEFAULT_NAMESPACE, self._official + path)):
            answer = send("POST", url, SOAP_HEADERS, soap_request(operation, namespace, parameters))
            if not is_no_such_operation(answer.body):
                self._namespaces[path] = namespace
                return answer
        self._namespaces.pop(path, None)
        return answer
