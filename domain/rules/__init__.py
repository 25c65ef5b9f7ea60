"""The rules of documents as one table, and how they are asked.

Each has a stable id, the path of its field, a sentence that says what to do, a predicate and its source; a rule belongs
to the types that it names. Tests keep, for each, a document that breaks only it and one that stays just inside.
"""

from functools import cache

from domain.format.reading import Report
from domain.format.table import Profile
from domain.rules import arithmetic, boletas, exports, guides, header, notes, parties, places, references, taxes
from domain.rules.rule import Calculated
from domain.rules.rule import Rule as Rule
from domain.rules.rule import View as View

RULES: tuple[Rule, ...] = (
    *header.RULES,
    *arithmetic.RULES,
    *taxes.RULES,
    *references.RULES,
    *notes.RULES,
    *boletas.RULES,
    *guides.RULES,
    *parties.RULES,
    *exports.RULES,
    *places.RULES,
)
"""Every rule, in the order in which they are asked."""


@cache
def rules_of(document_type: int, profile: Profile = "2019") -> tuple[Rule, ...]:
    """The rules that a type is held to in a profile of the format."""
    return tuple(rule for rule in RULES if document_type in rule.types and profile in rule.profiles)


@cache
def _asked(document_type: int, profile: Profile) -> tuple[Rule, ...]:
    """The rules that a document is asked about when its calculation found nothing."""
    return tuple(rule for rule in rules_of(document_type, profile) if not isinstance(rule.predicate, Calculated))


def judge(view: View, report: Report) -> None:
    """Report every rule that a completed and calculated document breaks."""
    of_type = rules_of if view.findings.by_rule else _asked
    for rule in of_type(view.type, view.profile):
        for path, figures in rule.predicate(view):
            report.add(rule.id, path, rule.sentence.format_map(figures), rule.level)
