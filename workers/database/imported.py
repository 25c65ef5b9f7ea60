"""Documents that FMgo didn't issue, kept with their bytes so that notes can refer to them.

They are rows of `documents` in the state `imported`, which no step leads out of: never due, never told, never sent.
Their folios are theirs by the same unique index as FMgo's own. Their key holds a character that no producer's key can
have.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection

from domain.elsewhere import IssuedElsewhere
from workers.database.engine import ByteArray, run

_BLANK: Final = "\u00a0"


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to be kept; `sha256` is of its bytes, `source` names the file it came in."""

    document: IssuedElsewhere
    sha256: bytes
    source: str


@dataclass(frozen=True, slots=True)
class Holder:
    """The document that bears a folio."""

    document_id: uuid.UUID
    state: str
    signature_value: str | None
    body_hash: bytes


KEEP = """
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:keys AS text[]), CAST(:types AS smallint[]), CAST(:folios AS bigint[]), CAST(:dates AS date[]),
            CAST(:receivers AS text[]), CAST(:totals AS numeric[]), CAST(:nets AS bigint[]),
            CAST(:exempts AS numeric[]), CAST(:vats AS bigint[]), CAST(:signatures AS text[]),
            CAST(:warnings AS jsonb[]), CAST(:details AS jsonb[]), CAST(:xmls AS bytea[]), CAST(:sums AS bytea[]))
            AS g (key, document_type, folio, issued_on, receiver, total, net, exempt, vat, signature, warnings, detail,
                  xml, sum)
    ), born AS (
        INSERT INTO documents (id, issuer, environment, key, body_hash, lane, state, document_type, folio, issued_on,
                               receiver, total, net, exempt, vat, signature_value, warnings, verdict)
        SELECT fmgo_document_id(:environment, :issuer, 1, g.key), :issuer, :environment, g.key, g.sum, 'bulk',
               'imported', g.document_type, g.folio, g.issued_on, g.receiver, g.total, g.net, g.exempt, g.vat,
               nullif(g.signature, ''), g.warnings, g.detail
        FROM given g ORDER BY g.document_type, g.folio
        ON CONFLICT DO NOTHING
        RETURNING id, received_at, document_type, folio, verdict
    ), filed AS (
        INSERT INTO document_files (document_id, kind, received_at, bytes, sha256)
        SELECT b.id, 'dte', b.received_at, g.xml, g.sum
        FROM born b JOIN given g ON g.document_type = b.document_type AND g.folio = b.folio
    ), told AS (
        INSERT INTO document_events (document_id, from_state, to_state, detail)
        SELECT id, '', 'imported', verdict FROM born
    )
    SELECT id, document_type, folio FROM born
"""


def keep(
    tx: Connection, issuer: str, environment: str, documents: Sequence[NewDocument]
) -> dict[tuple[int, int], uuid.UUID]:
    """Keep documents of one company whose folios nobody bears; those that were kept, by type and folio.

    The company and its counters must be held. No two of `documents` may have the same type and folio.
    """
    made = [one.document for one in documents]
    rows = run(
        tx,
        KEEP,
        issuer=issuer,
        environment=environment,
        keys=[f"imported{_BLANK}{one.document_type}{_BLANK}{one.folio}" for one in made],
        types=[one.document_type for one in made],
        folios=[one.folio for one in made],
        dates=[one.issued_on for one in made],
        receivers=[one.receiver for one in made],
        totals=[Decimal(one.total) for one in made],
        nets=[one.net for one in made],
        exempts=[None if one.exempt is None else Decimal(one.exempt) for one in made],
        vats=[one.vat for one in made],
        signatures=[one.signature_value for one in made],
        warnings=[_warnings(one) for one in made],
        details=[json.dumps({"source": one.source, "verified": one.document.verified}) for one in documents],
        xmls=ByteArray(one.xml for one in made),
        sums=ByteArray(one.sha256 for one in documents),
    )
    return {(row.document_type, row.folio): row.id for row in rows}


def holders(
    tx: Connection, issuer: str, environment: str, wanted: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Holder]:
    """The documents of a company that bear these folios, by type and folio."""
    rows = run(
        tx,
        """
        SELECT d.id, d.state, d.document_type, d.folio, d.signature_value, d.body_hash
        FROM unnest(CAST(:types AS smallint[]), CAST(:folios AS bigint[])) AS k (document_type, folio)
        JOIN documents d ON d.issuer = :issuer AND d.environment = :environment
             AND d.document_type = k.document_type AND d.folio = k.folio
        """,
        issuer=issuer,
        environment=environment,
        types=[document_type for document_type, _ in wanted],
        folios=[folio for _, folio in wanted],
    )
    return {
        (row.document_type, row.folio): Holder(row.id, row.state, row.signature_value, bytes(row.body_hash))
        for row in rows
    }


def _warnings(document: IssuedElsewhere) -> Any:
    return json.dumps([problem.as_dict() for problem in document.problems]) if document.problems else None
