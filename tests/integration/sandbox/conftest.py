"""Sandboxes of their own for these tests, whatever servers the run uses."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_servers_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests are about the embedded servers, whatever servers the run uses."""
    for name in ("FMGO_DATABASE_URL", "FMGO_REDIS_URL", "FMGO_VAULT_KEYS", "FMGO_VAULT_KEY_FILE", "FMGO_EVIDENCE_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a kept sandbox that PostgreSQL's account can reach."""
    made = Path("/var/tmp") / f"fmgo-{os.getpid()}-{tmp_path.stat().st_ino:x}"
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def temporary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary directory that no other run of this machine uses, for this process and those it starts."""
    folder.mkdir(mode=0o755)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder
