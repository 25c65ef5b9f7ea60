"""A person's switches: issuing and sending, each by itself, for one company or for a whole environment.

Stopped issuing leaves jobs recorded and unnumbered; stopped sending leaves documents signed and envelopes sealed. What
the SII may have already is asked about all the same.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection

from workers.database.engine import run

What = Literal["issuing", "sending"]

_COMPANY: Final[dict[What, str]] = {
    "issuing": "UPDATE issuers SET issuing_stopped_at = {at}, stop_reason = :reason WHERE rut = :issuer",
    "sending": "UPDATE issuers SET sending_stopped_at = {at}, stop_reason = :reason WHERE rut = :issuer",
}
_ALL: Final[dict[What, str]] = {
    "issuing": "UPDATE switches SET issuing_stopped_at = {at}, reason = :reason WHERE true",
    "sending": "UPDATE switches SET sending_stopped_at = {at}, reason = :reason WHERE true",
}


def turn(tx: Connection, what: What, issuer: str | None, environment: str, *, stop: bool, reason: str | None) -> bool:
    """Stop something or let it go on, for a company or (None) for all; False when there is no such company."""
    statement = (_ALL if issuer is None else _COMPANY)[what].format(at="fmgo_now()" if stop else "NULL")
    done = run(tx, f"{statement} AND environment = :environment", issuer=issuer, environment=environment, reason=reason)
    return done.rowcount == 1


@dataclass(frozen=True, slots=True)
class Stopped:
    """Something that a person stopped; `issuer` None: for all companies of the environment."""

    issuer: str | None
    environment: str
    what: What
    since: datetime
    reason: str | None


def stopped(tx: Connection) -> list[Stopped]:
    """Everything that is stopped."""
    rows = run(
        tx,
        """
        SELECT s.issuer, s.environment, w.what, w.since, s.reason
        FROM (SELECT NULL AS issuer, environment, issuing_stopped_at, sending_stopped_at, reason FROM switches
              UNION ALL
              SELECT rut, environment, issuing_stopped_at, sending_stopped_at, stop_reason FROM issuers) s
        CROSS JOIN LATERAL (VALUES ('issuing', s.issuing_stopped_at), ('sending', s.sending_stopped_at)) w (what, since)
        WHERE w.since IS NOT NULL
        ORDER BY s.environment, s.issuer NULLS FIRST, w.what
        """,
    )
    return [Stopped(row.issuer, row.environment, row.what, row.since, row.reason) for row in rows]
