"""What begins with a verdict: waiting for the SII's reasons, and for what receivers say."""

import uuid
from math import ceil
from typing import Final

from sqlalchemy import Connection

from domain.answers.claims import CLAIMABLE
from domain.deadlines import end_of_claims
from workers.database import claim_watches, wanted_mails
from workers.database.claim_watches import Term
from workers.settings import settings

_TYPES: Final = sorted(CLAIMABLE)


def begin(tx: Connection, envelope: uuid.UUID) -> None:
    """Begin what follows for the documents of an envelope that have their verdicts; again does no harm."""
    wanted_mails.want(tx, envelope, settings().mail_again_seconds)
    if settings().claims_days > 0:
        since = claim_watches.received_at(tx, envelope)
        term = Term(since, end_of_claims(since, ceil(settings().claims_days)))
        claim_watches.begin(tx, envelope, _TYPES, term, settings().claims_first_seconds)
