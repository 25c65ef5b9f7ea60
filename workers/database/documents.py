"""Moving claimed documents through the issuing phase, set-based and fenced.

Each function is one statement for a whole chunk: it moves the rows that still carry the claim's fence, writes their
events, and returns the ids that really moved.
"""

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from workers.database.engine import ByteArray, run

Ids = set[uuid.UUID]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document that ends, or waits, with its problems (as `Problem.as_dict`); `held` names the cause of waiting."""

    document_id: uuid.UUID
    problems: list[dict[str, str]]
    held: str | None = None
    document_type: int | None = None
    depends_on: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Numbering:
    """A document that gets its folio, with what the header says of it."""

    document_id: uuid.UUID
    document_type: int
    folio: int
    caf: int
    issued_on: date
    receiver: str
    total: int | Decimal
    net: int | None
    exempt: int | Decimal | None
    vat: int | None
    warnings: list[dict[str, str]]
    replaces: uuid.UUID | None
    depends_on: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """A document's bytes: the DTE (ISO-8859-1) and its stamp; `send_by`: when the SII should have it."""

    document_id: uuid.UUID
    received_at: datetime
    dte: bytes
    dte_sha256: bytes
    ted: bytes
    ted_sha256: bytes
    signature_value: str
    send_by: datetime


def _refusals(refusals: Sequence[Refusal], fence: int, worker: int) -> dict[str, Any]:
    return {
        "ids": [r.document_id for r in refusals],
        "problems": [json.dumps(r.problems) for r in refusals],
        "helds": [r.held for r in refusals],
        "types": [r.document_type for r in refusals],
        "depends": [r.depends_on for r in refusals],
        "fence": fence,
        "worker": worker,
    }


REFUSE = """
    WITH given AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:problems AS jsonb[]), CAST(:helds AS text[]),
                             CAST(:types AS smallint[]), CAST(:depends AS uuid[]))
             AS g (id, problems, held, document_type, depends_on)
    ), moved AS (
        UPDATE documents d
        SET state = '{state}', problems = g.problems, held = g.held, due_at = NULL, lease_owner = NULL, suspect = NULL,
            document_type = coalesce(d.document_type, g.document_type),
            depends_on = coalesce(d.depends_on, g.depends_on),
            version = d.version + 1, decided_at = {decided}
        FROM given g
        WHERE d.id = g.id AND d.fence = :fence AND d.lease_owner = :worker AND d.state = ANY ({origins})
        RETURNING d.id, d.problems, (SELECT old.state FROM documents old WHERE old.id = d.id) AS before
    ), told AS (
        INSERT INTO document_events (document_id, from_state, to_state, worker, detail)
        SELECT id, before, '{state}', :worker, jsonb_build_object('problems', problems) FROM moved
    )
    SELECT id FROM moved
"""
INVALID = REFUSE.format(state="invalid", decided="fmgo_now()", origins="'{received}'")
WAITING = REFUSE.format(state="waiting", decided="NULL", origins="'{received}'")
QUARANTINED = REFUSE.format(state="quarantined", decided="NULL", origins="'{received,numbered,signed}'")


def end_invalid(tx: Connection, refusals: Sequence[Refusal], fence: int, worker: int) -> Ids:
    """End documents with all their problems; no folio was spent."""
    return {row.id for row in run(tx, INVALID, **_refusals(refusals, fence, worker))} if refusals else set()


def let_wait(tx: Connection, refusals: Sequence[Refusal], fence: int, worker: int) -> Ids:
    """Let documents wait for their cause (`held`: issuer, certificate, folio, reference)."""
    return {row.id for row in run(tx, WAITING, **_refusals(refusals, fence, worker))} if refusals else set()


def quarantine(tx: Connection, refusals: Sequence[Refusal], fence: int, worker: int) -> Ids:
    """Put documents aside on which FMgo itself fails; a person must look."""
    return {row.id for row in run(tx, QUARANTINED, **_refusals(refusals, fence, worker))} if refusals else set()


NUMBER = """
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:types AS smallint[]), CAST(:folios AS bigint[]), CAST(:cafs AS bigint[]),
            CAST(:dates AS date[]), CAST(:receivers AS text[]), CAST(:totals AS numeric[]), CAST(:nets AS bigint[]),
            CAST(:exempts AS numeric[]), CAST(:vats AS bigint[]), CAST(:warnings AS jsonb[]),
            CAST(:replaces AS uuid[]), CAST(:depends AS uuid[]))
            AS g (id, document_type, folio, caf, issued_on, receiver, total, net, exempt, vat, warnings, replaces,
                  depends_on)
    ), unsendable AS (
        SELECT o.id FROM documents o
        WHERE o.id IN (SELECT replaces FROM given) AND o.state = 'signed'
          AND o.held IN ('schema-refused', 'caf-expired')
        ORDER BY o.id FOR UPDATE
    ), moved AS (
        UPDATE documents d
        SET state = 'numbered', document_type = g.document_type, folio = g.folio, caf = g.caf,
            issued_on = g.issued_on, receiver = g.receiver, total = g.total, net = g.net, exempt = g.exempt,
            vat = g.vat, warnings = g.warnings, replaces = g.replaces, depends_on = g.depends_on,
            problems = NULL, held = NULL
        FROM given g
        WHERE d.id = g.id AND d.fence = :fence AND d.lease_owner = :worker AND d.state = 'received'
          AND (g.replaces IS NULL OR g.replaces IN (SELECT id FROM unsendable)
               OR EXISTS (SELECT FROM documents o WHERE o.id = g.replaces AND o.state = 'rejected'))
        RETURNING d.id, d.folio, d.document_type, d.replaces
    ), retired AS (
        UPDATE documents o SET held = 'replaced', version = o.version + 1
        FROM unsendable u JOIN moved m ON m.replaces = u.id WHERE o.id = u.id
    ), told AS (
        INSERT INTO document_events (document_id, from_state, to_state, worker, detail)
        SELECT id, 'received', 'numbered', :worker, jsonb_build_object('type', document_type, 'folio', folio)
        FROM moved
    )
    SELECT id FROM moved
"""


