"""Where result mails are read from, by command: added, shown, removed, without their secrets; mails handed in."""

import json
from pathlib import Path

import pytest

from tests.integration.cli.conftest import ISSUER_ADD, Fmgo
from tests.integration.enrolment import kit
from tests.integration.producer.jobs import rows
from tests.unit.answers.test_result_mail import message, xml

IMAP = "imaps://dte%40empresa.example@mail.example/INBOX"
OAUTH = {"token_url": "https://mail.example/token", "client_id": "c", "refresh_token": "secreto-r1"}


def test_sources_are_added_replaced_shown_and_removed(fmgo: Fmgo, tmp_path: Path, database: str) -> None:
    fmgo(*ISSUER_ADD)
    word = tmp_path / "word"
    word.write_text("clave-del-buzon\n", encoding="utf-8")
    added = fmgo("mail", "add", kit.ISSUER, "--imap", IMAP, "--password-file", word, "--json")
    assert (added.code, added.objects[0]["address"]) == (0, IMAP)
    again = fmgo("mail", "add", kit.ISSUER, "--imap", IMAP, "--password-file", word, "--forwarder", "Ana@X.example")
    assert again.code == 0
    assert fmgo("mail", "add", kit.ISSUER, "--folder", tmp_path).code == 0
    shown = fmgo("mail", "sources", "--json")
    assert [(one["kind"], one["auth"], one["forwarders"]) for one in shown.objects] == [
        ("imap", "password", ["ana@x.example"]),
        ("folder", "none", []),
    ]
    assert shown.code == 0
    stored = rows(database, "SELECT secret_sealed FROM mail_sources WHERE kind = 'imap'")[0][0]
    everything = [shown.out, added.out, again.out, repr(rows(database, "SELECT detail FROM audit_log")), repr(stored)]
    assert not any("clave-del-buzon" in text for text in everything)
    number = added.objects[0]["source"]
    assert fmgo("mail", "remove", number).code == 0
    assert fmgo("mail", "remove", number).code == 1
    assert len(fmgo("mail", "sources", "--json").objects) == 1


def test_xoauth2_takes_its_json(fmgo: Fmgo, tmp_path: Path) -> None:
    fmgo(*ISSUER_ADD)
    secret = tmp_path / "oauth.json"
    secret.write_text(json.dumps(OAUTH), encoding="utf-8")
    command = ("mail", "add", kit.ISSUER, "--imap", IMAP, "--xoauth2", "--password-file", secret)
    assert fmgo(*command).code == 0
    assert fmgo("mail", "sources", "--json").objects[0]["auth"] == "xoauth2"
    secret.write_text(json.dumps({**OAUTH, "token_url": "http://mail.example/token"}), encoding="utf-8")
    refused = fmgo(*command)
    assert (refused.code, "https" in refused.err, "secreto" in refused.err) == (2, True, False)
    secret.write_text("no es JSON", encoding="utf-8")
    assert fmgo(*command).code == 2


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--folder", "/tmp", "--imap", IMAP),
        ("--imap", "imap://x@mail.example"),
        ("--imap", "imaps://x:clave@mail.example"),
    ],
)
def test_what_cannot_be_read_safely_is_refused(fmgo: Fmgo, options: tuple[str, ...], tmp_path: Path) -> None:
    fmgo(*ISSUER_ADD)
    word = tmp_path / "word"
    word.write_text("x", encoding="utf-8")
    assert fmgo("mail", "add", kit.ISSUER, *options, "--password-file", word).code == 2
    assert fmgo("mail", "sources", "--json").objects == []


def test_a_company_must_be_enrolled(fmgo: Fmgo, tmp_path: Path) -> None:
    refused = fmgo("mail", "add", kit.ISSUER, "--folder", tmp_path)
    assert (refused.code, "ISSUER-UNKNOWN" in refused.err) == (2, True)


def test_mails_are_handed_in_and_shown(fmgo: Fmgo, tmp_path: Path) -> None:
    mail, file, forged, other = (tmp_path / name for name in ("a.eml", "b.xml", "c.eml", "d.eml"))
    mail.write_bytes(message(xml()).as_bytes())
    assert fmgo("mail", "import", mail).code == 2, "the company isn't enrolled"
    fmgo(*ISSUER_ADD)
    file.write_bytes(xml("utf-8"))
    forged.write_bytes(message(xml(), sender="x@sii-cl.example").as_bytes())
    other.write_bytes(b"From: a@b.example\r\n\r\nhola\r\n")
    given = fmgo("mail", "import", mail, file, forged, other, tmp_path / "gone", "--json")
    assert given.code == 2
    assert [line.get("outcome") for line in given.objects] == [
        "unknown-track",
        "unknown-track",
        "not-the-sii",
        None,
        None,
    ]
    assert fmgo("mail", "import", mail, "--json").objects[0]["new"] is False
    listed = fmgo("mail", "list", "--json").objects
    assert [one["outcome"] for one in listed] == ["not-the-sii", "unknown-track", "unknown-track"]
    assert len(fmgo("mail", "list", "--outcome", "not-the-sii", "--json").objects) == 1
    shown = fmgo("mail", "show", listed[-1]["id"], "--json").objects[0]
    assert shown["said"]["reviews"][0]["reasons"][0]["code"] == "DTE-3-101"
    assert "DTE-3-101" in fmgo("mail", "show", listed[-1]["id"]).out
    assert "RESULTADO_ENVIO" in fmgo("mail", "show", listed[1]["id"], "--raw").out
    assert fmgo("mail", "show", "999").code == 1
