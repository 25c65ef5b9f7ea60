"""The client of the SII: login, uploads and queries, SOAP for documents and REST for boletas."""

from workers.sii.client import SiiClient
from workers.sii.errors import SiiError, SiiLoginError
from workers.sii.login import Channel, Token
from workers.sii.query import Folio
from workers.sii.upload import Parcel
from workers.sii.wire import Deadline

__all__ = ["Channel", "Deadline", "Folio", "Parcel", "SiiClient", "SiiError", "SiiLoginError", "Token"]