def number(tx: Connection, numberings: Sequence[Numbering], fence: int, worker: int) -> Ids:
    """Write folios into the documents; those that are not returned were no longer ours (roll back).

    A signed document that can never go and is replaced by one of these is retired in the same step (`replaced`), so
    that nobody lets it go afterwards; one that was let go meanwhile is replaced by nobody.
    """
    if not numberings:
        return set()
    rows = run(
        tx,
        NUMBER,
        ids=[n.document_id for n in numberings],
        types=[n.document_type for n in numberings],
        folios=[n.folio for n in numberings],
        cafs=[n.caf for n in numberings],
        dates=[n.issued_on for n in numberings],
        receivers=[n.receiver for n in numberings],
        totals=[Decimal(n.total) for n in numberings],
        nets=[n.net for n in numberings],
        exempts=[None if n.exempt is None else Decimal(n.exempt) for n in numberings],
        vats=[n.vat for n in numberings],
        warnings=[json.dumps(n.warnings) if n.warnings else None for n in numberings],
        replaces=[n.replaces for n in numberings],
        depends=[n.depends_on for n in numberings],
        fence=fence,
        worker=worker,
    )
    return {row.id for row in rows}


def judge_again(tx: Connection, ids: Sequence[uuid.UUID], fence: int, worker: int) -> None:
    """Give documents back that must be judged anew because the world has changed; they are due at once, in order."""
    if ids:
        run(
            tx,
            """
            UPDATE documents SET due_at = least(received_at, fmgo_now()), lease_owner = NULL
            WHERE id = ANY (CAST(:ids AS uuid[])) AND fence = :fence AND lease_owner = :worker AND state = 'received'
            """,
            ids=list(ids),
            fence=fence,
            worker=worker,
        )


SIGN = """
    WITH given AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:dtes AS bytea[]), CAST(:dte_sums AS bytea[]),
                             CAST(:teds AS bytea[]), CAST(:ted_sums AS bytea[]), CAST(:signatures AS text[]),
                             CAST(:moments AS timestamptz[]))
             AS g (id, dte, dte_sum, ted, ted_sum, signature, send_by)
    ), moved AS (
        UPDATE documents d
        SET state = 'signed', signature_value = g.signature, signed_at = fmgo_now(), send_by = g.send_by,
            version = d.version + 1, suspect = NULL, deaths = 0
        FROM given g
        WHERE d.id = g.id AND d.fence = :fence AND d.lease_owner = :worker AND d.state = 'numbered'
        RETURNING d.id, d.received_at
    ), told AS (
        INSERT INTO document_events (document_id, from_state, to_state, worker)
        SELECT id, 'numbered', 'signed', :worker FROM moved
    ), filed AS (
        INSERT INTO document_files (document_id, kind, received_at, bytes, sha256)
        SELECT m.id, f.kind, m.received_at, f.bytes, f.sum
        FROM moved m JOIN given g ON g.id = m.id
        CROSS JOIN LATERAL (VALUES ('dte', g.dte, g.dte_sum), ('ted', g.ted, g.ted_sum)) AS f (kind, bytes, sum)
    ), audited AS (
        INSERT INTO audit_log (actor, action, subject, detail)
        SELECT :actor, 'documents.sign', u.person,
               jsonb_build_object('documents', u.documents, 'fence', CAST(:fence AS bigint))
        FROM unnest(CAST(:persons AS text[]), CAST(:uses AS integer[])) AS u (person, documents)
    )
    SELECT id FROM moved
"""


def sign(tx: Connection, signed: Sequence[SignedBytes], fence: int, worker: int, uses: Mapping[str, int]) -> Ids:
    """Store the bytes and move to `signed`, in one statement; nobody may see them before `mark_evidenced`.

    `uses` says how often whose key was used for it: audit rows of the same statement.
    """
    if not signed:
        return set()
    rows = run(
        tx,
        SIGN,
        ids=[s.document_id for s in signed],
        dtes=ByteArray(s.dte for s in signed),
        dte_sums=ByteArray(s.dte_sha256 for s in signed),
        teds=ByteArray(s.ted for s in signed),
        ted_sums=ByteArray(s.ted_sha256 for s in signed),
        signatures=[s.signature_value for s in signed],
        moments=[s.send_by for s in signed],
        fence=fence,
        worker=worker,
        actor=f"worker:{worker}",
        persons=list(uses),
        uses=list(uses.values()),
    )
    return {row.id for row in rows}


