"""A row of the table: what is injected, and what must come of it.

Each case is a company of its own that sells two facturas (33), two boletas (39) and a nota de crédito (61) on the first
factura, so that each channel has an envelope that meets the fault and DTEUpload has one after it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.faults.play import Play

UPLOADS: Final = ("DTEUpload", "envio")
STATES: Final = ("getEstUp", "estado_envio")
DOCUMENTS: Final = ("getEstDteAv", "getEstDte", "estado_documento")
SEEDS: Final = ("getSeed", "semilla")
TOKENS: Final = ("getToken", "token")
FOR_EVER: Final = -1

Counts = Mapping[int, Mapping[str, int]]
ALL_ACCEPTED: Final[Counts] = {33: {"accepted": 2}, 39: {"accepted": 2}, 61: {"accepted": 1}}


@dataclass(frozen=True, slots=True)
class Injected:
    """A rule of the simulator; it is about the case's company unless `everywhere`, which logins need."""

    fault: str
    operation: str | None
    times: int = 1
    args: Mapping[str, Any] = field(default_factory=dict)
    everywhere: bool = False
    host: str | None = None
    name: str | None = None


def each(fault: str, *operations: str, times: int = 1, everywhere: bool = False, **args: Any) -> tuple[Injected, ...]:
    """The same fault for each of some operations by itself."""
    return tuple(Injected(fault, operation, times, args, everywhere) for operation in operations)


@dataclass(frozen=True, slots=True)
class Most:
    """The most requests in six hours under a fault that stands."""

    uploads: int = 0
    logins: int = 0
    questions: int = 0


Act = Callable[["Play"], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One way in which a fault meets a company.

    `soap` and `rest` are the outcomes of the attempts to send, in order. `stored` is how many uploads the SII stored
    through each channel, `came` how many requests reached it (as many as attempts unless it says otherwise). `sale` is
    another way to sell; `act` is what happens after the sale, while the faults are on; `afterwards` what a person does
    once they are lifted; `check` looks at more of what came of it.
    """

    injected: tuple[Injected, ...] = ()
    ends: Counts = field(default_factory=lambda: ALL_ACCEPTED)
    soap: str = "received received"
    rest: str = "received"
    stored: tuple[int, int] = (2, 1)
    came: tuple[int, int] | None = None
    sale: Act | None = None
    act: Act | None = None
    afterwards: Act | None = None
    check: Act | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the catalogue.

    `logins` are the requests for a token in each channel, for all its cases; `renewals` as many more that the life of a
    token may take where the waits of a row add up to it. Where the fault `stands` for six hours,
    `most` bounds the requests meanwhile, and `meanwhile` and `alerts` say how documents and alerts stand at their end;
    then it is lifted. `lenient` says what that profile changes of its cases: its tokens
    live for an hour after their last use, and it never forgets a file.
    """

    cases: tuple[Case, ...]
    logins: tuple[int, int] = (1, 1)
    renewals: int = 0
    stands: Most | None = None
    meanwhile: Counts | None = None
    alerts: frozenset[str] = frozenset()
    lenient: Mapping[str, Any] = field(default_factory=dict)
    lenient_logins: tuple[int, int] | None = None
