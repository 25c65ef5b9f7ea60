"""docs/simulator.md: its commands run as they are printed, and what it says there is, is there."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from deploy.sandbox.sii.catalogue import CATALOGUE
from deploy.sandbox.sii.profiles import PROFILES
from deploy.sandbox.sii.switches import Switches

_ROOT = Path(__file__).parents[3]
_GUIDE = (_ROOT / "docs" / "simulator.md").read_text(encoding="utf-8")
_BLOCKS = re.findall(r"```sh\n(.*?)```", _GUIDE, re.DOTALL)
_DEADLINE = 120
_PORTS = (18443, 18444, 18445, 18446, 18498, 18499)


def _free_shift() -> int:
    """How far the guide's ports are moved: to where all are free, below those that systems give to clients."""
    for shift in range(500, 14_000, 500):
        with ExitStack() as held:
            try:
                for port in _PORTS:
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port + shift))
            except OSError:
                continue
            return shift
    raise AssertionError("no six ports are free")


_SHIFT = _free_shift()


def _moved(text: str) -> str:
    """The same commands for ports that other runs don't use."""
    return re.sub(r"184\d\d", lambda port: str(int(port.group()) + _SHIFT), text)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The simulator, started by the guide's first command in a folder that has the guide's files."""
    home = tmp_path_factory.mktemp("guide")
    (home / "docs").symlink_to(_ROOT / "docs")
    bin_folder = home / "bin"
    bin_folder.mkdir()
    fmgo = bin_folder / "fmgo"
    fmgo.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m workers.cli.main "$@"\n')
    fmgo.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "PYTHONPATH": str(_ROOT),
        "HOME": str(home),
        "FMGO_SIMULATOR_URL": _moved("http://127.0.0.1:18499"),
    }
    command = f"exec {_BLOCKS[0].strip()} --port-shift {_SHIFT}"
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(["bash", "-c", command], cwd=home, env=environment, stdout=log, stderr=log)
    try:
        ends = time.monotonic() + _DEADLINE
        while not (home / "log").read_text().count('"control"'):
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < ends
            time.sleep(0.05)
        yield environment | {"home": str(home)}
    finally:
        process.terminate()
        assert process.wait(_DEADLINE) == 0


@pytest.mark.parametrize("block", range(1, len(_BLOCKS)))
def test_commands_of_the_guide_run(shell: dict[str, str], block: int) -> None:
    script = "set -eu\n" + _moved(_BLOCKS[block])
    ended = subprocess.run(
        ["bash", "-c", script], cwd=shell["home"], env=shell, capture_output=True, text=True, check=False, timeout=300
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert '"error"' not in ended.stdout
    assert ended.stdout


def test_guide_line_is_tried_with_both_seeds_and_a_name(shell: dict[str, str]) -> None:
    (block,) = (block for block in _BLOCKS if "getSeed" in block)
    ended = subprocess.run(
        ["bash", "-c", _moved(block)], cwd=shell["home"], env=shell, capture_output=True, text=True, check=True
    )
    assert ended.stdout.count("SEMILLA") == 4
    assert ended.stdout.endswith("200\n")


def test_guide_names_what_there_is(shell: dict[str, str]) -> None:
    named = set(re.findall(r"\bF-[A-Z]+-?[A-Z0-9]*", _GUIDE)) - {"F-STATUS-7"}
    assert named <= set(CATALOGUE)
    assert set(PROFILES) <= set(re.findall(r"^\| `([\w-]+)` \|", _GUIDE, re.MULTILINE))
    switches = {"max_logins_per_hour", "max_queries_per_hour", "timings", "time_scale"}
    assert switches <= {name for name in Switches.__slots__ if name in _GUIDE}
    control = _moved("http://127.0.0.1:18499")
    for path in set(re.findall(r"`/(\w+)`", _GUIDE)) - {"faults"}:
        assert httpx.get(f"{control}/{path}").status_code == 200, path
    body = json.loads((_ROOT / "docs" / "examples" / "registry.json").read_text(encoding="utf-8"))
    assert httpx.post(f"{control}/fixtures", json=body).status_code == 200
