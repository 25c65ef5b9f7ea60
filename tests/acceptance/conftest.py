"""One running FMgo for all acceptance tests of a run.

What a test left dead is started again before the next, and services of the SII that it left closed are open.
"""

from collections.abc import Iterator

import pytest

from tests.acceptance.works import Works, open_works


@pytest.fixture(scope="session")
def running() -> Iterator[Works]:
    """The FMgo of this run."""
    with open_works() as works:
        yield works


@pytest.fixture
def works(running: Works) -> Iterator[Works]:
    """The running FMgo, whole."""
    running.mend()
    running.change("UPDATE sii_services SET closed_until = NULL, failures = 0, paced_to = NULL, probe = NULL")
    yield running
    running.window.delete("/faults").raise_for_status()
