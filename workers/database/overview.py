"""What a person asks the ledger about: documents, their steps, envelopes, batches. Reading only.

Rows come as dicts in the order of their columns, ready to be shown or written as JSON; nothing here opens a secret.
"""

import uuid
from typing import Any

from sqlalchemy import Connection

from workers.database.engine import run

Row = dict[str, Any]

_DOCUMENT = """
    d.id, d.state, d.issuer, d.environment, d.key AS idempotency_key, d.attempt, d.lane, d.branch, d.till, d.batch,
    d.document_type AS type, d.folio, d.receiver, d.total, d.net, d.exempt, d.vat, d.issued_on, d.held, d.problems,
    d.warnings, d.verdict, d.claim, d.replaces, d.depends_on, d.envelope, d.received_at, d.signed_at, d.evidenced_at,
    d.decided_at, d.due_at, d.deaths, d.version, d.published_version
"""


def _rows(tx: Connection, sql: str, **values: object) -> list[Row]:
    return [dict(row._mapping) for row in run(tx, sql, **values)]  # noqa: SLF001  (the documented way to a dict)


def ids_beginning(tx: Connection, table: str, prefix: str) -> list[uuid.UUID]:
    """Up to two ids of `documents` or `envelopes` that begin with these hexadecimal digits (no dashes)."""
    if table not in ("documents", "envelopes", "batches"):
        raise ValueError(table)
    rows = run(
        tx,
        f"SELECT id FROM {table} WHERE id BETWEEN CAST(:low AS uuid) AND CAST(:high AS uuid) LIMIT 2",  # noqa: S608
        low=prefix.ljust(32, "0"),
        high=prefix.ljust(32, "f"),
    )
    return [row.id for row in rows]


def document(tx: Connection, number: uuid.UUID) -> Row | None:
    """One document with all that is known of it, but its bytes."""
    sql = f"SELECT {_DOCUMENT}, e.track_id, e.sent_at, e.state AS envelope_state FROM documents d"  # noqa: S608  (our own columns)
    found = _rows(tx, f"{sql} LEFT JOIN envelopes e ON e.id = d.envelope WHERE d.id = :id", id=number)
    return found[0] if found else None


def events(tx: Connection, number: uuid.UUID) -> list[Row]:
    """The steps of a document, first to last."""
    return _rows(
        tx,
        "SELECT at, from_state, to_state, worker, detail FROM document_events WHERE document_id = :id ORDER BY id",
        id=number,
    )


def body(tx: Connection, number: uuid.UUID) -> bytes | None:
    """The job that a document came as; None when it didn't come as one."""
    found = run(tx, "SELECT body FROM inbox WHERE document_id = :id", id=number).scalar()
    return None if found is None else bytes(found)


def documents(
    tx: Connection,
    *,
    state: str | None = None,
    issuer: str | None = None,
    environment: str | None = None,
    batch: uuid.UUID | None = None,
    limit: int = 50,
) -> list[Row]:
    """Documents, the latest first; each filter that is None is left out."""
    return _rows(
        tx,
        f"""
        SELECT {_DOCUMENT} FROM documents d
        WHERE (CAST(:state AS text) IS NULL OR d.state = :state)
          AND (CAST(:issuer AS text) IS NULL OR d.issuer = :issuer)
          AND (CAST(:environment AS text) IS NULL OR d.environment = :environment)
          AND (CAST(:batch AS uuid) IS NULL OR d.batch = :batch)
        ORDER BY d.received_at DESC, d.id LIMIT :limit
        """,  # noqa: S608  (our own columns)
        state=state,
        issuer=issuer,
        environment=environment,
        batch=batch,
        limit=limit,
    )


_ENVELOPE = """
    e.id, e.state, e.issuer, e.environment, e.channel, e.lane, e.documents, e.track_id, e.sii_state, e.sender,
    e.resolution_number, e.resolution_date, e.attempts, e.polls, e.sealed_at, e.sent_at, e.decided_at, e.released_at,
    e.due_at, e.filename, length(e.bytes) AS size, encode(e.sha256, 'hex') AS sha256, e.alert, e.verdict,
    (SELECT h.origin FROM envelope_halves h WHERE h.id = e.half) AS part_of
"""

