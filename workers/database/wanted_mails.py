"""Envelopes whose reasons nobody has told: when the SII is asked for its mail again, and how often it was.

Reasons are missing while a document's are `not yet told`, while the counters have more repairs than are known of, and
while nobody knows why a whole envelope was refused.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from workers.database.engine import run

_MISSING = """
    (EXISTS (SELECT FROM documents d WHERE d.envelope = e.id AND d.verdict->>'reasons' = 'not yet told')
     OR (SELECT coalesce(sum(CAST(c->>'repaired' AS integer)), 0)
         FROM jsonb_array_elements(coalesce(e.verdict->'counters', '[]')) AS c)
        > (SELECT count(*) FROM documents d WHERE d.envelope = e.id AND d.state = 'accepted_with_repairs')
     OR e.state = 'refused' AND e.verdict->'reasons' IS NULL AND EXISTS (
         SELECT FROM envelope_documents x JOIN documents d ON d.id = x.document_id
         WHERE x.envelope = e.id AND d.envelope IS NULL AND d.state = 'signed' AND d.held LIKE 'envelope-refused%'))
"""


def want(tx: Connection, envelope: uuid.UUID, after_seconds: float) -> None:
    """Ask for the mail of a decided upload after some seconds, if its reasons are missing then."""
    run(
        tx,
        """
        INSERT INTO result_mails_wanted (envelope, environment, due_at)
        SELECT e.id, e.environment, fmgo_now() + make_interval(secs => :after) FROM envelopes e
        WHERE e.id = :id AND e.channel = 'soap' AND e.track_id IS NOT NULL AND e.state IN ('processed', 'refused')
          AND MISSING
        ON CONFLICT (envelope) DO NOTHING
        """.replace("MISSING", _MISSING),
        id=envelope,
        after=after_seconds,
    )


def end_if_told(tx: Connection, envelope: uuid.UUID, alert: str) -> None:
    """Want no more what has come, and lift the alert that it hadn't."""
    run(
        tx,
        """
        WITH told AS (
            UPDATE result_mails_wanted w SET due_at = NULL
            FROM envelopes e WHERE w.envelope = :id AND e.id = w.envelope AND NOT MISSING
            RETURNING w.envelope
        )
        UPDATE envelopes e SET alert = NULL FROM told WHERE e.id = told.envelope AND e.alert = :alert
        """.replace("MISSING", _MISSING),
        id=envelope,
        alert=alert,
    )


def any_due(tx: Connection, environment: str) -> bool:
    """Whether some mail should be asked for."""
    return bool(
        run(
            tx,
            """
            SELECT EXISTS (SELECT FROM result_mails_wanted WHERE environment = :environment AND due_at <= fmgo_now())
            """,
            environment=environment,
        ).scalar_one()
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mail to be asked for: by whom (the person that sent the upload), how often it was, and whether it is read.

    `missing`: reasons are still missing; `read`: the company has a source that its mails are read from.
    """

    envelope: uuid.UUID
    issuer: str
    environment: str
    sender: str
    certificate: int
    track_id: str
    asked: int
    waited: timedelta
    missing: bool
    read: bool


def take(tx: Connection, environment: str, lease_seconds: float) -> Wanted | None:
    """The mail that is due first, which nobody else takes for some seconds; None when none is due."""
    row = run(
        tx,
        """
        UPDATE result_mails_wanted w SET due_at = fmgo_now() + make_interval(secs => :lease), silence = NULL
        FROM (SELECT envelope FROM result_mails_wanted WHERE environment = :environment AND due_at <= fmgo_now()
              ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) p
        JOIN envelopes e ON e.id = p.envelope
        WHERE w.envelope = p.envelope
        RETURNING w.envelope, w.asked, fmgo_now() - w.since AS waited, e.issuer, e.environment, e.sender,
                  e.certificate, e.track_id,
                  MISSING AS missing,
                  EXISTS (SELECT FROM mail_sources s
                          WHERE s.issuer = e.issuer AND s.environment = e.environment) AS read
        """.replace("MISSING", _MISSING),
        environment=environment,
        lease=lease_seconds,
    ).one_or_none()
    return None if row is None else Wanted(**row._mapping)  # noqa: SLF001  (the documented way to a dict)


def asked(
    tx: Connection, envelope: uuid.UUID, code: str, words: str, due_after: float | None, *, silence: str | None = None
) -> None:
    """Keep an answer; `due_after` None: it is over. Without a code nothing was asked, and it doesn't count.

    `silence`: the service that had no answer. The mail may have come while the answer was on its way: what has ended
    stays so.
    """
    run(
        tx,
        """
        UPDATE result_mails_wanted
        SET asked = asked + :counts, answer = :code, words = :words, silence = CAST(:silence AS text),
            due_at = CASE WHEN due_at IS NULL OR CAST(:after AS double precision) IS NULL THEN NULL
                          ELSE fmgo_now() + make_interval(secs => :after) END
        WHERE envelope = :id
        """,
        id=envelope,
        code=code,
        words=words,
        after=due_after,
        counts=1 if code else 0,
        silence=silence,
    )


def end(tx: Connection, envelope: uuid.UUID, alert: str | None) -> None:
    """Want it no more; `alert` stays with the envelope unless it has another."""
    run(tx, "UPDATE result_mails_wanted SET due_at = NULL WHERE envelope = :id", id=envelope)
    if alert is not None:
        run(tx, "UPDATE envelopes SET alert = coalesce(alert, :alert) WHERE id = :id", id=envelope, alert=alert)
