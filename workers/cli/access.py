"""What commands work with: settings, ledger, vault, bells; opened when first asked for, closed at the end.

A command that is answered from the ledger alone opens no vault, and one that needs no server opens none.
"""

import getpass
import os
import re
import sys
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Annotated, Final, Self

import typer
from sqlalchemy.exc import DBAPIError

from domain.certificate import needs_password
from domain.problems import Problem
from domain.rut import InvalidRut, normalise
from workers.caf_keys import read_caf_keys
from workers.database import overview
from workers.database.engine import Ledger
from workers.enrolment import Enrolment, EnrolmentError
from workers.logging import configure_logging
from workers.outside_bells import OutsideBells
from workers.producer import Producer
from workers.settings import Settings, read_settings
from workers.vault.sealing import Vault

ANSWER_SECONDS: Final = 60.0
"""Longest wait for the ledger's answer to one statement of a command."""
LARGEST_FILE: Final = 1024 * 1024
"""Bytes of a key file, password file or the like that are read."""

_PREFIX: Final = re.compile(r"[0-9a-f]{4,32}", re.ASCII)

PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="File with the password (- for standard input). Or set FMGO_PASSWORD."),
]
CaFKeyOption = Annotated[
    list[str] | None,
    typer.Option("--trust-caf-key", help="Another key that signs CAFs, IDK=PEM-FILE. Repeats.", metavar="IDK=PEM"),
]
For = Annotated[
    list[str] | None,
    typer.Option("--for", help="A company that the person may sign and send for. Repeats.", metavar="RUT@ENVIRONMENT"),
]


class Access:
    """The installation that the environment names."""

    def __init__(self) -> None:
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @cached_property
    def settings(self) -> Settings:
        """The settings; logs of this process go to standard error from here, warnings only."""
        found = read_settings()
        quiet = found.model_copy(update={"log_level": "WARNING", "log_format": "console", "log_file": None})
        configure_logging(quiet, stream=sys.stderr)
        return found

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger."""
        opened = Ledger(self.settings.database_url, pool_size=2, answer_seconds=ANSWER_SECONDS)
        self._closing.callback(opened.dispose)
        return opened

    @cached_property
    def bells(self) -> OutsideBells:
        """The bells."""
        opened = OutsideBells(self.settings.redis_url)
        self._closing.callback(opened.close)
        return opened

    @cached_property
    def producer(self) -> Producer:
        """A producer."""
        return self._closing.enter_context(Producer(self.settings))

    @property
    def _has_vault(self) -> bool:
        return self.settings.vault_keys is not None or self.settings.vault_key_file is not None

    def enrolment(self, trusted: list[str] | None = None) -> Enrolment:
        """What sets up, with the keys of the settings and of `--trust-caf-key`."""
        named = ",".join([self.settings.trust_caf_keys, *(trusted or [])])
        return Enrolment(
            self.ledger,
            Vault.from_settings(self.settings) if self._has_vault else None,
            self.bells,
            caf_keys=read_caf_keys(named),
            actor=actor(),
        )

    def found(self, table: str, text: str) -> uuid.UUID | None:
        """The id that `text` (an id, or at least its first four digits) stands for; None when there is none.

        Raises EnrolmentError when it isn't an id or several begin like that.
        """
        digits = text.replace("-", "").lower()
        if not _PREFIX.fullmatch(digits):
            raise EnrolmentError([Problem("ID", "id", f"{text!r} is no id: write it whole, or its first digits.")])
        with self.ledger.transaction() as tx:
            numbers = overview.ids_beginning(tx, table, digits)
        if len(numbers) > 1:
            raise EnrolmentError([Problem("ID-AMBIGUOUS", "id", f"Several ids begin with {text}: write more of it.")])
        return numbers[0] if numbers else None


def actor() -> str:
    """Who audit rows name: the account that runs the command."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name
        return f"cli:{os.getuid()}"


def read_file(path: Path) -> bytes:
    """A small file's bytes (`-`: standard input). Raises EnrolmentError with a sentence."""
    try:
        with sys.stdin.buffer if str(path) == "-" else path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise EnrolmentError([Problem("FILE", str(path), f"{path} can't be read: {error.strerror}.")]) from None
    if len(data) > LARGEST_FILE:
        raise EnrolmentError([Problem("FILE", str(path), f"{path} has more than {LARGEST_FILE} bytes.")])
    return data


def password_for(data: bytes, file: Path | None) -> str:
    """The password of a file with a private key; empty, and not asked for, where the file needs none."""
    return password(file) if needs_password(data) else ""


def password(file: Path | None, *, ask: Callable[[str], str] = getpass.getpass) -> str:
    """The password of `--password-file`, else of FMGO_PASSWORD, else asked for at a terminal."""
    if file is not None:
        try:
            return read_file(file).decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise EnrolmentError([Problem("FILE", str(file), f"{file} isn't UTF-8 text.")]) from None
    from_environment = os.environ.get("FMGO_PASSWORD")
    if from_environment is not None:
        return from_environment
    if sys.stdin.isatty():
        return ask("Password: ")
    raise EnrolmentError(
        [Problem("PASSWORD", "password", "Give the password in a file (--password-file) or in FMGO_PASSWORD.")]
    )


def companies(names: list[str] | None) -> list[tuple[str, str]]:
    """Companies written as RUT@environment; without environment certification is meant."""
    found = []
    for name in names or ():
        rut, _, environment = name.partition("@")
        found.append((canonical(rut), environment or "certification"))
    return found


def canonical(rut: str) -> str:
    """A RUT in its canonical form. Raises EnrolmentError with a sentence."""
    try:
        return normalise(rut)
    except InvalidRut as fault:
        raise EnrolmentError([Problem("RUT", "rut", f"{rut!r} is no RUT: {fault}.")]) from None


def first_line(error: DBAPIError) -> str:
    """What PostgreSQL or its library said, in one line."""
    return str(error.orig).strip().partition("\n")[0]
