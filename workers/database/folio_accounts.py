"""What became of every folio: given to a document, void with its reason, or still to come.

Numbers are taken by rows: documents (FMgo's own and imported ones) and `folio_voids`. A counter's `next` is the
smallest number that may still be given, and its `taken` counts the later ones that can't be any more; `settle` makes
both true after numbers were taken. Who takes numbers holds the company (`hold_company`), so that no range is loaded
meanwhile, and then the counters, in the order in which folios are given.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from workers.database.engine import run
from workers.folio_ranges import Range, free_from, joined, without

Series = tuple[str, str, int]
"""Issuer, environment and document type."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A range's counter."""

    caf: int
    series: Series
    first: int
    next: int
    last: int


def hold_company(tx: Connection, issuer: str, environment: str) -> bool:
    """Be the only one who changes a company's folios until the transaction ends; False when there is none such."""
    sql = "SELECT 1 FROM issuers WHERE rut = :issuer AND environment = :environment FOR NO KEY UPDATE"
    return run(tx, sql, issuer=issuer, environment=environment).first() is not None


COUNTERS = """
    SELECT f.caf, f.issuer, f.environment, f.document_type, c.first, f.next, f.last
    FROM folio_counters f JOIN cafs c ON c.id = f.caf
    WHERE (f.issuer, f.environment, f.document_type) IN (
              SELECT * FROM unnest(CAST(:issuers AS text[]), CAST(:environments AS text[]),
                                   CAST(:types AS smallint[])))
    ORDER BY f.issuer, f.environment, f.document_type, c.authorised_on, f.next
    FOR UPDATE OF f
"""


def hold_counters(tx: Connection, series: Iterable[Series]) -> list[Counter]:
    """The counters of these series, held until the transaction ends: no folio is given meanwhile."""
    rows = run(tx, COUNTERS, **_columns(sorted(set(series))))
    return [
        Counter(row.caf, (row.issuer, row.environment, row.document_type), row.first, row.next, row.last)
        for row in rows
    ]


# Documents within what a counter has still to give came from elsewhere.
TAKEN = """
    SELECT k.caf, k.next, k.last AS range_last, v.first, v.last
    FROM unnest(CAST(:cafs AS bigint[]), CAST(:nexts AS bigint[]), CAST(:lasts AS bigint[])) AS k (caf, next, last)
    JOIN cafs c ON c.id = k.caf
    JOIN folio_voids v ON v.issuer = c.issuer AND v.environment = c.environment
         AND v.document_type = c.document_type AND v.first <= k.last AND v.last >= k.next
    UNION ALL
    SELECT k.caf, k.next, k.last, d.folio, d.folio
    FROM unnest(CAST(:cafs AS bigint[]), CAST(:nexts AS bigint[]), CAST(:lasts AS bigint[])) AS k (caf, next, last)
    JOIN cafs c ON c.id = k.caf
    JOIN documents d ON d.issuer = c.issuer AND d.environment = c.environment
         AND d.document_type = c.document_type AND d.folio BETWEEN k.next AND k.last
"""


def taken_ahead(tx: Connection, counters: Iterable[tuple[int, int, int]]) -> dict[int, list[Range]]:
    """Numbers that are taken already among those that (caf, next, last) have still to give."""
    asked = sorted(counters)
    if not asked:
        return {}
    cafs, nexts, lasts = zip(*asked, strict=True)
    found: dict[int, list[Range]] = {}
    for row in run(tx, TAKEN, cafs=list(cafs), nexts=list(nexts), lasts=list(lasts)):
        found.setdefault(row.caf, []).append((max(row.first, row.next), min(row.last, row.range_last)))
    return {caf: joined(ranges) for caf, ranges in found.items()}


def settle(tx: Connection, counters: Sequence[Counter]) -> dict[int, int]:
    """Set `next` and `taken` of held counters after numbers were taken; returns `next` of each range."""
    taken = taken_ahead(tx, [(one.caf, one.next, one.last) for one in counters])
    places = {one.caf: min(free_from(one.next, taken.get(one.caf, [])), one.last + 1) for one in counters}
    move(tx, places, taken)
    return places


def move(tx: Connection, places: Mapping[int, int], taken: Mapping[int, Sequence[Range]]) -> None:
    """Write where counters stand; `taken` are numbers of each range that are taken, those behind included."""
    if not places:
        return
    ahead = [
        sum(max(0, last - max(first, place) + 1) for first, last in taken.get(caf, ())) for caf, place in places.items()
    ]
    run(
        tx,
        """
        UPDATE folio_counters f SET next = m.next, taken = m.taken
        FROM unnest(CAST(:cafs AS bigint[]), CAST(:nexts AS bigint[]), CAST(:ahead AS bigint[])) AS m (caf, next, taken)
        WHERE f.caf = m.caf
        """,
        cafs=list(places),
        nexts=list(places.values()),
        ahead=ahead,
    )


