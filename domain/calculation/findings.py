"""What a calculation finds: which rule, where, with which figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Figures = Mapping[str, object]
"""Names of a rule's sentence and what stands for them."""

Finding = tuple[str, Figures]
"""Path of the field and the figures of the sentence."""


@dataclass(slots=True)
class Findings:
    """Findings by rule id; `complete` turns false when something unreadable kept the totals from being computed."""

    by_rule: dict[str, list[Finding]] = field(default_factory=dict)
    complete: bool = True

    def add(self, rule: str, path: str, **figures: object) -> None:
        """Take down one finding."""
        self.by_rule.setdefault(rule, []).append((path, figures))
