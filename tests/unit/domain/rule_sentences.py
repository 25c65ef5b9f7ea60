"""What producers read of each rule: its case's problem, with path and figures, as one JSON object by rule.

    python -m tests.unit.domain.rule_sentences > tests/golden/rules/sentences.json

writes it anew after a rule was added or reworded; then read what changed.
"""

import json

from tests.unit.domain.rule_cases import CASES
from tests.unit.domain.samples import problems_of


def sentences() -> dict[str, dict[str, str]]:
    """Level, path and sentence of the one problem of each rule's case."""
    return {
        rule_id: {"level": problem.level, "path": problem.path, "sentence": problem.message}
        for rule_id, case in CASES.items()
        for problem in problems_of(case.breaks, world=case.around)
    }


if __name__ == "__main__":
    print(json.dumps(sentences(), ensure_ascii=False, indent=1))
