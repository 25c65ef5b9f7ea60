"""What `fmgo doctor` asks the ledger: is it sound, does somebody work on it, what will run out, what stands still.

Reading only. Times are the ledger's own business time but for heartbeats.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from workers.database.engine import count, run

Row = dict[str, Any]


def _rows(tx: Connection, sql: str, **values: object) -> list[Row]:
    return [dict(row._mapping) for row in run(tx, sql, **values)]  # noqa: SLF001  (the documented way to a dict)


def server(tx: Connection) -> Row:
    """Version, the step that the tables are at (None: no tables), times of server and business."""
    (row,) = _rows(
        tx,
        """
        SELECT current_setting('server_version') AS version,
               current_setting('server_version_num')::integer AS version_number,
               clock_timestamp() AS at, to_regclass('alembic_version') IS NOT NULL AS has_tables
        """,
    )
    step = run(tx, "SELECT version_num FROM alembic_version").scalar() if row["has_tables"] else None
    return {**row, "step": step}


def is_read_only(tx: Connection) -> bool:
    """Whether nothing can be written: a stand-by, or a server whose guard against a full disk has shut it."""
    return bool(run(tx, "SELECT current_setting('transaction_read_only')::boolean").scalar_one())


def use_the_disk(tx: Connection) -> None:
    """Have PostgreSQL write some 4 MB for a sort and forget them; raises DBAPIError (53100) when its disk is full."""
    run(tx, "SET LOCAL work_mem = '64kB'")
    run(
        tx,
        "SELECT count(*) FROM (SELECT g || repeat('x', 1000) FROM generate_series(1, 4000) AS g ORDER BY 1 OFFSET 0) s",
    )


def epoch(tx: Connection) -> Row:
    """The ledger's epoch, and since when its evidence is replayed (None: it isn't)."""
    return _rows(tx, "SELECT epoch, reason, raised_at, replayed_at FROM ledger_epoch")[0]


def clock_offset_seconds(tx: Connection) -> float:
    """How far business time is from the server's: zero but in a sandbox."""
    return float(run(tx, "SELECT extract(epoch FROM by) FROM clock_offset").scalar_one())


def partitions(tx: Connection) -> list[Row]:
    """For each partitioned table: months ahead that exist already, and whether its default partition holds rows."""
    found = _rows(
        tx,
        """
        SELECT p.relname AS parent, count(c.relname) FILTER (
                   WHERE c.relname ~ '_[0-9]{6}$'
                     AND right(c.relname, 6) > to_char(fmgo_now() AT TIME ZONE 'UTC', 'YYYYMM')) AS ahead
        FROM pg_class p JOIN pg_inherits i ON i.inhparent = p.oid JOIN pg_class c ON c.oid = i.inhrelid
        WHERE p.relkind = 'p' AND p.relnamespace = 'public'::regnamespace
        GROUP BY p.relname ORDER BY p.relname
        """,
    )
    for row in found:
        query = f'SELECT EXISTS (SELECT FROM "{row["parent"]}_default")'  # noqa: S608  (a name of our own schema)
        row["default_holds_rows"] = bool(run(tx, query).scalar_one())
    return found


def secrets_by_key(tx: Connection) -> list[Row]:
    """One sealed certificate key and one sealed CAF key for each vault key in use."""
    return _rows(
        tx,
        """
        (SELECT DISTINCT ON (key_id) key_id, 'certificate' AS kind, certificate_der AS public,
                private_key_sealed AS sealed
         FROM certificates ORDER BY key_id, id DESC)
        UNION ALL
        (SELECT DISTINCT ON (key_id) key_id, 'caf', caf_xml, private_key_sealed FROM cafs ORDER BY key_id, id DESC)
        """,
    )


