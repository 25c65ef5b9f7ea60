"""`fmgo verify` and `fmgo render`: files in, verdicts and documents out, without a ledger."""

import copy
import io
import json
from pathlib import Path
from typing import Any

import pytest

from domain.verification import Trust, verify
from tests.unit.cli.conftest import DOCUMENT, IDK
from tests.unit.domain import material
from tests.unit.domain.samples import SAMPLES, guide_2026
from workers.cli.main import run_command


def render(folder: Path, *more: str) -> int:
    keys = ("--caf", str(folder / "caf.xml"), "--pfx", str(folder / "person.pfx"))
    secret = ("--password-file", str(folder / "password"))
    return run_command(["render", *keys, *secret, "--folio", "7", "--at", "2026-11-24T10:15:02", *more])


def verify_file(folder: Path, *more: str) -> int:
    return run_command(["verify", "--trust-caf-key", f"{IDK}={folder / 'sii.pem'}", "--at", "2026-11-24", *more])


def test_a_rendered_document_verifies(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(folder, str(folder / "sale.json"), "--out", str(tmp_path)) == 0
    assert "T33F7.xml: 33 folio 7 of 1785" in capsys.readouterr().out
    assert verify_file(folder, str(tmp_path / "T33F7.xml")) == 0
    assert capsys.readouterr().out.startswith("accept ")


def test_a_rendered_number_of_json_is_no_text(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """12.990 is 12.99 as a number and refused as a text, as in jobs."""
    sale = json.dumps({**DOCUMENT, "Detalle": [{"NmbItem": "Clavo", "QtyItem": 100, "PrcItem": 12.99}]})
    for written, code in (("12.990", 0), ('"12.990"', 1)):
        (tmp_path / "sale.json").write_text(sale.replace("12.99", written))
        assert render(folder, str(tmp_path / "sale.json"), "--out", str(tmp_path)) == code
    told = capsys.readouterr()
    assert "33 folio 7 of 1546" in told.out
    assert "FMT-NUMBER" in told.err


def test_rendered_envelope_holds_a_folio_a_job(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    resolution = ("--envelope", "--resolution-date", "2014-08-22", "--out", str(tmp_path), "--json")
    assert render(folder, str(folder / "jobs.jsonl"), *resolution) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["folio"] for each in told["documents"]] == [7, 8]
    assert verify_file(folder, told["file"], "--json") == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["kind"], verdict["verdict"], verdict["header_ok"]) == ("envio", "accept", True)


def test_one_document_goes_to_standard_output(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert render(folder, str(folder / "sale.json")) == 0
    xml = capsysbinary.readouterr().out
    assert xml.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<DTE ')
    trust = Trust.with_keys([(IDK, (folder / "sii.pem").read_bytes())])
    assert verify(xml, trust=trust, at=material.AT).verdict == "accept"


def test_several_documents_need_a_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(folder, str(folder / "jobs.jsonl")) == 2
    assert "RENDER-OUT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--folio", "101"), "RENDER-CAF"),
        (("--envelope",), "RENDER-RESOLUTION"),
        (("--at", "yesterday"), "AT-UNREADABLE"),
        (("--at", "2027-11-24T10:00:00"), "CAF-EXPIRED"),
    ],
)
def test_what_does_not_go_together_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], code: str
) -> None:
    assert render(folder, str(folder / "sale.json"), *more) in (1, 2)
    assert code in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "code", "ended"),
    [
        ("[1]", "JOB-OBJECT", 2),
        ("{", "JOB-JSON", 2),
        ("{}", "JOB-DOCUMENT", 2),
        ('{"Encabezado": {}}', "DOC-TYPE", 1),
        ('{"Encabezado": {"iddoc": {"tipodte": 33}}}', "Did you mean IdDoc?", 1),
        ('{"dte": {"Encabezado": {"IdDoc": {"TipoDTE": 33}}}}', "Rename dte to document", 2),
        ('{"Encabezado": {"IdDoc": {"TipoDTE": 33}}}', "RENDER-ISSUER", 1),
        ('{"Encabezado": {"IdDoc": {"TipoDTE": 61}}}', "RENDER-CAF", 1),
    ],
)
def test_what_is_no_document_is_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, code: str, ended: int
) -> None:
    (tmp_path / "x.json").write_text(content, encoding="utf-8")
    assert render(folder, str(tmp_path / "x.json")) == ended
    assert code in capsys.readouterr().err


def test_verdicts_are_one_object_a_line_in_the_order_of_the_files(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "not.xml").write_bytes(b"<x/>")
    files = [str(folder / "caf.xml"), str(tmp_path / "not.xml"), str(tmp_path / "absent.xml")]
    assert verify_file(folder, *files, "--json") == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == files
    assert [line["verdict"] for line in lines] == ["accept", "reject", "reject"]
    assert (lines[0]["frma_valid"], lines[0]["key_pair_matches"]) == (True, True)
    assert lines[2]["problems"][0]["code"] == "FILE-UNREADABLE"
    assert verify_file(folder, files[1]) == 1


