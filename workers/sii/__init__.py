"""The client of the SII: login, uploads and queries, SOAP for documents and REST for boletas."""

from workers.sii.client import SiiClient
from workers.sii.errors import SiiError, SiiLoginError
from workers.sii.login import Channel, Token

__all__ = ["Channel", "SiiClient", "SiiError", "SiiLoginError", "Token"]
