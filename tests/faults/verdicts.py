"""Rows of verdicts and refusals: each document's own, and what a person must do where one must."""

from typing import Final

from tests.faults.play import Play
from tests.faults.row import UPLOADS, Act, Case, Row, each


def _refused(number: int) -> Act:
    def wait_and_release(play: Play) -> None:
        play.await_refused(number)
        held = play.works.rows(
            "SELECT DISTINCT held FROM documents WHERE issuer = %s AND held LIKE 'envelope-refused:%%'",
            play.company.rut,
        )
        assert len(held) >= 1
        assert (
            play.works.rows("SELECT 1 FROM documents WHERE issuer = %s AND state = 'rejected'", play.company.rut) == []
        )
        play.release()

    return wait_and_release


IN_HALVES: Final = "received received received"
"""After a refusal for the schema each factura goes by itself, and then the note; nobody needs to do anything."""
CUT, SCHEMA = 3, 7
REPAIRED: Final = {
    33: {"accepted_with_repairs": 2},
    39: {"accepted_with_repairs": 2},
    61: {"accepted": 1},
}


def _refused_as_a_whole(fault: str) -> Row:
    """Both first envelopes are refused; their documents go in new ones once they are released."""
    again = "received received"
    return Row((Case(each(fault, *UPLOADS), soap=f"{again} received", rest=again, stored=(3, 2), act=_refused(2)),))


ROWS: Final[dict[str, Row]] = {
    "F-EPR-MIX": Row(
        (
            Case(
                each("F-EPR-MIX", *UPLOADS),
                ends={
                    33: {"accepted_with_repairs": 1, "rejected": 1},
                    39: {"accepted_with_repairs": 1, "rejected": 1},
                    61: {"accepted": 1},
                },
            ),
        )
    ),
    "F-HALF": Row(
        (
            Case(
                each("F-HALF", *UPLOADS),
                ends={
                    33: {"accepted": 1, "rejected": 1},
                    39: {"accepted": 1, "rejected": 1},
                    61: {"accepted": 1},
                },
            ),
        )
    ),
    "F-REP": Row((Case(each("F-REP", *UPLOADS), ends=REPAIRED),)),
    "F-RCT": _refused_as_a_whole("F-RCT"),
    "F-RFR": _refused_as_a_whole("F-RFR"),
    "F-RSC": Row(
        (Case(each("F-RSC", *UPLOADS), soap=f"received {IN_HALVES}", rest="received received received", stored=(4, 3)),)
    ),
    "F-9": Row(
        (
            Case(
                each("F-9", "DTEUpload", times=3),
                soap="not_received not_received not_received received received",
            ),
        )
    ),
    "F-STATUS-n": Row(
        tuple(
            Case(
                each(f"F-STATUS-{status}", "DTEUpload", form=form),
                soap=f"not_received {IN_HALVES if status == SCHEMA else 'received received'}",
                stored=(3 if status == SCHEMA else 2, 1),
                act=None if status in (CUT, SCHEMA) else _refused(1),
            )
            for status, form in (
                (1, "minimal"),
                (1, "full"),
                (1, "loose"),
                (2, "full"),
                (3, "loose"),
                (6, "minimal"),
                (7, "full"),
                (8, "loose"),
            )
        ),
        logins=(8, 8),
    ),
    "F-LINE": Row((Case(each("F-LINE", "DTEUpload"), soap=f"not_received {IN_HALVES}", stored=(3, 1)),)),
}
