"""Lines: JSON or console, one an event, with the task's context, without secrets, and never in the work's way."""

import io
import json
import logging
import multiprocessing
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from pydantic import BaseModel

from domain.job import NotAJob
from domain.problems import Problem
from workers.logging import HEADER, bind_from_headers, bind_task, clear_task, configure_logging, context_headers
from workers.settings import Settings


def settings(**more: object) -> Settings:
    return Settings.model_validate(
        {
            "database_url": "postgresql://fmgo:dbS3cret@h/d",
            "redis_url": "redis://:rdS3cret@h",
            "evidence_dir": "/x",
            "vault_keys": "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            **more,
        }
    )


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    clear_task()
    structlog.reset_defaults()
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def lines() -> io.StringIO:
    return io.StringIO()


def events(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_event_is_one_line_of_json_with_level_name_and_time(lines: io.StringIO) -> None:
    configure_logging(settings(), stream=lines)
    structlog.get_logger("tasks.issue").info("issued", folio=7, nombre="Ñuñoa\nS.A.")
    (event,) = events(lines)
    assert {name: event[name] for name in ("event", "folio", "nombre", "level", "logger")} == {
        "event": "issued",
        "folio": 7,
        "nombre": "Ñuñoa\nS.A.",
        "level": "info",
        "logger": "tasks.issue",
    }
    assert str(event["at"]).endswith("Z")


def test_records_of_libraries_take_the_same_way(lines: io.StringIO) -> None:
    configure_logging(settings(), stream=lines)
    bind_task("id-1", "fmgo.issue")
    logging.getLogger("celery.worker").warning("lost %s", "redis://:pw12345@h")
    (event,) = events(lines)
    assert (event["event"], event["task_id"], event["logger"]) == ("lost redis://:***@h", "id-1", "celery.worker")


def test_level_is_kept_and_chatty_libraries_are_quiet(lines: io.StringIO) -> None:
    configure_logging(settings(log_level="INFO"), stream=lines)
    structlog.get_logger("x").debug("no")
    logging.getLogger("httpx").info("GET https://…")
    assert lines.getvalue() == ""
    configure_logging(settings(log_level="DEBUG"), stream=lines)
    structlog.get_logger("x").debug("yes")
    assert [event["event"] for event in events(lines)] == ["yes"]


def test_console_is_for_a_person(lines: io.StringIO) -> None:
    configure_logging(settings(log_format="console"), stream=lines)
    structlog.get_logger("x").warning("hola", folio=7, token="S3cr3tV4lu3")
    assert "hola" in lines.getvalue()
    assert "folio" in lines.getvalue()
    assert "S3cr3tV4lu3" not in lines.getvalue()


def _fail() -> None:
    raise ValueError("connecting to redis://:S3cr3tV4lu3@h with dbS3cret and rdS3cret failed")


@pytest.mark.parametrize("form", ["json", "console"])
def test_traceback_is_text_without_secrets(lines: io.StringIO, form: str) -> None:
    configure_logging(settings(log_format=form), stream=lines)
    try:
        _fail()
    except ValueError:
        structlog.get_logger("x").exception("broken")
        logging.getLogger("y").exception("broken too")
    text = lines.getvalue()
    assert text.count("ValueError: connecting to redis://:***@h") == 2
    for secret in ("S3cr3tV4lu3", "dbS3cret", "rdS3cret"):
        assert secret not in text


def test_secrets_of_the_settings_are_masked_in_any_text(lines: io.StringIO) -> None:
    configure_logging(settings(), stream=lines)
    structlog.get_logger("x").info("odd dbS3cret, rdS3cret and AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    assert events(lines)[0]["event"] == "odd ***, *** and ***"


def test_context_is_the_task_s_and_ends_with_it(lines: io.StringIO) -> None:
    configure_logging(settings(), stream=lines)
    log = structlog.get_logger("x")
    bind_task("id-1", "fmgo.issue")
    with structlog.contextvars.bound_contextvars(document_id="d-1"):
        log.info("inside")
    bind_task("id-2", "fmgo.submit")
    log.info("next")
    clear_task()
    log.info("after")
    inside, following, after = events(lines)
    assert (inside["task_id"], inside["task_name"], inside["document_id"]) == ("id-1", "fmgo.issue", "d-1")
    assert (following["task_id"], following.get("document_id")) == ("id-2", None)
    assert "task_id" not in after


def test_context_travels_from_producer_to_worker() -> None:
    structlog.contextvars.bind_contextvars(batch_id="b-1", issuer="76900101-8", other="stays", task_id="id-0")
    headers = context_headers()
    clear_task()
    bind_task("id-1", "fmgo.intake", headers)
    assert structlog.contextvars.get_contextvars() == {
        "batch_id": "b-1",
        "issuer": "76900101-8",
        "origin": "id-0",
        "task_id": "id-1",
        "task_name": "fmgo.intake",
    }
    assert json.loads(context_headers()[HEADER])["origin"] == "id-0"


def test_no_context_makes_no_headers() -> None:
    assert context_headers() == {}


@pytest.mark.parametrize(
    "carried",
    [
        "no json",
        "[" * 100_000,
        7,
        None,
        ["x"],
        json.dumps([1]),
        json.dumps({"task_id": "forged", "unknown": "x"}),
        json.dumps({"batch_id": 7}),
        {"batch_id": "x" * 201},
        {"batch_id": "a\nb"},
        {"batch_id": "\x1b[31m"},
    ],
)
def test_odd_headers_bind_nothing(carried: object) -> None:
    bind_from_headers({HEADER: carried})
    assert structlog.contextvars.get_contextvars() == {}


class Broken(io.StringIO):
    def write(self, _text: str, /) -> int:
        raise OSError(28, "No space left on device")


def test_failing_log_fails_no_work_and_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings(), stream=Broken())
    structlog.get_logger("x").info("S3cr3tV4lu3")
    logging.getLogger("y").info("x %d", "not a number S3cr3tV4lu3")
    assert capsys.readouterr() == ("", "")
    assert [
        getattr(handler, "failures", 0) for handler in logging.getLogger().handlers if hasattr(handler, "failures")
    ] == [2]


def test_file_that_cannot_be_written_fails_no_work(tmp_path: Path, lines: io.StringIO) -> None:
    (tmp_path / "folder").write_text("a file where a folder should be")
    configure_logging(settings(log_file=tmp_path / "folder" / "log"), stream=lines)
    structlog.get_logger("x").info("written")
    assert len(events(lines)) == 1


def test_file_rotates_by_size_and_keeps_its_backups(tmp_path: Path, lines: io.StringIO) -> None:
    file = tmp_path / "logs" / "fmgo.log"
    configure_logging(settings(log_file=file, log_file_bytes=1024, log_file_backups=2), stream=lines)
    for number in range(40):
        structlog.get_logger("x").info("line", number=number, fill="x" * 100)
    kept = sorted(path.name for path in file.parent.iterdir())
    assert kept == ["fmgo.log", "fmgo.log.1", "fmgo.log.2", "fmgo.log.lock"]
    assert all(path.stat().st_size <= 1024 for path in file.parent.iterdir())
    assert json.loads(file.read_text().splitlines()[-1])["number"] == 39


def _write(file: Path, name: str) -> None:
    configure_logging(settings(log_file=file, log_file_bytes=4096, log_file_backups=1000), stream=io.StringIO())
    for number in range(200):
        structlog.get_logger("x").info("line", process=name, number=number)


def test_processes_that_share_a_file_lose_no_line(tmp_path: Path) -> None:
    file = tmp_path / "fmgo.log"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write, args=(file, str(name))) for name in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    found = [
        (event["process"], event["number"])
        for path in tmp_path.glob("fmgo.log*")
        if path.suffix != ".lock"
        for event in map(json.loads, path.read_text().splitlines())
    ]
    assert len(list(tmp_path.glob("fmgo.log.*"))) > 5
    assert sorted(found) == sorted((str(name), number) for name in range(3) for number in range(200))


