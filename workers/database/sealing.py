"""Sealing envelopes: which documents may travel together, and the step that puts them in.

A sealed envelope is stored with its bytes, for ever, in the statement that moves its documents; it may leave only when
its second copy is durable.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from sqlalchemy import Connection

from workers.database.engine import count, run

Channel = Literal["soap", "rest"]

SOON_SECONDS: Final = 60
"""An envelope that is due within this time is as good as ready: its login was tried a moment ago."""


@dataclass(frozen=True, slots=True)
class Group:
    """Documents that may travel together: one company, one channel, one lane."""

    issuer: str
    environment: str
    channel: Channel
    lane: str


@dataclass(frozen=True, slots=True)
class Passenger:
    """A signed document about to be put in an envelope; `half`: of an envelope that was refused for its schema.

    `expired`: it was signed after the end of its folios.
    """

    id: uuid.UUID
    document_type: int
    folio: int
    dte: bytes
    send_by: datetime
    half: uuid.UUID | None = None
    expired: bool = False


@dataclass(frozen=True, slots=True)
class NewEnvelope:
    """A sealed envelope as it goes into the ledger; `data` are the bytes that will be sent, for ever.

    `send_by` is that of its most urgent document.
    """

    id: uuid.UUID
    group: Group
    sender: str
    certificate: int
    resolution_number: int
    resolution_date: date
    filename: str
    data: bytes
    sha256: bytes
    send_by: datetime
    half: uuid.UUID | None = None


# Issuers are hopped over by the index, so that a backlog of one costs nothing when others are looked for.
GROUPS = """
    WITH RECURSIVE due_issuers (issuer) AS (
        (SELECT issuer FROM documents
         WHERE lane = :lane AND state = 'signed' AND due_at IS NOT NULL ORDER BY issuer LIMIT 1)
        UNION ALL
        SELECT (SELECT d.issuer FROM documents d
                WHERE d.lane = :lane AND d.state = 'signed' AND d.due_at IS NOT NULL AND d.issuer > i.issuer
                ORDER BY d.issuer LIMIT 1)
        FROM due_issuers i WHERE i.issuer IS NOT NULL
    )
    SELECT i.issuer, e.environment, c.channel, CAST(:lane AS text) AS lane
    FROM due_issuers i
    CROSS JOIN (VALUES (CAST(:environment AS text))) AS e (environment)
    CROSS JOIN (VALUES ('soap'), ('rest')) AS c (channel)
    WHERE i.issuer IS NOT NULL AND c.channel = ANY (CAST(:channels AS text[]))
      AND NOT fmgo_sending_is_stopped(i.issuer, e.environment)
      AND EXISTS (
          SELECT FROM documents d
          WHERE d.lane = :lane AND d.state = 'signed' AND d.issuer = i.issuer AND d.environment = e.environment
            AND d.due_at <= fmgo_now() AND d.evidenced_at IS NOT NULL AND d.held IS NULL
            AND (d.document_type = ANY (CAST(:rest_types AS smallint[]))) = (c.channel = 'rest'))
"""


def groups_due(
    tx: Connection, environment: str, lane: str, rest_types: Sequence[int], channels: Collection[Channel]
) -> list[Group]:
    """Groups of a lane with documents to be sent through some channels, unless a person stopped their sending."""
    rows = run(tx, GROUPS, environment=environment, lane=lane, rest_types=list(rest_types), channels=list(channels))
    return [Group(row.issuer, row.environment, row.channel, row.lane) for row in rows]


MAY_SEAL = """
    SELECT (SELECT count(*) FROM envelopes
            WHERE issuer = :issuer AND environment = :environment AND channel = :channel AND lane = :lane
              AND state IN ('sealed', 'sending')) < :in_flight
       AND (signed.n = :size
            OR signed.oldest < fmgo_now() - make_interval(secs => :linger)
            OR signed.n > 0 AND (:lane = 'interactive' OR NOT EXISTS (
                SELECT FROM documents
                WHERE lane = :lane AND state IN ('received', 'numbered', 'signed') AND issuer = :issuer
                  AND environment = :environment AND due_at IS NOT NULL AND evidenced_at IS NULL)))
    FROM (
        SELECT count(*) AS n, min(due_at) AS oldest FROM (
            SELECT d.due_at FROM documents d
            WHERE d.lane = :lane AND d.state = 'signed' AND d.issuer = :issuer AND d.environment = :environment
              AND d.due_at <= fmgo_now() AND d.evidenced_at IS NOT NULL AND d.held IS NULL
              AND (d.document_type = ANY (CAST(:rest_types AS smallint[]))) = :rest
            ORDER BY d.due_at
            LIMIT :size
        ) waiting
    ) signed