def test_standard_input_is_a_file_too(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = io.BytesIO((folder / "caf.xml").read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data))
    assert verify_file(folder, "-", "--json") == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "caf"


@pytest.mark.parametrize(
    ("more", "code"),
    [
        (("--trust-caf-key", "x"), "TRUST-CAF-KEY"),
        (("--trust-caf-key", "1=/absent"), "FILE-UNREADABLE"),
        (("--trust-ca", "/absent"), "FILE-UNREADABLE"),
        (("--at", "now"), "AT-UNREADABLE"),
    ],
)
def test_options_that_cannot_be_used_end_with_two(
    folder: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], code: str
) -> None:
    assert run_command(["verify", str(folder / "caf.xml"), *more]) == 2
    assert code in capsys.readouterr().err


def test_a_file_that_is_no_key_is_not_trusted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    caf = str(folder / "caf.xml")
    assert run_command(["verify", caf, "--trust-caf-key", f"1={caf}"]) == 2
    assert run_command(["verify", caf, "--trust-ca", caf]) == 2
    told = capsys.readouterr().err
    assert "TRUST-CAF-KEY" in told
    assert "TRUST-CA" in told


ISSUER = {
    "RznSoc": "Comercial Ñandú SpA",
    "giro": "Venta al por menor",
    "Acteco": [479100],
    "DirOrigen": "Calle Uno 123",
    "CmnaOrigen": "Santiago",
    "CiudadOrigen": "Santiago",
}


def _keys(folder: Path, *kinds: int) -> list[str]:
    named = ["caf.xml" if kind == 33 else f"caf-{kind}.xml" for kind in kinds]
    return [part for name in named for part in ("--caf", str(folder / name))]


