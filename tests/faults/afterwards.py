"""Rows of what follows a verdict: result mails and what receivers say. Neither moves a verdict or is asked for ever."""

from typing import Any, Final

from deploy.sandbox.enrol import ENVIRONMENT
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import hours
from tests.faults.play import Play
from tests.faults.row import Act, Case, Counts, Injected, Row, each
from workers.database import mail_sources
from workers.database.mail_sources import NewSource

HALF: Final[Counts] = {33: {"accepted": 1, "rejected": 1}, 39: {"accepted": 2}, 61: {"accepted": 1}}
FACTURAS: Final = 2
ASKED_AT_MOST: Final = 20
"""Questions about one document in the eight days in which its receiver may speak."""


def _with_mails(play: Play) -> None:
    """FMgo reads this company's mails, where the SII leaves those of everybody."""
    folder = play.works.sandbox.folder / "mails"
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    play.works.sii.switch({"mail_maildir": str(folder)})
    source = NewSource(play.company.rut, ENVIRONMENT, "folder", str(folder), "none", None, None, ())
    with play.works.ledger.transaction() as tx:
        mail_sources.add(tx, source)
    play.sell()


def _told(play: Play) -> bool:
    """Whether the rejected factura has its reasons."""
    said = "SELECT verdict->'reasons' FROM documents WHERE issuer = %s AND state = 'rejected'"
    reasons = play.works.scalar(said, play.company.rut)
    return isinstance(reasons, list) and [reason["code"] for reason in reasons] == ["HED-3-861"]


def _tells_the_reasons(asked: int) -> Act:
    """The mail tells why, at once or when it is asked for again, so often."""

    def check(play: Play) -> None:
        if not asked:
            play.works.clock.advance(hours(1))
        else:
            play.works.clock.advance(hours(4.1))
        wait_until(lambda: _told(play), "the reasons weren't told")
        play.works.clock.advance(hours(100))
        again = "SELECT count(*) FROM result_mails_wanted w JOIN envelopes e ON e.id = w.envelope"
        open_ones = f"{again} WHERE e.issuer = %s AND w.due_at IS NOT NULL"
        wait_until(lambda: play.works.scalar(open_ones, play.company.rut) == 0, "a mail is wanted for ever")
        assert len(play.requests("reenvioCorreo")) == asked
        play.works.sii.switch({"mail_maildir": ""})
        play.works.change("DELETE FROM mail_sources")

    return check


def _decides_nothing(play: Play) -> None:
    """Forged mails and those of no upload are known as such, and nothing comes of them."""
    outcomes = "SELECT outcome FROM result_mails WHERE issuer = %s"

    def seen() -> set[str]:
        return {outcome for (outcome,) in play.works.rows(outcomes, play.company.rut)}

    wait_until(lambda: {"not-the-sii", "unknown-track"} <= seen(), lambda: f"both were read; there are {seen()}")
    play.works.sii.switch({"mail_maildir": ""})
    play.works.change("DELETE FROM mail_sources")


def _mail(variant: str | None, **args: Any) -> tuple[Injected, ...]:
    given = {"variants": [variant], **args} if variant else args
    return (*each("F-HALF", "DTEUpload"), Injected("F-MAIL-1", "mail", args=given))


def _asked_for_eight_days(play: Play) -> None:
    """Both facturas are asked about until their receivers may speak no more; silence is told, and it ends."""
    works, company = play.works, play.company
    watched = "SELECT count(*) FROM claim_watches WHERE issuer = %s AND due_at IS NOT NULL"

    def over() -> bool:
        works.clock.advance(hours(6))
        return bool(works.scalar(watched, company.rut) == 0)

    wait_until(over, lambda: f"{works.scalar(watched, company.rut)} watched", seconds=60)
    assert FACTURAS <= len(play.requests("listarEventosHistDoc")) <= FACTURAS * ASKED_AT_MOST
    claims = "SELECT claim->>'state', count(*) FROM documents WHERE issuer = %s AND document_type = 33 GROUP BY 1"
    assert works.rows(claims, company.rut) == [("deemed_accepted", FACTURAS)]


ROWS: Final[dict[str, Row]] = {
    **{
        f"F-MAIL-1: {name}": Row(
            (Case(_mail(variant, **args), HALF, sale=_with_mails, check=_tells_the_reasons(asked)),)
        )
        for name, variant, asked, args in (
            ("late", "late", 0, {"seconds": 600}),
            ("early", "early", 0, {}),
            ("twice", "twice", 0, {}),
            ("in another charset", "windows-1252", 0, {}),
            ("never", None, 1, {}),
        )
    },
    "F-MAIL-2": Row((Case(each("F-MAIL-2", "mail"), sale=_with_mails, check=_decides_nothing),)),
    "F-RCL-x": Row(
        (
            Case(
                (
                    *each("F-RCL--1", "listarEventosHistDoc", times=2),
                    *each("F-RCL-17", "listarEventosHistDoc"),
                    Injected("F-RCL-x", "listarEventosHistDoc", args={"fault": "Error interno"}),
                ),
                check=_asked_for_eight_days,
            ),
        )
    ),
}
