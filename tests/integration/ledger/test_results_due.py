"""Results that are due: what is marked as told is what was told, whoever changes the document meanwhile."""

import threading

from tests.integration.ledger.conftest import job, record
from workers.database import results
from workers.database.engine import Ledger, count, run

DOCUMENTS = 200
LOOKS = 60


def test_a_change_while_results_are_taken_is_not_marked_as_told_before_it_was(ledger: Ledger) -> None:
    record(ledger, *(job(f"sale-{n}") for n in range(DOCUMENTS)))
    with ledger.transaction() as tx:
        run(tx, "UPDATE documents SET version = version + 1")
    over = threading.Event()

    def change() -> None:
        while not over.is_set():
            with ledger.transaction() as tx:
                run(
                    tx,
                    """
                    UPDATE documents SET version = version + 1 WHERE id IN (
                        SELECT id FROM documents ORDER BY id DESC LIMIT 1 OFFSET floor(random() * 40)::int
                        FOR UPDATE SKIP LOCKED)
                    """,
                )

    changers = [threading.Thread(target=change) for _ in range(2)]
    for changer in changers:
        changer.start()
    try:
        for _ in range(LOOKS):
            with ledger.transaction() as tx:
                found = results.untold(tx, DOCUMENTS)
            assert [(one.id, one.version) for one in found] == [(one.id, one.counted) for one in found]
    finally:
        over.set()
        for changer in changers:
            changer.join(60)
    with ledger.transaction() as tx:
        assert count(tx, "SELECT max(version) FROM documents") > 2
