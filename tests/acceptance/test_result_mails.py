"""The SII's result mails explain verdicts: before the poll or after it, twice, recoded, forwarded, forged, or never."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.sandbox.enrol import ENVIRONMENT
from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.sales import annulment, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works, hours
from tests.integration.mail.imap_server import PASSWORD, USER, mail_server
from workers.cli.main import run_command
from workers.database import mail_sources
from workers.database.mail_sources import NewSource
from workers.mail import secrets
from workers.vault.sealing import Vault

NOT_YET = "not yet told"


@pytest.fixture
def maildir(works: Works, tmp_path: Path) -> Iterator[Path]:
    """Where the simulated SII's mails of this test arrive."""
    folder = tmp_path / "mails"
    works.sii.switch({"mail_maildir": str(folder)})
    yield folder
    works.sii.switch({"mail_maildir": "", "steps": {"EPR": [0, 0]}})
    works.change("DELETE FROM mail_sources")


def reads(works: Works, company: Company, folder: Path, *, forwarders: tuple[str, ...] = ()) -> None:
    """Let FMgo read a company's mails from a maildir."""
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    source = NewSource(company.rut, ENVIRONMENT, "folder", str(folder), "none", None, None, forwarders)
    with works.ledger.transaction() as tx:
        mail_sources.add(tx, source)


def verdicts(works: Works, company: Company, state: str) -> list[Any]:
    """Verdicts of a company's documents in a state."""
    rows = works.rows(
        "SELECT verdict FROM documents WHERE issuer = %s AND state = %s ORDER BY folio", company.rut, state
    )
    return [row[0] for row in rows]


def mails(works: Works, company: Company) -> list[tuple[str, str | None]]:
    """Outcome and note of a company's mails, in the order they came."""
    return works.rows("SELECT outcome, note FROM result_mails WHERE issuer = %s ORDER BY id", company.rut)


def await_mails(works: Works, company: Company, *outcomes: str) -> None:
    """Return when the company's mails have these outcomes, in any order."""
    wait_until(
        lambda: sorted(outcome for outcome, _ in mails(works, company)) == sorted(outcomes),
        lambda: f"{outcomes}; there are {mails(works, company)}",
    )


def await_asked(works: Works, company: Company, times: int) -> None:
    """Return when FMgo has kept the answers to so many questions for a company's mail.

    The SII has them before FMgo does; the pause to the next question begins when FMgo keeps the answer, so time may be
    moved only then.
    """

    def asked() -> Any:
        return works.scalar(
            "SELECT sum(w.asked) FROM result_mails_wanted w JOIN envelopes e ON e.id = w.envelope WHERE e.issuer = %s",
            company.rut,
        )

    wait_until(lambda: asked() == times, lambda: f"{times} questions; there were {asked()}", seconds=120)


def codes(verdict: dict[str, Any]) -> list[str]:
    """Codes of a verdict's reasons."""
    return [reason["code"] for reason in verdict["reasons"]]


def write_mail(works: Works, company: Company, *variants: str) -> None:
    """Let the SII write the mail of the company's latest upload now."""
    track_id = works.uploads(company)[-1]["track_id"]
    works.window.post(f"/uploads/{track_id}/mail", json={"variants": list(variants)}).raise_for_status()


def test_a_mail_after_the_poll_tells_the_reasons_and_they_are_published(works: Works, maildir: Path) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.fault("F-HALF", company)
    works.fault("F-MAIL-1", company, "mail", args={"variants": ["late"], "seconds": 600})
    receipts = works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(4)])
    works.await_states(company, {"accepted": 2, "rejected": 2})
    assert [verdict["reasons"] for verdict in verdicts(works, company, "rejected")] == [NOT_YET] * 2
    works.clock.advance(dt.timedelta(seconds=700))
    await_mails(works, company, "told")
    told = verdicts(works, company, "rejected")
    assert [codes(verdict) for verdict in told] == [["HED-3-861"]] * 2
    assert all(verdict["reasons"][0]["text"] for verdict in told)
    rejected = works.scalar("SELECT id FROM documents WHERE issuer = %s AND state = 'rejected' LIMIT 1", company.rut)
    wait_until(lambda: "HED-3-861" in works.told(rejected).get("result", ""), "the reasons weren't published")
    versions = [version for version, _ in works.stream(rejected)]
    assert versions == sorted(set(versions)), "told again, as a higher version"
    assert {receipt.outcome for receipt in receipts} == {"recorded"}
    check_books(works, company)