def certificates_needed(tx: Connection) -> list[Row]:
    """Each company with the end of the last certificate that may serve it (None: it has none in force)."""
    return _rows(
        tx,
        """
        SELECT i.rut, i.environment, max(c.not_after) AS until, max(c.not_after) - fmgo_now() AS remaining
        FROM issuers i
        LEFT JOIN issuer_grants g ON g.issuer = i.rut AND g.environment = i.environment AND g.can_sign AND g.can_send
        LEFT JOIN certificates c ON c.person = g.person AND c.retired_at IS NULL
             AND c.not_before <= fmgo_now() AND c.not_after > fmgo_now()
        GROUP BY i.rut, i.environment ORDER BY i.environment, i.rut
        """,
    )


def folios(tx: Connection, days: int) -> list[Row]:
    """Each company and type with the folios left in ranges still in force, and what each of the last days used."""
    return _rows(
        tx,
        """
        WITH today AS (SELECT (fmgo_now() AT TIME ZONE 'America/Santiago')::date AS today),
        used AS (
            SELECT issuer, environment, document_type, (signed_at AT TIME ZONE 'America/Santiago')::date AS day,
                   count(*) AS n
            FROM documents WHERE signed_at > fmgo_now() - make_interval(days => :days + 1)
            GROUP BY 1, 2, 3, 4
        )
        SELECT c.issuer, c.environment, c.document_type,
               coalesce(sum(f.last - f.next + 1 - f.taken) FILTER (
                   WHERE c.expires_on IS NULL OR c.expires_on >= t.today), 0) AS left,
               min(c.expires_on) FILTER (WHERE c.expires_on >= t.today AND f.next <= f.last) AS next_expiry,
               coalesce(sum(f.last - f.next + 1 - f.taken) FILTER (WHERE c.expires_on < t.today), 0) AS expired_unused,
               (SELECT coalesce(jsonb_object_agg(u.day, u.n), '{}') FROM used u
                WHERE u.issuer = c.issuer AND u.environment = c.environment AND u.document_type = c.document_type)
                   AS used,
               t.today
        FROM cafs c JOIN folio_counters f ON f.caf = c.id CROSS JOIN today t
        WHERE c.withdrawn_at IS NULL
        GROUP BY c.issuer, c.environment, c.document_type, t.today ORDER BY 2, 1, 3
        """,
        days=days,
    )


def uf_of_the_year(tx: Connection, boleta_types: Sequence[int]) -> Row:
    """The UF that fixes this year's limit of boletas (None: not known), its day, and whether anybody has their folios.

    The day is 31 December of the year before in Chile; from 20 December on `next_day` and `next_value` are those of
    the year to come.
    """
    row = run(
        tx,
        """
        SELECT t.day, v.value, t.next_day, n.value AS next_value,
               EXISTS (SELECT FROM cafs
                       WHERE document_type = ANY (CAST(:types AS smallint[])) AND withdrawn_at IS NULL) AS boletas
        FROM (SELECT (date_trunc('year', here) - interval '1 day')::date AS day,
                     CASE WHEN here >= date_trunc('year', here) + interval '1 year - 12 days'
                          THEN (date_trunc('year', here) + interval '1 year - 1 day')::date END AS next_day
              FROM (SELECT fmgo_now() AT TIME ZONE 'America/Santiago' AS here) AS h) t
        LEFT JOIN uf_values v ON v.day = t.day
        LEFT JOIN uf_values n ON n.day = t.next_day
        """,
        types=list(boleta_types),
    ).one()
    return dict(row._mapping)  # noqa: SLF001  (the documented way to a dict)


def standing_still(tx: Connection) -> list[Row]:
    """Documents that wait, are held or need a person, by state and cause."""
    return _rows(
        tx,
        """
        SELECT state, coalesce(held, '') AS cause, count(*) AS documents, min(received_at) AS since
        FROM documents
        WHERE state IN ('waiting', 'quarantined', 'conflict') OR (state = 'signed' AND held <> 'replaced')
        GROUP BY state, held ORDER BY state, held
        """,
    )


def overdue(tx: Connection) -> Row:
    """Documents that have been due for longer than a minute and nobody holds, and results nobody was told."""
    return _rows(
        tx,
        """
        SELECT (SELECT count(*) FROM documents
                WHERE due_at < fmgo_now() - interval '1 minute' AND lease_owner IS NULL AND held IS NULL) AS documents,
               (SELECT count(*) FROM results_due) AS results
        """,
    )[0]


