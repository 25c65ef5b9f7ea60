"""The disk of the evidence is full for a while: nothing leaves without its copy, all goes on, all is read back."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.books import check_books
from tests.acceptance.commands import fmgo
from tests.acceptance.sales import invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import open_works
from workers.evidence import read_evidence

SALES = 300
WAITING = "SELECT count(*) FROM documents WHERE evidenced_at IS NULL AND state IN ('received', 'signed')"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("needs to mount a disk of its own (root)")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_holds_documents_and_all_goes_on_once_there_is_room(small_disk: Path) -> None:
    with open_works(more={"FMGO_EVIDENCE_DIR": str(small_disk)}) as works:
        company = works.company()
        works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(SALES)])
        wait_until(lambda: works.logged("bulk", "evidence.away") > 0, "the disk doesn't fill")
        wait_until(lambda: works.scalar(WAITING) > 0, "nothing waits for its copy")
        away = works.logged("bulk", "evidence.away")
        said = [
            one["todo"]
            for one in fmgo(works.sandbox.environment, "doctor", "--json").objects
            if one["about"] == "evidence"
        ]
        assert any(f"{small_disk} is full: make room there" in todo for todo in said), said
        assert works.logged("bulk", "evidence.away") <= away + (os.cpu_count() or 1)  # said once by each process
        subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
        works.await_states(company, {"accepted": SALES})
        check_books(works, company)
        held = {record.header["id"] for record in read_evidence(small_disk) if record.kind == "dte"}
        assert {str(number) for (number,) in works.rows("SELECT id FROM documents")} <= held
        assert fmgo(works.sandbox.environment, "evidence", "verify").code == 0
