"""Looking at the ledger by command: documents, their bytes, envelopes, and releasing what was refused."""

import hashlib
import uuid
from pathlib import Path

import psycopg
import pytest
from lxml import etree

from tests.integration.cli.conftest import Fmgo
from tests.integration.producer.jobs import ISSUER, body, end_invalid, job, make_issued, producer_at, rows, scalar


@pytest.fixture
def issued(database: str, redis_url: str) -> uuid.UUID:
    with producer_at(database, redis_url) as producer:
        number = producer.enqueue(job("venta ñ")).document_id
    assert number is not None
    make_issued(database, number, folio=7)
    return number


BY_KEY = ("--issuer", ISSUER, "--key", "venta ñ")


def test_a_document_is_shown_by_id_by_its_first_digits_or_by_key(fmgo: Fmgo, issued: uuid.UUID) -> None:
    for how in ((issued,), (issued.hex[:8],), BY_KEY):
        (shown,) = fmgo("document", "show", *how, "--json").objects
        assert (shown["id"], shown["folio"], shown["total"]) == (str(issued), 7, 1190)
        assert [step["to_state"] for step in shown["events"]] == ["received"]
    answer = fmgo("document", "show", issued)
    assert "1.190" in answer.out
    assert "signed" in answer.out
    assert "received" in fmgo("document", "events", issued).out
    assert fmgo("document", "events", issued, "--json").objects[0]["from_state"] == ""


def test_the_bytes_are_written_as_they_were_signed(fmgo: Fmgo, issued: uuid.UUID, tmp_path: Path) -> None:
    target = tmp_path / "dte.xml"
    assert fmgo("document", "xml", issued, "--out", target).code == 0
    assert "<DTE>Ñ</DTE>".encode("iso-8859-1") in target.read_bytes()
    assert etree.parse(target).getroot().text == "Ñ", "any XML tool opens it"
    stamp = tmp_path / "ted.xml"
    assert fmgo("document", "xml", issued, "--ted", "--out", stamp).code == 0
    assert etree.parse(stamp).getroot().text == "Ñ"
    (told,) = fmgo("document", "xml", issued, "--ted", "--json").objects
    assert told == {"id": str(issued), "ted": "<TED>Ñ</TED>"}
    assert "<DTE>" in fmgo("document", "xml", issued).out


def test_the_answer_is_no_where_there_is_nothing(fmgo: Fmgo, database: str, redis_url: str) -> None:
    with producer_at(database, redis_url) as producer:
        number = producer.enqueue(body("venta ñ")).document_id
    assert number is not None
    unissued = fmgo("document", "xml", number, "--json")
    assert (unissued.code, unissued.objects[0]["error"]["code"]) == (1, "NOT-ISSUED")
    for command in (("document", "show", "abcd1234"), ("document", "events", "abcd1234"), ("envelope", "show", "abcd")):
        unknown = fmgo(*command, "--json")
        assert (unknown.code, unknown.objects[0]["error"]["code"]) == (1, "UNKNOWN")
    assert fmgo("document", "show", "--issuer", ISSUER, "--key", "other").code == 1
    assert fmgo("document", "show", "no-id").code == 2
    assert fmgo("envelope", "release", "abcd1234").code == 1


def test_digits_that_several_ids_begin_with_are_refused(fmgo: Fmgo, database: str) -> None:
    with psycopg.connect(database) as connection:
        for number in (1, 2):
            connection.execute(
                b"INSERT INTO documents (id, issuer, environment, key, body_hash, lane)"
                b" VALUES (%s, %s, 'certification', %s, sha256('x'), 'bulk')",
                (uuid.UUID(int=(0xABCD << 112) + number), ISSUER, str(number)),
            )
    answer = fmgo("document", "show", "abcd", "--json")
    assert (answer.code, answer.objects[0]["error"]["code"]) == (2, "ID-AMBIGUOUS")


def test_documents_are_listed_by_state_issuer_and_batch(fmgo: Fmgo, database: str, redis_url: str) -> None:
    batch = uuid.uuid4()
    with producer_at(database, redis_url) as producer:
        first = producer.enqueue(job("a", batch=batch)).document_id
        producer.enqueue(job("b"))
    assert first is not None
    end_invalid(database, first)
    shown = fmgo("document", "list", "--state", "invalid")
    assert "DTE-X" in shown.out
    assert len(shown.out.splitlines()) == 2
    for filters, count in (((), 2), (("--batch", batch), 1), (("--issuer", ISSUER), 2), (("--limit", 1), 1)):
        assert len(fmgo("document", "list", "--json", *filters).objects) == count
    assert fmgo("document", "list", "--json", "--batch", "abcd1234").objects == []
    assert fmgo("document", "list", "--json", "--environment", "production").objects == []