def test_a_mail_before_the_poll_waits_for_the_verdict(works: Works, maildir: Path) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.sii.switch({"steps": {"EPR": [7200, 7200]}})
    works.fault("F-HALF", company)
    works.fault("F-MAIL-1", company, "mail", args={"variants": ["early"]})
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(2)])
    works.await_envelope(company, "sent")
    await_mails(works, company, "waiting")
    assert works.states(company) == {"enveloped": 2}, "a mail alone decides nothing"
    works.clock.advance(hours(2.1))
    works.await_states(company, {"accepted": 1, "rejected": 1})
    await_mails(works, company, "told")
    assert codes(verdicts(works, company, "rejected")[0]) == ["HED-3-861"]
    check_books(works, company)


def test_a_mail_that_comes_twice_is_once_and_sent_again_changes_nothing(works: Works, maildir: Path) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.fault("F-HALF", company)
    works.fault("F-MAIL-1", company, "mail", args={"variants": ["twice"]})
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(2)])
    works.await_states(company, {"accepted": 1, "rejected": 1})
    await_mails(works, company, "told")
    wait_until(
        lambda: (
            works.scalar(
                "SELECT count(*) FROM mail_files_seen f JOIN mail_sources s ON s.id = f.source WHERE s.issuer = %s",
                company.rut,
            )
            == 2
        ),
        "both files weren't read",
    )
    assert len(mails(works, company)) == 1
    before = works.rows("SELECT version, verdict FROM documents WHERE issuer = %s ORDER BY folio", company.rut)
    works.clock.advance(dt.timedelta(seconds=5))
    write_mail(works, company)
    await_mails(works, company, "told", "told")
    assert works.rows("SELECT version, verdict FROM documents WHERE issuer = %s ORDER BY folio", company.rut) == before


@pytest.mark.parametrize("variant", ["quoted-printable", "utf-8", "windows-1252", "mislabelled"])
def test_a_recoded_mail_is_read(works: Works, maildir: Path, variant: str) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.fault("F-REP", company)
    works.fault("F-MAIL-1", company, "mail", args={"variants": [variant]})
    works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted_with_repairs": 1})
    await_mails(works, company, "told")
    assert codes(verdicts(works, company, "accepted_with_repairs")[0]) == ["TED-2-510"]


@pytest.mark.parametrize("variant", ["forwarded", "forwarded-inline"])
def test_a_mail_that_a_known_colleague_forwards_counts(works: Works, maildir: Path, variant: str) -> None:
    company, stranger = works.company(), works.company()
    reads(works, company, maildir, forwarders=(f"{company.rut.lower()}.example",))
    reads(works, stranger, maildir)
    for one in (company, stranger):
        works.fault("F-HALF", one)
        works.fault("F-MAIL-1", one, "mail", args={"variants": [variant]})
        works.producer.enqueue_many([invoice(one, f"sale-{n}") for n in range(2)])
        works.await_states(one, {"accepted": 1, "rejected": 1})
    await_mails(works, company, "told")
    assert codes(verdicts(works, company, "rejected")[0]) == ["HED-3-861"]
    await_mails(works, stranger, "not-the-sii")
    assert verdicts(works, stranger, "rejected")[0]["reasons"] == NOT_YET, "nobody was named who may forward"


