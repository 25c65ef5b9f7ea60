"""Waiting documents and their causes: the sweep tests causes, not documents.

`held` of a waiting document names its cause: `issuer`, `certificate`, `folio` or `reference`. The waiter takes a
share lock on the ledger's causes by writing `waiting` in the transaction that found the cause; a cause that appears
meanwhile is found by the next sweep.
"""

from sqlalchemy import Connection

from workers.database.engine import run

WAKE = """
    WITH causes AS (
        SELECT DISTINCT d.issuer, d.environment, d.document_type, d.lane, d.held
        FROM documents d WHERE d.state = 'waiting'
    ), mended AS (
        SELECT c.* FROM causes c
        WHERE EXISTS (SELECT FROM issuers i WHERE i.rut = c.issuer AND i.environment = c.environment)
          AND (c.held <> 'certificate' OR EXISTS (
                SELECT FROM issuer_grants g JOIN certificates x ON x.person = g.person
                WHERE g.issuer = c.issuer AND g.environment = c.environment AND g.can_sign AND g.can_send
                  AND x.retired_at IS NULL AND x.not_before <= fmgo_now() AND x.not_after > fmgo_now()))
          AND (c.held <> 'folio' OR EXISTS (
                SELECT FROM folio_counters f JOIN cafs k ON k.id = f.caf
                WHERE f.issuer = c.issuer AND f.environment = c.environment AND f.document_type = c.document_type
                  AND f.next <= f.last - CASE WHEN c.lane = 'bulk' THEN k.reserve ELSE 0 END
                  AND k.withdrawn_at IS NULL
                  AND (k.expires_on IS NULL OR k.expires_on >= (fmgo_now() AT TIME ZONE 'America/Santiago')::date)))
    ), picked AS (
        SELECT d.id FROM documents d JOIN mended m
          ON m.issuer = d.issuer AND m.environment = d.environment AND m.lane = d.lane AND m.held = d.held
         AND m.document_type IS NOT DISTINCT FROM d.document_type
        WHERE d.state = 'waiting'
          AND NOT EXISTS (SELECT FROM documents o WHERE o.id = d.depends_on AND o.state = 'numbered')
        ORDER BY d.received_at
        LIMIT :size
        FOR UPDATE OF d SKIP LOCKED
    ), moved AS (
        UPDATE documents d SET state = 'received', held = NULL, problems = NULL, due_at = fmgo_now()
        FROM picked p WHERE d.id = p.id
        RETURNING d.id
    ), told AS (
        INSERT INTO document_events (document_id, from_state, to_state, detail)
        SELECT id, 'waiting', 'received', '{"reason": "its cause was mended"}' FROM moved
    )
    SELECT count(*) FROM moved
"""


def wake_waiting(tx: Connection, size: int) -> int:
    """Let documents whose cause was mended go on; returns how many."""
    return int(run(tx, WAKE, size=size).scalar_one())
