"""The ledger's SQL is run in the order that its numbers say, and every installation has it."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.conftest import ROOT

FOLDER = ROOT / "migrations/versions/r0001"


def test_files_are_numbered_without_gaps_and_roles_come_last() -> None:
    names = sorted(path.name for path in FOLDER.glob("*.sql"))
    assert [name[:3] for name in names] == [f"{number:02}_" for number in range(1, len(names) + 1)]
    assert names[-1].endswith("_roles.sql"), "what comes after them would have no grants"


def test_the_wheel_carries_them(tmp_path: Path) -> None:
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    made = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with zipfile.ZipFile(tmp_path / made.stdout.split()[-1]) as wheel:
        carried = {Path(name).name: wheel.read(name) for name in wheel.namelist() if "/r0001/" in name}
    assert carried == {path.name: path.read_bytes() for path in FOLDER.glob("*.sql")}
