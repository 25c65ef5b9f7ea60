"""What begins with a verdict: waiting for the SII's reasons, and for what receivers say."""

import uuid
from typing import Final

from sqlalchemy import Connection

from domain.answers.claims import CLAIMABLE
from workers.database import claim_watches, wanted_mails
from workers.settings import settings

_TYPES: Final = sorted(CLAIMABLE)


def begin(tx: Connection, envelope: uuid.UUID) -> None:
    """Begin what follows for the documents of an envelope that have their verdicts; again does no harm."""
    wanted_mails.want(tx, envelope, settings().mail_again_seconds)
    if settings().claims_days > 0:
        claim_watches.begin(tx, envelope, _TYPES, settings().claims_days, settings().claims_first_seconds)
