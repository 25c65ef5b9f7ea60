"""`make up` as a person uses it: what it prints is pasted into another shell, and every command works there."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from deploy.sandbox.companies import FERRETERIA
from deploy.sandbox.control import SiiControl
from deploy.sandbox.up import EXAMPLE

ROOT = Path(__file__).parents[2]
LAST_LINE = "ctrl-C stops everything"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that PostgreSQL's account can reach, with a blank in its name."""
    made = Path("/var/tmp") / f"fmgo up {os.getpid()}-{tmp_path.stat().st_ino:x}"
    yield made
    shutil.rmtree(made, ignore_errors=True)


@contextmanager
def up(folder: Path) -> Iterator[str]:
    """A sandbox that stays, and what it has printed when it is ready."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith("FMGO_")} | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "workers.cli.main", "sandbox", "--folder", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if LAST_LINE in line:
                break
        try:
            assert LAST_LINE in printed, printed
            yield printed
        finally:
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            assert process.wait(60) == 0


def paste(printed: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the printed lines, and commands after them, in a shell that knows nothing else."""
    lines = printed.partition("In another shell:")[2].partition(LAST_LINE)[0].splitlines()
    script = "\n".join(["set -e", *(line.strip() for line in lines if line.strip().startswith((". ", "fmgo"))), *more])
    bare = {"PATH": os.defpath, "HOME": "/nonexistent", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["bash", "-c", script], cwd="/", env=bare, capture_output=True, text=True, check=False, timeout=240
    )


def test_what_is_printed_can_be_pasted_and_is_the_same_the_next_time(folder: Path) -> None:
    with up(folder) as first:
        control = re.search(r"the SII +(\S+)", first)
        assert control is not None
        caf = {"company": FERRETERIA.rut, "type": 61, "from": 200_001, "to": 200_010}
        with closing(SiiControl(control[1])) as sii:
            (made,) = sii.register({"cafs": [caf]})
        (folder / "caf.xml").write_bytes(made.data)
        # A command that talks to all servers, one that talks to the simulated SII, and one that trusts its CAFs.
        done = paste(first, "fmgo doctor", "fmgo simulator show", f"fmgo caf add --json '{folder / 'caf.xml'}'")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "caja-3-000123" in done.stdout
        assert "the invariants hold" in done.stdout
        assert json.loads(done.stdout.splitlines()[-1])["first"] == 200_001
    with up(folder) as second:
        assert second == first
        again = paste(second)
        assert (again.returncode, "known" in again.stdout) == (0, True), again.stderr


def test_an_installation_without_the_documentation_has_the_same_example() -> None:
    assert json.loads((ROOT / "docs/examples/boleta.json").read_text(encoding="utf-8")) == EXAMPLE


@pytest.mark.parametrize("content", [None, b"", b"\n \n"])
def test_a_file_of_jobs_that_isn_t_there_or_is_empty_is_told_at_once(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "jobs.json"
    if content is not None:
        file.write_bytes(content)
    environment = {n: v for n, v in os.environ.items() if not n.startswith("FMGO_")} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli.main", "sandbox", "--jobs", file, "--folder", tmp_path / "unmade"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert str(file) in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "unmade").exists()
