"""What waiting alone doesn't mend, by the name that `fmgo doctor` and `fmgo envelope show` give it."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Alert:
    """A named state of a session or an envelope that a person should look at; FMgo goes on at a slow pace meanwhile."""

    name: str
    on: Literal["session", "envelope", "session, envelope"]
    says: str
    person: str


LOGIN_REFUSED: Final = "login-refused"
LOGIN_UNAVAILABLE: Final = "login-unavailable"
TOKEN_NOT_TAKEN: Final = "token-not-taken"  # noqa: S105 - a name
NO_VERDICT: Final = "no-verdict"
IN_DOUBT: Final = "in-doubt"
REJECTED_IN_DOUBT: Final = "rejected-in-doubt"
REFUSED_THROUGHOUT: Final = "refused-throughout"
REFUSED_AND_HELD: Final = "refused-and-held"
NO_REASONS: Final = "no-reasons"

ALERTS: tuple[Alert, ...] = (
    Alert(
        LOGIN_REFUSED,
        "session",
        "the SII gives this person no token, and trying again won't help",
        "see the token's code above",
    ),
    Alert(LOGIN_UNAVAILABLE, "session", "the login service fails", "nothing, unless it lasts"),
    Alert(
        TOKEN_NOT_TAKEN,
        "session, envelope",
        "a fresh token is refused too: User-Agent, host or the permission for this company is at fault, not the token",
        "give the person the permission at the SII; check the hosts; FMgo tries at growing pauses, up to an hour",
    ),
    Alert(NO_VERDICT, "envelope", "two days without a verdict", "look for the upload in the SII's portal"),
    Alert(
        "sii-CODE",
        "envelope",
        "the SII answers CODE, which waiting doesn't mend",
        "see CODE above (`fmgo answers CODE`)",
    ),
    Alert(
        IN_DOUBT,
        "envelope",
        "two days of answers, and the doubt stands: the SII holds nothing of it, and has processed no later envelope of"
        " that channel",
        "`fmgo envelope resend ID` sends the identical bytes once more",
    ),
    Alert(
        REJECTED_IN_DOUBT,
        "envelope",
        "everything was rejected or repeated while an earlier upload may still be in process; after two days of such"
        " answers its documents go to `conflict`",
        "look in the SII's portal which upload brought the folios; once they are `conflict`: `fmgo document settle`",
    ),
    Alert(
        REFUSED_THROUGHOUT,
        "envelope",
        "refused for its schema, and its halves too: the fault is in every document, or in the envelope itself",
        "read the detail (`fmgo envelope show ID`), tell FMgo's makers; when it is mended `fmgo envelope release ID`",
    ),
    Alert(
        REFUSED_AND_HELD,
        "envelope",
        "the gateway refused it for its schema, and the SII holds some of its documents all the same, or doesn't say",
        "look in the SII's portal for its folios, then `fmgo envelope release ID`",
    ),
    Alert(
        NO_REASONS,
        "envelope",
        "the SII's mail with the reasons didn't come, though asked for",
        "check the company's mail source (`fmgo doctor`), or `fmgo mail import` the mail",
    ),
)
