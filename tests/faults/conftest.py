"""One FMgo for each profile of the simulated SII, over TLS, with short deadlines: some faults are lateness itself."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.acceptance.works import Works, open_works

pytest.register_assert_rewrite("tests.faults.play")

SHORT: Final = {
    "FMGO_UPLOAD_DEADLINE_SECONDS": "4",
    "FMGO_SII_QUERY_SECONDS": "3",
    "FMGO_SII_CONNECT_SECONDS": "1",
    "FMGO_SII_LONGEST_PAUSE_SECONDS": "1800",
    "FMGO_POLL_FIRST_SECONDS_SOAP": "30",
    "FMGO_POLL_FIRST_SECONDS_REST": "600",
}


@pytest.fixture(scope="session", params=["strict", "lenient"])
def running(request: pytest.FixtureRequest) -> Iterator[Works]:
    """The FMgo of a profile."""
    with open_works(tls=True, more=SHORT) as works:
        works.sii.switch({"profile": request.param})
        yield works


@pytest.fixture
def works(running: Works) -> Iterator[Works]:
    """The running FMgo, whole."""
    running.mend()
    yield running
    running.window.delete("/faults").raise_for_status()
