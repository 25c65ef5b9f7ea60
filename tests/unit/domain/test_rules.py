"""Every rule is broken by a document that breaks nothing else, and kept by one that stays just inside."""

import json
from pathlib import Path

import pytest

from domain.rules import RULES, Rule
from tests.unit.domain.rule_cases import CASES
from tests.unit.domain.rule_cases_of_all import OF_ALL
from tests.unit.domain.rule_cases_of_types import OF_TYPES
from tests.unit.domain.rule_sentences import sentences
from tests.unit.domain.samples import problems_of


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    assert sorted(rule.id for rule in RULES) == sorted([*OF_ALL, *OF_TYPES])


def test_rules_say_where_they_come_from_and_what_to_do() -> None:
    for rule in RULES:
        assert rule.source, rule.id
        assert rule.sentence.endswith("."), rule.id
        assert rule.path.startswith("document."), rule.id
        assert rule.types, rule.id


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rule_is_broken_by_a_document_that_breaks_only_it(rule: Rule) -> None:
    case = CASES[rule.id]
    problems = problems_of(case.breaks, world=case.around)
    assert [(problem.code, problem.level) for problem in problems] == [(rule.id, rule.level)]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_rule_is_kept_just_inside(rule: Rule) -> None:
    case = CASES[rule.id]
    assert problems_of(case.inside, world=case.around) == ()


def test_producers_read_the_path_and_the_sentence_that_were_looked_at(golden: Path) -> None:
    """`python -m tests.unit.domain.rule_sentences` writes them anew; what changed is then read by a person."""
    looked_at = json.loads((golden.parent / "rules" / "sentences.json").read_text(encoding="utf-8"))
    assert sentences() == looked_at
