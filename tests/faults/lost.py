"""Rows of lost answers and of duplicates: each ends by proof, and no document is stored twice."""

import datetime as dt
from typing import Final

from tests.acceptance.sales import boleta
from tests.acceptance.waiting import wait_until
from tests.faults.play import Play
from tests.faults.row import FOR_EVER, UPLOADS, Case, Injected, Row, each

PAST_THE_WINDOW: Final = dt.timedelta(seconds=901)
SENT_AGAIN: Final = "unknown duplicate received"
"""By SOAP the same bytes again, which bring the first track id; boletas are asked about, and never sent again."""
HELD_ANSWER: Final = "held answer"


def _adopted(play: Play) -> None:
    """The first track id is the envelope's, and no part of one is anybody's."""
    stored = {str(one["track_id"]) for one in play.works.uploads(play.company)}
    kept = [track for _, _, track in play.works.envelopes(play.company) if track is not None]
    assert set(kept) <= stored
    said = [(outcome, track) for outcome, _, track in play.works.attempts(play.company)]
    assert {track for outcome, track in said if outcome == "unknown"} <= {None}
    first = str(play.works.uploads(play.company)[0]["track_id"])
    assert any(outcome == "duplicate" for outcome, _ in said)
    assert all(track in (first, *kept) for outcome, track in said if outcome == "duplicate")


def _by_the_documents(play: Play) -> None:
    """The proof was the documents' own: asked with their signature, never sent under another one."""
    assert len(play.requests("getEstDteAv")) >= 2
    assert len({one["sha256"] for one in play.works.uploads(play.company)}) == len(play.works.uploads(play.company))


def _killed(play: Play) -> None:
    """The sender is killed while its answers are held."""
    wait_until(lambda: len(play.works.uploads(play.company)) == 2, "both uploads stored")
    play.works.kill("threads")
    play.works.window.post(f"/faults/{HELD_ANSWER}/release").raise_for_status()
    play.works.start("threads")


def _both_clocks_go_on(play: Play) -> None:
    """The SII's clock has moved past its window when the sender comes back; so has ours."""
    play.await_envelopes("uncertain", 2)
    play.works.clock.follow(PAST_THE_WINDOW)


def _clocks_meet_again(play: Play) -> None:
    """The last envelope was the first one's equal, byte for byte, and the skew ends with the row."""
    assert len({one["sha256"] for one in play.works.uploads(play.company) if one["documents"] == 2}) == 2
    play.works.clock.follow(PAST_THE_WINDOW)


def _a_later_boleta(play: Play) -> None:
    """Absence is proven only beside a later envelope of the channel."""
    play.await_envelopes("uncertain", 1)
    play.sell_more(boleta)


ROWS: Final[dict[str, Row]] = {
    "F-LOST-1": Row((Case(each("F-LOST-1", *UPLOADS), soap=SENT_AGAIN, rest="unknown", check=_adopted),)),
    "F-LOST-2": Row((Case(each("F-LOST-2", *UPLOADS, seconds=6), soap=SENT_AGAIN, rest="unknown", check=_adopted),)),
    "F-LOST-3": Row(
        (
            Case(
                each("F-LOST-3", *UPLOADS),
                ends={33: {"accepted": 2}, 39: {"accepted": 3}, 61: {"accepted": 1}},
                soap="unknown received received",
                rest="unknown received received",
                stored=(2, 2),
                act=_a_later_boleta,
            ),
        ),
        logins=(1, 2),  # absence is proven after an hour
        lenient_logins=(1, 1),
    ),
    "F-LOST-4": Row((Case(each("F-LOST-4", *UPLOADS), soap=SENT_AGAIN, rest="unknown", check=_adopted),)),
    "F-LOST-5": Row((Case(each("F-LOST-5", *UPLOADS), soap=SENT_AGAIN, rest="unknown", check=_adopted),)),
    "F-LOST-6": Row((Case(each("F-LOST-6", *UPLOADS), soap=SENT_AGAIN, rest="unknown", check=_by_the_documents),)),
    "F-LOST-7": Row(
        (
            Case(
                tuple(Injected("F-LOST-7", operation, name=HELD_ANSWER) for operation in UPLOADS),
                soap="- duplicate received",
                rest="-",
                act=_killed,
                check=_adopted,
            ),
        )
    ),
    "F-LOST-8": Row(
        (
            Case(
                (*each("F-LOST-8", "DTEUpload"), *each("F-LOST-1", "envio")),
                soap="unknown received",
                rest="unknown",
                act=_both_clocks_go_on,
                check=_by_the_documents,
            ),
        )
    ),
    "F-LOST-9": Row((Case(each("F-LOST-9", *UPLOADS), soap=SENT_AGAIN, rest="unknown", check=_adopted),)),
    "F-DUP-1": Row((Case(each("F-LOST-5", "DTEUpload"), soap=SENT_AGAIN, check=_adopted),)),
    "F-DUP-2": Row(
        (
            # The SII has forgotten the first upload, and our clock says that it hasn't.
            Case(
                (*each("F-LOST-8", "DTEUpload"), *each("F-DUP-2", "DTEUpload", times=FOR_EVER)),
                soap="unknown received received",
                stored=(3, 1),
                check=_clocks_meet_again,
            ),
        ),
        lenient={"soap": SENT_AGAIN, "stored": (2, 1)},  # it never forgets
    ),
    "F-DUP-3": Row((Case((*each("F-LOST-1", "envio"), *each("F-DUP-3", "envio", times=-1)), rest="unknown"),)),
}
