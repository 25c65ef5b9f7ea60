"""Settings: defaults that are safe, and a sentence for each variable at fault."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kombu import Connection
from psycopg.conninfo import conninfo_to_dict
from pydantic import ValidationError

from workers.cache.connection import connect
from workers.clock import SystemClock, santiago
from workers.database.engine import Ledger
from workers.ground import faults
from workers.settings import _NO_SETTINGS, _OF_OTHERS, Settings, SettingsError, read_settings, unknown_variables
from workers.settings import settings as cached

NEEDED = {
    "FMGO_DATABASE_URL": "postgresql://fmgo:dbS3cret@h/fmgo",
    "FMGO_REDIS_URL": "redis://:rdS3cret@h:6379/0",
    "FMGO_EVIDENCE_DIR": "/var/lib/fmgo/evidence",
}


@pytest.fixture(autouse=True)
def only_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("FMGO_"):
            monkeypatch.delenv(name)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)


ROOT = Path(__file__).parents[3]


def refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert caught.value.code == "SETTINGS-INVALID"
    (sentence,) = caught.value.sentences
    assert sentence.startswith(name)
    assert len(value) < 10 or value not in sentence
    return sentence


def test_needed_variables_suffice_and_give_certification() -> None:
    read = read_settings()
    assert read.evidence_dir == Path("/var/lib/fmgo/evidence")
    assert (read.soap_host, read.rest_host, read.rest_upload_host) == (
        "https://maullin.sii.cl",
        "https://apicert.sii.cl",
        "https://pangal.sii.cl",
    )
    assert read.cache == read.redis_url


def test_format_is_that_of_each_documents_day_unless_one_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().format_profile is None
    monkeypatch.setenv("FMGO_FORMAT_PROFILE", "2026")
    assert read_settings().format_profile == "2026"
    refused(monkeypatch, "FMGO_FORMAT_PROFILE", "2020")


def test_production_hosts_need_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMGO_SII_ENVIRONMENT", "production")
    read = read_settings()
    assert (read.soap_host, read.rest_host, read.rest_upload_host) == (
        "https://palena.sii.cl",
        "https://api.sii.cl",
        "https://rahue.sii.cl",
    )
    assert "SII_ENVIRONMENT" in refused(monkeypatch, "FMGO_SII_ENVIRONMENT", "Production!")


def test_hosts_given_are_used_without_a_slash_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMGO_SII_SOAP_URL", "http://127.0.0.1:8001/")
    monkeypatch.setenv("FMGO_CACHE_URL", "redis://other")
    assert read_settings().soap_host == "http://127.0.0.1:8001"
    assert read_settings().cache == "redis://other"


@pytest.mark.parametrize("url", ["ftp://h", "https://", "https://h/path", "https://u:pw@h", "https://h?x=1", "palena"])
def test_host_of_another_shape_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    refused(monkeypatch, "FMGO_SII_REST_URL", url)


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ("certification", "https://palena.sii.cl"),
        ("certification", "https://rahue.sii.cl"),
        ("production", "https://maullin.sii.cl"),
        ("certification", "http://maullin.sii.cl"),
        ("production", "https://palena.sii.cl:8443"),
        ("certification", "https://nogal.sii.cl"),
    ],
)
@pytest.mark.parametrize("name", ["SOAP", "REST", "REST_UPLOAD", "CLAIMS"])
def test_a_host_of_the_sii_s_other_world_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, environment: str, url: str
) -> None:
    monkeypatch.setenv("FMGO_SII_ENVIRONMENT", environment)
    assert environment in refused(monkeypatch, f"FMGO_SII_{name}_URL", url)


def test_each_world_has_four_hosts_and_shares_none(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for environment in ("certification", "production"):
        monkeypatch.setenv("FMGO_SII_ENVIRONMENT", environment)
        read = read_settings()
        found[environment] = {read.soap_host, read.rest_host, read.rest_upload_host, read.claims_host}
    assert {len(hosts) for hosts in found.values()} == {4}
    assert not found["certification"] & found["production"]


def test_no_module_but_the_settings_names_a_host_of_the_sii() -> None:
    naming = {
        str(path.relative_to(ROOT))
        for folder in ("workers", "domain", "tasks")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"https?://(?!www\.)[a-z0-9]+\.sii\.cl", path.read_text(encoding="utf-8"))
    }
    assert naming == {"workers/settings.py"}


@pytest.mark.parametrize("url", ["redis+cluster://:rdS3cret@h", "rediscluster://h:1", "redis://h1:1,h2:2/0"])
def test_redis_cluster_is_refused_with_a_sentence(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    sentence = refused(monkeypatch, "FMGO_REDIS_URL", url)
    assert "Redis Cluster can't carry FMgo's queues" in sentence
    assert "rdS3cret" not in sentence


@pytest.mark.parametrize("url", ["sentinel://h:26379", "http://h", "h:6379"])
def test_other_redis_urls_are_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    refused(monkeypatch, "FMGO_CACHE_URL", url)


@pytest.mark.parametrize("url", ["postgresql+psycopg://h/d", "mysql://h/d", "h"])
def test_database_url_is_libpq_s(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    refused(monkeypatch, "FMGO_DATABASE_URL", url)


def test_missing_variables_are_named_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NEEDED:
        monkeypatch.setenv(name, "")
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert [sentence.partition(" ")[0] for sentence in caught.value.sentences] == list(NEEDED)


@pytest.mark.parametrize(
    ("name", "value"), [("FMGO_CHUNK_DOCUMENTS", "201"), ("FMGO_LEASE_SECONDS", "0"), ("FMGO_LOG_LEVEL", "LOUD")]
)
def test_number_or_word_outside_its_limits_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    refused(monkeypatch, name, value)


def test_settings_are_frozen_kept_and_show_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    cached.cache_clear()
    try:
        first = cached()
        monkeypatch.setenv("FMGO_LOG_LEVEL", "DEBUG")
        assert cached() is first
        with pytest.raises(ValidationError):
            first.log_level = "DEBUG"  # type: ignore[misc]
        assert "S3cret" not in repr(first)
    finally:
        cached.cache_clear()


def test_chunks_and_deadlines_leave_room_for_each_other() -> None:
    read = Settings.model_validate({})
    assert read.upload_deadline_seconds + read.upload_grace_seconds < read.lease_seconds
    assert read.upload_grace_seconds < read.resend_after_seconds < read.dedupe_window_seconds
    assert read.beat_seconds * 2 < read.dead_after_seconds


@pytest.mark.parametrize(("month", "hour"), [(1, 9), (7, 8)])
def test_santiago_keeps_summer_and_winter_time(month: int, hour: int) -> None:
    assert santiago(datetime(2026, month, 15, 12, tzinfo=UTC)).hour == hour


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        santiago(datetime(2026, 1, 1))  # noqa: DTZ001


def test_system_clock_is_aware_and_goes_forward() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


SECRET = "cl@ve-secreta"

WRONG_URLS = {
    "FMGO_DATABASE_URL": [
        "postgres://h/d",
        "PostgreSQL://h/d",
        "postgresql://h:abc/d",
        "postgresql://h:0/d",
        "postgresql://h:99999/d",
        f"postgresql://u:{SECRET}@h/d",
        "postgresql://u:half%of@h/d",
        "postgresql://u:a#b@h/d",
        "postgresql://u:a/b@h/d",
        "postgresql://u:a[b@h/d",
        "postgresql://h1:1,h2:2/d",
        "postgresql://h/d?sslmod=require",
    ],
    "FMGO_REDIS_URL": [
        "REDIS://h",
        "unix:///run/redis.sock",
        "redis://h:abc/0",
        "redis://h/zero",
        "redis://h/0?db=1",
        f"redis://:{SECRET}@h",
        "redis://:a#b@h",
        "rediss://h",
        "rediss://h?ssl_cert_reqs=perhaps",
        "redis+socket://h/path",
        "redis+socket:///path?virtual_host=one",
        "redis+socket:///path?db=1",
        "h:6379",
        "redis",
    ],
    "FMGO_SII_SOAP_URL": ["https://h:abc", "https://[h"],
}


@pytest.mark.parametrize(("name", "url"), [(name, url) for name, urls in WRONG_URLS.items() for url in urls])
def test_a_url_that_not_every_library_understands_is_refused_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, name: str, url: str
) -> None:
    sentence = refused(monkeypatch, name, url)
    for part in ("secreta", "half", "a#b", "a/b", "zero", "perhaps"):
        assert part not in sentence


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("FMGO_DATABASE_URL", "postgresql://fmgo@/fmgo?host=/run/postgresql"),
        ("FMGO_DATABASE_URL", "postgresql://fmgo:cl%40ve%2Fx@[::1]:5432/fmgo?sslmode=verify-full"),
        ("FMGO_REDIS_URL", "redis://default:cl%40ve@h:6379/3"),
        ("FMGO_REDIS_URL", "rediss://h/0?ssl_cert_reqs=required&ssl_ca_certs=/etc/ca.pem"),
        ("FMGO_REDIS_URL", "redis+socket:///run/redis.sock?virtual_host=3"),
    ],
)
def test_a_url_that_is_accepted_means_the_same_to_every_library(
    monkeypatch: pytest.MonkeyPatch, name: str, url: str
) -> None:
    monkeypatch.setenv(name, url)
    read = read_settings()
    if name == "FMGO_DATABASE_URL":
        ledger = Ledger(read.database_url)
        meant = conninfo_to_dict(url)
        arguments = ledger.engine.dialect.create_connect_args(ledger.engine.url)[1]
        assert {key: str(arguments[key]) for key in ("host", "user", "dbname")} == {
            key: meant[key] for key in ("host", "user", "dbname")
        }
        assert arguments.get("password") == meant.get("password")
        ledger.dispose()
        return
    ours = connect(read.redis_url).connection_pool.connection_kwargs
    with Connection(read.redis_url) as connection:
        celerys = connection.info()
    if "+socket" not in url:
        assert (celerys["hostname"], celerys["password"]) == (ours["host"], ours.get("password"))
    else:
        assert f"{ours['path']}?virtual_host={ours['db']}" in celerys["hostname"]
        return
    assert int(celerys["virtual_host"] or 0) == int(ours.get("db") or 0)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("FMGO_SII_ENVIROMENT", "FMGO_SII_ENVIRONMENT"),
        ("FMGO_EVIDENCE_DIRS", "FMGO_EVIDENCE_DIR"),
        ("fmgo_cache_ulr", "FMGO_CACHE_URL"),
    ],
)
def test_a_misspelt_variable_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch, wrong: str, meant: str) -> None:
    monkeypatch.setenv(wrong, SECRET)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    assert caught.value.sentences == (f"{wrong} is no setting of FMgo: did you mean {meant}?",)


def test_variables_of_others_are_no_settings_and_no_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FMGO_PASSWORD", "FMGO_FLOWER_PORT", "FMGO_WORKER_KIND", "FMGO_OF_SOMEBODY_ELSE"):
        monkeypatch.setenv(name, "x")
    read_settings()
    assert unknown_variables() == {"FMGO_OF_SOMEBODY_ELSE": None}


def test_every_variable_that_the_code_reads_is_known() -> None:
    known = {f"FMGO_{field.upper()}" for field in Settings.model_fields} | _NO_SETTINGS
    read = {
        name
        for folder in ("workers", "tasks", "deploy", "monitoring", "migrations")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"""environ(?:\.get\(|\[)\s*["'](FMGO_[A-Z_]+)""", path.read_text(encoding="utf-8"))
    }
    assert read
    assert {name for name in read if not name.startswith(_OF_OTHERS)} <= known


@pytest.mark.parametrize(
    "together",
    [
        {"FMGO_BEAT_SECONDS": "10", "FMGO_DEAD_AFTER_SECONDS": "1"},
        {"FMGO_BEAT_SECONDS": "4"},
        {"FMGO_LEASE_SECONDS": "70"},
        {"FMGO_DEDUPE_WINDOW_SECONDS": "60"},
        {"FMGO_SII_LONGEST_PAUSE_SECONDS": "29"},
        {"FMGO_POLL_MAX_SECONDS": "500"},
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    monkeypatch: pytest.MonkeyPatch, together: dict[str, str]
) -> None:
    for name, value in together.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        read_settings()
    (sentence,) = caught.value.sentences
    assert all(name in sentence or name.rpartition("_")[0] in sentence for name in together)


@pytest.mark.parametrize("name", sorted(f"FMGO_{field.upper()}" for field in Settings.model_fields))
@pytest.mark.parametrize("value", ["-5", "nan", "x" * 40, "∞", "1e999"])
def test_no_setting_of_another_kind_ends_in_a_traceback_or_shows_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    said: tuple[str, ...] = ()
    try:
        read_settings()
    except SettingsError as error:
        said = error.sentences
    assert all(sentence.startswith("FMGO_") for sentence in said)
    assert value not in "".join(said) or len(value) < 3


def test_files_that_a_worker_cant_begin_without_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate", encoding="ascii")
    (tmp_path / "keys").write_text("k1:c2VjcmV0", encoding="ascii")
    (tmp_path / "keys").chmod(0o600)
    for name, value in {
        "FMGO_VAULT_KEY_FILE": "/nonexistent",
        "FMGO_EVIDENCE_DIR": "/proc/none",
        "FMGO_SII_CA_FILE": str(tmp_path / "no.pem"),
        "FMGO_MAIL_CA_FILE": "/nonexistent",
        "FMGO_TRUST_CAF_KEYS": "100=/nonexistent",
        "FMGO_LOG_FILE": "/proc/none/fmgo.log",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("FMGO_VAULT_KEYS", raising=False)
    told = faults(read_settings())
    assert len(told) == 6
    for wanted in ("/nonexistent", "/proc/none can't be made", "no certificates in PEM", "TRUST_CAF_KEYS", "LOG_FILE"):
        assert any(wanted in sentence for sentence in told), told
    monkeypatch.setenv("FMGO_VAULT_KEY_FILE", str(tmp_path / "keys"))
    assert "c2VjcmV0" not in " ".join(faults(read_settings()))
