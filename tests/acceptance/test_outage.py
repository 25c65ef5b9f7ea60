"""Six hours without the SII: FMgo goes on issuing, asks seldom, and then sends what waits, the most urgent first."""

import datetime as dt
import itertools
from collections import Counter
from typing import Any

from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.gates import gates
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works, hours

COMPANIES = 5
SALES = 500
"""Of each of two types in each company: 5,000 documents."""
OUTAGE = hours(6)
STEP = dt.timedelta(minutes=20)
UPLOADS = {"DTEUpload", "envio"}
HOSTS = ("dte", "boleta")
QUESTIONS = ("getEstDteAv", "getEstDte")
CLOSED = tuple(f"{host}.upload" for host in HOSTS)


def services(works: Works) -> dict[str, tuple[float | None, str | None]]:
    """Seconds until each service may be asked again, None while it is open, and what was said."""
    rows = works.rows(
        "SELECT service, extract(epoch FROM closed_until - fmgo_now())::float8, reason FROM sii_services"
        " WHERE environment = 'certification'"
    )
    return {service: (seconds, reason) for service, seconds, reason in rows}


def all_issued(works: Works, companies: list[Company]) -> bool:
    """Whether every sale is signed, but for those of an envelope or two that the closed services are tried with."""
    states = sum((works.states(company) for company in companies), Counter[str]())
    return states.total() == states["signed"] + states["enveloped"] and states["enveloped"] <= 3 * SALES


def left_alone(works: Works, host: str) -> bool:
    """Whether nothing can be sent to a host now: its uploads are closed, or the login that they need."""
    found = services(works)
    return any((found.get(f"{host}.{request}", (None, ""))[0] or 0) > 0 for request in ("upload", "login"))


def requests(works: Works, since: int) -> list[dict[str, Any]]:
    """What reached the SII after its request of a number, in order."""
    answer = works.window.get("/ledger")
    answer.raise_for_status()
    return [one for one in answer.json() if one["id"] > since]


def close_both_uploads(works: Works, company: Company) -> int:
    """Send until each channel's uploads are left alone; how many documents it took."""
    sold = itertools.count(6)
    works.producer.enqueue_many(
        [
            make(company, f"first-{make.__name__}-{n}", lane="interactive")
            for n in range(3)
            for make in (invoice, boleta)
        ]
    )

    def closed() -> bool:
        found = services(works)
        open_ones = [name for name in CLOSED if found[name][0] is None]
        if open_ones:
            wait = works.clock.time_to_next()
            if wait is not None:
                works.clock.advance(wait)
                make = invoice if open_ones[0].startswith("dte") else boleta
                works.producer.enqueue(make(company, f"more-{next(sold)}", lane="interactive"))
        return not open_ones

    wait_until(closed, lambda: f"both services of uploads closed; they are {services(works)}")
    return next(sold)


def test_after_six_hours_without_sii_everything_is_sent_in_order_with_one_probe_at_a_time(works: Works) -> None:
    companies = [works.company((33, 39), folios=2 * SALES) for _ in range(COMPANIES)]
    first = works.company((33, 39))
    works.producer.enqueue_many([invoice(first, "warm"), boleta(first, "warm-boleta")])
    works.await_states(first, {"accepted": 2})
    before = requests(works, 0)[-1]["id"]
    works.sii.fault({"fault": "F-MAINT", "when": {}, "times": -1})
    began = works.scalar("SELECT fmgo_now()")
    sold = close_both_uploads(works, first)
    doubtful = works.scalar("SELECT count(*) FROM envelopes WHERE state = 'uncertain'")

    works.producer.enqueue_many(
        make(company, f"{make.__name__}-{n}")
        for n in range(SALES)
        for company in companies
        for make in (invoice, boleta)
    )
    wait_until(
        lambda: all_issued(works, companies),
        lambda: f"all issued while the SII is away; they are {[works.states(company) for company in companies]}",
    )
    closed_at = requests(works, 0)[-1]["id"]
    works.change(  # urgency in no order of issue
        "UPDATE documents SET send_by = send_by + make_interval(mins => (folio * 7919 %% 600)::int)"
        " WHERE state = 'signed' AND issuer = ANY (%s)",
        [company.rut for company in companies],
    )
    while works.scalar("SELECT fmgo_now()") < began + OUTAGE:
        works.clock.advance(STEP)
        wait_until(
            lambda: all(left_alone(works, host) for host in HOSTS),
            lambda: f"each closed service probed and closed again; they are {services(works)}",
        )
    during = requests(works, closed_at)
    assert not [one for one in during if one["operation"] in UPLOADS], "a probe asks something harmless first"
    probes = [one for one in during if one["operation"] in {"getSeed", "semilla"}]
    # Uploads and logins are closed each by itself, and a login is closed only after some that brought no answer.
    most = 1 + works.settings.sii_faults
    for host in ("dte", "boleta_api"):
        moments = sorted(dt.datetime.fromisoformat(one["time"]) for one in probes if one["host"] == host)
        assert 1 <= len(moments) <= 2 * (OUTAGE / STEP) + most
        groups = zip(moments, moments[most:], strict=False)
        assert all(last - first >= dt.timedelta(seconds=30) for first, last in groups)
    assert works.scalar("SELECT count(*) FROM envelopes WHERE state = 'uncertain'") == doubtful
    assert all_issued(works, companies)

    # A row that is being told just now isn't taken by dispatch: it would go with the next envelope.
    wait_until(lambda: works.scalar("SELECT count(*) FROM results_due") == 0, "all results told")
    works.window.delete("/faults").raise_for_status()
    for company in companies:
        works.await_states(company, {"accepted": 2 * SALES}, seconds=240)
    works.await_states(first, {"accepted": 2 + sold}, seconds=240)
    for company in companies:
        sent_in_the_order_of_urgency(works, company)
        check_books(works, company)
        attempts = [outcome for outcome, _, _ in works.attempts(company)]
        assert attempts == ["received"] * len(works.envelopes(company)), "the outage used nothing up"
    check_books(works, first)
    assert services(works)["dte.upload"] == (None, None)
    assert requests(works, before)


