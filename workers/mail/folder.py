"""A drop folder: a maildir, or plain files (a message each, or the attached XML). Nothing in it is changed.

A maildir is known by its folders ``new`` and ``cur``; its messages are whole, and a message is known by its name up to
the flags, so that one which a person has read isn't read again. A plain file is known by name, size and time, and is
left alone while it is younger than two seconds: somebody may still be writing it.
"""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.answers.reading import storable
from workers.mail.errors import MailSourceError

SETTLED_SECONDS: Final = 2.0
_UNFINISHED: Final = (".tmp", ".part", ".partial", "~")


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be a mail: `name` is what it is known by."""

    name: str
    path: Path
    size: int

    def read(self, largest: int) -> bytes | None:
        """Its bytes, None when it is too large or has gone; raises `MailSourceError` when it can't be read."""
        if self.size > largest:
            return None
        try:
            with self.path.open("rb") as file:
                data = file.read(largest + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise MailSourceError(f"{self.path.name} can't be read: {error.strerror}") from None
        return data if len(data) <= largest else None


def files(folder: Path) -> list[File]:
    """The files that lie in a folder, in the order of their names; raises `MailSourceError`."""
    try:
        if (folder / "new").is_dir() and (folder / "cur").is_dir():
            return [*_maildir(folder / "new"), *_maildir(folder / "cur")]
        return list(_plain(folder))
    except OSError as error:
        raise MailSourceError(f"{folder} can't be read: {error.strerror}") from None


def _maildir(folder: Path) -> Iterator[File]:
    for path, status in _regular(folder):
        yield File(storable(path.name.partition(":")[0]), path, status.st_size)


def _plain(folder: Path) -> Iterator[File]:
    now = time.time()
    for path, status in _regular(folder):
        if not path.name.endswith(_UNFINISHED) and now - status.st_mtime >= SETTLED_SECONDS:
            yield File(storable(f"{path.name}:{status.st_size}:{status.st_mtime_ns}"), path, status.st_size)


def _regular(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue
        if stat.S_ISREG(status.st_mode):
            yield path, status
