"""Values of the UF (unidad de fomento), in pesos with two decimals, by day in Chile."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from workers.database.engine import run


def values(tx: Connection, days: Iterable[date]) -> dict[date, Decimal]:
    """The values of those of the days that are known."""
    wanted = sorted(set(days))
    if not wanted:
        return {}
    rows = run(tx, "SELECT day, value FROM uf_values WHERE day = ANY (CAST(:days AS date[]))", days=wanted)
    return {row.day: row.value for row in rows}


def put(tx: Connection, given: Mapping[date, Decimal]) -> int:
    """Store values, also in the place of others; returns how many are new or changed."""
    days = sorted(given)
    return run(
        tx,
        """
        INSERT INTO uf_values (day, value)
        SELECT * FROM unnest(CAST(:days AS date[]), CAST(:figures AS numeric[]))
        ON CONFLICT (day) DO UPDATE SET value = excluded.value, set_at = fmgo_now()
        WHERE uf_values.value <> excluded.value
        """,
        days=days,
        figures=[given[day] for day in days],
    ).rowcount


def latest(tx: Connection, limit: int) -> list[dict[str, Any]]:
    """The latest values, newest first."""
    rows = run(tx, "SELECT day, value, set_at FROM uf_values ORDER BY day DESC LIMIT :limit", limit=limit)
    return [{"date": row.day, "value": row.value, "set_at": row.set_at} for row in rows]