def sent_in_the_order_of_urgency(works: Works, company: Company) -> None:
    """In each channel no envelope is more urgent than one sealed before it, and only neighbours overtake each other.

    A few envelopes of a company are on their way at a time, so that their first bytes may leave in any order.
    """
    for channel in ("soap", "rest"):
        spans = works.rows(
            "SELECT min(d.send_by), max(d.send_by), rank() OVER (ORDER BY min(a.at)) FROM envelopes e"
            " JOIN documents d ON d.envelope = e.id"
            " JOIN (SELECT envelope, min(started_at) AS at FROM envelope_attempts GROUP BY 1) a ON a.envelope = e.id"
            " WHERE e.issuer = %s AND e.channel = %s GROUP BY e.id ORDER BY e.sealed_at",
            company.rut,
            channel,
        )
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans)), spans
        assert all(
            abs(place - rank) < works.settings.uploads_in_flight for place, (_, _, rank) in enumerate(spans, 1)
        ), spans


def test_stopped_sending_goes_on_issuing_and_stopped_issuing_records(works: Works) -> None:
    company, other = works.company((33,)), works.company((33,))
    operator = works.enrolment.operator
    operator.turn("sending", company.rut, "certification", stop=True, reason="the books are being checked")
    works.producer.enqueue_many([invoice(company, "one"), invoice(other, "one")])
    works.await_states(other, {"accepted": 1})
    wait_until(lambda: works.states(company) == Counter(signed=1), "it was issued")
    operator.turn("issuing", company.rut, "certification", stop=True, reason=None)
    works.producer.enqueue_many([invoice(company, "two"), invoice(other, "two")])
    works.await_states(other, {"accepted": 2})
    assert works.states(company) == Counter(signed=1, received=1)
    operator.turn("sending", company.rut, "certification", stop=False, reason=None)
    works.await_states(company, {"accepted": 1, "received": 1})
    operator.turn("issuing", company.rut, "certification", stop=False, reason=None)
    works.await_states(company, {"accepted": 2})
    check_books(works, company)


def test_where_sending_is_stopped_a_doubt_is_ended_by_questions_alone(works: Works) -> None:
    company = works.company((33,))
    works.fault("F-LOST-1", company, "DTEUpload")
    works.producer.enqueue(invoice(company, "sale"))
    works.await_envelope(company, "uncertain")
    works.enrolment.operator.turn("sending", company.rut, "certification", stop=True, reason=None)
    works.await_states(company, {"accepted": 1})
    assert len(works.requests(company, "DTEUpload")) == 1
    check_books(works, company)


def test_a_login_that_was_closed_holds_nobody_up_who_has_a_token(works: Works) -> None:
    company = works.company((33,))
    works.producer.enqueue(invoice(company, "first"))
    works.await_states(company, {"accepted": 1})
    works.change(
        "UPDATE sii_services SET closed_until = fmgo_now(), failures = 3, reason = 'it was away'"
        " WHERE service = 'dte.login'"
    )
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(3)])
    works.await_states(company, {"accepted": 4})
    assert services(works)["dte.login"][1] == "it was away", "nobody needed a token"
    check_books(works, company)


