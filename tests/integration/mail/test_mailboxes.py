"""Mailboxes are read by IMAP from a mark on, and nothing in them is changed."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from tests.integration.mail.conftest import COMPANY, ENVIRONMENT, Add, taken
from tests.integration.mail.imap_server import PASSWORD, Mailbox
from tests.unit.answers.test_result_mail import message, xml
from workers.database.engine import Ledger, run
from workers.mail import secrets
from workers.mail.errors import MailSourceError
from workers.mail.imap import address_of
from workers.mail.receiving import look
from workers.settings import Settings
from workers.vault.sealing import Sealed, Vault

RESULT = message(xml()).as_bytes()
LUNCH = b"From: ana@empresa.example\r\nSubject: almuerzo\r\n\r\nVamos?\r\n"


def outcomes(ledger: Ledger) -> list[str]:
    with ledger.transaction() as tx:
        return [row.outcome for row in run(tx, "SELECT outcome FROM result_mails ORDER BY id")]


def test_what_is_new_is_read_once_and_nothing_is_marked(
    ledger: Ledger, vault: Vault, settings: Settings, mailbox: Mailbox, add: Add
) -> None:
    mailbox.put(LUNCH)
    mailbox.put(RESULT)
    assert look(ledger, vault, settings, add()) == (1, False)
    assert outcomes(ledger) == ["unknown-track"]
    mailbox.put(LUNCH)
    mailbox.asked.clear()
    assert look(ledger, vault, settings, taken(ledger)) == (0, False)
    fetched = [line for line in mailbox.asked if "PEEK" in line]
    assert fetched == ["UID FETCH 3 (BODY.PEEK[])"], "only what came since"
    mailbox.asked.clear()
    assert look(ledger, vault, settings, taken(ledger)) == (0, False)
    assert not [line for line in mailbox.asked if "FETCH" in line], "the last message isn't read again"
    assert mailbox.trespasses == []
    assert len(mailbox.messages) == 3


def test_a_mailbox_made_anew_is_read_anew_and_known_mails_stay_one(
    ledger: Ledger, vault: Vault, settings: Settings, mailbox: Mailbox, add: Add
) -> None:
    for _ in range(3):
        mailbox.put(LUNCH)
    mailbox.put(RESULT)
    look(ledger, vault, settings, add())
    mailbox.validity, mailbox.messages = 8, {1: RESULT, 2: message(xml("utf-8")).as_bytes()}
    assert look(ledger, vault, settings, taken(ledger)) == (1, False)
    assert outcomes(ledger) == ["unknown-track"] * 2


def test_what_was_read_before_a_connection_broke_stays_read(
    ledger: Ledger, vault: Vault, settings: Settings, mailbox: Mailbox, add: Add
) -> None:
    mailbox.put(RESULT)
    mailbox.put(message(xml("utf-8")).as_bytes())
    mailbox.break_at = "UID FETCH 2 (BODY"
    with pytest.raises(MailSourceError):
        look(ledger, vault, settings, add())
    assert outcomes(ledger) == ["unknown-track"]
    assert look(ledger, vault, settings, taken(ledger)) == (1, False)
    assert outcomes(ledger) == ["unknown-track"] * 2


def test_a_mailbox_with_nothing_new_is_not_read_from_its_beginning_later(
    ledger: Ledger, vault: Vault, settings: Settings, mailbox: Mailbox, add: Add
) -> None:
    mailbox.old = {mailbox.put(RESULT) for _ in range(3)}
    assert look(ledger, vault, settings, add()) == (0, False)
    mailbox.put(RESULT)
    assert look(ledger, vault, settings, taken(ledger)) == (1, False)
    assert [line for line in mailbox.asked if "PEEK" in line] == ["UID FETCH 4 (BODY.PEEK[])"]


def test_a_mail_that_is_too_large_is_passed_over(
    ledger: Ledger, vault: Vault, settings: Settings, mailbox: Mailbox, add: Add
) -> None:
    small = settings.model_copy(update={"mail_bytes": len(RESULT) + 100})
    mailbox.put(RESULT + b"x" * 200)
    mailbox.put(RESULT)
    assert look(ledger, vault, small, add()) == (1, False)


def test_a_wrong_password_is_said_without_it(ledger: Ledger, vault: Vault, settings: Settings, add: Add) -> None:
    with pytest.raises(MailSourceError, match=r"doesn't let dte@empresa\.example in") as caught:
        look(ledger, vault, settings, add("equivocada"))
    assert "equivocada" not in str(caught.value)


def test_a_server_that_is_away_is_said(ledger: Ledger, vault: Vault, settings: Settings, add: Add) -> None:
    source = add()
    with ledger.transaction() as tx:
        run(tx, "UPDATE mail_sources SET address = 'imap://x@127.0.0.1:9'")
    with pytest.raises(MailSourceError, match="can't be reached"):
        look(ledger, vault, settings, taken(ledger))
    assert source.failures == 0


@contextmanager
def token_service(*answers: dict[str, str]) -> Iterator[tuple[str, list[dict[str, list[str]]]]]:
    """A service that gives access tokens; yields its address and what was asked."""
    asked: list[dict[str, list[str]]] = []
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            body = json.dumps(left.pop(0) if left else {"error": "invalid_grant"}).encode()
            self.send_response(200 if b"access_token" in body else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/token", asked
        finally:
            server.shutdown()
            thread.join()


def test_xoauth2_takes_an_access_token_and_keeps_a_renewed_secret(
    ledger: Ledger, vault: Vault, settings: Settings, mailbox: Mailbox, add: Add
) -> None:
    mailbox.token = "ya29.acceso"
    mailbox.put(RESULT)
    with token_service({"access_token": "ya29.acceso", "refresh_token": "r2"}) as (url, asked):
        secret = {"token_url": url, "client_id": "c", "client_secret": "s", "refresh_token": "r1", "scope": "mail"}
        assert look(ledger, vault, settings, add(json.dumps(secret), "xoauth2")) == (1, False)
        assert asked[0]["grant_type"] == ["refresh_token"]
        assert asked[0]["refresh_token"] == ["r1"]
        kept = taken(ledger)
        assert kept.secret_sealed is not None
        opened = vault.open(Sealed(str(kept.key_id), kept.secret_sealed), purpose=secrets.purpose(COMPANY, ENVIRONMENT))
        assert json.loads(opened) == secret | {"refresh_token": "r2"}
        with pytest.raises(MailSourceError, match="gives no access token"):
            look(ledger, vault, settings, kept)
    assert PASSWORD not in str(mailbox.asked)


def test_a_token_that_the_mailbox_refuses_is_said(
    ledger: Ledger, vault: Vault, settings: Settings, mailbox: Mailbox, add: Add
) -> None:
    mailbox.token = "otro"
    with token_service({"access_token": "ya29.acceso"}) as (url, _):
        secret = {"token_url": url, "client_id": "c", "refresh_token": "r1"}
        with pytest.raises(MailSourceError, match="doesn't let"):
            look(ledger, vault, settings, add(json.dumps(secret), "xoauth2"))


@pytest.mark.parametrize(
    "url",
    [
        "https://x@mail.example",
        "imaps://mail.example",
        "imaps://x:clave@mail.example",
        "imap://x@mail.example",
        "imaps://x@mail.example/In%22box",
    ],
)
def test_addresses_that_cannot_be_read_safely_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        address_of(url)


def test_an_address_says_what_it_says() -> None:
    address = address_of("imaps://dte%40empresa.example@mail.example/SII/Resultados")
    assert (address.host, address.port, address.user, address.mailbox, address.tls) == (
        "mail.example",
        993,
        "dte@empresa.example",
        "SII/Resultados",
        True,
    )
