"""For every rule a document that breaks only it and one that stays just inside; a test refuses a rule without both."""

from tests.unit.domain.rule_case import Case
from tests.unit.domain.rule_cases_of_all import OF_ALL
from tests.unit.domain.rule_cases_of_types import OF_TYPES

CASES: dict[str, Case] = {**OF_ALL, **OF_TYPES}