def test_one_repaired_among_accepted_is_known_by_the_mail(works: Works, maildir: Path) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.fault("F-EPR-MIX", company)
    works.fault("F-MAIL-1", company, "mail", args={"variants": ["late"], "seconds": 600})
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(5)])
    works.await_states(company, {"accepted": 4, "rejected": 1})
    works.clock.advance(dt.timedelta(seconds=700))
    works.await_states(company, {"accepted": 3, "accepted_with_repairs": 1, "rejected": 1})
    await_mails(works, company, "told")
    (repaired,), (rejected,) = (verdicts(works, company, state) for state in ("accepted_with_repairs", "rejected"))
    assert all(reason["code"].split("-")[1] in "12" for reason in repaired["reasons"])
    assert all("-3-" in code for code in codes(rejected))
    number = works.scalar("SELECT id FROM documents WHERE issuer = %s AND state = 'accepted_with_repairs'", company.rut)
    wait_until(lambda: works.told(number).get("state") == "accepted_with_repairs", "it wasn't published again")
    check_books(works, company)


def test_codes_nobody_published_are_shown_and_decide_nothing(works: Works, maildir: Path) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.fault("F-MAIL-1", company, "mail", args={"variants": ["unknown-codes"]})
    works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted": 1})
    await_mails(works, company, "told")
    (remark,) = verdicts(works, company, "accepted")[0]["remarks"]
    assert (remark["state"], remark["reasons"][0]["code"]) == ("QQX", "QRS-7-4242")
    assert works.states(company) == {"accepted": 1}


def test_a_forged_mail_and_one_of_an_unknown_upload_change_nothing(works: Works, maildir: Path) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.fault("F-MAIL-2", company, "mail")
    works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted": 1})
    await_mails(works, company, "told", "not-the-sii", "unknown-track")
    notes = dict(mails(works, company))
    assert "sii-cl.example" in str(notes["not-the-sii"])
    assert works.logged("threads", "mail.not_joined") >= 2
    assert works.states(company) == {"accepted": 1}
    check_books(works, company)


def test_a_mail_never_rejects_what_the_sii_holds(works: Works, maildir: Path, tmp_path: Path) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted": 1})
    await_mails(works, company, "told")
    track_id = works.uploads(company)[-1]["track_id"]
    folio = works.scalar("SELECT folio FROM documents WHERE issuer = %s", company.rut)
    (tmp_path / "says-no.xml").write_bytes(says(company, track_id, folio, "RCH - DTE Rechazado", "(DTE-3-505) Firma"))
    (tmp_path / "repairs.xml").write_bytes(says(company, track_id, folio, "RPR - Reparos", "(TED-2-510) Timbre"))
    assert by_hand(works, tmp_path / "says-no.xml", tmp_path / "repairs.xml") == 0
    await_mails(works, company, "told", "contradicts", "contradicts")
    assert works.states(company) == {"accepted": 1}
    assert "reasons" not in verdicts(works, company, "accepted")[0]


def says(company: Company, track_id: int, folio: int, state: str, detail: str) -> bytes:
    """A file in the SII's form about one invoice."""
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<RESULTADO_ENVIO><IDENTIFICACION>'
        f"<RUTEMISOR>{company.rut}</RUTEMISOR><RUTENVIA>{company.rut}</RUTENVIA><TRACKID>{track_id}</TRACKID>"
        "<TMSTRECEPCION>24/11/2026 12:00:00</TMSTRECEPCION><ESTADO>EPR - Envio Procesado</ESTADO></IDENTIFICACION>"
        f"<REVISIONENVIO><REVISIONDTE><FOLIO>{folio}</FOLIO><TIPODTE>33</TIPODTE><ESTADO>{state}</ESTADO>"
        f"<DETALLE>{detail}</DETALLE></REVISIONDTE></REVISIONENVIO></RESULTADO_ENVIO>\n"
    ).encode("iso-8859-1")


