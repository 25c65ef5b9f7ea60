"""Phases, queues and kinds of workers fit together."""

import ast
from pathlib import Path

from workers.queues import ENOUGH, LANED, LANES, PHASES, QUEUES, queue_of

ROOT = Path(__file__).parents[2]
ALL = {queue_of(phase, lane) for phase in PHASES for lane in (LANES if phase in LANED else (None,))}


def test_every_queue_is_served_by_one_kind_and_has_a_limit_of_bells() -> None:
    served = [queue for queues in QUEUES.values() for queue in queues]
    assert sorted(served) == sorted(ALL)
    assert set(ENOUGH) == ALL


def test_every_phase_named_as_a_string_is_registered_by_its_module() -> None:
    for phase, module in PHASES.items():
        tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
        named = {
            argument.value
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef)
            for decorator in node.decorator_list
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "phase"
            for argument in decorator.args
            if isinstance(argument, ast.Constant)
        }
        assert phase in named, module
