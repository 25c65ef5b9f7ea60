"""Folios and the UF by command: what is said, what is shown, and how it ends."""

from pathlib import Path

import pytest

from tests.integration.cli.conftest import ISSUER_ADD, Fmgo
from tests.integration.enrolment import kit
from tests.integration.producer.jobs import rows


@pytest.fixture
def caf(fmgo: Fmgo, tmp_path: Path) -> Path:
    fmgo(*ISSUER_ADD)
    path = tmp_path / "caf.xml"
    path.write_bytes(kit.caf())
    return path


def written(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_partly_used_caf_is_opened_and_opened_again(fmgo: Fmgo, caf: Path) -> None:
    command = ("caf", "add", caf, "--next", "5", "--used", "5-7,61,10-57", "--json")
    first, again = fmgo(*command), fmgo(*command)
    assert [(one.code, one.objects[0]["next"], one.objects[0]["new"]) for one in (first, again)] == [
        (0, 8, True),
        (0, 8, False),
    ]
    (row,) = fmgo("folio", "list", kit.ISSUER, "--json").objects
    assert (row["type"], row["next"], row["used"], row["void"], row["left"]) == (33, 8, 0, 56, 44)
    assert [(void["first"], void["last"]) for void in row["voids"]] == [(1, 7), (10, 57), (61, 61)]
    assert fmgo("caf", "list", "--json").objects[0]["folios_left"] == 44
    more = fmgo("caf", "add", caf, "--used", "62-63", "--json")
    assert (more.code, more.objects[0]["problems"][0]["code"]) == (2, "CAF-ALREADY-LOADED")
    assert "62-63" in more.objects[0]["problems"][0]["message"]


@pytest.mark.parametrize(("used", "code"), [("99-101", "CAF-USED"), ("x", "FOLIO-RANGES")])
def test_used_folios_must_be_the_caf_s(fmgo: Fmgo, caf: Path, used: str, code: str) -> None:
    answer = fmgo("caf", "add", caf, "--used", used, "--json")
    assert (answer.code, answer.objects[0]["error"]["code"]) == (2, code)
    assert fmgo("folio", "list", kit.ISSUER, "--json").out == ""


def test_folios_are_annulled_and_shown_with_their_reason(fmgo: Fmgo, caf: Path, database: str) -> None:
    fmgo("caf", "add", caf)
    annul = ("folio", "annul", kit.ISSUER, "33", "10-12,15", "--reason", "anulados en el portal")
    assert fmgo(*annul).out == "type 33: void 10-12,15\n"
    assert fmgo(*annul, "--json").objects == [
        {"type": 33, "void": "", "count": 0, "known": "10-12,15", "documents": "", "outside": ""}
    ]
    shown = fmgo("folio", "list", kit.ISSUER, "--type", "33").out
    assert "10-12 anulados en el portal; 15 anulados en el portal" in shown
    assert fmgo("folio", "list", kit.ISSUER, "--type", "61").out.count("\n") == 1
    assert "in no loaded range 1" in fmgo("folio", "annul", kit.ISSUER, "61", "1", "--reason", "x").out
    assert rows(database, "SELECT DISTINCT left(actor, 4) FROM audit_log WHERE action = 'folio.annul'") == [("cli:",)]


def test_what_a_document_bears_ends_with_1_and_bad_input_with_2(
    fmgo: Fmgo, caf: Path, database: str, tmp_path: Path
) -> None:
    fmgo("caf", "add", caf)
    rows(
        database,
        "INSERT INTO documents (id, issuer, environment, key, body_hash, lane, state, document_type, folio, caf)"
        " SELECT gen_random_uuid(), issuer, environment, 'k', sha256('x'), 'bulk', 'signed', 33, 4, id FROM cafs"
        " RETURNING 1",
    )
    refused = fmgo("folio", "annul", kit.ISSUER, "33", "3-5", "--reason", "x", "--json")
    assert (refused.code, refused.objects[0]["error"]["code"]) == (1, "FOLIO-USED")
    for arguments in (("33", "5-3"), ("99", "5")):
        assert fmgo("folio", "annul", kit.ISSUER, *arguments, "--reason", "x").code == 2
    assert fmgo("folio", "annul", kit.OTHER, "33", "5", "--reason", "x").code == 2
    bad = fmgo("folio", "import-used", written(tmp_path, "33,5\n33,x\n"), "--issuer", kit.ISSUER, "--json")
    assert (bad.code, bad.objects[0]["problems"][0]["path"]) == (2, "line 2")
    good = fmgo("folio", "import-used", written(tmp_path, "33,3-5\n61,9\n"), "--issuer", kit.ISSUER, "--json")
    assert [(one["type"], one["void"], one["documents"]) for one in good.objects] == [(33, "3,5", "4"), (61, "9", "")]


def test_values_of_the_uf_go_in_from_a_file_once(fmgo: Fmgo, tmp_path: Path) -> None:
    file = written(tmp_path, "fecha;valor\n23-11-2026;39.620,11\n24-11-2026;$39.643,59\n")
    assert fmgo("uf", "import", file).out == "2 new, 0 replaced, 0 known, 2026-11-23 to 2026-11-24\n"
    assert fmgo("uf", "import", file, "--json").objects[0]["known"] == 2
    other = written(tmp_path, "date,value\n2026-11-24,39643.6\n2026-11-25,39670\n")
    refused = fmgo("uf", "import", other, "--json")
    assert (refused.code, refused.objects[0]["problems"][0]["code"]) == (2, "UF-OTHER")
    assert fmgo("uf", "show", "2026-11-25", "--json").objects[0]["error"]["code"] == "UF-UNKNOWN"
    assert fmgo("uf", "import", other, "--replace", "--json").objects[0] == {
        "new": 1,
        "replaced": 1,
        "known": 0,
        "from": "2026-11-24",
        "to": "2026-11-25",
    }
    assert [row["value"] for row in fmgo("uf", "show", "--json").objects] == [39670, 39643.6, 39620.11]
    assert fmgo("uf", "show", "2026-11-24").out.split() == ["date", "value", "2026-11-24", "39643.60"]
    assert fmgo("uf", "show", "2026-12-31").code == 1


def test_every_bad_line_of_a_file_of_values_is_told(fmgo: Fmgo, tmp_path: Path) -> None:
    lines = ("2026-11-24,39643.59", "2026-02-30,39643", "2026-11-25", "2026-11-26,3964359", "2026-11-27,x")
    answer = fmgo("uf", "import", written(tmp_path, "\n".join((*lines, "2026-11-24,39643.6"))), "--json")
    assert answer.code == 2
    assert [(problem["code"], problem["path"]) for problem in answer.objects[0]["problems"]] == [
        ("UF-DATE", "line 2"),
        ("UF-LINE", "line 3"),
        ("UF-VALUE", "line 4"),
        ("UF-VALUE", "line 5"),
        ("UF-TWICE", "line 6"),
    ]
    assert fmgo("uf", "import", written(tmp_path, "date,value\n")).code == 2
    assert fmgo("uf", "show", "--json").out == ""


def test_one_value_is_set_and_set_again(fmgo: Fmgo) -> None:
    assert fmgo("uf", "set", "2026-11-24", "39643,59").out == "2026-11-24: 39643.59\n"
    assert fmgo("uf", "set", "2026-11-24", "39643.59", "--json").objects[0]["changed"] is False
    assert fmgo("uf", "set", "24/11/2026", "39.644").code == 0
    assert fmgo("uf", "set", "24.11.26", "39").code == 2
    assert fmgo("uf", "show", "hoy").code == 2
