"""Where result mails arrive: a company's sources, what was read of each, and how the last look went."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import Connection

from workers.database.engine import count, run

Kind = Literal["imap", "folder"]
Auth = Literal["none", "password", "xoauth2"]


@dataclass(frozen=True, slots=True)
class NewSource:
    """A source to be added; its secret is sealed under `key_id`, None for a folder."""

    issuer: str
    environment: str
    kind: Kind
    address: str
    auth: Auth
    secret_sealed: bytes | None
    key_id: str | None
    forwarders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A source that is looked into; `last_uid` of a mailbox with `uid_validity` was read last."""

    id: int
    issuer: str
    environment: str
    kind: Kind
    address: str
    auth: Auth
    secret_sealed: bytes | None = field(repr=False)
    key_id: str | None
    forwarders: tuple[str, ...]
    uid_validity: int | None
    last_uid: int
    failures: int


def add(tx: Connection, source: NewSource) -> int:
    """Add a source, or replace how it is opened; returns its number."""
    return count(
        tx,
        """
        INSERT INTO mail_sources (issuer, environment, kind, address, auth, secret_sealed, key_id, forwarders)
        VALUES (:issuer, :environment, :kind, :address, :auth, :secret, :key_id, CAST(:forwarders AS text[]))
        ON CONFLICT (issuer, environment, kind, address) DO UPDATE
        SET auth = excluded.auth, secret_sealed = excluded.secret_sealed, key_id = excluded.key_id,
            forwarders = excluded.forwarders, due_at = fmgo_now(), failures = 0, problem = NULL
        RETURNING id
        """,
        issuer=source.issuer,
        environment=source.environment,
        kind=source.kind,
        address=source.address,
        auth=source.auth,
        secret=source.secret_sealed,
        key_id=source.key_id,
        forwarders=list(source.forwarders),
    )


def remove(tx: Connection, number: int) -> bool:
    """Remove a source; the mails that came from it stay."""
    return run(tx, "DELETE FROM mail_sources WHERE id = :id", id=number).rowcount == 1


def shown(tx: Connection) -> list[dict[str, Any]]:
    """Every source as it stands, without its secret."""
    rows = run(
        tx,
        """
        SELECT id, issuer, environment, kind, address, auth, forwarders, looked_at, worked_at, failures, problem,
               due_at, (SELECT count(*) FROM result_mails m WHERE m.source = s.id) AS mails,
               fmgo_now() - looked_at > interval '1 hour' AS is_stale
        FROM mail_sources s ORDER BY environment, issuer, id
        """,
    )
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  (the documented way to a dict)


def any_due(tx: Connection, environment: str) -> bool:
    """Whether a source should be looked into."""
    return bool(
        run(
            tx,
            "SELECT EXISTS (SELECT FROM mail_sources WHERE environment = :environment AND due_at <= fmgo_now())",
            environment=environment,
        ).scalar_one()
    )


def take(tx: Connection, environment: str, lease_seconds: float) -> Source | None:
    """The source that is due first, which nobody else takes for some seconds; None when none is due.

    Two processes that look into one source do no harm: a mail is known by its bytes.
    """
    row = run(
        tx,
        """
        UPDATE mail_sources s SET due_at = fmgo_now() + make_interval(secs => :lease), looked_at = fmgo_now()
        FROM (SELECT id FROM mail_sources WHERE environment = :environment AND due_at <= fmgo_now()
              ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED) p
        WHERE s.id = p.id
        RETURNING s.*
        """,
        environment=environment,
        lease=lease_seconds,
    ).one_or_none()
    if row is None:
        return None
    return Source(
        id=row.id,
        issuer=row.issuer,
        environment=row.environment,
        kind=row.kind,
        address=row.address,
        auth=row.auth,
        secret_sealed=None if row.secret_sealed is None else bytes(row.secret_sealed),
        key_id=row.key_id,
        forwarders=tuple(row.forwarders),
        uid_validity=row.uid_validity,
        last_uid=row.last_uid,
        failures=row.failures,
    )


def done(tx: Connection, number: int, problem: str | None, due_after: float) -> None:
    """End a look: with what went wrong, or None."""
    run(
        tx,
        """
        UPDATE mail_sources
        SET due_at = fmgo_now() + make_interval(secs => :after), problem = CAST(:problem AS text),
            failures = CASE WHEN CAST(:problem AS text) IS NULL THEN 0 ELSE failures + 1 END,
            worked_at = CASE WHEN CAST(:problem AS text) IS NULL THEN fmgo_now() ELSE worked_at END
        WHERE id = :id
        """,
        id=number,
        problem=problem,
        after=due_after,
    )


def read_up_to(tx: Connection, number: int, uid_validity: int, uid: int) -> None:
    """Remember the last message that was read of a mailbox; a new validity begins anew."""
    run(
        tx,
        """
        UPDATE mail_sources
        SET last_uid = CASE WHEN uid_validity = :validity THEN greatest(last_uid, :uid) ELSE :uid END,
            uid_validity = :validity
        WHERE id = :id
        """,
        id=number,
        validity=uid_validity,
        uid=uid,
    )


def replace_secret(tx: Connection, number: int, sealed: bytes, key_id: str) -> None:
    """Keep a secret that the mail service has renewed."""
    run(
        tx,
        "UPDATE mail_sources SET secret_sealed = :sealed, key_id = :key_id WHERE id = :id",
        id=number,
        sealed=sealed,
        key_id=key_id,
    )


def unseen(tx: Connection, number: int, names: Sequence[str]) -> list[str]:
    """Those of a folder's files that were not read yet, in the order given."""
    rows = run(
        tx,
        """
        SELECT n.name FROM unnest(CAST(:names AS text[])) WITH ORDINALITY AS n (name, place)
        WHERE NOT EXISTS (SELECT FROM mail_files_seen s WHERE s.source = :id AND s.name = n.name)
        ORDER BY n.place
        """,
        id=number,
        names=list(names),
    )
    return [row.name for row in rows]


def seen(tx: Connection, number: int, name: str) -> None:
    """Remember a file that was read."""
    run(
        tx,
        "INSERT INTO mail_files_seen (source, name) VALUES (:id, :name) ON CONFLICT DO NOTHING",
        id=number,
        name=name,
    )
