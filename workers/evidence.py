r"""The second failure domain: an append-only file per process, one fsync a chunk.

Before anyone sees a document (the SII, the producer, a printer), its key, folio and bytes are durable in the ledger
and here. After a restore of the ledger the records are read back and compared with it, before intake, issue and
submit open again.

A record is one line of JSON (header) followed by the bytes it announces and a line feed:
`{"v":1,"kind":"dte","id":…,"issuer":…,…,"size":5321,"sha256":…}\n<bytes>\n`. A torn last record (the process died
in the middle of a write) is recognised by its size or sum and ignored: nothing of it had left.
"""

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Record:
    """One piece of evidence: `header` is JSON-able facts, `data` the bytes as they will be sent or printed."""

    kind: str
    header: dict[str, Any]
    data: bytes


class EvidenceLog:
    """The file of one process; `append` returns when the records are durable."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{name}.evidence"
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()
        _sync_folder(folder)

    def append(self, records: Sequence[Record]) -> None:
        """Append records and wait until the disk has them; raises OSError, and then nothing may leave."""
        if not records:
            return
        parts = []
        for record in records:
            header = {
                "v": VERSION,
                "kind": record.kind,
                **record.header,
                "size": len(record.data),
                "sha256": hashlib.sha256(record.data).hexdigest(),
            }
            parts += [json.dumps(header, separators=(",", ":")).encode(), b"\n", record.data, b"\n"]
        block = b"".join(parts)
        with self._lock:
            written = 0
            while written < len(block):
                written += os.write(self._descriptor, block[written:])
            os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_evidence(folder: Path) -> Iterator[Record]:
    """Read every whole record of every file of a folder, file by file in order of name."""
    for path in sorted(folder.glob("*.evidence")):
        yield from _read_file(path)


def _read_file(path: Path) -> Iterator[Record]:
    with path.open("rb") as file:
        while line := file.readline():
            try:
                header = json.loads(line)
                size, total, kind = header.pop("size"), header.pop("sha256"), header.pop("kind")
            except (ValueError, KeyError, AttributeError):
                return
            data = file.read(size)
            if file.read(1) != b"\n" or hashlib.sha256(data).hexdigest() != total:
                return
            header.pop("v", None)
            yield Record(kind, header, data)


_logs: Final[dict[int, EvidenceLog]] = {}
_logs_lock: Final = threading.Lock()


def evidence_of_this_process(folder: Path, worker: int) -> EvidenceLog:
    """Return the file of this process (never inherited over a fork), named after its number in the ledger."""
    pid = os.getpid()
    with _logs_lock:
        if pid not in _logs:
            _logs.clear()
            _logs[pid] = EvidenceLog(folder, f"worker-{worker:010d}")
        return _logs[pid]
