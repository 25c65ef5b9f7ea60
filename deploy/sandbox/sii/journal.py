"""What was received, on disk: files, what became of them, and the requests, so that a restart still knows.

A folder holds each file as it came (``TRACKID.xml``) and files of JSON lines that are only appended to: uploads with
their documents (the last line of a track id holds), requests, and what follows an upload, by its kind. Seeds and tokens
aren't kept: whoever was logged in logs in again, as after a restart of the real service. A line is written before the
request that caused it is answered; nothing is forced to the disk, so a crash of the machine, not of the process, may
lose the last ones.
"""

import json
import os
import shutil
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from deploy.sandbox.sii.registry import Upload

_UPLOAD: TypeAdapter[Upload] = TypeAdapter(Upload)


class Journal:
    """The folder of what was received."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, int] = {}
        weakref.finalize(self, _close, self._open)
        self.seen_again: dict[int, tuple[int, float]] = {}

    def received(self, upload: Upload, data: bytes) -> None:
        """A file came: keep it, and its upload."""
        self.keep(upload.track_id, data)
        self.judged(upload)

    def keep(self, track_id: int, data: bytes) -> None:
        """Keep the bytes of a file, which may be of another kind than those of uploads (a cession)."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._path(track_id).write_bytes(data)

    def judged(self, upload: Upload) -> None:
        """An upload changed: its verdict, its documents, or what was done to it by hand."""
        self._append("uploads.jsonl", b'{"upload":' + _UPLOAD.dump_json(upload) + b"}\n")

    def again(self, track_id: int, times: int, last: float) -> None:
        """The same bytes came again: how often now, and when last (seconds of the clock)."""
        self._append("uploads.jsonl", json.dumps({"again": [track_id, times, last]}).encode() + b"\n")

    def request(self, entry: dict[str, Any]) -> None:
        """A request was answered."""
        self._append("requests.jsonl", json.dumps(entry, ensure_ascii=False).encode() + b"\n")

    def file(self, track_id: int) -> bytes:
        """The file of a track id as it came."""
        return self._path(track_id).read_bytes()

    def uploads(self) -> list[Upload]:
        """Every upload that was kept, in the order of reception, as it was last; reads what came again too."""
        found: dict[int, Upload] = {}
        for line in self._lines("uploads.jsonl"):
            row = json.loads(line)
            if "again" in row:
                track_id, times, last = row["again"]
                self.seen_again[int(track_id)] = int(times), float(last)
            else:
                upload = _UPLOAD.validate_python(row["upload"])
                found[upload.track_id] = upload
        return list(found.values())

    def requests(self) -> list[dict[str, Any]]:
        """Every request that was kept."""
        return [json.loads(line) for line in self._lines("requests.jsonl")]

    def add(self, name: str, row: dict[str, Any]) -> None:
        """Write down one of the things that follow an upload, under the name of its kind."""
        self._append(f"{name}.jsonl", json.dumps(row, ensure_ascii=False).encode() + b"\n")

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Everything of a kind that was written down."""
        return [json.loads(line) for line in self._lines(f"{name}.jsonl")]

    def forget(self) -> None:
        """Remove everything that was received."""
        _close(self._open)
        self.seen_again.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, track_id: int) -> Path:
        return self._folder / f"{track_id}.xml"

    def _append(self, name: str, line: bytes) -> None:
        if name not in self._open:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._open[name] = os.open(self._folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(self._open[name], line)

    def _lines(self, name: str) -> Iterator[bytes]:
        """The whole lines of a file; one that a crash cut short isn't one."""
        path = self._folder / name
        if path.exists():
            with path.open("rb") as file:
                yield from (line for line in file if line.endswith(b"\n"))


def _close(descriptors: dict[str, int]) -> None:
    for descriptor in descriptors.values():
        os.close(descriptor)
    descriptors.clear()