"""


@dataclass(frozen=True, slots=True)
class Load:
    """How envelopes are filled: documents in one, open ones of a group, seconds for which bulk waits to fill one."""

    documents: int
    in_flight: int
    linger_seconds: float


def may_seal(tx: Connection, group: Group, rest_types: Sequence[int], load: Load) -> bool:
    """Whether the group should have another envelope now; holds the group for this transaction.

    At most `in_flight` envelopes of a company, channel and lane are open: what comes meanwhile shares the next one.
    While bulk documents of the company are still to be signed, they are waited for until the envelope is full, or its
    oldest document has waited `linger_seconds`.
    """
    held = run(
        tx,
        "SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 42))",
        name=f"dispatch {group.environment} {group.issuer} {group.channel} {group.lane}",
    ).scalar_one()
    if not held:
        return False
    return bool(
        run(
            tx,
            MAY_SEAL,
            issuer=group.issuer,
            environment=group.environment,
            channel=group.channel,
            lane=group.lane,
            rest_types=list(rest_types),
            rest=group.channel == "rest",
            in_flight=load.in_flight,
            size=load.documents,
            linger=load.linger_seconds,
        ).scalar_one()
    )


# A half travels alone, and first: its documents have waited longest. Its index holds nothing on other days.
PASSENGERS = """
    WITH first (half) AS (
        SELECT (SELECT d.half FROM documents d
                WHERE d.half IS NOT NULL AND d.lane = :lane AND d.state = 'signed' AND d.issuer = :issuer
                  AND d.environment = :environment AND d.due_at <= fmgo_now() AND d.evidenced_at IS NOT NULL
                  AND d.held IS NULL AND (d.document_type = ANY (CAST(:rest_types AS smallint[]))) = :rest
                ORDER BY d.due_at, d.half LIMIT 1)
    ), picked AS (
        SELECT d.id, d.document_type, d.folio, d.received_at, d.send_by, d.half, d.signed_at, d.caf
        FROM documents d
        WHERE d.lane = :lane AND d.state = 'signed' AND d.issuer = :issuer AND d.environment = :environment
          AND d.due_at <= fmgo_now() AND d.evidenced_at IS NOT NULL AND d.held IS NULL
          AND (d.document_type = ANY (CAST(:rest_types AS smallint[]))) = :rest
          AND d.half IS NOT DISTINCT FROM (SELECT half FROM first)
        ORDER BY d.send_by, d.due_at
        LIMIT :size
        FOR UPDATE SKIP LOCKED
    )
    SELECT p.id, p.document_type, p.folio, p.send_by, p.half, f.bytes,
           coalesce((p.signed_at AT TIME ZONE 'America/Santiago')::date > c.expires_on, false) AS expired
    FROM picked p JOIN document_files f
         ON f.document_id = p.id AND f.received_at = p.received_at AND f.kind = 'dte'
    JOIN cafs c ON c.id = p.caf
    ORDER BY p.send_by, p.document_type, p.folio
