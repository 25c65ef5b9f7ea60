"""The doctor: well where all is well, and for each trouble its finding and what to do."""

import re
from pathlib import Path

import psycopg
import pytest

from tests.integration.cli.conftest import ISSUER_ADD, Fmgo
from tests.integration.enrolment import kit
from tests.integration.producer.jobs import body, job, make_issued, producer_at

WORKERS = (
    b"INSERT INTO workers (kind, host, pid, epoch)"
    b" VALUES ('interactive', 'h', 1, 1), ('bulk', 'h', 2, 1), ('threads', 'h', 3, 1)"
)
UF = (
    b"INSERT INTO uf_values (day, value) SELECT"
    b" (date_trunc('year', fmgo_now() AT TIME ZONE 'America/Santiago')"
    b" + n * interval '1 year' - interval '1 day')::date, 39643.59 FROM generate_series(0, 1) AS n"
)


def execute(database: str, *statements: bytes) -> None:
    with psycopg.connect(database) as connection:
        for statement in statements:
            connection.execute(statement)


def troubles(fmgo: Fmgo) -> tuple[int, set[tuple[str, str]]]:
    """Exit code, and level and matter of each finding that isn't well."""
    answer = fmgo("doctor", "--json")
    found = answer.objects
    assert all(one["todo"] for one in found if one["level"] != "ok")
    return answer.code, {(one["level"], one["about"]) for one in found if one["level"] != "ok"}


