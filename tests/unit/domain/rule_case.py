"""What a rule is tried with: a document that breaks only it, and one that stays just inside."""

from dataclasses import dataclass, replace
from datetime import date

from tests.unit.domain.samples import TODAY, USUAL, Raw, World


@dataclass(frozen=True)
class Case:
    """`breaks` breaks only the rule, `inside` breaks none; `today` is the day of both, `world` what else they meet."""

    breaks: Raw
    inside: Raw
    today: date = TODAY
    world: World = USUAL

    @property
    def around(self) -> World:
        """Everything that both are judged in."""
        return replace(self.world, today=self.today)
