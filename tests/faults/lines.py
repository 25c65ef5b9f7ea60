"""Rows of front ends, connections, rates and clocks: nobody calls where nobody answers, nor before the named time."""

import datetime as dt
from typing import Any, Final

from tests.faults.lost import SENT_AGAIN
from tests.faults.play import Play
from tests.faults.row import FOR_EVER, STATES, UPLOADS, Case, Injected, Most, Row, each

ISSUED: Final = {33: {"enveloped": 2}, 39: {"enveloped": 2}, 61: {"signed": 1}}
NAMED: Final = dt.timedelta(seconds=600)
HOSTS: Final = ("dte", "boleta_api", "boleta_up")


def _away(fault: str, **args: Any) -> tuple[Injected, ...]:
    return tuple(Injected(fault, None, FOR_EVER, args, host=host) for host in HOSTS)


def _never_in_chunks(play: Play) -> None:
    """Every request says its length and comes whole."""
    for one in play.requests(*UPLOADS, *STATES):
        headers = {name.lower(): value for name, value in one["headers"].items()}
        assert "transfer-encoding" not in headers
        if one["method"] == "POST":
            assert int(headers["content-length"]) == one["body_size"]


def _a_time_was_named(play: Play) -> None:
    """So the SII's invariants had something to hold all later requests to that host against."""
    named = [one for one in play.requests(*UPLOADS, *STATES) if "F-RATE" in one["faults"]]
    assert named
    for one in named:
        seconds = dt.datetime.fromisoformat(one["wait_until"]) - dt.datetime.fromisoformat(one["answered"])
        assert abs(seconds - NAMED) < dt.timedelta(seconds=1)


ROWS: Final[dict[str, Row]] = {
    "F-HTTP-503": Row(
        (
            Case(
                (*each("F-HTTP-503", "DTEUpload"), *each("F-HTTP-503", *STATES, times=2)),
                soap="unknown received received",
            ),
            Case(each("F-HTTP-503", *UPLOADS, state="S"), soap=SENT_AGAIN, rest="unknown"),
        ),
        logins=(2, 2),
    ),
    "F-MAINT": Row(
        (Case(_away("F-MAINT")),),
        stands=Most(uploads=6, logins=0, questions=0),
        meanwhile=ISSUED,
    ),
    "F-RATE": Row(
        tuple(
            Case(
                each("F-RATE", *operations, status=status, header=header, seconds=NAMED.total_seconds()),
                soap=f"{soap} received received".lstrip(),
                rest=f"{rest} received".lstrip(),
                check=_a_time_was_named if header != "none" else None,
            )
            for operations, status, header, soap, rest in (
                (("DTEUpload",), 429, "x-retry-after", "not_received", ""),
                (("DTEUpload",), 503, "retry-after", "unknown", ""),
                (("envio",), 405, "retry-after", "", "not_received"),
                (STATES, 503, "retry-after-date", "", ""),
                (STATES, 429, "x-retry-after", "", ""),
                (("DTEUpload",), 429, "none", "not_received", ""),
            )
        ),
        logins=(6, 6),
        renewals=1,
    ),
    "F-CHUNK": Row((Case(check=_never_in_chunks),)),
    "F-TLS": Row(
        (Case(_away("F-TLS", form="wrong_ca")),),
        stands=Most(logins=2),
        meanwhile=ISSUED,
    ),
    "F-DNS": Row(
        (Case(_away("F-DNS")),),
        stands=Most(logins=2),
        meanwhile=ISSUED,
    ),
}
