"""Before sending: what keeps a company from it, and the documents that are held for that until it is mended.

Causes: `environment` (no process talks to that one), `certificate` (nobody with one in force may sign and send),
`resolution` (of a day to come, or 0 in production); and, of single documents, `caf-expired`: signed after the
end of their folios' six months, which the SII would reject (CAF-3-517) and time doesn't mend. What is held isn't due,
so that nobody turns in circles; the sweep asks about the causes, not about the documents.
"""

import uuid
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from workers.database.engine import count, run

CAF_EXPIRED: Final = "caf-expired"

OBSTRUCTED: Final = """
    WITH RECURSIVE due_issuers (issuer) AS (
        (SELECT issuer FROM documents
         WHERE lane = :lane AND state = 'signed' AND due_at IS NOT NULL ORDER BY issuer LIMIT 1)
        UNION ALL
        SELECT (SELECT d.issuer FROM documents d
                WHERE d.lane = :lane AND d.state = 'signed' AND d.due_at IS NOT NULL AND d.issuer > i.issuer
                ORDER BY d.issuer LIMIT 1)
        FROM due_issuers i WHERE i.issuer IS NOT NULL
    ), obstructed AS MATERIALIZED (
        SELECT o.* FROM due_issuers i JOIN company_obstacles o ON o.issuer = i.issuer WHERE o.cause IS NOT NULL
    ), picked AS (
        SELECT d.id, o.cause
        FROM obstructed o JOIN documents d ON d.issuer = o.issuer AND d.environment = o.environment
        WHERE d.lane = :lane AND d.state = 'signed' AND d.due_at <= fmgo_now()
          AND d.evidenced_at IS NOT NULL AND d.held IS NULL AND d.lease_owner IS NULL
        ORDER BY d.id LIMIT :size
        FOR UPDATE OF d SKIP LOCKED
    ), held AS (
        UPDATE documents d SET held = p.cause, due_at = NULL, version = d.version + 1
        FROM picked p WHERE d.id = p.id
        RETURNING d.id
    )
    SELECT count(*) FROM held
"""


def hold_obstructed(tx: Connection, lane: str, size: int) -> int:
    """Hold up to `size` due documents of a lane whose company can't send now; returns how many."""
    return count(tx, OBSTRUCTED, lane=lane, size=size)


def hold_expired(tx: Connection, documents: Sequence[uuid.UUID]) -> None:
    """Hold documents that were signed after the end of their folios."""
    run(
        tx,
        """
        UPDATE documents SET held = :cause, due_at = NULL, version = version + 1
        WHERE id = ANY (CAST(:ids AS uuid[])) AND state = 'signed' AND held IS NULL
        """,
        ids=list(documents),
        cause=CAF_EXPIRED,
    )


def retire_certificate(tx: Connection, certificate: int) -> bool:
    """Let a certificate serve nobody from now on; a person may undo it. False when another process has done it."""
    sql = "UPDATE certificates SET retired_at = fmgo_now() WHERE id = :id AND retired_at IS NULL"
    return run(tx, sql, id=certificate).rowcount == 1


def wake_obstructed(tx: Connection, size: int) -> int:
    """Let up to `size` held documents go on whose company can send again; returns how many."""
    return count(
        tx,
        """
        WITH mended AS (
            SELECT c.issuer, c.environment
            FROM (SELECT DISTINCT issuer, environment FROM documents
                  WHERE state = 'signed' AND held IN ('environment', 'certificate', 'resolution')) c
            JOIN company_obstacles o ON o.issuer = c.issuer AND o.environment = c.environment
            WHERE o.cause IS NULL
        ), picked AS (
            SELECT d.id FROM documents d JOIN mended m ON m.issuer = d.issuer AND m.environment = d.environment
            WHERE d.state = 'signed' AND d.held IN ('environment', 'certificate', 'resolution')
            ORDER BY d.id LIMIT :size
            FOR UPDATE OF d SKIP LOCKED
        ), woken AS (
            UPDATE documents d SET held = NULL, due_at = fmgo_now(), version = d.version + 1
            FROM picked p WHERE d.id = p.id
            RETURNING d.id
        )
        SELECT count(*) FROM woken
        """,
        size=size,
    )
