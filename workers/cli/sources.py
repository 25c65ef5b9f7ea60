"""Files that a person names: a file, a folder of XML files, a ZIP of them, or standard input.

Suppliers send ZIPs, and mails are saved into folders. Each file inside is answered by itself, under its own name.
"""

import io
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from domain.problems import Problem

STANDARD_INPUT: Final = "-"
MOST_MEMBERS: Final = 10_000
"""Files of one ZIP that are read."""
_ZIP: Final = b"PK\x03\x04"
_EMPTY_ZIP: Final = b"PK\x05\x06"

Source = tuple[str, bytes | Problem]
"""The name of a file, and its bytes or why they can't be read."""


def sources(names: list[str], most: int) -> Iterator[Source]:
    """Every file that is meant, in order; of a larger one, one byte more than `most`, so that it is known for one.

    Problems: FILE-UNREADABLE, FILE-NOTHING (a folder or ZIP without XML files).
    """
    for name in names:
        path = Path(name)
        try:
            if name != STANDARD_INPUT and path.is_dir():
                yield from _folder(name, path, most)
            else:
                yield from _file(name, most)
        except OSError as fault:
            yield name, Problem("FILE-UNREADABLE", name, f"The file can't be read: {fault.strerror or fault}.")


def _file(name: str, most: int) -> Iterator[Source]:
    if name == STANDARD_INPUT:
        data = sys.stdin.buffer.read(most + 1)
    else:
        with Path(name).open("rb") as file:
            data = file.read(most + 1)
    if data.startswith((_ZIP, _EMPTY_ZIP)):
        yield from _members(name, data, most)
    else:
        yield name, data


def _folder(name: str, path: Path, most: int) -> Iterator[Source]:
    found = sorted(each for each in path.rglob("*") if each.is_file() and each.suffix.lower() in (".xml", ".zip"))
    if not found:
        yield name, Problem("FILE-NOTHING", name, "The folder holds no XML files.")
    for each in found:
        try:
            yield from _file(str(each), most)
        except OSError as fault:
            yield (
                str(each),
                Problem("FILE-UNREADABLE", str(each), f"The file can't be read: {fault.strerror or fault}."),
            )


def _members(name: str, data: bytes, most: int) -> Iterator[Source]:
    """The XML files of a ZIP, each cut off above `most` bytes, whatever the ZIP says of its size."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        yield name, Problem("FILE-UNREADABLE", name, "The ZIP is damaged, or too large: unpack it and give its files.")
        return
    with archive:
        found = [each for each in archive.infolist() if each.filename.lower().endswith(".xml") and not each.is_dir()]
        if not found:
            yield name, Problem("FILE-NOTHING", name, "The ZIP holds no XML files.")
        for each in found[:MOST_MEMBERS]:
            yield _member(f"{name}/{each.filename}", archive, each, most)
        if len(found) > MOST_MEMBERS:
            sentence = f"The ZIP holds {len(found)} files; {MOST_MEMBERS} were read. Unpack it and give the folder."
            yield name, Problem("FILE-UNREADABLE", name, sentence)


def _member(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> Source:
    try:
        with archive.open(member) as file:
            return name, file.read(most + 1)
    except RuntimeError:  # the library's own for a password
        return name, Problem("FILE-UNREADABLE", name, "The ZIP has a password: unpack it and give its files.")
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, EOFError, zlib.error):
        return name, Problem(
            "FILE-UNREADABLE", name, "The file is damaged inside the ZIP, or packed in an unusual way."
        )