def test_standard_output_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(settings())
    structlog.get_logger("x").info("hola")
    assert json.loads(capsys.readouterr().out)["event"] == "hola"
    assert sys.stdout is not None


CANARY = "rosa.inventada@correo.invalid"


def _value() -> None:
    int(CANARY)


def _problem() -> None:
    raise NotAJob([Problem("JOB-KEY", "document.x", f"Don't write {CANARY}.")])


def _chained() -> None:
    try:
        _value()
    except ValueError as error:
        raise RuntimeError(f"can't read {CANARY!r}") from error


def _group() -> None:
    raise ExceptionGroup("several", [ValueError(f"no {CANARY!r}"), KeyError(CANARY)])


def _model() -> None:
    class Age(BaseModel):
        age: int

    Age.model_validate({"age": CANARY})


@pytest.mark.parametrize("fail", [_value, _problem, _chained, _group, _model])
@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_says_where_and_what_kind_and_nothing_of_the_job(
    lines: io.StringIO, form: str, fail: Callable[[], None]
) -> None:
    configure_logging(settings(log_format=form), stream=lines)
    kind = "nothing failed"
    try:
        fail()
    except Exception as error:
        structlog.get_logger("x").exception("broken")
        logging.getLogger("y").exception("broken too")
        kind = type(error).__name__
    text = lines.getvalue()
    assert CANARY not in text
    assert text.count(kind) >= 2
    assert text.count(f"in {fail.__name__}") >= 2


def test_an_error_of_a_server_keeps_its_words(lines: io.StringIO) -> None:
    configure_logging(settings(), stream=lines)
    try:
        raise ConnectionRefusedError(111, "Connection refused", "'/run/redis.sock'")
    except OSError:
        structlog.get_logger("x").exception("broken")
    assert "Connection refused: \\\"'/run/redis.sock'\\\"" in lines.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        f"new row violates a check\nDETAIL:  Failing row contains (1, {CANARY},\n{CANARY}).",
        f'bad\nDETAIL:  Key (a)=({CANARY})\nHINT:  do that\nCONTEXT:  COPY a, line 1: "{CANARY}"\n[SQL: INSERT]',
        f"bad\n[SQL: INSERT INTO a VALUES (%(b)s)]\n[parameters: {{'b': '{CANARY}\n{CANARY}'}}]",
    ],
)
def test_what_postgresql_quotes_of_rows_is_masked_in_any_text(lines: io.StringIO, text: str) -> None:
    configure_logging(settings(), stream=lines)
    structlog.get_logger("x").info(text)
    assert CANARY not in lines.getvalue()
    assert ("HINT:  do that" in events(lines)[0]["event"]) == ("HINT" in text)  # type: ignore[operator]
