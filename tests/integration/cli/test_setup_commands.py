"""Setting up by command: what is added, what is refused with which exit code, and that no secret shows."""

import io
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from tests.integration.cli.conftest import ISSUER_ADD, Fmgo
from tests.integration.enrolment import kit
from tests.integration.producer.jobs import rows
from workers.cli.access import password


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_company_with_certificate_and_folios_is_set_up(fmgo: Fmgo, tmp_path: Path, database: str) -> None:
    pfx = written(tmp_path, "firma.pfx", kit.pfx())
    word = written(tmp_path, "word", f"{kit.PASSWORD}\r\n".encode())
    caf = written(tmp_path, "caf.xml", kit.caf())
    assert fmgo(*ISSUER_ADD).out == "added: 76900101-8@certification\n"
    assert fmgo("person", "add", kit.PERSON, "María Peña", "--for", "76.900.101-8").code == 0
    added = fmgo("certificate", "add", pfx, "--password-file", word, "--for", "76900101-8@certification", "--json")
    assert (added.code, added.objects[0]["person"], added.objects[0]["new"]) == (0, kit.PERSON, True)
    loaded = fmgo("caf", "add", caf, "--next", "5", "--reserve", "10", "--json")
    assert (loaded.code, loaded.objects[0]["next"]) == (0, 5)
    assert [one["code"] for one in loaded.objects[0]["warnings"]] == ["CAF-RZNSOC"], "the company is called otherwise"
    branch = ("--sucursal", "Centro", "--dir-origen", "Calle 1", "--cmna-origen", "Chillán", "--till", "caja 1")
    assert fmgo("branch", "add", kit.ISSUER, "centro", *branch, "--json").objects[0]["new"] is True

    (issuer,) = fmgo("issuer", "list", "--json").objects
    assert (issuer["rut"], issuer["people"]) == (kit.ISSUER, [kit.PERSON])
    (certificate,) = fmgo("certificate", "list", "--json").objects
    assert (certificate["name"], certificate["companies"]) == ("María Peña", ["76900101-8@certification"])
    (folios,) = fmgo("caf", "list", "--json", "--issuer", kit.ISSUER).objects
    assert (folios["document_type"], folios["folios_left"], folios["reserve"]) == (33, 96, 10)
    for command in ("issuer", "certificate", "caf"):
        shown = fmgo(command, "list")
        assert kit.ISSUER in shown.out
        assert all(line == line.rstrip() for line in shown.out.splitlines())
    assert rows(database, "SELECT DISTINCT left(actor, 4) FROM audit_log") == [("cli:",)]


def test_a_new_resolution_is_set(fmgo: Fmgo) -> None:
    command = ("issuer", "set-resolution", kit.ISSUER, "--resolution-number", "80", "--resolution-date", "2020-01-02")
    assert "ISSUER-UNKNOWN" in fmgo(*command).err
    fmgo(*ISSUER_ADD)
    assert fmgo(*command).code == 0
    (issuer,) = fmgo("issuer", "list", "--json").objects
    assert (issuer["resolution_number"], issuer["resolution_date"]) == (80, "2020-01-02")


def test_a_refusal_ends_with_2_and_tells_everything_once(fmgo: Fmgo, tmp_path: Path) -> None:
    caf = written(tmp_path, "caf.xml", kit.caf(idk=300, signed_by="stranger"))
    refused = fmgo("caf", "add", caf, "--issuer", kit.OTHER, "--json")
    assert refused.code == 2
    assert [problem["code"] for problem in refused.objects[0]["problems"]] == [
        "CAF-OTHER-ISSUER",
        "CAF-OTHER-ENVIRONMENT",
        "CAF-FRMA-INVALID",
        "ISSUER-UNKNOWN",
    ]
    shown = fmgo("caf", "add", caf, "--issuer", kit.OTHER)
    assert (shown.code, shown.out) == (2, "")
    assert shown.err.count("error ") == 4


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("issuer", "add", "76900101-9", *ISSUER_ADD[3:]), "RUT"),
        (("caf", "add", "/nowhere/caf.xml"), "FILE"),
        (("certificate", "add", "{pfx}"), "PASSWORD"),
        (("certificate", "add", "{pfx}", "--password-file", "{pfx}"), "FILE"),
        (("caf", "add", "{pfx}", "--trust-caf-key", "100"), "CAF-KEYS"),
    ],
)
def test_bad_input_ends_with_2_and_its_code(
    fmgo: Fmgo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    pfx = written(tmp_path, "firma.pfx", kit.pfx())
    answer = fmgo(*(argument.format(pfx=pfx) for argument in arguments), "--json")
    assert (answer.code, answer.objects[0]["error"]["code"]) == (2, code)


def test_a_password_comes_from_a_file_the_environment_or_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FMGO_PASSWORD", raising=False)
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    assert password(None, ask=lambda _: "typed") == "typed"
    monkeypatch.setenv("FMGO_PASSWORD", "from outside")
    assert password(None) == "from outside"
    assert password(written(tmp_path, "word", " ñ \n".encode())) == " ñ "


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("issuer", "add", kit.ISSUER), ("document", "show")])
def test_bad_usage_ends_with_2(fmgo: Fmgo, arguments: tuple[str, ...]) -> None:
    assert fmgo(*arguments).code == 2


def test_help_ends_with_0(fmgo: Fmgo) -> None:
    assert "enqueue" in fmgo("--help").out


def test_a_missing_setting_and_a_ledger_that_is_away_are_sentences(fmgo: Fmgo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FMGO_DATABASE_URL", "postgresql://fmgo:geheim@127.0.0.1:1/fmgo")
    away = fmgo("issuer", "list", "--json")
    assert (away.code, away.objects[0]["error"]["code"]) == (3, "LEDGER-AWAY")
    monkeypatch.delenv("FMGO_DATABASE_URL")
    unset = fmgo("issuer", "list")
    assert (unset.code, "FMGO_DATABASE_URL" in unset.err) == (2, True)
    assert "geheim" not in away.out + away.err + unset.err


def test_an_empty_database_is_migrated_by_command(fmgo: Fmgo, database: str) -> None:
    assert "already" in fmgo("ledger", "migrate").out
    (answer,) = fmgo("ledger", "migrate", "--json").objects
    assert answer["from"] == answer["to"]


def test_a_ledger_without_tables_is_told_and_made(fmgo: Fmgo, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(b"DROP SCHEMA public CASCADE")
        connection.execute(b"CREATE SCHEMA public")
    empty = fmgo("issuer", "list", "--json")
    assert (empty.code, empty.objects[0]["error"]["code"]) == (3, "LEDGER-EMPTY")
    assert "was empty" in fmgo("ledger", "migrate").out
    assert fmgo(*ISSUER_ADD).code == 0


def test_keys_are_not_taken_without_a_vault(fmgo: Fmgo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FMGO_VAULT_KEY_FILE")
    assert fmgo(*ISSUER_ADD).code == 0
    answer = fmgo("caf", "add", written(tmp_path, "caf.xml", kit.caf()), "--json")
    assert (answer.code, answer.objects[0]["error"]["code"]) == (2, "VAULT-KEYS-MISSING")


def test_a_fault_that_nobody_foresaw_is_not_hidden(fmgo: Fmgo, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(b"ALTER TABLE issuers DROP COLUMN razon_social CASCADE")
    with pytest.raises(DBAPIError):
        fmgo(*ISSUER_ADD)
