"""What can go wrong between us and the SII, as one tree.

    SiiError
    ├── NotSentError      not one byte of the request left: surely not received
    ├── AnswerLostError   something left and no whole answer came: not known
    └── SiiLoginError        no token

Only `SiiLoginError` leaves the client: for uploads and queries "not sent" and "lost" are answers with a meaning of
their own.
"""

from typing import Final, Literal


class SiiError(Exception):
    """A request to the SII that brought nothing usable."""

    code = "SII"

    @property
    def retry_helps(self) -> bool:
        """Whether the same again may go well."""
        return True


class NotSentError(SiiError):
    """The connection failed before the first byte, so the SII has received nothing."""

    code = "SII-NOT-SENT"


class AnswerLostError(SiiError):
    """Bytes went out and no whole answer came back in time; the SII may have received everything."""

    code = "SII-ANSWER-LOST"

    def __init__(self, sentence: str, *, timed_out: bool) -> None:
        super().__init__(sentence)
        self.timed_out: Final = timed_out


class SiiLoginError(SiiError):
    """The SII gave no token. `retry` is "never" when a person must act (certificate, enrolment, a defect of ours).

    `answered`: the service itself said no; else it was away, or something else stood in its place.
    """

    def __init__(
        self,
        sentence: str,
        *,
        retry: Literal["later", "never"],
        state: str = "",
        answered: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.code = "SII-LOGIN-REFUSED" if retry == "never" else "SII-LOGIN-UNAVAILABLE"
        self.retry: Final = retry
        self.state: Final = state
        self.answered: Final = answered
        self.retry_after: Final = retry_after

    @property
    def retry_helps(self) -> bool:
        """Whether trying later may go well."""
        return self.retry == "later"