@pytest.fixture
def refused(database: str, issued: uuid.UUID) -> uuid.UUID:
    """An envelope that the SII refused whole, its document back in `signed` and held."""
    number = uuid.uuid4()
    with psycopg.connect(database) as connection:
        connection.execute(b"INSERT INTO persons VALUES ('11111111-1', 'Maria')")
        connection.execute(
            b"INSERT INTO certificates (person, fingerprint, certificate_der, private_key_sealed, key_id, not_before,"
            b" not_after) VALUES ('11111111-1', sha256('x'), 'x', 'x', 'x', now(), now() + interval '1 year')"
        )
        connection.execute(
            b"INSERT INTO envelopes (id, issuer, environment, channel, lane, state, sender, certificate, documents,"
            b" resolution_number, resolution_date, filename, bytes, sha256, send_by, sii_state)"
            b" SELECT %s, %s, 'certification', 'soap', 'bulk', 'refused', person, id, 1, 0, '2014-08-22', 'x.xml',"
            b" '<EnvioDTE/>', sha256('x'), now(), 'RCT' FROM certificates",
            (number, ISSUER),
        )
        connection.execute(b"INSERT INTO envelope_documents VALUES (%s, %s, 1)", (number, issued))
        connection.execute(
            b"INSERT INTO envelope_events (envelope, from_state, to_state) VALUES (%s, '', 'sealed')", (number,)
        )
        connection.execute(
            b"INSERT INTO envelope_attempts (envelope, number, worker, address, deadline_seconds, outcome)"
            b" VALUES (%s, 1, 1, 'https://maullin.sii.cl', 60, 'received')",
            (number,),
        )
        connection.execute(
            b"INSERT INTO sii_exchanges (environment, operation, address, envelope, attempt, worker, request_sha256,"
            b" request_bytes, seconds, http_status, answer, answer_bytes) VALUES ('certification', 'DTEUpload',"
            b" 'https://maullin.sii.cl/cgi_dte/UPL/DTEUpload', %s, 1, 1, sha256('x'), 1, 0.2, 200,"
            b" convert_to('<STATUS>0</STATUS><!-- recepci\xc3\xb3n -->', 'LATIN1'), 38)",
            (number,),
        )
        connection.execute(b"UPDATE documents SET held = 'envelope-refused:RCT', due_at = NULL")
    return number


