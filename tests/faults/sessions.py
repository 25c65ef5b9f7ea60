"""Rows of seeds, tokens, User-Agents, permissions and hosts: a person logs in as often as it can help, and no more."""

from typing import Final

from domain.answers.table import alerts
from tests.acceptance.sales import invoice
from tests.faults.play import Play
from tests.faults.row import FOR_EVER, SEEDS, STATES, TOKENS, UPLOADS, Case, Injected, Most, Row, each

HOUR_AND_A_SECOND: Final = 3601


def _frozen_no_more(play: Play) -> None:
    play.works.unfreeze(play.company)


ROWS: Final[dict[str, Row]] = {
    "F-TOK-1": Row(
        (
            Case(
                each("F-TOK-1", *UPLOADS, *STATES),
                soap="not_received received received",
                rest="not_received received",
            ),
        ),
        logins=(3, 3),
    ),
    "F-TOK-2": Row(
        (
            Case(
                (*each("F-STUCK-1", *UPLOADS), Injected("F-TOK-2", None, FOR_EVER)),
                afterwards=_frozen_no_more,
            ),
        ),
        stands=Most(uploads=2, logins=90, questions=200),
    ),
    "F-TOK-3": Row(
        (
            Case(
                each("F-TOK-3", *UPLOADS, times=FOR_EVER),
                soap="not_received not_received received received",
                rest="not_received not_received received",
            ),
        ),
        stands=Most(uploads=24, logins=20),
        alerts=frozenset({alerts.TOKEN_NOT_TAKEN}),
    ),
    "F-TOK-4": Row(
        (
            Case(
                each("F-TOK-4", *UPLOADS, *STATES),
                soap="not_received received received",
                rest="not_received received",
            ),
        ),
        logins=(3, 3),
    ),
    "F-UA-1": Row(
        (
            Case(
                each("F-UA-1", *UPLOADS, times=FOR_EVER),
                ends={33: {"accepted": 3}, 39: {"accepted": 2}, 61: {"accepted": 1}},
                stored=(3, 1),
                afterwards=lambda play: play.sell_more(invoice),
            ),
        ),
        stands=Most(uploads=20, logins=16, questions=60),
        alerts=frozenset({alerts.TOKEN_NOT_TAKEN}),
    ),
    "F-SEED-1": Row((Case(each("F-SEED-1", *TOKENS, everywhere=True)),), logins=(2, 2)),
    "F-SEED-2": Row((Case(each("F-SEED-2", *TOKENS, everywhere=True)),), logins=(2, 2)),
    "F-SEED-3": Row(
        (Case(each("F-SEED-3", *TOKENS, everywhere=True, times=FOR_EVER)),),
        stands=Most(logins=200),
        meanwhile={33: {"enveloped": 2}, 39: {"enveloped": 2}, 61: {"signed": 1}},
        alerts=frozenset({alerts.LOGIN_UNAVAILABLE}),
    ),
    "F-SEED-4": Row(
        (
            Case(
                tuple(
                    rule
                    for operations, codes in ((SEEDS, ("-1", "-2")), (TOKENS, ("07", "09", "10", "12")))
                    for code in codes
                    for rule in each("F-SEED-4", *operations, everywhere=True, estado=code)
                )
            ),
        ),
        logins=(5, 5),
    ),
    "F-SEED-5": Row((Case(each("F-SEED-5", *SEEDS, *TOKENS, everywhere=True, times=FOR_EVER)),)),
    "F-106": Row(
        (Case(each("F-106", *STATES, times=FOR_EVER)),),
        stands=Most(uploads=2, logins=14, questions=70),
        alerts=frozenset({"sii-106", alerts.TOKEN_NOT_TAKEN}),
    ),
    "F-HOST": Row(
        (Case(each("F-HOST", *UPLOADS), soap="unknown received received", rest="not_received received"),),
    ),
}
