"""A side environment of Node with libraries of others, at the versions and hashes of ``node/package-lock.json``.

Kept under ``.sandbox`` by the lock's hash, like that of `environment`. Without node or without a registry its tests are
skipped by name; in CI that is a failure.
"""

import hashlib
import os
import shutil
import subprocess

import pytest

from tests.foreign.environment import HERE, KEPT

_SOURCE = HERE / "node"


def node_program() -> list[str]:
    """The command that runs the program of `node/`, its libraries installed when they aren't yet."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node isn't installed")
    version = subprocess.run([node, "--version"], capture_output=True, check=True).stdout
    name = hashlib.sha256((_SOURCE / "package-lock.json").read_bytes() + version).hexdigest()[:16]
    folder = KEPT / f"foreign-node-{name}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(_SOURCE / file, folder / file)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=240)
        if done.returncode:
            _not_to_be_had(done.stderr)
        (folder / "complete").touch()
    shutil.copy(_SOURCE / "send.mjs", folder / "send.mjs")
    return [node, str(folder / "send.mjs")]


def _not_to_be_had(error: str) -> None:
    why = f"libraries for Node can't be installed: {error.strip()[-400:]}"
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)
