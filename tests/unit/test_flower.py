"""Flower's launcher takes payloads out where they come in, whatever the workers send."""

import pytest

from monitoring.flower import FlowerSettings, _quiet_request, readable, without_payload


def test_event_loses_what_the_task_was_given_and_gave() -> None:
    event = {"type": "task-received", "uuid": "1", "args": "('7',)", "kwargs": "{}", "result": "7", "traceback": "7"}
    quiet = without_payload(event)
    assert {name for name, value in quiet.items() if value == "hidden"} == {"args", "kwargs", "result", "traceback"}
    assert quiet["uuid"] == "1"


def test_scheduled_request_is_emptied_one_level_deeper() -> None:
    quiet = _quiet_request({"eta": "now", "request": {"id": "1", "args": ["7"], "kwargs": {"a": 7}}})
    assert quiet == {"eta": "now", "request": {"id": "1", "args": "hidden", "kwargs": "hidden"}}


def test_password_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FMGO_FLOWER_PASSWORD", raising=False)
    monkeypatch.delenv("FMGO_FLOWER_PASSWORD_FILE", raising=False)
    with pytest.raises(ValueError, match="needs a password"):
        FlowerSettings().secret()


def test_unknown_task_keeps_its_name() -> None:
    assert readable("other.task") == "other.task"
