"""Every command, given what it can't use: a sentence and exit 2 (or 1, where the answer is "no"), never a traceback.

The cases are the examples of the helps with one word at a time replaced: files that are missing, folders, empty,
binary or other XML; RUTs, ids, numbers and days that are none.
"""

import itertools
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.conftest import ISSUER_ADD, Fmgo
from tests.unit.cli.test_help import COMMANDS
from workers.cli.examples import EXAMPLES

BECOME_OTHERS = ("worker", "sandbox", "simulator")
"""Commands that become another process; `simulator fault` and `show` only speak to one."""
PARTS = 4
"""All in one test would be near its time limit on a busy machine."""
FILE = re.compile(r"(?:.*/)?[\w*-]+\.(?:json|jsonl|xml|csv|pfx|eml)|F")
RUT = re.compile(r"\d{7,8}-[\dkK](?:@\w+)?")
ID = re.compile(r"[0-9a-f]{8}")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
NUMBER = re.compile(r"\d+(?:\.\d+)?")
FILES = ("missing", "folder", "empty", "binary", "half.json", "list.json", "other.xml", "half.xml")
OTHERS = {
    RUT: ("76900101-7", "abc", "", "1-9@moon", "ñ" * 300, "-"),
    ID: ("!", "abc", "ffffffff", "00000000-0000-4000-8000-000000000000", "", "ñ" * 300),
    DAY: ("2026-02-30", "yesterday", "", "0000-00-00", "9999999999"),
    NUMBER: ("abc", "99999999999999999999999999", "-7", "", "nan", "1e400"),
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with files that aren't what a command wants."""
    (tmp_path / "folder").mkdir()
    for name, data in {
        "empty": b"",
        "binary": bytes(range(256)) * 40,
        "half.json": b'{"version": 1, "document": {',
        "list.json": b"[1, null, [[]], {}]",
        "other.xml": b"<a xmlns='x'>\xe9</a>",
        "half.xml": b"<?xml version='1.0'?><DTE><Documento",
    }.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def cases() -> Iterator[tuple[str, ...]]:
    """Command lines, the words of a command first."""
    for path in COMMANDS:
        if path[:1] and path[0] in BECOME_OTHERS:
            continue
        for example in EXAMPLES.get(" ".join(path), ()):
            words = shlex.split(example)[1:]
            for at in range(len(path), len(words)):
                for instead in _instead(words[at]):
                    yield (*words[:at], instead, *words[at + 1 :])


def _instead(word: str) -> tuple[str, ...]:
    if FILE.fullmatch(word):
        return tuple(f"@{name}" for name in FILES)
    return next((others for kind, others in OTHERS.items() if kind.fullmatch(word)), ())


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_a_command_is_given_it_answers_with_a_sentence(
    fmgo: Fmgo, files: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setenv("FMGO_PASSWORD", "x")
    monkeypatch.chdir(files)
    fmgo(*ISSUER_ADD)
    wrong = []
    tried = 0
    for case in itertools.islice(cases(), part, None, PARTS):
        tried += 1
        words = [str(files / word[1:]) if word.startswith("@") else word for word in case]
        try:
            answer = fmgo(*words)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is told with its command
            wrong.append(f"{' '.join(case)}: {fault!r}"[:400])
            continue
        if answer.code not in (0, 1, 2) or (answer.code and not (answer.err or answer.out).strip()):
            wrong.append(f"{' '.join(case)}: exit {answer.code} {answer.err[-200:]}")
        elif {"@missing", "@folder", "@empty", "@binary"} & set(case) and answer.code == 0:
            wrong.append(f"{' '.join(case)}: a file of nothing was taken: {answer.out[-200:]}")
    assert tried > 300 / PARTS
    assert not wrong, "\n".join(wrong)
