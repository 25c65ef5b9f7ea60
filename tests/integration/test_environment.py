"""The environment makes itself: anew, after an interruption, after a change, and refuses with one clear sentence."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import ROOT

# A project without dependencies whose build backend lies in it, so that these tests ask no index.
_BACKEND = """
import base64, hashlib, zipfile

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "tiny-1-py3-none-any.whl"
    files = {
        "tiny.py": b"answer = 42",
        "tiny-1.dist-info/METADATA": b"Metadata-Version: 2.1\\nName: tiny\\nVersion: 1\\n",
        "tiny-1.dist-info/WHEEL": b"Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    record = ""
    with zipfile.ZipFile(wheel_directory + "/" + name, "w") as wheel:
        for path, data in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(data)}\\n"
            wheel.writestr(path, data)
        wheel.writestr("tiny-1.dist-info/RECORD", record + "tiny-1.dist-info/RECORD,,\\n")
    return name
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone of a project as small as can be, with our script."""
    root = tmp_path / "clone with a blank"
    (root / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "deploy" / "environment.sh", root / "deploy")
    (root / "backend.py").write_text(_BACKEND)
    (root / "requirements.lock").write_text("# nothing\n")
    (root / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "tiny"\nversion = "1"\n'
    )
    return root


def make(project: Path, python: str = sys.executable, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the script with this interpreter, as `make env` does."""
    env = {**os.environ, "PYTHON": python, "PATH": path or os.environ["PATH"]}
    env.pop("VIRTUAL_ENV", None)
    return subprocess.run([project / "deploy" / "environment.sh"], env=env, capture_output=True, text=True, check=False)


def answer(project: Path) -> str:
    """What the installed project says."""
    code = "import tiny; print(tiny.answer)"
    return subprocess.run([project / ".venv/bin/python", "-c", code], capture_output=True, text=True, check=True).stdout


def test_made_once_then_left_alone(project: Path) -> None:
    first = make(project)
    assert first.returncode == 0, first.stderr
    assert answer(project) == "42\n"
    before = (project / ".venv" / "pyvenv.cfg").stat().st_ino
    again = make(project, python="/nonexistent")
    assert (again.returncode, again.stderr) == (0, "")
    assert (project / ".venv" / "pyvenv.cfg").stat().st_ino == before


@pytest.mark.parametrize("missing", [".made.packages", ".made.project"])
def test_interrupted_attempt_is_repaired(project: Path, missing: str) -> None:
    assert make(project).returncode == 0
    (project / ".venv" / missing).unlink()
    for module in (project / ".venv").rglob("tiny.py"):
        module.write_text("answer = 'half")
    assert make(project).returncode == 0
    assert answer(project) == "42\n"


def test_changed_project_is_installed_again_without_its_packages(project: Path) -> None:
    assert make(project).returncode == 0
    before = (project / ".venv" / "pyvenv.cfg").stat().st_ino
    (project / "backend.py").write_text(_BACKEND.replace("42", "43"))
    (project / "pyproject.toml").write_text((project / "pyproject.toml").read_text() + "# changed\n")
    assert make(project).returncode == 0
    assert answer(project) == "43\n"
    assert (project / ".venv" / "pyvenv.cfg").stat().st_ino == before


def test_changed_lock_and_moved_clone_are_made_anew(project: Path) -> None:
    assert make(project).returncode == 0
    (project / ".venv" / "leftover").touch()
    (project / "requirements.lock").write_text("# still nothing\n")
    assert make(project).returncode == 0
    assert not (project / ".venv" / "leftover").exists()
    moved = project.rename(project.with_name("moved"))
    assert make(moved).returncode == 0
    assert answer(moved) == "42\n"


def test_two_at_once_wait_for_each_other(project: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(make, [project, project]))
    assert [run.returncode for run in ended] == [0, 0]
    assert sum("making .venv" in run.stderr for run in ended) == 1
    assert answer(project) == "42\n"


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        ("version", "FMgo needs Python 3.11, 3.12 or 3.13"),
        ("libc", "FMgo needs a Linux with glibc"),
        ("venv", "install the package python3-venv"),
        ("broken", "FMgo needs Python 3.11, 3.12 or 3.13"),
    ],
)
def test_unfit_python_is_refused_with_one_sentence(project: Path, tmp_path: Path, verdict: str, sentence: str) -> None:
    unfit = tmp_path / "python"
    unfit.write_text(f"#!/bin/sh\n[ $# = 1 ] && [ $1 = - ] && echo {verdict} || echo Python 3.6.15\n")
    unfit.chmod(0o755)
    run = make(project, python=str(unfit))
    assert run.returncode == 1
    assert sentence in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert not (project / ".venv").exists()


def test_other_systems_are_refused_with_one_sentence(project: Path, tmp_path: Path) -> None:
    (tmp_path / "uname").write_text("#!/bin/sh\necho Darwin\n")
    (tmp_path / "uname").chmod(0o755)
    run = make(project, path=f"{tmp_path}:{os.environ['PATH']}")
    assert (run.returncode, run.stderr) == (1, "fmgo: FMgo runs on Linux only; this is Darwin.\n")


def test_lock_names_no_place_and_every_package_has_a_hash() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert not [
        line for line in lines if "://" in line or (line.lstrip().startswith(("-", "#")) and "--hash" not in line)
    ]
    packages = [n for n, line in enumerate(lines) if "==" in line]
    assert len(packages) > 50
    assert all("--hash=sha256:" in lines[n + 1] for n in packages)
