"""A side environment with other people's clients of the SII, at the versions and hashes of ``clients.lock``.

Their licences (one is GPL) never touch FMgo: they are installed here alone, and run as processes of their own. The
environment is kept under ``.sandbox`` by the lock's hash. Without a package index its tests are skipped by name; in CI
that is a failure.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

HERE = Path(__file__).parent
_LOCK = HERE / "clients.lock"
KEPT = HERE.parents[1] / ".sandbox"


def clients_python() -> Path:
    """The interpreter of the side environment, made when it isn't there yet."""
    name = hashlib.sha256(_LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = KEPT / f"foreign-{name}"
    if not (folder / "complete").exists():
        _make(folder)
    return folder / "bin" / "python"


def _make(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    options = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--disable-pip-version-check", "--quiet"]
    command: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", *options, "--requirement", _LOCK]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    if done.returncode:
        why = f"other people's clients can't be installed: {done.stderr.strip()[-400:]}"
        if os.environ.get("CI") == "true":
            pytest.fail(why, pytrace=False)
        pytest.skip(why)
    (folder / "complete").touch()