def test_an_envelope_that_may_not_go_keeps_nobody_from_trying_a_closed_service(works: Works) -> None:
    stopped, other = works.company((33,)), works.company((33,))
    with gates(
        works.sandbox.database_url,
        ("envelopes", f"OLD.state = 'sealed' AND NEW.state = 'sending' AND NEW.issuer = '{stopped.rut}'"),
    ) as (gate,):
        works.producer.enqueue(invoice(stopped, "sale"))
        gate.await_somebody()
        works.enrolment.operator.turn("sending", stopped.rut, "certification", stop=True, reason=None)
        gate.turn_back()
    works.await_envelope(stopped, "sealed")
    works.change("UPDATE sii_services SET closed_until = fmgo_now(), failures = 3 WHERE service = 'dte.upload'")
    works.producer.enqueue(invoice(other, "sale"))
    works.await_states(other, {"accepted": 1})
    assert services(works)["dte.upload"][0] is None
    assert works.states(stopped) == Counter(enveloped=1)
    works.enrolment.operator.turn("sending", stopped.rut, "certification", stop=False, reason=None)
    works.await_states(stopped, {"accepted": 1})
    check_books(works, stopped)


def in_doubt_while_the_questions_are_silent(works: Works, company: Company) -> None:
    """Leave an envelope in doubt whose documents were asked about in vain, past the window for repeated files."""
    works.fault("F-LOST-1", company, "DTEUpload")
    for operation in QUESTIONS:
        works.fault("F-MAINT", company, operation, times=-1, id=f"{operation}-{company.rut}")
    works.producer.enqueue(invoice(company, "sale"))
    works.await_envelope(company, "uncertain")
    works.clock.advance(dt.timedelta(seconds=1000))
    silent = "SELECT silence FROM envelopes WHERE issuer = %s AND due_at > fmgo_now() AND lease_owner IS NULL"
    works.pass_time_until(
        lambda: works.scalar(silent, company.rut) == "dte.query",
        lambda: f"asked in vain; it is {works.rows('SELECT state, silence, due_at FROM envelopes')}",
    )


def answer_again(works: Works, company: Company) -> None:
    for operation in QUESTIONS:
        works.window.delete(f"/faults/{operation}-{company.rut}").raise_for_status()


def test_what_is_in_doubt_is_asked_about_as_soon_as_the_service_answers_again(works: Works) -> None:
    company, other = works.company((33,)), works.company((33,))
    in_doubt_while_the_questions_are_silent(works, company)
    works.change("UPDATE envelopes SET due_at = fmgo_now() + interval '25 minutes' WHERE issuer = %s", company.rut)
    answer_again(works, company)
    began = works.scalar("SELECT fmgo_now()")
    closed = "SELECT greatest(0, extract(epoch FROM max(closed_until) - fmgo_now())) FROM sii_services"
    works.clock.advance(dt.timedelta(seconds=float(works.scalar(closed) or 0)))
    works.producer.enqueue(invoice(other, "sale"))
    wait_until(lambda: works.states(other) == Counter(accepted=1), "the other's sale wasn't accepted")
    wait_until(lambda: works.states(company) == Counter(accepted=1), "what was in doubt wasn't asked about")
    assert works.scalar("SELECT fmgo_now()") - began < dt.timedelta(minutes=10)
    assert len(works.requests(company, "DTEUpload")) == 1
    check_books(works, company)


def test_where_nobody_else_asks_a_silent_service_is_tried_within_minutes(works: Works) -> None:
    company = works.company((33,))
    in_doubt_while_the_questions_are_silent(works, company)
    answer_again(works, company)
    works.clock.advance(dt.timedelta(seconds=works.settings.sii_longest_pause_seconds + 1))
    wait_until(lambda: works.states(company) == Counter(accepted=1), "what was in doubt wasn't asked about")
    check_books(works, company)


def test_the_half_hour_between_two_proofs_of_absence_is_no_silence(works: Works) -> None:
    company, other = works.company((33,)), works.company((33,))
    works.fault("F-LOST-3", company, "DTEUpload")
    works.producer.enqueue(invoice(company, "sale"))
    works.await_envelope(company, "uncertain")
    works.clock.advance(dt.timedelta(seconds=1000))
    noted = "SELECT due_at FROM envelopes WHERE issuer = %s AND verdict ? 'absent_at' AND lease_owner IS NULL"
    works.pass_time_until(lambda: works.scalar(noted, company.rut), lambda: "found absent once")
    due = works.scalar(noted, company.rut)
    assert works.scalar("SELECT silence FROM envelopes WHERE issuer = %s", company.rut) is None
    works.change("UPDATE sii_services SET failures = 1 WHERE service LIKE 'dte.%%'")
    works.producer.enqueue(invoice(other, "sale"))
    wait_until(lambda: works.states(other) == Counter(accepted=1), "the other's sale wasn't accepted")
    assert works.scalar(noted, company.rut) == due
    works.await_states(company, {"accepted": 1})
    check_books(works, company)
