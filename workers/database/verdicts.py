"""What the SII said of documents: verdicts, refusals of whole envelopes, and releases.

A verdict moves the document, keeps the SII's words, raises the result's version, and wakes the notes that waited for
the document it changes; all in one transaction.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from domain.money import Number
from workers.database.audit import audit
from workers.database.engine import count, run


@dataclass(frozen=True, slots=True)
class Rider:
    """A document of an envelope as the SII is asked about it; `state` is its present state."""

    id: uuid.UUID
    document_type: int
    folio: int
    receiver: str
    issued_on: date
    total: Number
    state: str
    signature_value: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A document's verdict: the state it goes to and what the SII said (shown verbatim)."""

    document_id: uuid.UUID
    state: str
    said: dict[str, Any]


def riders(tx: Connection, envelope: uuid.UUID) -> list[Rider]:
    """Documents that are in an envelope now."""
    return _riders(tx, "d.envelope = :envelope", envelope)


def sent_back(tx: Connection, envelope: uuid.UUID) -> list[Rider]:
    """Documents that returned from a refused envelope and are held for that."""
    returned = "d.id IN (SELECT document_id FROM envelope_documents WHERE envelope = :envelope)"
    return _riders(tx, f"{returned} AND d.state = 'signed' AND d.held LIKE 'envelope-refused%'", envelope)


def _riders(tx: Connection, which: str, envelope: uuid.UUID) -> list[Rider]:
    rows = run(
        tx,
        f"""
        SELECT d.id, d.document_type, d.folio, d.receiver, d.issued_on, d.total, d.state, d.signature_value
        FROM documents d WHERE {which} ORDER BY d.document_type, d.folio
        """,  # noqa: S608 - our own words
        envelope=envelope,
    )
    return [
        Rider(
            row.id,
            row.document_type,
            row.folio,
            row.receiver,
            row.issued_on,
            row.total,
            row.state,
            row.signature_value,
        )
        for row in rows
    ]


DECIDE = """
    WITH given AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:said AS jsonb[]))
             AS g (id, state, said)
    ), locked AS (
        SELECT d.id, d.state AS before FROM documents d JOIN given g ON g.id = d.id
        WHERE d.envelope = :envelope AND d.state <> g.state
          AND (d.state = 'enveloped' OR (d.state = 'accepted' AND g.state = 'accepted_with_repairs'))
        ORDER BY d.id FOR UPDATE OF d
    ), moved AS (
        UPDATE documents d
        SET state = g.state, verdict = g.said, decided_at = fmgo_now(), version = d.version + 1, due_at = NULL
        FROM locked l JOIN given g ON g.id = l.id
        WHERE d.id = l.id
        RETURNING d.id, l.before, d.state, d.verdict
    ), told AS (
        INSERT INTO document_events (document_id, from_state, to_state, worker, detail)
        SELECT id, before, state, :worker, verdict FROM moved
    )
    SELECT id, state FROM moved
"""

# A note whose original is in conflict stays held: the SII would refuse it.
WAKE = """
    UPDATE documents n
    SET held = CASE WHEN o.state = 'rejected' THEN 'reference-rejected' END,
        due_at = CASE WHEN o.state = 'rejected' THEN NULL ELSE fmgo_now() END,
        version = n.version + 1
    FROM documents o
    WHERE o.id = ANY (CAST(:ids AS uuid[])) AND n.depends_on = o.id AND n.held = 'reference' AND n.state = 'signed'
      AND o.state IN ('accepted', 'accepted_with_repairs', 'rejected')
"""


def decide(tx: Connection, envelope: uuid.UUID, verdicts: Sequence[Verdict], worker: int) -> set[uuid.UUID]:
    """Give documents of an envelope their verdicts and wake the notes that wait for them; returns those that moved."""
    if not verdicts:
        return set()
    moved = run(
        tx,
        DECIDE,
        envelope=envelope,
        ids=[v.document_id for v in verdicts],
        states=[v.state for v in verdicts],
        said=[json.dumps(v.said) for v in verdicts],
        worker=worker,
    ).all()
    ids = [row.id for row in moved]
    if ids:
        run(tx, WAKE, ids=ids)
    return set(ids)