def _written(folder: Path, name: str, *documents: object) -> str:
    (folder / name).write_text("\n".join(json.dumps(each) for each in documents), encoding="utf-8")
    return str(folder / name)


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_documents_of_all_types_travel_in_an_envelope_a_way(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = _written(tmp_path, "all.jsonl", *(sample() for kind, sample in SAMPLES.items() if kind not in (41, 56)))
    company = _written(tmp_path, "issuer.json", ISSUER)
    kinds = [kind for kind in SAMPLES if kind not in (33, 41, 56)]
    more = (*_keys(folder, *kinds), "--issuer", company, "--folio", "1", "--out", str(tmp_path / "out"))
    resolution = ("--envelope", "--resolution-date", "2014-08-22", "--json", "--profile", "2019")
    assert render(folder, jobs, *more, *resolution) == 0, capsys.readouterr()
    told = _lines(capsys)
    assert [Path(each["file"]).name for each in told] == [
        "EnvioDTE-76900101-8.xml",
        "EnvioBOLETA-76900101-8.xml",
    ]
    assert sorted(one["type"] for each in told for one in each["documents"]) == sorted([33, *kinds])
    assert verify_file(folder, *(each["file"] for each in told), "--json") == 0, capsys.readouterr()


def test_a_note_is_held_to_the_xml_of_what_it_refers_to(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(folder, str(folder / "sale.json"), "--out", str(tmp_path)) == 0
    note = copy.deepcopy(DOCUMENT)
    note["Encabezado"]["IdDoc"] = {"TipoDTE": 61}
    note["Referencia"] = [{"TpoDocRef": 33, "FolioRef": 7, "FchRef": "2026-11-24", "CodRef": 1}]
    other = copy.deepcopy(note)
    other["Detalle"][0]["PrcItem"] = 999
    notes = _written(tmp_path, "notes.jsonl", {"id": "same", "document": note}, {"id": "other", "document": other})
    capsys.readouterr()
    more = (*_keys(folder, 61), "--json")
    assert render(folder, notes, *more, "--refers", str(tmp_path / "T33F7.xml")) == 1
    first, second = _lines(capsys)
    assert first["documents"][0]["warnings"] == []
    assert "<TipoDTE>61</TipoDTE>" in first["xml"]
    assert (second["id"], [each["code"] for each in second["problems"]]) == ("other", ["DTE-REF-10"])
    assert render(folder, notes, *more) == 0
    unknown = _lines(capsys)
    assert [each["documents"][0]["warnings"][0]["code"] for each in unknown] == ["DTE-REF-15"] * 2


def test_a_note_knows_what_was_printed_before_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = copy.deepcopy(DOCUMENT)
    note["Encabezado"]["IdDoc"] = {"TipoDTE": 61}
    note["Detalle"][0]["PrcItem"] = 1
    note["Referencia"] = [{"TpoDocRef": 33, "FolioRef": 7, "CodRef": 1}]
    both = _written(tmp_path, "both.jsonl", DOCUMENT, note)
    assert render(folder, both, *_keys(folder, 61), "--json") == 1
    printed, refused = _lines(capsys)
    assert printed["documents"][0]["folio"] == 7
    assert refused["problems"][0]["code"] == "DTE-REF-10"
    assert render(folder, both, *_keys(folder, 61), "--envelope", "--resolution-date", "2014-08-22") == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{both}:2 was not made" in told.err
    assert "RENDER-ENVELOPE" in told.err


def test_the_issuer_of_a_document_comes_from_it_then_from_the_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = copy.deepcopy(DOCUMENT)
    bare["Encabezado"]["Emisor"] = {"DirOrigen": "Otra 1", "CmnaOrigen": "Temuco"}
    sale = _written(tmp_path, "bare.json", bare)
    assert render(folder, sale) == 1
    assert "RENDER-ISSUER" in capsys.readouterr().err
    assert render(folder, sale, "--issuer", _written(tmp_path, "issuer.json", ISSUER), "--json") == 0
    xml = _lines(capsys)[0]["xml"]
    assert "<GiroEmis>Venta al por menor</GiroEmis>" in xml
    assert "<DirOrigen>Otra 1</DirOrigen>" in xml
    for content in ("[]", '{"Giro": "x"}', "{"):
        (tmp_path / "issuer.json").write_text(content, encoding="utf-8")
        assert render(folder, sale, "--issuer", str(tmp_path / "issuer.json")) == 2
        assert "RENDER-ISSUER" in capsys.readouterr().err


def test_a_note_repeats_the_kind_of_sale_of_the_xml_that_it_refers_to_and_of_its_own_run(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sold, note = copy.deepcopy(DOCUMENT), copy.deepcopy(DOCUMENT)
    sold["Encabezado"]["IdDoc"]["TpoTranVenta"] = 2
    note["Encabezado"]["IdDoc"] = {"TipoDTE": 61}
    note["Referencia"] = [{"TpoDocRef": 33, "FolioRef": 7, "FchRef": "2026-11-24", "CodRef": 1}]
    first, second = _written(tmp_path, "sold.json", sold), _written(tmp_path, "note.json", note)
    keys = (*_keys(folder, 61), "--out", str(tmp_path))
    assert render(folder, first, *keys) == 0
    assert render(folder, second, *keys, "--refers", str(tmp_path / "T33F7.xml")) == 0, capsys.readouterr()
    assert b"<TpoTranVenta>2</TpoTranVenta>" in (tmp_path / "T61F7.xml").read_bytes()
    (tmp_path / "T61F7.xml").unlink()
    assert render(folder, _written(tmp_path, "both.jsonl", sold, note), *keys) == 0
    assert b"<TpoTranVenta>2</TpoTranVenta>" in (tmp_path / "T61F7.xml").read_bytes()


def test_the_uf_of_the_year_before_is_asked_for_boletas(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sale = _written(tmp_path, "b.json", {"Encabezado": {"IdDoc": {"TipoDTE": 39}}, "Detalle": [_item(6_000_000)]})
    values = _written(tmp_path, "uf.json", {"2024-12-31": 50000, "2025-12-31": 40000.5, "2026-11-24": 50000})
    keys = [*_keys(folder, 39), "--out", str(tmp_path)]
    assert render(folder, sale, *keys) == 0
    assert render(folder, sale, *keys, "--uf", "50000") == 0
    assert render(folder, sale, *keys, "--uf", values) == 1
    assert "BOL-UF-01" in capsys.readouterr().err
    assert run_command(["calculate", sale, "--on", "2026-11-24", "--uf", values, "--json"]) == 0
    assert _lines(capsys)[0]["warnings"][0]["code"] == "BOL-UF-01"
    assert run_command(["calculate", sale, "--on", "2025-12-31", "--uf", values, "--json"]) == 0
    assert "warnings" not in _lines(capsys)[0]
    for option in (str(tmp_path / "absent"), "12", str(folder / "sale.json")):
        assert run_command(["calculate", sale, "--uf", option]) == 2
        assert "UF-" in capsys.readouterr().err


def _item(price: int) -> dict[str, object]:
    return {"NmbItem": "Televisor", "QtyItem": 1, "PrcItem": price}


def test_documents_come_from_standard_input_and_many_files(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = io.BytesIO((folder / "jobs.jsonl").read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data))
    assert render(folder, "-", str(folder / "sale.json"), "--json") == 0
    told = _lines(capsys)
    assert [each["documents"][0]["folio"] for each in told] == [7, 8, 9]
    assert [each["documents"][0]["id"] for each in told] == ["a", "a", None]


def test_files_to_refer_to_that_hold_no_document_are_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("caf.xml", "sale.json", "absent.xml"):
        assert render(folder, str(folder / "sale.json"), "--refers", str(folder / name)) == 2
        told = capsys.readouterr().err
        assert "ISSUED-NOTHING" in told or "XML-NONE" in told or "FILE" in told


def test_a_guide_of_2026_is_rendered_and_its_edition_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sale = _written(tmp_path, "guide.json", guide_2026())
    more = (*_keys(folder, 52), "--issuer", _written(tmp_path, "issuer.json", ISSUER), "--out", str(tmp_path))
    assert render(folder, sale, *more, "--profile", "2019") == 1
    assert "FMT-PROFILE" in capsys.readouterr().err
    assert render(folder, sale, *more) == 0
    assert render(folder, sale, *more, "--profile", "2031") == 2
    capsys.readouterr()
    assert verify_file(folder, str(tmp_path / "T52F7.xml")) == 0
    assert "by the format of 2026" in capsys.readouterr().out
