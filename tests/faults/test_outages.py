"""The outages of FMgo's servers that the suite leaves out, and a clock that is set."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.sandbox.people import Company
from tests.acceptance.outages import LEDGER, REDIS, outlive_ledger, outlive_redis
from tests.acceptance.premises import Premises, open_premises

IN_THE_SUITE = frozenset({"away", "hung", "read-only", "a replica"})


@pytest.fixture(scope="module")
def premises() -> Iterator[Premises]:
    with open_premises() as opened:
        yield opened


@pytest.fixture(scope="module")
def company(premises: Premises) -> Company:
    return premises.works.company((33, 39))


@pytest.mark.parametrize("name", sorted(LEDGER.keys() - IN_THE_SUITE))
def test_the_ledger(premises: Premises, company: Company, name: str) -> None:
    outlive_ledger(premises, company, name)


@pytest.mark.parametrize("name", sorted(REDIS.keys() - IN_THE_SUITE))
def test_the_doorbell(premises: Premises, company: Company, name: str) -> None:
    outlive_redis(premises, company, name)


@pytest.fixture(scope="module")
def clock() -> Path:
    """What libfaketime reads of the server's clock, beside PostgreSQL's account."""
    return Path(f"/tmp/fmgo-clock-{os.getpid()}")


@pytest.fixture(scope="module")
def set_premises(clock: Path) -> Iterator[Premises]:
    library = next((path for path in Path("/usr/lib").glob("**/faketime/libfaketimeMT.so.1")), None)
    if library is None:
        pytest.skip("needs libfaketime (Debian's package faketime)")
    set_clock(clock, 0)
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with open_premises(faked) as opened:
        yield opened
    clock.unlink()


def set_clock(clock: Path, seconds: int) -> None:
    new = clock.with_suffix(".new")
    new.write_text(f"{seconds:+d}s\n")
    new.chmod(0o644)
    new.replace(clock)


def test_a_clock_of_the_ledger_that_is_set_ends_nobody_and_holds_nothing_up(
    set_premises: Premises, clock: Path
) -> None:
    company = set_premises.works.company((33, 39))
    marks = set_premises.marks()
    for seconds in (12, 3612, 12):
        set_clock(clock, seconds)
        set_premises.await_said(marks, "ledger.clock_was_set", ("threads",))
        set_premises.outlast_a_death()
        set_premises.documents_flow(
            company, f"at {seconds} {set_premises.works.scalar('SELECT count(*) FROM documents')}"
        )
    set_premises.nobody_ended(marks)
