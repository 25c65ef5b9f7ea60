r"""The second failure domain: append-only files, one a process, one fsync a chunk.

Before anyone sees a document (the SII, the producer, a printer), its key, folio and bytes are durable in the ledger
and here. After a restore of the ledger the records are read back and compared with it, before intake, issue and
submit open again.

A record is one line of JSON (header) followed by the bytes it announces and a line feed:
`{"v":1,"kind":"dte","id":…,"issuer":…,…,"size":5321,"sha256":…}\n<bytes>\n`. What is torn (a process died in the middle
of a write, a disk was full) is no record, by its size or sum: nothing of it had left. Promises: nothing is ever written
behind a torn record of ours (it is cut off, or a new file is begun), and whatever is damaged hides no whole record
behind it: reading finds the next one and tells what it passed over.
"""

import errno
import hashlib
import itertools
import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

log: Final = structlog.get_logger(__name__)

VERSION: Final = 1
SUFFIX: Final = ".evidence"
_HEADER: Final = b'{"v":1,"kind":'
_LONGEST_HEADER: Final = 64 * 1024
_PIECE: Final = 1024 * 1024
_PROBE: Final = "probe"
PROBE_BYTES: Final = 512 * 1024
"""What must fit before work begins again after a failure: a chunk of ordinary documents."""
FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class EvidenceAwayError(Exception):
    """The second copies can't be written now: nothing leaves, and all goes on by itself once they can."""

    code: Final = "EVIDENCE-AWAY"
    retry_helps: Final = True


@dataclass(frozen=True, slots=True)
class Record:
    """One piece of evidence: `header` is JSON-able facts, `data` the bytes as they will be sent or printed."""

    kind: str
    header: dict[str, Any]
    data: bytes


@dataclass(frozen=True, slots=True)
class Damage:
    """A part of a file that is no whole record: where it begins, how many bytes, and whether the file ends with it.

    At its end a file is torn where its process died in the middle of a write; nothing of that had left. Elsewhere it
    was torn by a full disk, or altered.
    """

    at: int
    size: int
    at_the_end: bool


class EvidenceLog:
    """The file of one process; `append` returns when the records are durable."""

    def __init__(self, folder: Path, name: str) -> None:
        """Begin a new file in `folder`: what another process began is never appended to, it may end torn."""
        self._folder = folder
        self._name = name
        self._lock = threading.Lock()
        self._failed = False
        self._descriptor = -1
        self.path = folder / f"{name}{SUFFIX}"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._begin()
        except OSError as error:
            raise self._away(error) from error

    def append(self, records: Sequence[Record]) -> None:
        """Append records and wait until the disk has them; raises EvidenceAwayError, and then nothing may leave."""
        if not records:
            return
        with self._lock:
            self._write(b"".join(part for record in records for part in _parts(record)))

    def check(self) -> None:
        """See whether there is room again, if there was none: folios aren't spent on what can't leave.

        Raises EvidenceAwayError.
        """
        if not self._failed:
            return
        with self._lock:
            # A record like any other, so that a file that can't be cut holds nothing that isn't one.
            self._write(b"".join(_parts(Record(_PROBE, {}, bytes(PROBE_BYTES)))), keep=False)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, block: bytes, *, keep: bool = True) -> None:
        try:
            if self._descriptor < 0:
                self._begin()
            whole = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise self._away(error) from error
        try:
            written = 0
            while written < len(block):
                written += os.write(self._descriptor, block[written:])
            os.fdatasync(self._descriptor)
        except OSError as error:
            self._cut(whole)
            raise self._away(error) from error
        if not keep:
            self._cut(whole)
        self._failed = False
        _tell(None)

    def _away(self, error: OSError) -> EvidenceAwayError:
        self._failed = True
        said = f"the second copies can't be written to {self._folder}: {error.strerror}"
        away = EvidenceAwayError(f"{said}; make room there" if error.errno in FULL else said)
        _tell(str(away))
        return away

    def _cut(self, whole: int) -> None:
        """Take off what was written last; where that can't be, or the disk itself failed, begin a new file next."""
        try:
            os.ftruncate(self._descriptor, whole)
            os.fdatasync(self._descriptor)
        except OSError:
            log.exception("evidence.torn", file=str(self.path), at=whole)
            self.close()

    def _begin(self) -> None:
        for number in itertools.count(1):
            path = self._folder / (f"{self._name}{SUFFIX}" if number == 1 else f"{self._name}.{number:03d}{SUFFIX}")
            try:
                self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            except FileExistsError:
                continue
            self.path = path
            _sync_folder(self._folder)
            return


