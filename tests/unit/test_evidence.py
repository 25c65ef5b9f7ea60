"""The evidence file: what was appended is read back, whatever was torn or damaged beside it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from workers.evidence import Damage, EvidenceAwayError, EvidenceLog, Record, read_evidence, scan

RECORDS = [
    Record("dte", {"id": "a", "folio": 7}, "<DTE>ñ\n</DTE>".encode("iso-8859-1")),
    Record("envelope", {"id": "b"}, b"\x00\xff\n{\n" * 100),
    Record("dte", {"id": "c"}, b""),
]


def written(folder: Path, records: list[Record], name: str = "worker-1") -> Path:
    log = EvidenceLog(folder, name)
    log.append(records)
    log.close()
    return log.path


def test_records_are_read_back_as_they_were(tmp_path: Path) -> None:
    log = EvidenceLog(tmp_path / "evidence", "worker-1")
    log.append(RECORDS[:2])
    log.append([])
    log.append(RECORDS[2:])
    log.close()
    assert list(read_evidence(tmp_path / "evidence")) == RECORDS
    assert log.path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("kept", [1, 40, 170, -1, -3])
def test_a_torn_end_is_no_record(tmp_path: Path, kept: int) -> None:
    log = EvidenceLog(tmp_path, "worker-1")
    log.append(RECORDS[:1])
    whole = log.path.stat().st_size
    log.append(RECORDS[1:2])
    size = log.path.stat().st_size
    log.close()
    end = whole + kept if kept > 0 else size + kept
    os.truncate(log.path, end)
    assert list(read_evidence(tmp_path)) == RECORDS[:1]
    assert list(scan(log.path))[1:] == [Damage(whole, end - whole, at_the_end=True)]


def test_an_altered_record_is_no_record(tmp_path: Path) -> None:
    path = written(tmp_path, RECORDS[:1])
    path.write_bytes(path.read_bytes().replace(b"</DTE>", b"</DTX>"))
    assert list(read_evidence(tmp_path)) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record[: len(record) // 2],  # torn, as by a full disk, and gone on behind it
        lambda record: record[:3],
        lambda record: record.replace(b'"size":', b'"size":9'),
        lambda record: record.replace(b'"sha256":"', b'"sha256":"0'),
        lambda record: record.replace(b'"kind"', b'"knid"'),
        lambda record: b"\x00" * 5000,
        lambda record: b"[" * 5000 + b"\n",
        lambda record: record + b"\n",
        lambda record: b'{"v":1,"kind":"dte","size":-5,"sha256":"x"}\n' + record[:-1],
    ],
)
def test_whatever_is_damaged_hides_no_whole_record_behind_it(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    path = written(tmp_path, RECORDS[:1])
    first = path.read_bytes()
    second = written(tmp_path, RECORDS[1:2], "second").read_bytes()
    third = written(tmp_path, RECORDS[2:], "third").read_bytes()
    for name in ("second", "third"):
        (tmp_path / f"{name}.evidence").unlink()
    path.write_bytes(first + spoil(second) + third)
    found = list(read_evidence(tmp_path))
    assert found[0] == RECORDS[0]
    assert found[-1] == RECORDS[2]
    damage = [part for part in scan(path) if isinstance(part, Damage)]
    assert [part.at_the_end for part in damage] == [False]
    assert sum(part.size for part in damage) > 0


def test_several_files_are_read_in_order_of_their_names(tmp_path: Path) -> None:
    written(tmp_path, RECORDS[2:], "worker-2")
    written(tmp_path, RECORDS[:1], "worker-1")
    assert [record.header["id"] for record in read_evidence(tmp_path)] == ["a", "c"]


def test_a_file_that_another_process_began_is_left_as_it_is(tmp_path: Path) -> None:
    first = written(tmp_path, RECORDS[:1])
    os.truncate(first, first.stat().st_size - 2)
    torn = first.read_bytes()
    second = written(tmp_path, RECORDS[1:])
    assert second != first
    assert first.read_bytes() == torn
    assert list(read_evidence(tmp_path)) == RECORDS[1:]


def test_a_folder_that_cant_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_evidence(tmp_path / "nowhere"))


def test_a_folder_that_cant_be_made_is_told_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EvidenceAwayError, match="file/evidence: Not a directory"):
        EvidenceLog(tmp_path / "file" / "evidence", "worker-1")


class Disk:
    """A disk of so many bytes, as the operating system tells of it: what fits is written, then ENOSPC."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        self.cut_fails = False
        self._write = os.write
        self._cut = os.ftruncate
        monkeypatch.setattr(os, "write", self.write)
        monkeypatch.setattr(os, "ftruncate", self.cut)

    def write(self, descriptor: int, data: bytes) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        written = self._write(descriptor, data[: self.room])
        self.room -= written
        return written

    def cut(self, descriptor: int, size: int) -> None:
        if self.cut_fails:
            raise OSError(5, "Input/output error")
        self.room += os.fstat(descriptor).st_size - size
        self._cut(descriptor, size)


@pytest.mark.parametrize("cut_fails", [False, True])
def test_what_a_full_disk_tears_hides_nothing_that_is_written_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut_fails: bool
) -> None:
    log = EvidenceLog(tmp_path, "worker-1")
    log.append(RECORDS[:1])
    disk = Disk(monkeypatch, room=300)
    disk.cut_fails = cut_fails
    with pytest.raises(EvidenceAwayError, match="No space left on device; make room there"):
        log.append(RECORDS[1:2])
    with pytest.raises(EvidenceAwayError):
        log.check()
    disk.room = 10_000_000
    log.check()
    log.append(RECORDS[1:])
    log.close()
    assert sorted(read_evidence(tmp_path), key=lambda record: str(record.header["id"])) == RECORDS
    damage = [part for path in tmp_path.iterdir() for part in scan(path) if isinstance(part, Damage)]
    assert bool(damage) == cut_fails