@pytest.fixture
def well(fmgo: Fmgo, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fmgo:
    """An installation that lacks nothing."""
    (tmp_path / "firma.pfx").write_bytes(kit.pfx())
    (tmp_path / "caf.xml").write_bytes(kit.caf(document_type=39))
    fmgo(*ISSUER_ADD)
    monkeypatch.setenv("FMGO_PASSWORD", kit.PASSWORD)
    assert fmgo("certificate", "add", tmp_path / "firma.pfx", "--for", kit.ISSUER).code == 0
    assert fmgo("caf", "add", tmp_path / "caf.xml").code == 0
    execute(database, WORKERS, UF)
    return fmgo


def test_all_is_well(well: Fmgo) -> None:
    assert troubles(well) == (0, set())
    shown = well("doctor")
    assert (shown.code, "all is well" in shown.out) == (0, True)


def test_the_newer_format_is_told_as_unverified(well: Fmgo, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {one["about"]: one["said"] for one in well("doctor", "--json").objects}
    assert "by each document's day" in told["format"]
    monkeypatch.setenv("FMGO_FORMAT_PROFILE", "2019")
    assert ("warn", "format") in troubles(well)[1]
    monkeypatch.setenv("FMGO_FORMAT_PROFILE", "2026")
    assert ("warn", "format") in troubles(well)[1]
    told = {one["about"]: one["said"] for one in well("doctor", "--json").objects}
    assert "profile 2026" in told["format"]


def test_an_empty_installation_lacks_workers(fmgo: Fmgo) -> None:
    assert troubles(fmgo) == (1, {("fail", "workers")})
    assert "`fmgo worker threads`" in fmgo("doctor").out


TROUBLES: dict[str, tuple[bytes, tuple[str, str]]] = {
    "a kind of worker is missing": (b"DELETE FROM workers WHERE kind = 'bulk'", ("fail", "workers")),
    "a process hangs": (
        b"UPDATE workers SET doing = 'fmgo.issue', doing_seconds = 400 WHERE kind = 'bulk'",
        ("fail", "workers"),
    ),
    "processes died": (
        (
            b"INSERT INTO workers (kind, host, pid, epoch, stopped_at, buried)"
            b" VALUES ('bulk', 'h', 9, 1, clock_timestamp(), true)"
        ),
        ("warn", "workers"),
    ),
    "a later ledger": (b"UPDATE alembic_version SET version_num = '9999'", ("fail", "ledger")),
    "an empty ledger": (b"DROP TABLE alembic_version", ("fail", "ledger")),
    "evidence to be replayed": (b"UPDATE ledger_epoch SET replayed_at = NULL", ("fail", "epoch")),
    "other tables": (b"UPDATE alembic_version SET version_num = 'x'", ("fail", "ledger")),
    "no certificate": (b"UPDATE certificates SET retired_at = now()", ("fail", "certificates")),
    "certificate ends": (b"UPDATE certificates SET not_after = now() + interval '9 days'", ("warn", "certificates")),
    "no folios": (b"UPDATE folio_counters SET next = last + 1", ("fail", "folios")),
    "no UF of 31 December": (b"DELETE FROM uf_values", ("warn", "UF")),
    "folios end soon": (b"UPDATE cafs SET expires_on = now() + interval '9 days'", ("warn", "folios")),
    "folios ended": (b"UPDATE cafs SET expires_on = '2020-01-01'", ("fail", "folios")),
    "a row without its month": (
        (
            b"INSERT INTO document_events (at, document_id, from_state, to_state)"
            b" VALUES ('2001-01-01', gen_random_uuid(), '', 'received')"
        ),
        ("fail", "partitions"),
    ),
    "waiting": (
        b"UPDATE documents SET state = 'waiting', held = 'folio', due_at = NULL",
        ("warn", "documents"),
    ),
    "quarantined": (
        b"UPDATE documents SET state = 'quarantined', held = 'deaths', due_at = NULL",
        ("fail", "documents"),
    ),
    "overdue": (b"UPDATE documents SET due_at = now() - interval '1 hour'", ("warn", "documents")),
    "untold": (b"UPDATE documents SET version = 1", ("warn", "results")),
    "a service asked to wait": (
        b"INSERT INTO sii_services (environment, service, closed_until) VALUES ('certification', 'x', '2100-01-01')",
        ("warn", "SII"),
    ),
    "a service fails": (
        (
            b"INSERT INTO sii_services (environment, service, failures, failing_since, reason)"
            b" VALUES ('certification', 'x', 2, now(), 'no connection')"
        ),
        ("warn", "SII"),
    ),
    "a service has failed for long": (
        (
            b"INSERT INTO sii_services (environment, service, failures, failing_since)"
            b" VALUES ('certification', 'x', 2, now() - interval '11 minutes')"
        ),
        ("fail", "SII"),
    ),
    "a service is down": (
        (
            b"INSERT INTO sii_services (environment, service, failures, closed_until)"
            b" VALUES ('certification', 'x', 9, now() - interval '1 second')"
        ),
        ("fail", "SII"),
    ),
    "a login fails": (
        (
            b"INSERT INTO sii_sessions (person, environment, channel, problem)"
            b" SELECT rut, 'certification', 'soap', 'no token' FROM persons"
        ),
        ("fail", "SII"),
    ),
    "the last folios": (
        (
            b"UPDATE documents SET document_type = 39, folio = 1, caf = (SELECT id FROM cafs), state = 'signed',"
            b" evidenced_at = now(), signed_at = now() - interval '1 day'; UPDATE folio_counters SET next = last"
        ),
        ("warn", "folios"),
    ),
    "rejected and left": (
        (
            b"UPDATE documents SET document_type = 39, folio = 1, caf = (SELECT id FROM cafs), state = 'rejected',"
            b" decided_at = now(), due_at = NULL"
        ),
        ("warn", "rejected"),
    ),
    "sending is stopped": (
        b"UPDATE switches SET sending_stopped_at = now() WHERE environment = 'certification'",
        ("warn", "switches"),
    ),
    "no job came": (
        (
            b"INSERT INTO refused_messages (source, code, reason, body, size, digest)"
            b" VALUES ('list', 'X', 'x', 'x', 1, repeat('a', 64))"
        ),
        ("warn", "messages"),
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_a_trouble_is_found_and_only_that(well: Fmgo, database: str, redis_url: str, name: str) -> None:
    with producer_at(database, redis_url) as producer:
        producer.enqueue(body("k"))
    statement, trouble = TROUBLES[name]
    execute(database, statement)
    code, found = troubles(well)
    assert trouble in found
    assert {about for _, about in found} == {trouble[1]}
    assert code == (1 if trouble[0] == "fail" else 0)


def test_months_that_are_not_made_are_found(well: Fmgo, database: str) -> None:
    execute(database, *(f"DROP TABLE {table}".encode() for (table,) in _months_ahead(database)))
    assert troubles(well) == (0, {("warn", "partitions")})


def _months_ahead(database: str) -> list[tuple[str, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(
            b"SELECT relname FROM pg_class WHERE relname ~ '^document_events_[0-9]{6}$'"
            b" AND right(relname, 6) > to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')"
        ).fetchall()


@pytest.mark.parametrize(("day", "level"), [("12-19", "ok"), ("12-20", "warn"), ("12-31", "warn")])
def test_the_uf_of_the_next_year_is_asked_for_before_it_begins(well: Fmgo, database: str, day: str, level: str) -> None:
    execute(
        database,
        b"DELETE FROM uf_values WHERE day >= date_trunc('year', now())",
        b"SET fmgo.sandbox = 'on'",
        (
            "UPDATE clock_offset SET by ="
            f" (extract(year FROM now())::text || '-{day} 12:00')::timestamp AT TIME ZONE 'America/Santiago' - now()"
        ).encode(),
    )
    (told,) = [one for one in well("doctor", "--json").objects if one["about"] == "UF"]
    assert told["level"] == level, told


def test_the_uf_matters_where_boletas_are_issued(well: Fmgo, database: str) -> None:
    execute(database, b"DELETE FROM uf_values", b"UPDATE cafs SET withdrawn_at = now()")
    assert ("warn", "UF") not in troubles(well)[1]


def test_a_moved_clock_is_told(well: Fmgo, database: str) -> None:
    execute(database, b"SET fmgo.sandbox = 'on'", b"UPDATE clock_offset SET by = '1 hour'")
    assert troubles(well) == (0, {("warn", "clock")})


def test_a_vault_without_the_right_key_is_found(well: Fmgo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FMGO_VAULT_KEY_FILE")
    assert troubles(well) == (1, {("fail", "vault")})
    monkeypatch.setenv("FMGO_VAULT_KEYS", "other:" + "A" * 43 + "=")
    assert troubles(well) == (1, {("fail", "vault")})


def test_an_evidence_folder_that_is_missing_is_found(
    well: Fmgo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FMGO_EVIDENCE_DIR", str(tmp_path / "missing"))
    assert troubles(well) == (1, {("fail", "evidence")})


def test_documents_that_wait_for_their_second_copy_are_counted(well: Fmgo, database: str, redis_url: str) -> None:
    with producer_at(database, redis_url) as producer:
        document = producer.enqueue(job("k")).document_id
    assert document is not None
    make_issued(database, document, folio=7)
    execute(
        database,
        b"UPDATE documents SET evidenced_at = NULL, due_at = now(), signed_at = now() - interval '2 minutes'",
    )
    said = [one["said"] for one in well("doctor", "--json").objects if one["about"] == "evidence"]
    assert "1 documents are signed and wait for their second copy" in said


def test_the_probe_leaves_nothing_behind(well: Fmgo, environment: dict[str, str]) -> None:
    well("doctor")
    assert list(Path(environment["FMGO_EVIDENCE_DIR"]).iterdir()) == []


def test_servers_that_are_away_are_found(well: Fmgo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMGO_REDIS_URL", "redis://127.0.0.1:1/0")
    assert troubles(well) == (1, {("fail", "Redis")})
    monkeypatch.setenv("FMGO_DATABASE_URL", "postgresql://x@127.0.0.1:1/x")
    assert troubles(well) == (1, {("fail", "Redis"), ("fail", "ledger")})
    monkeypatch.delenv("FMGO_DATABASE_URL")
    assert troubles(well) == (1, {("fail", "settings")})


def test_a_rejected_document_that_was_replaced_is_told_no_more(well: Fmgo, database: str, redis_url: str) -> None:
    with producer_at(database, redis_url) as producer:
        rejected = producer.enqueue(body("k")).document_id
        heir = producer.enqueue(body("k2")).document_id
    execute(database, TROUBLES["rejected and left"][0].replace(b" folio = 1", b" folio = length(key)"))
    execute(database, f"UPDATE documents SET replaces = '{rejected}', state = 'signed' WHERE id = '{heir}'".encode())
    assert ("warn", "rejected") not in troubles(well)[1]


def test_the_status_of_the_sii_says_failing_where_nothing_gets_through(well: Fmgo, database: str) -> None:
    assert well("sii", "status").code == 0
    execute(database, TROUBLES["a service fails"][0])
    shown = well("sii", "status")
    assert (shown.code, "failing" in shown.out, "no connection" in shown.out) == (1, True, True)
    (service,) = well("sii", "status", "--json").objects
    assert (service["state"], service["failures"]) == ("failing", 2)
    execute(database, b"DELETE FROM sii_services", TROUBLES["a login fails"][0])
    shown = well("sii", "status")
    assert (shown.code, "login" in shown.out, "no token" in shown.out) == (1, True, True)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_at_a_terminal_of_any_width_no_line_is_wider(
    well: Fmgo, database: str, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    execute(database, TROUBLES["a service fails"][0], TROUBLES["sending is stopped"][0], b"DELETE FROM workers")
    for command in (("doctor",), ("sii", "status"), ("caf", "list"), ("issuer", "list"), ("folio", "list", kit.ISSUER)):
        lines = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in well(*command).out.splitlines()]
        assert len(lines) > 2
        assert max(map(len, lines)) <= width, lines