def voids(tx: Connection, series: Series) -> list[dict[str, Any]]:
    """The voids of a series with their reasons, in order."""
    rows = run(
        tx,
        """
        SELECT first, last, reason, document_id, at FROM folio_voids
        WHERE issuer = :issuer AND environment = :environment AND document_type = :document_type ORDER BY first
        """,
        **_one(series),
    )
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  (SQLAlchemy's documented way to a dict)


def used(tx: Connection, series: Series, ranges: Sequence[Range]) -> list[Range]:
    """The numbers among these that documents bear, FMgo's own and imported ones."""
    rows = run(
        tx,
        """
        SELECT d.folio FROM unnest(CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[])) AS k (first, last)
        JOIN documents d ON d.issuer = :issuer AND d.environment = :environment
             AND d.document_type = :document_type AND d.folio BETWEEN k.first AND k.last
        """,
        firsts=[first for first, _ in ranges],
        lasts=[last for _, last in ranges],
        **_one(series),
    )
    return joined((row.folio, row.folio) for row in rows)


def untaken(tx: Connection, series: Series, ranges: Iterable[Range]) -> list[Range]:
    """The numbers among these that neither a document nor a void has."""
    wanted = joined(ranges)
    void = [(row["first"], row["last"]) for row in voids(tx, series)]
    return without(wanted, [*void, *used(tx, series, wanted)])


def make_void(tx: Connection, series: Series, ranges: Iterable[Range], reason: str) -> list[Range]:
    """Explain numbers as void, as far as no other row explains them; returns those that are newly void.

    The company must be held. Counters aren't settled by this.
    """
    fresh = untaken(tx, series, ranges)
    if fresh:
        run(
            tx,
            """
            INSERT INTO folio_voids (issuer, environment, document_type, first, last, reason)
            SELECT :issuer, :environment, :document_type, first, last, :reason
            FROM unnest(CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[])) AS v (first, last)
            """,
            firsts=[first for first, _ in fresh],
            lasts=[last for _, last in fresh],
            reason=reason,
            **_one(series),
        )
    return fresh


RANGES = """
    SELECT c.id AS caf, c.issuer, c.environment, c.document_type AS type, c.first, c.last, f.next,
           f.last - f.next + 1 - f.taken AS left, c.authorised_on, c.expires_on,
           c.expires_on < (fmgo_now() AT TIME ZONE 'America/Santiago')::date AS expired, c.reserve,
           c.branch, c.withdrawn_at,
           (SELECT count(*) FROM documents d
            WHERE d.issuer = c.issuer AND d.environment = c.environment AND d.document_type = c.document_type
              AND d.folio BETWEEN c.first AND c.last AND d.state NOT IN ('imported', 'withdrawn')) AS used,
           (SELECT count(*) FROM documents d
            WHERE d.issuer = c.issuer AND d.environment = c.environment AND d.document_type = c.document_type
              AND d.folio BETWEEN c.first AND c.last AND d.state = 'imported') AS imported
    FROM cafs c JOIN folio_counters f ON f.caf = c.id
    WHERE c.issuer = :issuer AND c.environment = :environment
      AND (CAST(:document_type AS smallint) IS NULL OR c.document_type = :document_type)
    ORDER BY c.document_type, c.authorised_on, c.first
"""


def ranges(tx: Connection, issuer: str, environment: str, document_type: int | None) -> list[dict[str, Any]]:
    """A company's ranges with what became of their numbers; `left` are those that may still be given."""
    rows = run(tx, RANGES, issuer=issuer, environment=environment, document_type=document_type)
    found = [dict(row._mapping) for row in rows]  # noqa: SLF001  (SQLAlchemy's documented way to a dict)
    for row in found:
        row["expired"] = bool(row["expired"])
    return found


def types_with_voids(tx: Connection, issuer: str, environment: str) -> list[int]:
    """The types of which a company has void folios."""
    rows = run(
        tx,
        """
        SELECT DISTINCT document_type FROM folio_voids
        WHERE issuer = :issuer AND environment = :environment ORDER BY document_type
        """,
        issuer=issuer,
        environment=environment,
    )
    return [row.document_type for row in rows]


def _one(series: Series) -> dict[str, Any]:
    return dict(zip(("issuer", "environment", "document_type"), series, strict=True))


def _columns(series: Sequence[Series]) -> dict[str, Any]:
    return {
        "issuers": [issuer for issuer, _, _ in series],
        "environments": [environment for _, environment, _ in series],
        "types": [document_type for _, _, document_type in series],
    }