"""


def passengers(tx: Connection, group: Group, rest_types: Sequence[int], size: int) -> list[Passenger]:
    """Lock the `size` most urgent signed documents that may share an envelope, with their bytes; most urgent first."""
    rows = run(
        tx,
        PASSENGERS,
        lane=group.lane,
        issuer=group.issuer,
        environment=group.environment,
        rest_types=list(rest_types),
        rest=group.channel == "rest",
        size=size,
    )
    return [
        Passenger(row.id, row.document_type, row.folio, bytes(row.bytes), row.send_by, row.half, row.expired)
        for row in rows
    ]


SEAL = """
    WITH sealed AS (
        INSERT INTO envelopes (id, issuer, environment, channel, lane, sender, certificate, documents,
                               resolution_number, resolution_date, filename, bytes, sha256, send_by, half)
        VALUES (:id, :issuer, :environment, :channel, :lane, :sender, :certificate, :count,
                :resolution_number, :resolution_date, :filename, :bytes, :sha256, :send_by, :half)
        RETURNING id
    ), told AS (
        INSERT INTO envelope_events (envelope, from_state, to_state, worker)
        SELECT id, '', 'sealed', :worker FROM sealed
    ), boarded AS (
        INSERT INTO envelope_documents (envelope, document_id, position)
        SELECT s.id, p.id, p.position
        FROM sealed s, unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS p (id, position)
    ), moved AS (
        UPDATE documents d
        SET state = 'enveloped', envelope = s.id, due_at = NULL, half = NULL
        FROM sealed s
        WHERE d.id = ANY (CAST(:ids AS uuid[])) AND d.state = 'signed'
        RETURNING d.id
    ), noted AS (
        INSERT INTO document_events (document_id, from_state, to_state, worker, detail)
        SELECT m.id, 'signed', 'enveloped', :worker, jsonb_build_object('envelope', s.id) FROM moved m, sealed s
    )
    SELECT count(*) FROM moved
"""


def seal(tx: Connection, envelope: NewEnvelope, documents: Sequence[uuid.UUID], worker: int) -> int:
    """Store a sealed envelope and put its documents in it; it may leave only after `mark_evidenced`."""
    return count(
        tx,
        SEAL,
        id=envelope.id,
        issuer=envelope.group.issuer,
        environment=envelope.group.environment,
        channel=envelope.group.channel,
        lane=envelope.group.lane,
        sender=envelope.sender,
        certificate=envelope.certificate,
        count=len(documents),
        resolution_number=envelope.resolution_number,
        resolution_date=envelope.resolution_date,
        filename=envelope.filename,
        bytes=envelope.data,
        sha256=envelope.sha256,
        send_by=envelope.send_by,
        half=envelope.half,
        ids=list(documents),
        worker=worker,
    )


def any_ready(tx: Connection, environment: str, channel: Channel) -> bool:
    """Whether some envelope of a channel is ready to be sent, on its way there, or in somebody's hands."""
    return bool(
        run(
            tx,
            """
            SELECT EXISTS (
                SELECT FROM envelopes
                WHERE channel = :channel AND environment = :environment AND state = 'sealed'
                  AND (evidenced_at IS NULL OR lease_owner IS NOT NULL
                       OR due_at <= fmgo_now() + make_interval(secs => :soon))
                  AND NOT fmgo_sending_is_stopped(issuer, environment))
            """,
            environment=environment,
            channel=channel,
            soon=SOON_SECONDS,
        ).scalar_one()
    )


def mark_evidenced(tx: Connection, envelope: uuid.UUID) -> None:
    """Say that the envelope's second copy is durable: from here it may leave."""
    run(
        tx,
        "UPDATE envelopes SET evidenced_at = fmgo_now(), due_at = fmgo_now() WHERE id = :id AND evidenced_at IS NULL",
        id=envelope,
    )


def unevidenced(tx: Connection, limit: int) -> list[tuple[uuid.UUID, bytes]]:
    """Sealed envelopes whose worker died before their second copy was durable."""
    rows = run(
        tx,
        """
        SELECT id, bytes FROM envelopes
        WHERE state = 'sealed' AND evidenced_at IS NULL AND sealed_at < fmgo_now() - interval '10 seconds'
        ORDER BY sealed_at LIMIT :limit FOR UPDATE SKIP LOCKED
        """,
        limit=limit,
    )
    return [(row.id, bytes(row.bytes)) for row in rows]


def any_unevidenced(tx: Connection) -> bool:
    """Whether some sealed envelope waits for its second copy."""
    return bool(
        run(
            tx,
            """
            SELECT EXISTS (SELECT FROM envelopes WHERE state = 'sealed' AND evidenced_at IS NULL
                           AND sealed_at < fmgo_now() - interval '10 seconds')
            """,
        ).scalar_one()
    )
