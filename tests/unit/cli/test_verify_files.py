"""`fmgo verify` of what people have: folders, ZIPs, documents cut out of envelopes; and `render` with their keys."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from domain.certificate import open_pfx
from tests.unit.cli.test_offline_files import render, verify_file
from workers.cli.main import run_command


def _answers(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_folders_and_zips_are_verified_file_by_file(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert render(folder, str(folder / "jobs.jsonl"), "--out", str(out)) == 0
    (out / "deep").mkdir()
    (out / "T33F8.xml").rename(out / "deep" / "T33F8.XML")
    (out / "readme.txt").write_text("no document")
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(out / "T33F7.xml", "enero/T33F7.xml")
        packed.write(out / "deep" / "T33F8.XML", "T33F8.XML")
        packed.writestr("changed.xml", (out / "T33F7.xml").read_bytes().replace(b"<MntTotal>", b"<MntTotal>9"))
        packed.writestr("readme.txt", "no document")
    capsys.readouterr()
    assert verify_file(folder, str(out), "--json") == 0
    assert [Path(each["file"]).name for each in _answers(capsys)] == ["T33F7.xml", "T33F8.XML"]
    assert verify_file(folder, str(archive), "--json") == 1
    told = {each["file"]: each["verdict"] for each in _answers(capsys)}
    assert told == {
        f"{archive}/enero/T33F7.xml": "accept",
        f"{archive}/T33F8.XML": "accept",
        f"{archive}/changed.xml": "reject",
    }
    with archive.open("rb") as file:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(file))
        assert verify_file(folder, "-", "--json") == 1
    assert len(_answers(capsys)) == 3


def test_folders_and_zips_that_hold_nothing_say_so(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    nothing, damaged = tmp_path / "nothing.zip", tmp_path / "damaged.zip"
    with zipfile.ZipFile(nothing, "w"):
        pass
    with zipfile.ZipFile(damaged, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.xml", b"<a>" * 1000)
    damaged.write_bytes(damaged.read_bytes().replace(b"a.xml", b"a.xml")[:40])
    for place, code in ((empty, "FILE-NOTHING"), (nothing, "FILE-NOTHING"), (damaged, "FILE-UNREADABLE")):
        assert verify_file(folder, str(place), "--json") == 2
        (told,) = _answers(capsys)
        assert (told["verdict"], told["problems"][0]["code"]) == ("reject", code)


def test_a_zip_that_would_fill_the_memory_is_read_only_so_far(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.verification.reading.LARGEST_FILE", 100_000)
    monkeypatch.setattr("workers.cli.verify.LARGEST_FILE", 100_000)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a.xml", b"<a>" + b" " * 50_000_000)
    assert verify_file(folder, str(bomb), "--json") == 1
    assert _answers(capsys)[0]["problems"][0]["code"] == "XML-TOO-LARGE"


def test_both_readers_have_their_answer(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(folder, str(folder / "sale.json"), "--out", str(tmp_path)) == 0
    whole = tmp_path / "T33F7.xml"
    cut = tmp_path / "cut.xml"
    cut.write_bytes(whole.read_bytes().replace(b' xmlns="http://www.sii.cl/SiiDte"', b"", 1))
    changed = tmp_path / "changed.xml"
    changed.write_bytes(whole.read_bytes().replace(b"<MntTotal>", b"<MntTotal>9"))
    capsys.readouterr()
    for file, code, genuine, taken in (
        (whole, 0, "yes", "yes"),
        (cut, 0, "yes", "NO (SCHEMA-NAMESPACE)"),
        (changed, 1, "NO (SIG-DIGEST", "NO (SIG-DIGEST"),
    ):
        assert verify_file(folder, str(file)) == code
        told = capsys.readouterr().out
        assert f"genuine and whole: {genuine}" in told
        assert f"would the SII take these bytes (in an envelope): {taken}" in told
        assert "type 33 folio 7 of 76900101-8" in told
    assert verify_file(folder, str(cut), "--json") == 0
    (answer,) = _answers(capsys)
    assert (answer["schema_valid"], answer["readings"]) == (False, {"sii_takes": False, "authentic": True})


def test_a_pem_as_openssl_writes_it_signs_without_a_password(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FMGO_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    credential = open_pfx((folder / "person.pfx").read_bytes(), (folder / "password").read_text().strip())
    key = load_der_private_key(credential.private_key_der, None)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    own = x509.load_der_x509_certificate(credential.certificate_der).public_bytes(Encoding.PEM)
    bag = b"Bag Attributes\n    friendlyName: ana\nKey Attributes: <No Attributes>\n"
    file = tmp_path / "person.pem"
    keys = ("--caf", str(folder / "caf.xml"), "--pfx", str(file), "--folio", "7", "--at", "2026-11-24T10:15:02")
    for written, code in ((bag + own + bag + pem, 0), (bag + pem + own, 0), (own, 2), (pem, 2)):
        file.write_bytes(written)
        assert run_command(["render", str(folder / "sale.json"), *keys, "--out", str(tmp_path)]) == code
    told = capsys.readouterr().err
    assert "PEM-WITHOUT-KEY" in told
    assert "PEM-WITHOUT-CERTIFICATE" in told
    assert verify_file(folder, str(tmp_path / "T33F7.xml")) == 0
    file.write_bytes((folder / "person.pfx").read_bytes())
    assert run_command(["render", str(folder / "sale.json"), *keys]) == 2
    assert "PASSWORD" in capsys.readouterr().err, "what has one is asked for it"