def envelope_counts(tx: Connection) -> dict[str, int]:
    """Envelopes by state; those of refused ones that were released don't count."""
    rows = run(tx, "SELECT state, count(*) AS n FROM envelopes WHERE released_at IS NULL GROUP BY state ORDER BY state")
    return {row.state: row.n for row in rows}


def rejected_and_left(tx: Connection, days: int) -> list[Row]:
    """Documents that the SII rejected in the last days and that no other took the place of, by company and type."""
    return _rows(
        tx,
        """
        SELECT issuer, environment, document_type, count(*) AS documents, min(decided_at) AS since,
               (array_agg(id ORDER BY decided_at DESC, id))[1] AS latest
        FROM documents d
        WHERE state = 'rejected' AND decided_at > fmgo_now() - make_interval(days => :days)
          AND NOT EXISTS (SELECT FROM documents heir
                          WHERE heir.replaces = d.id AND heir.state NOT IN ('invalid', 'cancelled'))
        GROUP BY 1, 2, 3 ORDER BY 2, 1, 3
        """,
        days=days,
    )


def sii_state(tx: Connection) -> list[Row]:
    """Services of the SII that are closed or fail, people's sessions that bring no token, envelopes with an alert.

    `down`: nothing gets through there. A service that only asked to wait isn't.
    """
    return _rows(
        tx,
        """
        SELECT environment || ' ' || service AS what, CAST(NULL AS text) AS alert,
               failures > 0 AND (closed_until IS NOT NULL OR failing_since < fmgo_now() - interval '10 minutes')
                   AS down,
               CASE WHEN closed_until IS NULL THEN 'fails' WHEN failures > 0 THEN 'is closed' ELSE 'asked to wait' END
               || coalesce(to_char(failing_since AT TIME ZONE 'UTC', '" since "YYYY-MM-DD HH24:MI" UTC"'), '')
               || coalesce(': ' || reason, '') AS why
        FROM sii_services
        WHERE closed_until > fmgo_now() OR failures > 0
        UNION ALL
        SELECT 'login of ' || person || ' (' || environment || ', ' || channel || ')', alert, true,
               problem || coalesce(to_char(retry_at AT TIME ZONE 'UTC', '"; next try "YYYY-MM-DD HH24:MI" UTC"'), '')
        FROM sii_sessions WHERE problem IS NOT NULL
        UNION ALL
        SELECT count(*) || ' envelopes, the first ' || min(id::text), alert, false,
               'they need a look: `fmgo envelope show`'
        FROM envelopes WHERE alert IS NOT NULL GROUP BY alert
        """,
    )


def without_mail(tx: Connection) -> list[str]:
    """Companies that send by DTEUpload and have no source of result mails."""
    rows = run(
        tx,
        """
        SELECT i.rut || '@' || i.environment AS company FROM issuers i
        WHERE NOT EXISTS (SELECT FROM mail_sources s WHERE s.issuer = i.rut AND s.environment = i.environment)
          AND EXISTS (SELECT FROM cafs c WHERE c.issuer = i.rut AND c.environment = i.environment
                                           AND c.document_type NOT IN (39, 41))
        ORDER BY 1
        """,
    )
    return [row.company for row in rows]


def without_copy(tx: Connection) -> int:
    """Documents that were signed more than a minute ago and have no second copy yet."""
    sql = """
        SELECT count(*) FROM documents
        WHERE state = 'signed' AND evidenced_at IS NULL AND due_at IS NOT NULL
          AND signed_at < fmgo_now() - interval '1 minute'
    """
    return count(tx, sql)


def refused_lately(tx: Connection) -> int:
    """Messages that were no jobs in the last day."""
    sql = "SELECT count(*) FROM refused_messages WHERE at > fmgo_now() - interval '1 day'"
    return int(run(tx, sql).scalar_one())