def _parts(record: Record) -> list[bytes]:
    header = {
        "v": VERSION,
        "kind": record.kind,
        **record.header,
        "size": len(record.data),
        "sha256": hashlib.sha256(record.data).hexdigest(),
    }
    return [json.dumps(header, separators=(",", ":")).encode(), b"\n", record.data, b"\n"]


_told: Final[dict[str, str]] = {}
_AWAY: Final = "away"


def _tell(why: str | None) -> None:
    """Say once that the second copies can't be written, and once that they can again."""
    if why is None:
        if _told.pop(_AWAY, None) is not None:
            log.warning("evidence.back")
    elif _told.get(_AWAY) != why:
        _told[_AWAY] = why
        log.error("evidence.away", why=why)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def files_of(folder: Path) -> list[Path]:
    """Every file of evidence in a folder, in order of name. Raises OSError where the folder can't be read."""
    return sorted(folder / name for name in os.listdir(folder) if name.endswith(SUFFIX))  # noqa: PTH208 (it must raise)


def read_evidence(folder: Path) -> Iterator[Record]:
    """Read every whole record of every file of a folder, file by file in order of name; damage is logged.

    Raises OSError where a file can't be read: what isn't known is not taken for nothing.
    """
    for path in files_of(folder):
        yield from _read_file(path)


def _read_file(path: Path) -> Iterator[Record]:
    for part in scan(path):
        if isinstance(part, Record):
            yield part
        else:
            log.warning("evidence.passed_over", file=str(path), at=part.at, bytes=part.size, at_the_end=part.at_the_end)


class _Bytes:
    """A file's bytes, read where they are asked for: a map of it would end this process if another cuts the file."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size: Final = os.fstat(descriptor).st_size

    def at(self, start: int, end: int) -> bytes:
        """Bytes from `start` to before `end`, or fewer at the file's end."""
        return os.pread(self._descriptor, max(0, min(end, self.size) - start), start)

    def find(self, wanted: bytes, start: int, end: int) -> int:
        """Where `wanted` stands first; -1 where it doesn't."""
        while start < end:
            piece = self.at(start, min(end, start + _PIECE + len(wanted)))
            if (found := piece.find(wanted)) >= 0:
                return start + found
            start += _PIECE
        return -1


def scan(path: Path) -> Iterator[Record | Damage]:
    """All of a file, in order: its whole records, and what lies between them that is none. Raises OSError."""
    with path.open("rb") as file:
        data = _Bytes(file.fileno())
        at = 0
        while at < data.size:
            found = _record_at(data, at)
            if found is None:
                following = _next_record(data, at + 1)
                yield Damage(at, following - at, following == data.size)
                at = following
                continue
            record, at = found
            if record.kind != _PROBE:
                yield record


def _next_record(data: _Bytes, start: int) -> int:
    """Where the next whole record begins; the end of the file when there is none."""
    at = data.find(_HEADER, start, data.size)
    while at >= 0:
        if _record_at(data, at) is not None:
            return at
        at = data.find(_HEADER, at + 1, data.size)
    return data.size


def _record_at(data: _Bytes, at: int) -> tuple[Record, int] | None:
    """The whole record that begins at a place, and where it ends; None when there is none."""
    line, feed, _ = data.at(at, at + _LONGEST_HEADER).partition(b"\n")
    if not feed or not line.startswith(_HEADER):
        return None
    try:
        header = json.loads(line)
        size, total, kind = int(header.pop("size")), header.pop("sha256"), header.pop("kind")
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    start = at + len(line) + 1
    if not 0 <= size <= data.size - start - 1:
        return None
    body = data.at(start, start + size + 1)
    if body[size:] != b"\n" or hashlib.sha256(body[:size]).hexdigest() != total:
        return None
    header.pop("v", None)
    return Record(kind, header, body[:size]), start + size + 1


_logs: Final[dict[int, EvidenceLog]] = {}
_logs_lock: Final = threading.Lock()


def evidence_of_this_process(folder: Path, worker: int) -> EvidenceLog:
    """Return the file of this process (never inherited over a fork), named after its number in the ledger.

    Raises EvidenceAwayError where it can't be begun.
    """
    pid = os.getpid()
    with _logs_lock:
        if pid not in _logs:
            _logs.clear()
            _logs[pid] = EvidenceLog(folder, f"worker-{worker:010d}")
        return _logs[pid]
