"""`fmgo calculate` and `fmgo rules` need no ledger, and answer a line for each document, in order."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from domain.rules import RULES
from domain.rules.page import page
from tests.unit.domain.samples import export_invoice, invoice, purchase, spoilt
from workers.cli.main import run_command

ROOT = Path(__file__).resolve().parents[3]


def _answers(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, list[dict[str, Any]]]:
    code = run_command([str(argument) for argument in arguments])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_jobs_documents_and_named_documents_are_answered_in_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = {"version": 1, "idempotency_key": "k-1", "issuer": "76900101-8", "document": invoice()}
    named = {"id": 7, "document": purchase()}
    file = tmp_path / "many.jsonl"
    file.write_text("\n".join(json.dumps(each) for each in (job, named, export_invoice())), encoding="utf-8")
    code, answers = _answers(capsys, "calculate", file, "--json")
    assert code == 0
    assert [answer.get("id") for answer in answers] == ["k-1", 7, None]
    assert [answer["Totales"]["MntTotal"] for answer in answers] == [11900, 10000, 1234.5]
    assert answers[1]["Totales"]["ImptoReten"] == [{"TipoImp": 15, "TasaImp": 19, "MontoImp": 1900}]
    assert answers[0]["Detalle"] == [{"MontoItem": 10000}]
    assert answers[2]["OtraMoneda"]["MntTotOtrMnda"] == 1175701


def test_what_cannot_be_calculated_says_why_and_delays_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {"id": "a", "document": spoilt(invoice(), Encabezado__Totales__MntTotal=5)}
    file = tmp_path / "mixed.jsonl"
    file.write_text(f"{json.dumps(bad)}\nnonsense\n{json.dumps(invoice())}\n", encoding="utf-8")
    code, answers = _answers(capsys, "calculate", file)
    assert code == 2
    assert [answer.get("problems", [{}])[0].get("code") for answer in answers] == ["DTE-TOT-03", "JOB-JSON", None]
    assert answers[0]["id"] == "a"
    assert answers[2]["Totales"]["MntTotal"] == 11900


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    data = io.TextIOWrapper(io.BytesIO(json.dumps([invoice(), invoice()], indent=1).encode()))
    monkeypatch.setattr("sys.stdin", data)
    code, answers = _answers(capsys, "calculate")
    assert (code, len(answers)) == (0, 2)


def test_problem_of_a_document_ends_with_no_and_a_missing_file_with_bad_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(spoilt(invoice(), Detalle__0__PrcItem="mil")), encoding="utf-8")
    assert _answers(capsys, "calculate", file)[0] == 1
    assert _answers(capsys, "calculate", tmp_path / "none.json", "--json")[0] == 2
    assert _answers(capsys, "calculate", file, "--profile", "1999")[0] == 2


def test_day_of_a_document_without_one_can_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "drink.json"
    file.write_text(json.dumps(spoilt(invoice(), Detalle__0__CodImpAdic=[27])), encoding="utf-8")
    _, answers = _answers(capsys, "calculate", file, "--on", "2013-01-01")
    assert answers[0]["Totales"]["ImptoReten"][0]["TasaImp"] == 13


def test_a_person_at_a_terminal_gets_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "two.jsonl"
    bad = {"id": "b", "document": spoilt(invoice(), Detalle__0__PrcItem="mil")}
    file.write_text(f"{json.dumps({'id': 'a', 'document': invoice()})}\n{json.dumps(bad)}\n", encoding="utf-8")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert run_command(["calculate", str(file)]) == 1
    shown = capsys.readouterr().out
    assert "a: lines 10000" in shown
    assert "MntTotal" in shown
    assert "b: FMT-NUMBER document.Detalle[0].PrcItem" in shown


def test_amounts_that_no_float_holds_are_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "large.json"
    large = spoilt(export_invoice(), Detalle=[{"NmbItem": "x", "QtyItem": 100, "PrcItem": "999999999999.999999"}])
    file.write_text(json.dumps(large), encoding="utf-8")
    assert _answers(capsys, "calculate", file)[1][0]["Totales"]["MntTotal"] == "99999999999999.9999"


def test_a_document_that_is_no_object_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "odd.json"
    file.write_text('{"id": 1, "document": [1]}', encoding="utf-8")
    code, answers = _answers(capsys, "calculate", file)
    assert (code, answers[0]["problems"][0]["code"]) == (2, "JOB-DOCUMENT")


def test_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, answers = _answers(capsys, "rules", "--json")
    assert code == 0
    assert [answer["id"] for answer in answers] == [rule.id for rule in RULES]
    _, of_guides = _answers(capsys, "rules", "--type", 52, "--profile", "2019", "--json")
    assert "GUI-TRP-01" not in {answer["id"] for answer in of_guides}
    assert _answers(capsys, "rules", "--type", 40, "--json")[0] == 2


def test_rules_are_a_table_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["rules", "--type", "52"]) == 0
    assert "GUI-TRA-01" in capsys.readouterr().out


def test_page_of_rules_is_current() -> None:
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == page(), "run `fmgo rules --page > docs/rules.md`"
