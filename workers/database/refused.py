"""Messages that were no jobs: keeping, showing, telling and putting them through again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from domain.problems import Problem
from workers.database.engine import run

TOLD_ON_THE_SPOT = ("producer", "batch:", "cli")
"""Beginnings of the sources whose sender was told when it handed the message in."""


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """What came and is no job: its bytes (or their beginning, of `size` in all) and the reasons."""

    code: str
    reason: str
    body: bytes
    size: int
    digest: str
    issuer: str | None = None
    environment: str | None = None
    key: str | None = None
    problems: tuple[Problem, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A row of a refused message, without its bytes."""

    id: int
    code: str
    digest: str
    size: int
    issuer: str | None
    environment: str | None
    key: str | None
    problems: list[dict[str, Any]]
    names: tuple[str, ...]


def refuse(tx: Connection, messages: Sequence[RefusedMessage], source: str) -> None:
    """Keep messages that are no jobs, with their reasons."""
    if not messages:
        return
    run(
        tx,
        """
        INSERT INTO refused_messages (source, code, reason, body, size, digest, issuer, environment, key, problems,
                                      names, told_at)
        SELECT :source, code, reason, body, size, digest, issuer, environment, key, problems,
               ARRAY(SELECT jsonb_array_elements_text(names)), CASE WHEN :told THEN fmgo_now() END
        FROM unnest(CAST(:codes AS text[]), CAST(:reasons AS text[]), CAST(:bodies AS bytea[]),
                    CAST(:sizes AS bigint[]), CAST(:digests AS text[]), CAST(:issuers AS text[]),
                    CAST(:environments AS text[]), CAST(:keys AS text[]), CAST(:problems AS jsonb[]),
                    CAST(:names AS jsonb[]))
             AS m (code, reason, body, size, digest, issuer, environment, key, problems, names)
        """,
        source=source,
        told=source.startswith(TOLD_ON_THE_SPOT),
        codes=[m.code for m in messages],
        reasons=[m.reason for m in messages],
        bodies=[m.body for m in messages],
        sizes=[m.size for m in messages],
        digests=[m.digest for m in messages],
        issuers=[m.issuer for m in messages],
        environments=[m.environment for m in messages],
        keys=[m.key for m in messages],
        problems=[json.dumps([problem.as_dict() for problem in m.problems]) for m in messages],
        names=[json.dumps(m.names) for m in messages],
    )


def untold(tx: Connection, size: int) -> list[Refused]:
    """Lock refused messages whose sender was not told."""
    rows = run(
        tx,
        """
        SELECT id, code, reason, digest, size, issuer, environment, key, problems, names FROM refused_messages
        WHERE told_at IS NULL ORDER BY id LIMIT :size FOR UPDATE SKIP LOCKED
        """,
        size=size,
    )
    return [
        Refused(
            row.id,
            row.code,
            row.digest,
            row.size,
            row.issuer,
            row.environment,
            row.key,
            row.problems or [Problem(row.code, "", row.reason).as_dict()],
            tuple(row.names),
        )
        for row in rows
    ]


def mark_told(tx: Connection, ids: Sequence[int]) -> None:
    """Say that the senders of these messages were told."""
    run(tx, "UPDATE refused_messages SET told_at = fmgo_now() WHERE id = ANY (CAST(:ids AS bigint[]))", ids=list(ids))


def any_untold(tx: Connection) -> bool:
    """Whether some sender waits to be told."""
    return bool(run(tx, "SELECT EXISTS (SELECT FROM refused_messages WHERE told_at IS NULL)").scalar_one())


def shown(
    tx: Connection, *, code: str | None, issuer: str | None, source: str | None, limit: int
) -> list[dict[str, Any]]:
    """Refused messages, the latest first, without their bytes."""
    rows = run(
        tx,
        """
        SELECT id, at, source, code, reason, size, digest, issuer, environment, key, document_id, told_at, retried_at
        FROM refused_messages
        WHERE (CAST(:code AS text) IS NULL OR code = :code) AND (CAST(:issuer AS text) IS NULL OR issuer = :issuer)
          AND (CAST(:source AS text) IS NULL OR source = :source OR source LIKE :source || ':%')
        ORDER BY id DESC LIMIT :limit
        """,
        code=code,
        issuer=issuer,
        source=source,
        limit=limit,
    )
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  (SQLAlchemy's public name for a row's names)


def message(tx: Connection, number: int) -> dict[str, Any] | None:
    """One refused message with its bytes; None when there is none."""
    row = run(tx, "SELECT * FROM refused_messages WHERE id = :id", id=number).mappings().first()
    return None if row is None else {**row, "body": bytes(row["body"])}


def mark_retried(tx: Connection, number: int) -> None:
    """Say that a message was put through again."""
    run(tx, "UPDATE refused_messages SET retried_at = fmgo_now() WHERE id = :id", id=number)
