"""Giving folios: counters move in the same transaction as the documents that get them.

Counters of several (issuer, type) are locked in sorted order. A folio comes from the oldest range that may be used:
authorised on or before the document's date and unexpired on the day of signing. Numbers that are taken already (void,
or of an imported document) are passed over. Bulk leaves each range's reserve to interactive sales.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from workers.database.engine import run
from workers.database.folio_accounts import move, taken_ahead
from workers.folio_ranges import free_from


@dataclass(frozen=True, slots=True)
class FolioRequest:
    """A document that needs a folio."""

    document_id: uuid.UUID
    issuer: str
    environment: str
    document_type: int
    issued_on: date
    lane: str


@dataclass(frozen=True, slots=True)
class FolioGrant:
    """A folio and the range (CAF number) it is from."""

    document_id: uuid.UUID
    folio: int
    caf: int


LOCK = """
    SELECT f.caf, f.issuer, f.environment, f.document_type, f.next, f.last, f.taken,
           c.authorised_on, c.expires_on, c.reserve
    FROM folio_counters f JOIN cafs c ON c.id = f.caf
    WHERE (f.issuer, f.environment, f.document_type) IN (
              SELECT * FROM unnest(CAST(:issuers AS text[]), CAST(:environments AS text[]),
                                   CAST(:types AS smallint[])))
      AND f.next <= f.last AND c.withdrawn_at IS NULL
    ORDER BY f.issuer, f.environment, f.document_type, c.authorised_on, f.next
    FOR UPDATE OF f
"""


def give_folios(tx: Connection, requests: Sequence[FolioRequest], today: date) -> list[FolioGrant]:
    """Give a folio to each request that can have one, in the order of the requests; the others must wait.

    `today` is the day of signing in Chile: an expired range (SII, Res. Ex. 58 of 2017) isn't used.
    """
    if not requests:
        return []
    series = sorted({(r.issuer, r.environment, r.document_type) for r in requests})
    rows = run(
        tx,
        LOCK,
        issuers=[issuer for issuer, _, _ in series],
        environments=[environment for _, environment, _ in series],
        types=[document_type for _, _, document_type in series],
    ).all()
    usable = [row for row in rows if row.expires_on is None or row.expires_on >= today]
    ahead = taken_ahead(tx, [(row.caf, row.next, row.last) for row in usable if row.taken])
    ranges = defaultdict(list)
    following = {}
    lasts = {row.caf: row.last for row in usable}
    for row in usable:
        ranges[row.issuer, row.environment, row.document_type].append(row)
        following[row.caf] = row.next
    grants = []
    for request in requests:
        for row in ranges[request.issuer, request.environment, request.document_type]:
            last = row.last - (row.reserve if request.lane == "bulk" else 0)
            if following[row.caf] <= last and row.authorised_on <= request.issued_on:
                grants.append(FolioGrant(request.document_id, following[row.caf], row.caf))
                following[row.caf] = free_from(following[row.caf] + 1, ahead.get(row.caf, ()))
                break
    moved = {grant.caf: min(following[grant.caf], lasts[grant.caf] + 1) for grant in grants}
    move(tx, moved, ahead)
    return grants


def open_series(tx: Connection, series: Sequence[tuple[str, str, int]]) -> set[tuple[str, str, int]]:
    """Those of the (issuer, environment, type) that have a folio left, whatever its date or reserve."""
    keys = sorted(set(series))
    rows = run(
        tx,
        """
        SELECT DISTINCT f.issuer, f.environment, f.document_type
        FROM unnest(CAST(:issuers AS text[]), CAST(:environments AS text[]), CAST(:types AS smallint[]))
             AS k (issuer, environment, document_type)
        JOIN folio_counters f ON f.issuer = k.issuer AND f.environment = k.environment
             AND f.document_type = k.document_type AND f.next <= f.last
        JOIN cafs c ON c.id = f.caf AND c.withdrawn_at IS NULL
        """,
        issuers=[issuer for issuer, _, _ in keys],
        environments=[environment for _, environment, _ in keys],
        types=[document_type for _, _, document_type in keys],
    )
    return {(row.issuer, row.environment, row.document_type) for row in rows}