def by_hand(works: Works, *files: Path) -> int:
    """`fmgo mail import` with the environment of the running FMgo."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in works.sandbox.environment.items():
            patch.setenv(name, value)
        return run_command(["mail", "import", *map(str, files)])


def test_a_mail_handed_in_by_a_person_counts(works: Works, maildir: Path, tmp_path: Path) -> None:
    company = works.company()
    works.fault("F-HALF", company)
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(2)])
    works.await_states(company, {"accepted": 1, "rejected": 1})
    number = next(one["number"] for one in works.window.get("/mails").json() if one["company"] == company.rut)
    file = tmp_path / "mail.eml"
    file.write_bytes(works.window.get(f"/mails/{number}").content)
    assert by_hand(works, file) == 0
    await_mails(works, company, "told")
    assert codes(verdicts(works, company, "rejected")[0]) == ["HED-3-861"]
    assert by_hand(works, file) == 0, "again is known, and does no harm"
    assert len(mails(works, company)) == 1
    nothing = tmp_path / "nothing.eml"
    nothing.write_bytes(b"From: a@b.example\r\nSubject: hola\r\n\r\nhola\r\n")
    assert by_hand(works, nothing) == 2


def test_a_rejected_note_that_the_counters_leave_out_is_rejected_by_both(works: Works, maildir: Path) -> None:
    company = works.company((33, 61))
    reads(works, company, maildir)
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(2)])
    works.await_states(company, {"accepted": 2})
    sold = works.rows("SELECT folio, issued_on FROM documents WHERE issuer = %s ORDER BY folio", company.rut)
    works.fault("F-EPR-61", company, times=-1)
    works.fault("F-HALF", company, args={"types": [61]})
    works.fault("F-MAIL-1", company, "mail", args={"variants": ["late"], "seconds": 3600})
    works.producer.enqueue_many(
        [
            invoice(company, "another"),
            *(annulment(company, f"note-{folio}", folio, on.isoformat()) for folio, on in sold),
        ]
    )
    works.await_envelope(company, "sent")
    wait_until(
        lambda: (
            works.scalar("SELECT max(polls) FROM envelopes WHERE issuer = %s", company.rut) >= 2
            or works.states(company)["rejected"]
        ),
        lambda: f"it was asked about: {works.states(company)}",
    )
    assert works.states(company)["rejected"] == 0, "absent, and no service counts it as rejected"
    works.clock.advance(hours(1.1))
    works.await_states(company, {"accepted": 4, "rejected": 1})
    await_mails(works, company, "told", "told")
    assert codes(verdicts(works, company, "rejected")[0])
    check_books(works, company)


def test_a_mail_that_never_comes_is_asked_for_again(works: Works, maildir: Path) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.fault("F-HALF", company)
    works.fault("F-MAIL-1", company, "mail")
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(2)])
    works.await_states(company, {"accepted": 1, "rejected": 1})
    assert works.requests(company, "reenvioCorreo") == []
    works.clock.advance(hours(3))
    assert works.requests(company, "reenvioCorreo") == [], "the SII has some hours"
    works.clock.advance(hours(1.1))
    await_mails(works, company, "told")
    assert len(works.requests(company, "reenvioCorreo")) == 1
    assert codes(verdicts(works, company, "rejected")[0]) == ["HED-3-861"]
    works.clock.advance(hours(100))
    wait_until(
        lambda: works.scalar(
            "SELECT bool_and(w.due_at IS NULL) FROM result_mails_wanted w JOIN envelopes e ON e.id = w.envelope"
            " WHERE e.issuer = %s",
            company.rut,
        ),
        "it is still wanted",
    )
    assert len(works.requests(company, "reenvioCorreo")) == 1


def test_a_mail_that_does_not_come_at_all_is_asked_for_a_few_times(works: Works, maildir: Path) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.fault("F-HALF", company)
    works.fault("F-MAIL-1", company, "mail")
    works.fault("F-MAIL-1", company, "reenvioCorreo", times=-1)
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(2)])
    works.await_states(company, {"accepted": 1, "rejected": 1})
    for times, pause in enumerate((4.1, 8.1, 16.1, 32.1), 1):
        works.clock.advance(hours(pause))
        await_asked(works, company, times)
        assert len(works.requests(company, "reenvioCorreo")) == times
    works.clock.advance(hours(64.1))
    wait_until(
        lambda: works.scalar("SELECT alert FROM envelopes WHERE issuer = %s", company.rut) == "no-reasons", "no alert"
    )
    assert len(works.requests(company, "reenvioCorreo")) == 4
    assert verdicts(works, company, "rejected")[0]["reasons"] == NOT_YET
    write_mail(works, company)
    await_mails(works, company, "told")
    assert works.scalar("SELECT alert FROM envelopes WHERE issuer = %s", company.rut) is None
    check_books(works, company)


def test_the_mail_says_why_an_envelope_was_refused(works: Works, maildir: Path) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.fault("F-RFR", company)
    works.producer.enqueue(invoice(company, "sale"))
    refused = works.await_envelope(company, "refused")
    await_mails(works, company, "told")
    (verdict,) = verdicts(works, company, "signed")
    assert codes(verdict) == ["ENV-3-999"]
    assert codes(works.scalar("SELECT verdict FROM envelopes WHERE id = %s", refused)) == ["ENV-3-999"]


def test_doctor_says_whether_a_source_works(works: Works, maildir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    company, other = works.company(), works.company()
    reads(works, company, maildir)
    with works.ledger.transaction() as tx:
        gone = str(maildir / "gone")
        mail_sources.add(tx, NewSource(other.rut, ENVIRONMENT, "folder", gone, "none", None, None, ()))
    wait_until(
        lambda: works.rows("SELECT count(*), count(problem) FROM mail_sources WHERE looked_at IS NOT NULL") == [(2, 1)],
        "both weren't looked into",
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in works.sandbox.environment.items():
            patch.setenv(name, value)
        assert run_command(["doctor", "--json"]) == 1
        assert run_command(["mail", "sources"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    told = {(line["level"], line["said"].partition(" ")[0]) for line in lines if line["about"] == "mail"}
    assert ("fail", f"{other.rut}@{ENVIRONMENT}:") in told
    assert any(line["said"] == "1 of 2 sources work" for line in lines if line["about"] == "mail")


def test_a_mailbox_is_read_and_left_as_it_is(works: Works, maildir: Path) -> None:
    company = works.company()
    works.fault("F-HALF", company)
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(2)])
    works.await_states(company, {"accepted": 1, "rejected": 1})
    sealed = secrets.seal(Vault.from_settings(works.settings), PASSWORD.encode(), company.rut, ENVIRONMENT)
    with mail_server() as box:
        address = f"imap://{USER.replace('@', '%40')}@127.0.0.1:{box.port}"
        source = NewSource(company.rut, ENVIRONMENT, "imap", address, "password", sealed.data, sealed.key_id, ())
        with works.ledger.transaction() as tx:
            mail_sources.add(tx, source)
        wait_until(lambda: box.asked.count("LOGOUT") >= 1, "nobody looked")
        number = next(one["number"] for one in works.window.get("/mails").json() if one["company"] == company.rut)
        box.put(works.window.get(f"/mails/{number}").content)
        await_mails(works, company, "told")
        works.change("DELETE FROM mail_sources WHERE issuer = %s", company.rut)
        assert (box.trespasses, len(box.messages)) == ([], 1)
    assert codes(verdicts(works, company, "rejected")[0]) == ["HED-3-861"]


def test_nothing_in_a_folder_is_changed(works: Works, maildir: Path) -> None:
    company = works.company()
    reads(works, company, maildir)
    works.producer.enqueue(invoice(company, "sale"))
    works.await_states(company, {"accepted": 1})
    await_mails(works, company, "told")
    assert len(list((maildir / "new").iterdir())) == 1
    assert list((maildir / "cur").iterdir()) == []
