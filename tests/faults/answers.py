"""Rows of answers that are late, cut, in another form, or made to hurt: no verdict comes of them, none is missed."""

from typing import Final

from tests.faults.lost import SENT_AGAIN
from tests.faults.play import Play
from tests.faults.row import (
    DOCUMENTS,
    FOR_EVER,
    SEEDS,
    STATES,
    TOKENS,
    UPLOADS,
    Case,
    Injected,
    Most,
    Row,
    each,
)


def _accents_are_right(play: Play) -> None:
    """What is kept of the SII's words has its accents, or none: nothing that a wrong charset leaves."""
    words = play.works.rows("SELECT verdict::text FROM documents WHERE issuer = %s", play.company.rut)
    assert not [text for (text,) in words if "\ufffd" in text or "Ã" in text or "\\ufffd" in text]


def _unfrozen(play: Play) -> None:
    play.works.unfreeze(play.company)


HOSTILE: Final = ("entities", "external", "inner", "deep", "huge")

ROWS: Final[dict[str, Row]] = {
    "F-SLOW": Row(
        (
            Case(
                (
                    *each("F-SLOW", *STATES, seconds=5),
                    *each("F-SLOW", *UPLOADS, seconds=1),
                    *each("F-SLOW", *STATES, bytes_per_second=20),
                )
            ),
        )
    ),
    "F-CUT-XML": Row((Case(each("F-CUT-XML", "getEstUp", times=3)),)),
    "F-CUT-JSON": Row((Case(each("F-CUT-JSON", "estado_envio", times=3)),)),
    "F-STUCK-1": Row(
        (Case(each("F-STUCK-1", *UPLOADS), afterwards=_unfrozen),),
        stands=Most(uploads=2, logins=14, questions=60),
        meanwhile={33: {"enveloped": 2}, 39: {"enveloped": 2}, 61: {"signed": 1}},
    ),
    "F-STUCK-2": Row((Case(each("F-STUCK-2", *STATES, times=3)),)),
    "F-EPR-0": Row((Case((*each("F-EPR-0", *UPLOADS, times=1),)),)),
    "F-EPR-61": Row((Case(each("F-EPR-61", "getEstUp", times=FOR_EVER)),)),
    "F-HDR0": Row((Case(each("F-HDR0", "getEstUp", times=FOR_EVER)),)),
    "F-500-LIT": Row(
        (
            Case(each("F-500-LIT", "DTEUpload"), soap="unknown received received"),
            Case(each("F-500-LIT", *UPLOADS, state="S"), soap=SENT_AGAIN, rest="unknown"),
        ),
        logins=(2, 2),
    ),
    "F-HTML-UP": Row(
        (
            Case(each("F-HTML-UP", "DTEUpload"), soap="unknown received received"),
            Case(each("F-HTML-UP", "DTEUpload", page="sessions"), soap="not_received received received"),
        ),
        logins=(3, 2),
    ),
    "F-UNK": Row(
        (
            Case(each("F-UNK", "DTEUpload"), soap="unknown received received"),
            Case(each("F-UNK", *STATES, times=3)),
            Case(each("F-UNK", "getEstUp", estado="007", times=2)),
        ),
        logins=(3, 3),
    ),
    "F-404": Row((Case(each("F-404", "estado_envio", times=3)),)),
    "F-TXT200": Row(
        (Case((*each("F-LOST-1", "envio"), *each("F-TXT200", "estado_documento", times=2)), rest="unknown"),)
    ),
    "F-NSOP": Row((Case(each("F-NSOP", *SEEDS, *TOKENS, *STATES, *DOCUMENTS, everywhere=True, times=FOR_EVER)),)),
    "F-L1": Row(
        (
            Case(
                (*each("F-LOST-6", "DTEUpload"), Injected("F-L1", None, FOR_EVER, everywhere=True)),
                soap=SENT_AGAIN,
                check=_accents_are_right,
            ),
        )
    ),
    "F-XXE": Row(
        (
            Case(
                (
                    *(Injected("F-XXE", "getEstUp", args={"form": form}) for form in HOSTILE),
                    *each("F-XXE", "DTEUpload", form="entities", state="S"),
                    *each("F-XXE", "estado_envio", form="deep"),
                    *each("F-XXE", "estado_envio", form="huge", megabytes=20),
                ),
                soap=SENT_AGAIN,
            ),
        )
    ),
}
