"""PHP with its own SoapClient and DOM: Debian's modules of the very version that is installed, unpacked for the tests.

apt holds each package to the hash in its signed lists; nothing is installed. Kept under ``.sandbox`` by their version.
Without PHP, or where Debian's archive can't be reached, these tests are skipped by name; in CI that is a failure.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.foreign.environment import HERE, KEPT

_MODULES = {"dom": "xml", "simplexml": "xml", "soap": "soap"}
"""Modules, and the end of the name of the package that has each."""


def php_program() -> list[str]:
    """The command that runs the program of `php/`, with the modules that this PHP lacks."""
    php = shutil.which("php")
    if php is None:
        pytest.skip("php isn't installed")
    loaded = subprocess.run([php, "-m"], capture_output=True, text=True, check=True).stdout.casefold().split()
    lacking = [module for module in _MODULES if module not in loaded]
    options = [option for module in lacking for option in ("-d", f"extension={_unpacked(php, module)}")]
    return [php, *options, str(HERE / "php" / "send.php")]


def _unpacked(php: str, module: str) -> Path:
    """The file of a module, unpacked from Debian's package when it isn't yet."""
    said = [php, "-r", "echo PHP_MAJOR_VERSION.'.'.PHP_MINOR_VERSION;"]
    short = subprocess.run(said, capture_output=True, text=True, check=True).stdout
    package = f"php{short}-{_MODULES[module]}"
    version = _version_of(f"php{short}-cli")
    folder = KEPT / f"foreign-php-{re.sub(r'[^0-9A-Za-z.]', '-', version)}"
    if not list(folder.rglob(f"{module}.so")):
        folder.mkdir(parents=True, exist_ok=True)
        got = subprocess.run(
            ["apt-get", "download", f"{package}={version}"], cwd=folder, capture_output=True, text=True, check=False
        )
        packages = sorted(folder.glob(f"{package}_*.deb"))
        if got.returncode or not packages:
            _not_to_be_had(f"{package}={version}: {got.stderr}")
        subprocess.run(["dpkg", "-x", packages[-1], folder], check=True)
    return next(folder.rglob(f"{module}.so"))


def _version_of(package: str) -> str:
    if shutil.which("apt-get") is None or shutil.which("dpkg-query") is None:
        _not_to_be_had("this isn't Debian")
    asked = ["dpkg-query", "--show", "--showformat=${Version}", package]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode:
        _not_to_be_had(f"{package} isn't Debian's")
    return found.stdout.strip()


def _not_to_be_had(error: str) -> None:
    why = f"PHP's modules can't be had: {error.strip()[-400:]}"
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)