# Steps, attempts, exchanges and result mails as one row each; of those at the same moment a step comes after attempts
# and exchanges: it follows from them.
_STORY = """
    SELECT at, kind, what, http_status, sii_status, track_id, detail, seconds, request_sha256, answer FROM (
        SELECT at, 2 AS place, id, 'step' AS kind, from_state || ' -> ' || to_state AS what,
               CAST(NULL AS integer) AS http_status, CAST(NULL AS text) AS sii_status, CAST(NULL AS text) AS track_id,
               CAST(detail AS text) AS detail, CAST(NULL AS double precision) AS seconds,
               CAST(NULL AS text) AS request_sha256, CAST(NULL AS bytea) AS answer
        FROM envelope_events WHERE envelope = :id
        UNION ALL
        SELECT started_at, 3, id, 'attempt', 'attempt ' || number || ' begins', NULL, NULL, NULL, NULL, NULL, NULL, NULL
        FROM envelope_attempts WHERE envelope = :id
        UNION ALL
        SELECT ended_at, 1, id, 'attempt', 'attempt ' || number || ': ' || coalesce(outcome, 'no outcome'), http_status,
               sii_status, track_id, detail, NULL, NULL, NULL
        FROM envelope_attempts WHERE envelope = :id AND ended_at IS NOT NULL
        UNION ALL
        SELECT at, 0, id, 'exchange',
               operation || coalesce(' ' || document_type || '/' || folio, '') || coalesce(' of ' || person, ''),
               http_status, NULL, NULL, problem, seconds, encode(request_sha256, 'hex'), answer
        FROM sii_exchanges WHERE envelope = :id
        UNION ALL
        SELECT at, 4, id, 'mail', 'mail ' || id || ' (' || writer || '): ' || outcome, NULL, NULL, track_id, note, NULL,
               NULL, NULL
        FROM result_mails WHERE envelope = :id
    ) story
    ORDER BY at, place, id
"""


def envelopes(
    tx: Connection,
    *,
    state: str | None = None,
    issuer: str | None = None,
    environment: str | None = None,
    limit: int = 50,
) -> list[Row]:
    """Envelopes, the latest first."""
    return _rows(
        tx,
        f"""
        SELECT {_ENVELOPE} FROM envelopes e
        WHERE (CAST(:state AS text) IS NULL OR e.state = :state)
          AND (CAST(:issuer AS text) IS NULL OR e.issuer = :issuer)
          AND (CAST(:environment AS text) IS NULL OR e.environment = :environment)
        ORDER BY e.sealed_at DESC, e.id LIMIT :limit
        """,  # noqa: S608  (our own columns)
        state=state,
        issuer=issuer,
        environment=environment,
        limit=limit,
    )


def envelope(tx: Connection, number: uuid.UUID) -> Row | None:
    """One envelope with its attempts, its steps, its story, and the documents that travelled in it.

    The story is every step, attempt, exchange with the SII and result mail in order; answers are text as far as they
    can be read.
    """
    found = _rows(tx, f"SELECT {_ENVELOPE} FROM envelopes e WHERE e.id = :id", id=number)  # noqa: S608  (as above)
    if not found:
        return None
    attempts = _rows(
        tx,
        """
        SELECT number, started_at, ended_at, address, outcome, http_status, sii_status, track_id, detail
        FROM envelope_attempts WHERE envelope = :id ORDER BY id
        """,
        id=number,
    )
    steps = _rows(
        tx,
        "SELECT at, from_state, to_state, worker, detail FROM envelope_events WHERE envelope = :id ORDER BY id",
        id=number,
    )
    riders = _rows(
        tx,
        """
        SELECT d.id, d.document_type AS type, d.folio, d.total, d.state, d.held, d.key AS idempotency_key
        FROM envelope_documents r JOIN documents d ON d.id = r.document_id
        WHERE r.envelope = :id ORDER BY r.position
        """,
        id=number,
    )
    story = [{**row, "answer": _readable(row["answer"])} for row in _rows(tx, _STORY, id=number)]
    return {**found[0], "attempt_list": attempts, "events": steps, "story": story, "riders": riders}


def _readable(answer: bytes | None) -> str | None:
    """An answer's bytes as text: UTF-8 if they are that, else ISO-8859-1."""
    if answer is None:
        return None
    data = bytes(answer)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("iso-8859-1")


def envelope_bytes(tx: Connection, number: uuid.UUID) -> bytes | None:
    """The envelope as it is sent (ISO-8859-1, with prolog)."""
    found = run(tx, "SELECT bytes FROM envelopes WHERE id = :id", id=number).scalar()
    return None if found is None else bytes(found)


def batches(tx: Connection, limit: int = 50) -> list[Row]:
    """Batches, the latest first, with the number of their documents in each state and of their refused lines."""
    return _rows(
        tx,
        """
        SELECT b.id, b.name, b.source, b.total, b.created_at, b.finished_at, b.paused_at, b.cancelled_at,
               coalesce(s.states, '{}') AS states, r.refused
        FROM (SELECT * FROM batches ORDER BY created_at DESC, id LIMIT :limit) b
        LEFT JOIN LATERAL (
            SELECT jsonb_object_agg(state, n) AS states
            FROM (SELECT state, count(*) AS n FROM documents WHERE batch = b.id GROUP BY state) c
        ) s ON true
        LEFT JOIN LATERAL (
            SELECT count(DISTINCT body) AS refused FROM refused_messages WHERE source = 'batch:' || b.id::text
        ) r ON true
        ORDER BY b.created_at DESC, b.id
        """,
        limit=limit,
    )