def send_back(tx: Connection, envelope: uuid.UUID, cause: str, said: dict[str, Any], worker: int) -> int:
    """Return the undecided documents of a refused envelope to `signed`, held until the cause is mended."""
    return count(
        tx,
        """
        WITH moved AS (
            UPDATE documents
            SET state = 'signed', envelope = NULL, held = :cause, due_at = NULL, verdict = CAST(:said AS jsonb),
                version = version + 1 + (SELECT CASE WHEN e.sent_at IS NULL THEN 0 ELSE 1 END
                                         FROM envelopes e WHERE e.id = :envelope)  -- `sent` was a version
            WHERE envelope = :envelope AND state = 'enveloped'
            RETURNING id, verdict
        ), told AS (
            INSERT INTO document_events (document_id, from_state, to_state, worker, detail)
            SELECT id, 'enveloped', 'signed', :worker, verdict FROM moved
        )
        SELECT count(*) FROM moved
        """,
        envelope=envelope,
        cause=cause,
        said=json.dumps(said),
        worker=worker,
    )


def release_envelope(tx: Connection, envelope: uuid.UUID, actor: str) -> int:
    """Let the documents of a refused envelope go again, same bytes, in a new envelope; returns how many.

    One that was put aside as the culprit of a refusal goes too, unless another document has replaced it.
    """
    released = run(
        tx,
        """
        WITH freed AS (
            UPDATE documents d
            SET held = NULL, due_at = fmgo_now(), verdict = NULL, version = d.version + 1
            FROM envelope_documents e
            WHERE e.envelope = :envelope AND d.id = e.document_id AND d.state = 'signed'
              AND (d.held LIKE 'envelope-refused%' OR d.held = 'schema-refused')
            RETURNING d.id
        ), marked AS (
            UPDATE envelopes SET released_at = fmgo_now(), alert = NULL
            WHERE state = 'refused' AND released_at IS NULL
              AND (id = :envelope
                   OR id IN (SELECT e.envelope FROM envelope_documents e JOIN freed f ON f.id = e.document_id))
        )
        SELECT count(*) FROM freed
        """,
        envelope=envelope,
    ).scalar_one()
    run(
        tx,
        """
        INSERT INTO audit_log (actor, action, subject, detail)
        VALUES (:actor, 'envelope.release', CAST(:envelope AS text), jsonb_build_object('documents', CAST(:n AS int)))
        """,
        actor=actor,
        envelope=envelope,
        n=released,
    )
    return int(released)


def settle(tx: Connection, document: uuid.UUID, state: str, reason: str, actor: str) -> bool:
    """Record what a person found of a document in conflict: "accepted" or "rejected". False when it isn't in one."""
    said = {"settled_by": actor, "reason": reason}
    moved = run(
        tx,
        """
        WITH moved AS (
            UPDATE documents
            SET state = :state, verdict = coalesce(verdict, '{}') || CAST(:said AS jsonb), decided_at = fmgo_now(),
                version = version + 1
            WHERE id = :id AND state = 'conflict'
            RETURNING id
        ), told AS (
            INSERT INTO document_events (document_id, from_state, to_state, detail)
            SELECT id, 'conflict', :state, CAST(:said AS jsonb) FROM moved
        )
        SELECT id FROM moved
        """,
        id=document,
        state=state,
        said=json.dumps(said),
    ).all()
    if not moved:
        return False
    run(tx, WAKE, ids=[document])
    audit(tx, actor, "document.settle", str(document), {"state": state, "reason": reason})
    return True


RELEASE = """
    WITH picked AS (
        SELECT id, CASE WHEN signature_value IS NOT NULL THEN 'signed'
                        WHEN folio IS NOT NULL THEN 'numbered' ELSE 'received' END AS goal
        FROM documents WHERE id = ANY (CAST(:ids AS uuid[])) AND state = 'quarantined'
        ORDER BY id FOR UPDATE
    ), moved AS (
        UPDATE documents d
        SET state = p.goal, held = NULL, problems = NULL, deaths = 0, due_at = fmgo_now(), lease_owner = NULL,
            suspect = CASE WHEN d.evidenced_at IS NULL THEN 1 END, version = d.version + 1
        FROM picked p WHERE d.id = p.id
        RETURNING d.id, d.state
    ), told AS (
        INSERT INTO document_events (document_id, from_state, to_state, detail)
        SELECT id, 'quarantined', state, jsonb_build_object('reason', 'released', 'actor', CAST(:actor AS text))
        FROM moved
    ), audited AS (
        INSERT INTO audit_log (actor, action, subject, detail)
        SELECT :actor, 'document.release', id::text, jsonb_build_object('state', state) FROM moved
    )
    SELECT id, state FROM moved
"""


def release_quarantined(tx: Connection, ids: Sequence[uuid.UUID], actor: str) -> dict[uuid.UUID, str]:
    """Let documents that were put aside go on where they stood, each alone; those that were, with their state."""
    return {row.id: row.state for row in run(tx, RELEASE, ids=list(ids), actor=actor)}
