"""Result mails as rows: kept as they came, joined to an upload by its track id, and told to its documents once.

A mail is known by its bytes, per company, so that one that comes twice is one. It waits while its upload isn't known or
has no verdict; what it says then goes to the documents (`tell`), whose states only the SII's services decide.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection

from workers.database.engine import run

Outcome = Literal["waiting", "unknown-track", "told", "contradicts", "not-the-sii", "unreadable"]


@dataclass(frozen=True, slots=True)
class NewMail:
    """A mail as it came to a company; `outcome` None: it is the SII's and of the company, to be joined."""

    issuer: str
    environment: str
    source: int | None
    sha256: bytes
    writer: str
    forwarder: str | None
    subject: str
    track_id: str | None
    said: dict[str, Any] | None
    data: bytes = field(repr=False)
    outcome: Outcome | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a mail that came: its number, and whether it is `new` here."""

    id: int
    outcome: Outcome
    envelope: uuid.UUID | None
    new: bool


ENVELOPE_OF = """
    SELECT e.id FROM envelope_attempts a JOIN envelopes e ON e.id = a.envelope
    WHERE a.track_id = {track} AND e.issuer = {issuer} AND e.environment = {environment}
    ORDER BY (e.track_id = a.track_id) DESC, e.sealed_at DESC LIMIT 1
"""


def keep(tx: Connection, mail: NewMail) -> Kept:
    """Keep a mail, once, and join it to the upload of its track id; an upload that is waited for is asked about now."""
    envelope = None
    if mail.outcome is None and mail.track_id is not None:
        envelope = run(
            tx,
            ENVELOPE_OF.format(track=":track_id", issuer=":issuer", environment=":environment"),
            track_id=mail.track_id,
            issuer=mail.issuer,
            environment=mail.environment,
        ).scalar()
    outcome: Outcome = mail.outcome or ("unknown-track" if envelope is None else "waiting")
    number = run(
        tx,
        """
        INSERT INTO result_mails (issuer, environment, source, sha256, writer, forwarder, subject, track_id, said,
                                  bytes, outcome, note, envelope)
        VALUES (:issuer, :environment, :source, :sha256, :writer, :forwarder, :subject, :track_id,
                CAST(:said AS jsonb), :data, :outcome, :note, :envelope)
        ON CONFLICT (issuer, environment, sha256) DO NOTHING
        RETURNING id
        """,
        issuer=mail.issuer,
        environment=mail.environment,
        source=mail.source,
        sha256=mail.sha256,
        writer=mail.writer,
        forwarder=mail.forwarder,
        subject=mail.subject,
        track_id=mail.track_id,
        said=None if mail.said is None else json.dumps(mail.said),
        data=mail.data,
        outcome=outcome,
        note=mail.note,
        envelope=envelope,
    ).scalar()
    if number is None:
        known = run(
            tx,
            """
            SELECT id, outcome, envelope FROM result_mails
            WHERE issuer = :issuer AND environment = :environment AND sha256 = :sha256
            """,
            issuer=mail.issuer,
            environment=mail.environment,
            sha256=mail.sha256,
        ).one()
        return Kept(known.id, known.outcome, known.envelope, new=False)
    if envelope is not None:
        run(
            tx,
            """
            UPDATE envelopes SET due_at = fmgo_now()
            WHERE id = :id AND state = 'sent' AND lease_owner IS NULL AND due_at > fmgo_now()
            """,
            id=envelope,
        )
    return Kept(number, outcome, envelope, new=True)


@dataclass(frozen=True, slots=True)
class Ready:
    """A mail whose upload has its verdict: what it says, and what the SII's services said (`counters`)."""

    id: int
    said: dict[str, Any]
    envelope: uuid.UUID
    counters: list[dict[str, Any]]


_READY = """
    FROM result_mails m
    CROSS JOIN LATERAL (ENVELOPE_OF) f
    JOIN envelopes e ON e.id = f.id
    WHERE m.environment = :environment AND m.outcome IN ('waiting', 'unknown-track')
      AND m.at > fmgo_now() - interval '10 days' AND e.state IN ('processed', 'refused')
""".replace("ENVELOPE_OF", ENVELOPE_OF.format(track="m.track_id", issuer="m.issuer", environment="m.environment"))
_ANY_READY = "SELECT EXISTS (SELECT READY)".replace("READY", _READY)
_LOCK_READY = (
    "SELECT m.id, m.said, e.id AS envelope, e.verdict READY ORDER BY m.id LIMIT :limit FOR UPDATE OF m SKIP LOCKED"
).replace("READY", _READY)


def any_ready(tx: Connection, environment: str) -> bool:
    """Whether a mail's upload has its verdict by now."""
    return bool(run(tx, _ANY_READY, environment=environment).scalar_one())


