"""Every row of the fault catalogue, injected into a running FMgo under both profiles of the simulated SII.

Each says what becomes of every document, how many uploads and logins it costs, and that the books and the SII's
invariants hold; none ends in a loop. A row that isn't here says why.
"""

import datetime as dt
from typing import Final

import pytest

from deploy.sandbox.sii.catalogue import CATALOGUE
from tests.acceptance.works import Works
from tests.faults import afterwards, answers, clocks, lines, lost, sessions, verdicts
from tests.faults.play import a_sweep_passes, last_request, nothing_is_due, play, requests
from tests.faults.row import SEEDS, TOKENS, Row

AN_HOUR: Final = dt.timedelta(hours=1)
FEW: Final = 10
"""The facturas of the last row are asked about, after a login."""
ROWS: Final[dict[str, Row]] = (
    sessions.ROWS | lost.ROWS | answers.ROWS | verdicts.ROWS | lines.ROWS | afterwards.ROWS | clocks.ROWS
)

ELSEWHERE: Final = {
    "F-RTC-x": "cessions aren't FMgo's",
}


@pytest.mark.parametrize("fault", list(ROWS))
def test_row(works: Works, request: pytest.FixtureRequest, fault: str) -> None:
    play(works, ROWS[fault], request.node.callspec.params["running"])


def test_when_every_row_has_ended_nobody_asks_but_about_claims(works: Works) -> None:
    since = last_request(works)
    for _ in range(6):
        works.clock.advance(AN_HOUR)
        a_sweep_passes(works)
    assert nothing_is_due(works)
    found = requests(works, since)
    assert {one["operation"] for one in found} <= {"listarEventosHistDoc", SEEDS[0], TOKENS[0]}
    assert len(found) <= FEW


def test_every_row_of_the_catalogue_is_here_or_says_why_not() -> None:
    here = {name.partition(":")[0] for name in ROWS}
    assert here | set(ELSEWHERE) == set(CATALOGUE)
    assert here.isdisjoint(ELSEWHERE)
    assert all(ELSEWHERE.values())
