"""Playing a row: the sale under its faults, six hours of them where they stand, the end, and the books."""

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import Any, Final

from deploy.sandbox.people import Company
from tests.acceptance.books import check_books
from tests.acceptance.sales import annulment, boleta, invoice
from tests.acceptance.waiting import wait_until
from tests.acceptance.works import Works
from tests.faults.row import DOCUMENTS, SEEDS, STATES, TOKENS, UPLOADS, Case, Injected, Most, Row

STANDS: Final = dt.timedelta(hours=6)
PROBES_OF_A_HOST: Final = 25
"""In six hours, with pauses of half a minute at first and half an hour at last; each service may probe by itself."""
DUE: Final = """
    SELECT (SELECT count(*) FROM envelopes WHERE due_at IS NOT NULL OR lease_owner IS NOT NULL)
         + (SELECT count(*) FROM documents WHERE lease_owner IS NOT NULL
            OR due_at IS NOT NULL AND state IN ('received', 'numbered', 'signed'))
"""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a case; written so that a difference shows it all."""

    ends: dict[int, dict[str, int]]
    soap: str
    rest: str
    stored: tuple[int, int]
    came: tuple[int, int]


@dataclass(slots=True)
class Play:
    """A case being played."""

    works: Works
    case: Case
    since: int
    company: Company
    folio: int = 0
    issued_on: str = ""
    sold: Counter[int] = field(default_factory=Counter)

    def inject(self, *rules: Injected) -> None:
        """Put rules in force."""
        for rule in rules:
            when: dict[str, Any] = {} if rule.everywhere or rule.host else {"company": self.company.rut}
            if rule.operation:
                when["operation"] = rule.operation
            if rule.host:
                when["host"] = rule.host
            made = {"fault": rule.fault, "when": when, "times": rule.times, "args": dict(rule.args)}
            self.works.sii.fault(made | ({"id": rule.name} if rule.name else {}))

    def sell(self) -> None:
        """Two facturas, two boletas, and a note on the first factura once that is issued."""
        producer = self.works.producer
        first, *_ = producer.enqueue_many(
            [make(self.company, f"{make.__name__}-{n}") for n in range(2) for make in (invoice, boleta)]
        )
        issued = producer.wait(first, until="issued")
        assert issued.folio is not None
        self.folio, self.issued_on = issued.folio, issued.body["issued_on"]
        producer.enqueue(annulment(self.company, "note", self.folio, self.issued_on))

    def sell_more(self, *makers: Any) -> None:
        """One more of each."""
        for make in makers:
            self.sold[33] += 1
            self.works.producer.enqueue(make(self.company, f"more-{make.__name__}-{self.sold[33]}"))

    def release(self) -> None:
        """What a person does after mending the cause of a refusal."""
        self.await_refused(1)
        for number, state, _ in self.works.envelopes(self.company):
            if state == "refused":
                self.works.enrolment.operator.release_envelope(number)

    def await_envelopes(self, state: str, number: int) -> None:
        """Return when so many of the company's envelopes are in a state; time isn't moved."""
        wait_until(
            lambda: [found for _, found, _ in self.works.envelopes(self.company)].count(state) >= number,
            lambda: f"{number} envelopes {state}; there are {self.works.envelopes(self.company)}",
        )

    def await_refused(self, number: int) -> None:
        """Return when so many of the company's envelopes are refused; time is moved."""
        self.works.pass_time_until(
            lambda: [found for _, found, _ in self.works.envelopes(self.company)].count("refused") >= number,
            lambda: f"{number} envelopes refused; there are {self.works.envelopes(self.company)}",
            seconds=25,
        )

    def states(self) -> dict[int, dict[str, int]]:
        """How many documents of each type are in each state."""
        found: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for number, state, count in self.works.rows(
            "SELECT document_type, state, count(*) FROM documents WHERE issuer = %s GROUP BY 1, 2 ORDER BY 1, 2",
            self.company.rut,
        ):
            found[number][state] = count
        return dict(found)

    def requests(self, *operations: str) -> list[dict[str, Any]]:
        """Requests about the company that reached the SII, in order."""
        return [
            one
            for one in requests(self.works, self.since)
            if one["company"] == self.company.rut and one["operation"] in operations
        ]

    def came(self) -> Came:
        """What has come of it so far."""
        attempts: defaultdict[str, list[str]] = defaultdict(list)
        for channel, outcome in self.works.rows(
            "SELECT e.channel, coalesce(a.outcome, '-') FROM envelope_attempts a JOIN envelopes e ON e.id = a.envelope"
            " WHERE e.issuer = %s ORDER BY a.id",
            self.company.rut,
        ):
            attempts[channel].append(outcome)
        uploads = [self.requests(operation) for operation in UPLOADS]
        soap, rest = (len(found) for found in uploads)
        soap_stored, rest_stored = (sum(one["stored"] for one in found) for found in uploads)
        return Came(
            self.states(),
            " ".join(attempts["soap"]),
            " ".join(attempts["rest"]),
            (soap_stored, rest_stored),
            (soap, rest),
        )

    def expected(self, *, bounded: bool) -> Came:
        """What should. Where requests are only `bounded`, as under a fault that stands, as many as came."""
        case = self.case
        ends = {number: dict(states) for number, states in case.ends.items()}
        if bounded:
            return replace(self.came(), ends=ends, stored=case.stored)
        came = case.came or (len(case.soap.split()), len(case.rest.split()))
        return Came(ends, case.soap, case.rest, case.stored, came)


