"""Settings: defaults that are safe, and a sentence for each variable at fault."""

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from workers.clock import SystemClock, santiago
from workers.settings import Settings, SettingsError, read_settings
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