def test_an_envelope_is_shown_with_attempts_steps_and_documents(fmgo: Fmgo, refused: uuid.UUID) -> None:
    (shown,) = fmgo("envelope", "show", refused.hex[:6], "--json").objects
    assert (shown["state"], shown["sii_state"]) == ("refused", "RCT")
    assert (len(shown["riders"]), len(shown["attempt_list"])) == (1, 1)
    assert [(line["kind"], line["what"]) for line in shown["story"]] == [
        ("step", " -> sealed"),
        ("attempt", "attempt 1 begins"),
        ("exchange", "DTEUpload"),
    ]
    assert "recepción" in shown["story"][2]["answer"]
    assert shown["story"][2]["request_sha256"] == hashlib.sha256(b"x").hexdigest()
    answer = fmgo("envelope", "show", refused)
    assert str(refused) in answer.out
    assert "recepción" in answer.out
    assert "https://maullin.sii.cl" not in answer.out  # the table has what matters; JSON has the rest
    assert fmgo("envelope", "show", refused, "--xml").out == "<EnvioDTE/>"
    assert len(fmgo("envelope", "list", "--state", "refused", "--json").objects) == 1
    assert "RCT" in fmgo("envelope", "list", "--issuer", ISSUER).out


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("state = 'refused', alert = 'in-doubt'", "NOT-IN-DOUBT"),
        ("state = 'sent', alert = 'rejected-in-doubt'", "NOT-IN-DOUBT"),
        ("state = 'sending'", "IN-HAND"),
        ("alert = 'in-doubt', lease_owner = 7", "IN-HAND"),
        ("alert = NULL", "TOO-EARLY"),
        ("alert = 'token-not-taken'", "TOO-EARLY"),
        ("alert = 'in-doubt', verdict = '{\"send_once_more\": true}'", "GOES-ALREADY"),
    ],
)
def test_what_the_help_of_resend_excludes_is_refused(
    fmgo: Fmgo, refused: uuid.UUID, database: str, change: str, code: str
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(b"UPDATE envelopes SET state = 'uncertain'")
        connection.execute(f"UPDATE envelopes SET {change}".encode())
    before = rows(database, "SELECT state, verdict, alert, due_at FROM envelopes")
    answer = fmgo("envelope", "resend", refused, "--json")
    assert (answer.code, answer.objects[0]["error"]["code"]) == (1, code)
    assert rows(database, "SELECT state, verdict, alert, due_at FROM envelopes") == before
    assert scalar(database, "SELECT count(*) FROM audit_log WHERE action = 'envelope.resend'") == 0


def test_where_sending_is_stopped_nothing_is_sent_by_hand(fmgo: Fmgo, refused: uuid.UUID, database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute(b"UPDATE envelopes SET state = 'uncertain', alert = 'in-doubt'")
    fmgo("stop", "--sending", "--environment", "certification", "--reason", "a look")
    answer = fmgo("envelope", "resend", refused, "--json")
    assert (answer.code, answer.objects[0]["error"]["code"]) == (1, "STOPPED")


def test_only_an_envelope_whose_doubt_stands_is_sent_once_more(fmgo: Fmgo, refused: uuid.UUID, database: str) -> None:
    nobody = fmgo("envelope", "resend", uuid.uuid4(), "--json")
    assert (nobody.code, nobody.objects[0]["error"]["code"]) == (1, "UNKNOWN")
    with psycopg.connect(database) as connection:
        connection.execute(b"UPDATE envelopes SET state = 'uncertain', alert = 'in-doubt', verdict = '{\"a\": 1}'")
    (told,) = fmgo("envelope", "resend", refused, "--json").objects
    assert told == {"envelope": str(refused), "resend": True}
    assert scalar(database, "SELECT verdict FROM envelopes") == {"a": 1, "send_once_more": True}
    assert scalar(database, "SELECT alert FROM envelopes") is None
    assert scalar(database, "SELECT due_at <= fmgo_now() FROM envelopes")
    assert scalar(database, "SELECT action FROM audit_log") == "envelope.resend"


def test_a_released_envelopes_documents_go_again(fmgo: Fmgo, refused: uuid.UUID, database: str) -> None:
    (released,) = fmgo("envelope", "release", refused, "--json").objects
    assert released == {"envelope": str(refused), "released": 1}
    assert scalar(database, "SELECT count(*) FROM documents WHERE held IS NULL AND due_at IS NOT NULL") == 1
    assert scalar(database, "SELECT action FROM audit_log") == "envelope.release"
    again = fmgo("envelope", "release", refused, "--json")
    assert (again.code, again.objects[0]["error"]["code"]) == (1, "NOT-REFUSED")


@pytest.mark.parametrize("verdict", ["accepted", "rejected"])
def test_what_a_person_found_ends_a_conflict(fmgo: Fmgo, issued: uuid.UUID, database: str, verdict: str) -> None:
    settle = ("document", "settle", issued, f"--{verdict}", "--reason", "seen in the portal")
    assert fmgo(*settle).code == 1
    with psycopg.connect(database) as connection:
        connection.execute(b"UPDATE documents SET state = 'conflict', verdict = '{\"document\": \"DNK\"}'")
    (told,) = fmgo(*settle, "--json").objects
    assert told == {"id": str(issued), "state": verdict}
    (shown,) = fmgo("document", "show", issued, "--json").objects
    assert (shown["state"], shown["verdict"]["document"]) == (verdict, "DNK")
    assert shown["verdict"]["reason"] == "seen in the portal"
    assert (shown["events"][-1]["from_state"], shown["events"][-1]["to_state"]) == ("conflict", verdict)
    assert scalar(database, "SELECT action FROM audit_log") == "document.settle"
    assert fmgo(*settle).code == 1


@pytest.mark.parametrize(
    "command",
    [
        ("document", "list", "--state", "refused"),
        ("envelope", "list", "--state", "accepted"),
        ("document", "list", "--environment", "moon"),
        ("caf", "list", "--environment", "moon"),
        ("document", "show", "--issuer", ISSUER, "--key", "x", "--environment", "moon"),
    ],
)
def test_a_filter_that_nothing_can_pass_is_bad_usage(fmgo: Fmgo, command: tuple[str, ...]) -> None:
    answer = fmgo(*command)
    assert (answer.code, f"no {command[-2][2:]} '{command[-1]}'" in answer.err) == (2, True)


def test_the_list_says_what_the_sii_refused_a_document_for(fmgo: Fmgo, issued: uuid.UUID, database: str) -> None:
    assert fmgo("document", "list").out.split()[-1] != "RCH"
    with psycopg.connect(database) as connection:
        connection.execute(b"UPDATE documents SET state = 'rejected', verdict = '{\"document\": \"RCH\"}'")
    assert "RCH" in fmgo("document", "list").out.split()
