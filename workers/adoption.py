"""Taking over a partly used CAF: the SII is asked about the folios that would be given first, before one is given.

QueryEstDte wants a whole document; asked with invented data it answers DNK for a folio that some document bears, and
FAU for one that none does (SII, manual of QueryEstDte). FAU is also the answer for a document that was rejected, or is
still in process: what another program has sent today is known to that program only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.answers.document import DocumentStatus
from workers.folio_ranges import Range, free_from

FIRST_FOLIOS: Final = 5
"""So many free folios in a row are asked for."""
MOST_QUESTIONS: Final = 60

USED: Final = frozenset({"accepted", "modified", "annulled", "mismatch", "folio_annulled"})


class NoAnswerError(Exception):
    """The SII's answer about a folio doesn't say whether it is used."""

    code: Final = "SII-FOLIO-UNANSWERED"

    def __init__(self, folio: int, said: DocumentStatus) -> None:
        words = f"{said.code} {said.gloss}".strip() or "no answer"
        super().__init__(f"the SII doesn't say whether folio {folio} is used: {words}")
        self.folio = folio


@dataclass
class Search:
    """What was asked of a range, and what came of it.

    `free` is the first folio from which on the SII holds none as far as was asked; None when the range is used up.
    """

    last: int
    gone: Sequence[Range]
    answers: dict[int, str] = field(default_factory=dict)
    free: int | None = None

    @property
    def used(self) -> list[int]:
        """Folios that the SII holds, as far as was asked."""
        return sorted(folio for folio, code in self.answers.items() if code != "FAU")


def search(ask: Callable[[int], DocumentStatus], start: int, last: int, gone: Sequence[Range] = ()) -> Search:
    """Ask about the folios from `start` on, passing over those that are known to be gone.

    From a used one it goes on in strides that double, and back by halves, so that the end of a long run of used folios
    is found with few questions. Raises NoAnswerError.
    """
    found = Search(last, gone)

    def used(folio: int) -> bool:
        if folio not in found.answers:
            said = ask(folio)
            if said.meaning not in USED and said.meaning != "absent":
                raise NoAnswerError(folio, said)
            found.answers[folio] = said.code
        return found.answers[folio] != "FAU"

    folio = free_from(start, gone)
    while folio <= last and len(found.answers) < MOST_QUESTIONS:
        stands_on = next((one for one in _first(folio, last, gone) if used(one)), None)
        if stands_on is None:
            found.free = folio
            break
        folio = free_from(_end_of_run(used, stands_on, last), gone)
    return found


def _first(folio: int, last: int, gone: Sequence[Range]) -> list[int]:
    """The folios that would be given first."""
    chosen: list[int] = []
    while folio <= last and len(chosen) < FIRST_FOLIOS:
        chosen.append(folio)
        folio = free_from(folio + 1, gone)
    return chosen


def _end_of_run(used: Callable[[int], bool], known: int, last: int) -> int:
    """A folio after a used one that is free, right behind one that is used; last + 1 when there is none."""
    stride = 1
    while known + stride <= last and used(known + stride):
        known, stride = known + stride, 2 * stride
    free = min(known + stride, last + 1)
    while free - known > 1:
        middle = (known + free) // 2
        if used(middle):
            known = middle
        else:
            free = middle
    return free