def ready(tx: Connection, environment: str, limit: int) -> list[Ready]:
    """Lock mails whose uploads have their verdicts, the earliest first."""
    rows = run(
        tx,
        _LOCK_READY,
        environment=environment,
        limit=limit,
    )
    return [Ready(row.id, row.said, row.envelope, (row.verdict or {}).get("counters") or []) for row in rows]


@dataclass(frozen=True, slots=True)
class Decided:
    """A document as its verdict stands; one that came back of a refused envelope is `signed`, held."""

    id: uuid.UUID
    document_type: int
    folio: int
    state: str
    verdict: dict[str, Any]


def decided(tx: Connection, envelope: uuid.UUID) -> list[Decided]:
    """Lock the documents that are in an envelope, or were held when it was refused."""
    rows = run(
        tx,
        """
        SELECT d.id, d.document_type, d.folio, d.state, d.verdict
        FROM envelope_documents x JOIN documents d ON d.id = x.document_id
        WHERE x.envelope = :envelope
          AND (d.envelope = :envelope OR d.envelope IS NULL AND d.state = 'signed' AND d.held LIKE 'envelope-refused%')
        ORDER BY d.id FOR UPDATE OF d
        """,
        envelope=envelope,
    )
    return [Decided(row.id, row.document_type, row.folio, row.state, row.verdict or {}) for row in rows]


def explain(tx: Connection, documents: Sequence[Decided]) -> None:
    """Replace the words of verdicts (the states stay as they are), to be published again."""
    if not documents:
        return
    run(
        tx,
        """
        UPDATE documents d SET verdict = g.verdict, version = d.version + 1
        FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:verdicts AS jsonb[])) AS g (id, state, verdict)
        WHERE d.id = g.id AND d.state = g.state
        """,
        ids=[one.id for one in documents],
        states=[one.state for one in documents],
        verdicts=[json.dumps(one.verdict) for one in documents],
    )


def explain_envelope(tx: Connection, envelope: uuid.UUID, reasons: list[dict[str, str]]) -> None:
    """Keep why an envelope was refused, or what else was said of the whole."""
    run(
        tx,
        "UPDATE envelopes SET verdict = coalesce(verdict, '{}') || CAST(:more AS jsonb) WHERE id = :id",
        id=envelope,
        more=json.dumps({"reasons": reasons}),
    )


def settle(tx: Connection, number: int, envelope: uuid.UUID, outcome: Outcome, note: str | None) -> None:
    """Say what became of a mail."""
    run(
        tx,
        """
        UPDATE result_mails SET outcome = :outcome, note = :note, envelope = :envelope, told_at = fmgo_now()
        WHERE id = :id
        """,
        id=number,
        envelope=envelope,
        outcome=outcome,
        note=note,
    )


def said_of(tx: Connection, envelope: uuid.UUID, track_id: str) -> list[dict[str, Any]]:
    """What the SII's mails say of an upload of an envelope that has no verdict yet, the latest last."""
    rows = run(
        tx,
        """
        SELECT m.said FROM result_mails m
        JOIN envelopes e ON e.issuer = m.issuer AND e.environment = m.environment
        WHERE e.id = :envelope AND m.track_id = :track_id AND m.outcome IN ('waiting', 'unknown-track') ORDER BY m.id
        """,
        envelope=envelope,
        track_id=track_id,
    )
    return [row.said for row in rows]


def shown(
    tx: Connection,
    *,
    issuer: str | None = None,
    environment: str | None = None,
    outcome: str | None = None,
    limit: int = 1,
    number: int | None = None,
) -> list[dict[str, Any]]:
    """Mails for a person to see, the latest first, without their bytes."""
    rows = run(
        tx,
        """
        SELECT id, at, issuer, environment, source, writer, forwarder, subject, track_id, outcome, note, envelope,
               told_at, said, length(bytes) AS size
        FROM result_mails
        WHERE (CAST(:issuer AS text) IS NULL OR issuer = :issuer)
          AND (CAST(:environment AS text) IS NULL OR environment = :environment)
          AND (CAST(:outcome AS text) IS NULL OR outcome = :outcome)
          AND (CAST(:number AS bigint) IS NULL OR id = :number)
        ORDER BY id DESC LIMIT :limit
        """,
        issuer=issuer,
        environment=environment,
        outcome=outcome,
        number=number,
        limit=limit,
    )
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  (the documented way to a dict)


def data_of(tx: Connection, number: int) -> bytes | None:
    """A mail's bytes as they came."""
    data = run(tx, "SELECT bytes FROM result_mails WHERE id = :id", id=number).scalar()
    return None if data is None else bytes(data)
