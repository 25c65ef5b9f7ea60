"""What waits because a service of the SII was silent is due at once when the service answers again.

`silence` names the service on envelopes, watches of claims and wanted mails that were put off for that alone; whoever
takes one up clears it. What the SII said decides otherwise: a pause that it asked for closes the service until then,
and what it has answered (an absent document, an upload in process) keeps its own time.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from workers.database.engine import count

# Taken up by somebody else just now: it is being asked about. An upload in doubt keeps the pause in which the SII may
# still be at work on it.
WAKE = """
    WITH back (service) AS (
        SELECT s.service FROM unnest(CAST(:services AS text[])) AS s (service)
        WHERE s.service = :answered OR NOT EXISTS (
            SELECT FROM sii_services z
            WHERE z.environment = :environment AND z.service = s.service AND z.closed_until IS NOT NULL
              AND (z.failures > 0 OR z.closed_until > fmgo_now()))
    ), doubtful AS (
        SELECT e.id FROM envelopes e JOIN back b ON b.service = e.silence
        WHERE e.environment = :environment AND e.lease_owner IS NULL AND e.due_at > fmgo_now()
        ORDER BY e.id FOR UPDATE OF e SKIP LOCKED
    ), watched AS (
        SELECT w.document_id FROM claim_watches w JOIN back b ON b.service = w.silence
        WHERE w.environment = :environment AND w.due_at > fmgo_now()
        ORDER BY w.document_id FOR UPDATE OF w SKIP LOCKED
    ), wanted AS (
        SELECT m.envelope FROM result_mails_wanted m JOIN back b ON b.service = m.silence
        WHERE m.environment = :environment AND m.due_at > fmgo_now()
        ORDER BY m.envelope FOR UPDATE OF m SKIP LOCKED
    ), one AS (
        UPDATE envelopes e
        SET silence = NULL,
            due_at = least(e.due_at, greatest(fmgo_now(), CASE
                WHEN e.state = 'uncertain' AND e.silence LIKE '%.upload'
                THEN e.last_attempt_at + make_interval(secs => :resend_after) END))
        FROM doubtful d WHERE e.id = d.id RETURNING 1
    ), two AS (
        UPDATE claim_watches w SET silence = NULL, due_at = fmgo_now()
        FROM watched d WHERE w.document_id = d.document_id RETURNING 1
    ), three AS (
        UPDATE result_mails_wanted m SET silence = NULL, due_at = fmgo_now()
        FROM wanted d WHERE m.envelope = d.envelope RETURNING 1
    )
    SELECT (SELECT count(*) FROM one) + (SELECT count(*) FROM two) + (SELECT count(*) FROM three)
"""


def wake(tx: Connection, environment: str, answered: str, beside: Sequence[str], resend_after: float) -> int:
    """Let what waits for a service that has `answered` again be due, and for those `beside` it that aren't closed.

    Returns how many rows; each only once, for it waits for the service no more.
    """
    return count(
        tx,
        WAKE,
        environment=environment,
        answered=answered,
        services=[answered, *beside],
        resend_after=resend_after,
    )