def requests(works: Works, since: int) -> list[dict[str, Any]]:
    """What reached the SII after its request of a number, in order."""
    answer = works.window.get("/ledger", params={"since": since})
    answer.raise_for_status()
    return list(answer.json())


def count(found: list[dict[str, Any]], *operations: str) -> int:
    """How many are of these operations."""
    return sum(one["operation"] in operations for one in found)


def last_request(works: Works) -> int:
    """The number of the last request that reached the SII, 0 before the first."""
    return max((int(one["id"]) for one in requests(works, 0)), default=0)


def nothing_is_due(works: Works) -> bool:
    """Whether no document and no envelope is due at any time: nobody will ask the SII anything."""
    return bool(works.scalar(DUE) == 0)


def a_sweep_passes(works: Works) -> None:
    """Return when a sweep that began after now has ended: whatever is due has been rung for."""
    lease = "SELECT until FROM leases WHERE name = 'sweep'"
    for _ in range(2):
        before = works.scalar(lease)
        wait_until(lambda before=before: works.scalar(lease) != before, "no sweep")  # type: ignore[misc]


def six_hours(works: Works) -> list[dict[str, Any]]:
    """Let six hours pass, and return what reached the SII meanwhile."""
    since = last_request(works)
    ends = works.scalar("SELECT fmgo_now()") + STANDS
    works.pass_time_until(
        lambda: nothing_is_due(works) or works.scalar("SELECT fmgo_now()") >= ends,
        lambda: f"six hours; it is {works.scalar('SELECT fmgo_now()')} of {ends}",
        seconds=200,
    )
    return [one for one in requests(works, since) if dt.datetime.fromisoformat(one["time"]) <= ends]


def alerts(works: Works) -> set[str]:
    """Names of all alerts that stand."""
    query = "SELECT alert FROM {} WHERE alert IS NOT NULL"
    return {name for table in ("envelopes", "sii_sessions") for (name,) in works.rows(query.format(table))}


def bounded(found: list[dict[str, Any]], most: Most) -> None:
    """No more requests than so many."""
    real = Most(count(found, *UPLOADS), count(found, *TOKENS), count(found, *STATES, *DOCUMENTS))
    within = real.uploads <= most.uploads and real.logins <= most.logins and real.questions <= most.questions
    assert within, f"in six hours {real}, and at most {most}"
    assert count(found, *SEEDS) <= 2 * (most.logins + PROBES_OF_A_HOST)


def fresh(works: Works) -> None:
    """Nothing of the rows before has a part in this one: what services have shown, what a failed row left undone."""
    works.change("DELETE FROM sii_services")
    works.change("UPDATE envelopes SET due_at = NULL, alert = NULL WHERE due_at IS NOT NULL OR alert IS NOT NULL")
    works.change("UPDATE sii_sessions SET alert = NULL WHERE alert IS NOT NULL")
    works.change("UPDATE claim_watches SET due_at = NULL")
    works.change("UPDATE result_mails_wanted SET due_at = NULL")
    works.change("UPDATE documents SET due_at = NULL WHERE due_at IS NOT NULL AND lease_owner IS NULL")


def stand(works: Works, row: Row, first: Play) -> None:
    """Six hours under the row's faults, which are lifted then."""
    assert row.stands is not None
    bounded(six_hours(works), row.stands)
    assert row.meanwhile is None or first.states() == row.meanwhile
    assert alerts(works) == row.alerts
    works.window.delete("/faults").raise_for_status()


def judge(works: Works, row: Row, plays: list[Play], logins: tuple[int, int]) -> None:
    """What came of each case, and the logins of all, are what the row says."""
    # What another namespace was asked for reached no operation.
    found = [one for one in requests(works, plays[0].since) if one["outcome"] != "no such operation"]
    for one in plays:
        assert one.came() == one.expected(bounded=row.stands is not None)
    for operation, asked in zip(TOKENS, logins, strict=True):
        assert row.stands or asked <= count(found, operation) <= asked + row.renewals, operation


def play(works: Works, row: Row, profile: str) -> None:
    """Play a row and hold it against the table."""
    fresh(works)
    since = last_request(works)
    cases = [replace(case, **row.lenient) if profile == "lenient" else case for case in row.cases]
    plays = [Play(works, case, since, works.company((33, 39, 61))) for case in cases]
    for one in plays:
        one.inject(*one.case.injected)
    for one in plays:
        (one.case.sale or Play.sell)(one)
    for one in plays:
        if one.case.act:
            one.case.act(one)
    if row.stands:
        stand(works, row, plays[0])
    for one in plays:
        if one.case.afterwards:
            one.case.afterwards(one)
        works.pass_time_until(
            lambda one=one: one.states() == one.case.ends,  # type: ignore[misc]
            lambda one=one: f"{one.case.ends}; it is {one.came()}; {alerts(works)}",  # type: ignore[misc]
            seconds=25,
        )
    judge(works, row, plays, row.lenient_logins if profile == "lenient" and row.lenient_logins else row.logins)
    for one in plays:
        if one.case.check:
            one.case.check(one)
    all_is_over(works, [one.company for one in plays])


def all_is_over(works: Works, companies: list[Company]) -> None:
    """The books are right, no alert is left, and nothing is due any more."""
    wait_until(lambda: nothing_is_due(works), "something is still due")
    for company in companies:
        check_books(works, company)
    assert alerts(works) == set()
