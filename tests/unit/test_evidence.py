"""The evidence file: what was appended is read back, and a torn end is no record."""

from pathlib import Path

import pytest

from workers.evidence import EvidenceLog, Record, read_evidence

RECORDS = [
    Record("dte", {"id": "a", "folio": 7}, "<DTE>ñ\n</DTE>".encode("iso-8859-1")),
    Record("envelope", {"id": "b"}, b"\x00\xff\n{\n" * 100),
    Record("dte", {"id": "c"}, b""),
]


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
    with log.path.open("r+b") as file:
        file.truncate(whole + kept if kept > 0 else size + kept)
    assert list(read_evidence(tmp_path)) == RECORDS[:1]


def test_an_altered_record_is_no_record(tmp_path: Path) -> None:
    log = EvidenceLog(tmp_path, "worker-1")
    log.append(RECORDS[:1])
    log.close()
    data = log.path.read_bytes()
    log.path.write_bytes(data.replace(b"</DTE>", b"</DTX>"))
    assert list(read_evidence(tmp_path)) == []


def test_several_files_are_read_in_order_of_their_names(tmp_path: Path) -> None:
    for name, record in (("worker-2", RECORDS[2]), ("worker-1", RECORDS[0])):
        log = EvidenceLog(tmp_path, name)
        log.append([record])
        log.close()
    assert [record.header["id"] for record in read_evidence(tmp_path)] == ["a", "c"]
