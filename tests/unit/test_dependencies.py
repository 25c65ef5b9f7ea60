"""pyproject.toml names what FMgo imports: development tools and the extra `embedded` hide nothing that is missing.

`make wheel` shows the same with a real installation; this is the quick look before it.
"""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]

BLOCKING = """
import runpy, sys
from importlib.abc import MetaPathFinder

class Blocked(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} isn't part of a plain installation", name=name.partition(".")[0])

BLOCKED = set(sys.argv[1].split(","))
sys.meta_path.insert(0, Blocked())
runpy.run_path(sys.argv[2], run_name="__main__")
"""


def plain_installation() -> set[str]:
    """Names of the distributions that `pip install fmgo` brings."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    found: set[str] = set()
    asked: set[tuple[str, str]] = set()
    pending = [Requirement(text) for text in declared]
    while pending:
        wanted = pending.pop()
        for extra in ("", *wanted.extras):
            name = canonicalize_name(wanted.name)
            if (name, extra) in asked:
                continue
            asked.add((name, extra))
            found.add(name)
            needs = (Requirement(text) for text in distribution(wanted.name).requires or ())
            pending += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
    return found


def test_every_module_is_imported_and_helps_without_development_tools() -> None:
    plain = plain_installation() | {"fmgo", "pip", "setuptools"}
    blocked = [
        module
        for module, owners in packages_distributions().items()
        if not {canonicalize_name(owner) for owner in owners} & plain
    ]
    assert {"pytest", "mypy", "xmlsec"} <= set(blocked)
    settings = {
        "FMGO_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
        "FMGO_REDIS_URL": "redis://127.0.0.1:1/0",
        "FMGO_EVIDENCE_DIR": "/nonexistent",
    }
    done = subprocess.run(
        [sys.executable, "-c", BLOCKING, ",".join(blocked), ROOT / "tests/wheel/inside.py"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **settings, "PYTHONPATH": str(ROOT)},
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