EVIDENCE = """
    WITH origin AS (
        SELECT o.id, o.state FROM documents o
        WHERE o.id IN (SELECT depends_on FROM documents WHERE id = ANY (CAST(:ids AS uuid[])))
        ORDER BY o.id FOR SHARE
    )
    UPDATE documents d
    SET evidenced_at = fmgo_now(), lease_owner = NULL, suspect = NULL,
        due_at = CASE WHEN o.state IS NULL OR o.state LIKE 'accepted%' OR o.state = 'imported' THEN fmgo_now() END,
        held = CASE WHEN o.state IS NULL OR o.state LIKE 'accepted%' OR o.state = 'imported' THEN NULL
                    WHEN o.state IN ('rejected', 'withdrawn') THEN 'reference-rejected' ELSE 'reference' END
    FROM documents self LEFT JOIN origin o ON o.id = self.depends_on
    WHERE d.id = ANY (CAST(:ids AS uuid[])) AND self.id = d.id
      AND d.fence = :fence AND d.lease_owner = :worker AND d.evidenced_at IS NULL AND d.state = 'signed'
    RETURNING d.id
"""


def mark_evidenced(tx: Connection, ids: Iterable[uuid.UUID], fence: int, worker: int) -> Ids:
    """Say that the second copy is durable: from here the documents may leave.

    A note whose original the SII has not accepted yet is held until it has.
    """
    rows = run(tx, EVIDENCE, ids=list(ids), fence=fence, worker=worker)
    return {row.id for row in rows}


def stored_bytes(tx: Connection, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[str, bytes]]:
    """Stored files of documents by kind (`dte`, `ted`)."""
    rows = run(
        tx,
        """
        SELECT f.document_id, f.kind, f.bytes
        FROM documents d JOIN document_files f ON f.document_id = d.id AND f.received_at = d.received_at
        WHERE d.id = ANY (CAST(:ids AS uuid[]))
        """,
        ids=list(ids),
    )
    files: dict[uuid.UUID, dict[str, bytes]] = {}
    for row in rows:
        files.setdefault(row.document_id, {})[row.kind] = bytes(row.bytes)
    return files


@dataclass(frozen=True, slots=True)
class Replaceable:
    """A document that a job names in `replaces`; `taken` when another stands for it, or for one that replaced it."""

    document_id: uuid.UUID
    state: str
    taken: bool


Name = tuple[str, str, str]


def replaceable(tx: Connection, wanted: Iterable[Name]) -> dict[Name, Replaceable]:
    """Documents named by `replaces` as (issuer, environment, key or id).

    A signed one that can never go (`domain.states.UNSENDABLE`) is as good as `rejected`.
    """
    keys = sorted(set(wanted))
    if not keys:
        return {}
    rows = run(
        tx,
        """
        SELECT k.issuer, k.environment, k.name, d.id,
               CASE WHEN d.state = 'signed' AND d.held IN ('schema-refused', 'caf-expired') THEN 'rejected'
                    ELSE d.state END AS state,
               EXISTS (
                   WITH RECURSIVE heirs AS (
                       SELECT r.id, r.state FROM documents r WHERE r.replaces = d.id
                       UNION ALL
                       SELECT r.id, r.state FROM heirs h JOIN documents r ON r.replaces = h.id
                   )
                   SELECT FROM heirs WHERE state NOT IN ('rejected', 'withdrawn')
               ) AS taken
        FROM unnest(CAST(:issuers AS text[]), CAST(:environments AS text[]), CAST(:names AS text[]),
                    CAST(:ids AS uuid[])) AS k (issuer, environment, name, id)
        CROSS JOIN LATERAL (
            (SELECT id, state, held FROM documents
             WHERE issuer = k.issuer AND environment = k.environment AND key = k.name
             ORDER BY attempt DESC LIMIT 1)
            UNION ALL
            SELECT id, state, held FROM documents WHERE id = k.id AND issuer = k.issuer AND environment = k.environment
            LIMIT 1
        ) d
        """,
        issuers=[k[0] for k in keys],
        environments=[k[1] for k in keys],
        names=[k[2] for k in keys],
        ids=[_uuid(k[2]) for k in keys],
    )
    return {(row.issuer, row.environment, row.name): Replaceable(row.id, row.state, row.taken) for row in rows}


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Replacement:
    """The document that stands in another's place."""

    id: uuid.UUID
    key: str
    state: str


def replacement_of(tx: Connection, document: uuid.UUID) -> Replacement | None:
    """The document that replaced one and isn't rejected itself."""
    row = run(
        tx,
        "SELECT id, key, state FROM documents WHERE replaces = :id AND state NOT IN ('rejected', 'withdrawn')",
        id=document,
    ).one_or_none()
    return None if row is None else Replacement(row.id, row.key, row.state)
