"""The wheel built, looked into, and installed by pip into an empty environment."""

import json
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("workers", "domain", "tasks", "deploy", "migrations", "monitoring")
_LOCK: Final = ROOT / "requirements.lock"
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_PATIENCE: Final = 600.0


class WheelError(Exception):
    """The wheel isn't what it should be; the sentence says how."""


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment that holds the wheel and what it asks for."""

    python: Path
    fmgo: Path
    versions: dict[str, str]


def build(folder: Path) -> Path:
    """The wheel of this checkout. Raises WheelError where it lacks a file of the packages or holds another."""
    _run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder])
    (wheel,) = folder.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    if held != wanted:
        lacking, strange = sorted(wanted - held), sorted(held - wanted)
        raise WheelError(f"it lacks {lacking or 'nothing'}; it holds {strange or 'nothing'} besides the packages")
    return wheel


def install(wheel: Path, folder: Path) -> Installed:
    """A new environment with the wheel, by `pip install WHEEL`, held to the lock.

    Raises WheelError where a package isn't in the lock at that version and hash.
    """
    venv.create(folder, with_pip=True)
    pins, report = folder / "pins.txt", folder / "report.json"
    lock = _LOCK.read_text(encoding="utf-8")
    pins.write_text("".join(f"{name}=={version}\n" for name, version in _PIN.findall(lock)), encoding="utf-8")
    python = folder / "bin" / "python"
    options = ["--disable-pip-version-check", "--no-input", "--quiet", "--only-binary", ":all:"]
    _run([python, "-I", "-m", "pip", "install", *options, "--constraint", pins, "--report", report, wheel])
    packages = json.loads(report.read_text(encoding="utf-8"))["install"]
    known = set(_HASH.findall(lock))
    for package in packages:
        if package["metadata"]["name"] != "fmgo" and _hash(package) not in known:
            raise WheelError(f"pip installed {package['metadata']['name']} from a file that the lock doesn't know")
    versions = {package["metadata"]["name"]: package["metadata"]["version"] for package in packages}
    return Installed(python, folder / "bin" / "fmgo", versions)


def _hash(package: dict[str, Any]) -> str:
    hashes = package["download_info"].get("archive_info", {}).get("hashes", {})
    return str(hashes.get("sha256", ""))


def _run(argv: Sequence[str | Path]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_PATIENCE, cwd=ROOT)
    if done.returncode:
        raise WheelError(f"{' '.join(map(str, argv[:6]))} …: {done.stdout[-2000:]}{done.stderr[-2000:]}")
