"""Helps have examples that can be typed, the version is told, and shells complete."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import typer.main

from workers.cli.examples import EXAMPLES
from workers.cli.main import app, run_command

ROOT = Path(__file__).parents[3]


def commands(command: Any, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield above
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*above, name))


COMMANDS = list(commands(typer.main.get_command(app), ()))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_help_has_an_example(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run_command([*path, "--help"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"Examples?:", told)
    assert f" fmgo {' '.join(path)}".rstrip() in told.partition("Example")[2]


@pytest.mark.parametrize("example", [line for path in COMMANDS for line in EXAMPLES.get(" ".join(path), ())])
def test_every_example_is_one_of_its_command_and_parses(example: str) -> None:
    words = shlex.split(example)[1:]
    command: Any = typer.main.get_command(app)
    path = []
    while words and (inner := getattr(command, "commands", {}).get(words[0])) is not None:
        path.append(words.pop(0))
        command = inner
    assert example in EXAMPLES[" ".join(path)]
    command.make_context(path[-1], words)


def test_no_example_is_of_a_command_that_is_gone() -> None:
    assert set(EXAMPLES) <= {" ".join(path) for path in COMMANDS}


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out == f"fmgo {version('fmgo')}\n"


def in_a_shell(script: str, home: Path) -> str:
    """What a bash script says in a home of its own, with this environment's `fmgo` first on its path."""
    fmgo = home / "bin" / "fmgo"
    fmgo.parent.mkdir(exist_ok=True)
    fmgo.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m workers.cli.main "$@"\n')
    fmgo.chmod(0o755)
    environment = {"HOME": str(home), "PATH": f"{fmgo.parent}:{os.defpath}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    wanted = {"fmgo doc": "doctor", "fmgo document sh": "show", "fmgo caf add --iss": "--issuer"}
    script = "cd; fmgo --show-completion bash > c.sh; . ./c.sh; complete -p fmgo | grep -q _fmgo_completion; "
    for typed in wanted:
        script += f"COMP_WORDS=({typed}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _fmgo_completion fmgo; "
        script += "echo ${COMPREPLY[@]}; "
    told = in_a_shell(script, tmp_path).splitlines()
    assert [offered in line.split() for line, offered in zip(told, wanted.values(), strict=True)] == [True] * 3


def test_completion_installs_itself_for_bash(tmp_path: Path) -> None:
    in_a_shell("fmgo --install-completion bash || fmgo --install-completion", tmp_path)
    assert "fmgo" in (tmp_path / ".bashrc").read_text()
