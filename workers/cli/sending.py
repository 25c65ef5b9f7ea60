"""`fmgo doctor --sii`: what each company can send, type by type, and why not; with `--ask` the SII is asked, too.

Asking logs in with each company's certificate (the token is thrown away) and puts questions that change nothing: a
seed, the state of a service, of the last upload or of a folio.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Final

import typer
from cryptography import x509

from domain.certificate import CertificateError, quietly, rut_of
from domain.codes.document_types import DOCUMENT_TYPES
from domain.envelope import channel_of
from workers.cli.access import Access, actor
from workers.cli.output import DONE, NO, amount, coloured, complain, say, table, write_json
from workers.clock import santiago
from workers.database.engine import business_time
from workers.database.sealing import Channel
from workers.database.sending import Standing, standings
from workers.enrolment_fields import EnrolmentError
from workers.pace import NotNowError
from workers.questions import Questions
from workers.sessions import NoSessionError
from workers.sii.errors import SiiLoginError

REST_TYPES: Final = tuple(code for code in sorted(DOCUMENT_TYPES) if channel_of(code) == "rest")

_OBSTACLES: Final = {
    "environment": "no worker talks to this environment of the SII: start some there (FMGO_SII_ENVIRONMENT)",
    "certificate": "nobody with a certificate in force may sign and send: `fmgo certificate add FILE --for COMPANY`",
    "resolution": "its resolution is of a day to come, or 0 in production: `fmgo issuer set-resolution`",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the SII answered for a company on one channel; `well` when each question had an answer."""

    issuer: str
    environment: str
    channel: Channel
    login: str
    state: str
    asked: str
    said: str
    well: bool


def look(access: Access, issuer: str | None, *, ask: bool, as_json: bool) -> None:
    """Write what can be sent, and what the SII said if it is to be asked. Ends the command: 1 if anything can't."""
    with access.ledger.transaction() as tx:
        found = standings(tx, issuer, REST_TYPES)
        today = santiago(business_time(tx)).date()
    if not found:
        complain("ISSUER-UNKNOWN", "There is no such company: add it (`fmgo issuer add`).", as_json=as_json)
        raise typer.Exit(NO)
    why_not = [reasons(one) for one in found]
    if as_json:
        for one, why in zip(found, why_not, strict=True):
            row = {name: value for name, value in asdict(one).items() if name != "certificate"}
            write_json({"about": "sending", **row, "sends": not why, "why_not": why})
    else:
        _show(found, why_not)
    answers: list[Asked] = []
    for answer in _ask(found, today) if ask else ():
        answers.append(answer)
        if as_json:
            write_json({"about": "asked", **asdict(answer)})
    if answers and not as_json:
        _show_answers(answers)
    raise typer.Exit(NO if any(why_not) or not all(answer.well for answer in answers) else DONE)


def reasons(one: Standing) -> list[str]:
    """Everything that keeps a company from sending documents of a type now; empty when nothing does."""
    why = []
    if one.obstacle is not None:
        why.append(_OBSTACLES[one.obstacle])
    if one.sender is not None and one.certificate is not None and _rut_in(one.certificate) != one.sender:
        why.append(f"the certificate in force isn't {one.sender}'s: add the right one (`fmgo certificate add`)")
    if one.document_type is None:
        why.append("it has no folios: `fmgo caf add`, or `fmgo issuer adopt` for a range that was used elsewhere")
    elif one.left <= 0:
        why.append("no folio is left that may be given today: `fmgo caf add`")
    if one.issuing_stopped:
        why.append("a person stopped issuing: `fmgo resume --issuing`")
    if one.sending_stopped:
        why.append("a person stopped sending: `fmgo resume --sending`")
    if one.login_problem is not None:
        why.append(f"the login fails: {one.login_problem}")
    if one.closed_until is not None:
        why.append(f"the SII's service is closed until {one.closed_until:%Y-%m-%d %H:%M} UTC: {one.closed_why}")
    return why


def _rut_in(certificate: bytes) -> str | None:
    try:
        with quietly():
            return rut_of(x509.load_der_x509_certificate(certificate))
    except (CertificateError, ValueError):
        return None


def _show(found: Sequence[Standing], why_not: Sequence[list[str]]) -> None:
    table(
        [
            "",
            "company",
            "#type",
            "sender",
            "certificate until",
            "#folios",
            "folios until",
            "resolution",
            "last login",
            "last upload",
            "#held",
        ],
        [
            (
                coloured("fail" if why else "ok"),
                f"{one.issuer}@{one.environment}",
                one.document_type,
                one.sender,
                one.certificate_until,
                amount(one.left),
                one.folios_until,
                f"{one.resolution_number} of {one.resolution_date}",
                one.login_at,
                one.uploaded_at,
                one.held or None,
            )
            for one, why in zip(found, why_not, strict=True)
        ],
        title="What can be sent",
    )
    for one, why in zip(found, why_not, strict=True):
        kind = f" type {one.document_type}" if one.document_type else ""
        for sentence in why:
            say(f"{one.issuer}@{one.environment}{kind}: {sentence}")


def _ask(found: Sequence[Standing], today: date) -> Iterator[Asked]:
    """Ask for each company, once a channel."""
    seen: set[tuple[str, str, str]] = set()
    for one in found:
        key = (one.issuer, one.environment, one.channel or "")
        if one.channel is None or one.sender is None or key in seen:
            continue
        seen.add(key)
        yield _asked(one, "rest" if one.channel == "rest" else "soap", today)


def _asked(one: Standing, channel: Channel, today: date) -> Asked:
    login, state, about, said, well = "", "", "", "", False
    try:
        with Questions(one.issuer, one.environment, actor()) as questions:
            login, logged_in = _login(questions, channel)
            state = (questions.state() or "no answer") if channel == "soap" else ""
            if logged_in:
                about, said, answered = _question(questions, one, channel, today)
                well = answered and state != "no answer"
    except EnrolmentError as error:
        login = error.problems[0].message
    return Asked(one.issuer, one.environment, channel, login, state, about, said, well)


def _login(questions: Questions, channel: Channel) -> tuple[str, bool]:
    try:
        questions.log_in(channel)
    except (SiiLoginError, NotNowError) as error:
        return str(error), False
    return "token given", True


def _question(questions: Questions, one: Standing, channel: Channel, today: date) -> tuple[str, str, bool]:
    """The last upload, or a folio where there is none: what was asked, what was said, whether that is an answer."""
    try:
        if one.track_id is not None:
            status = questions.upload(channel, one.track_id)
            return f"upload {one.track_id}", f"{status.state} {status.gloss}".strip(), status.phase != "unknown"
        kind = one.document_type or 0
        answer = questions.folio(channel, kind, 1, today)
        return f"folio 1 of type {kind}", f"{answer.code} {answer.gloss}".strip(), answer.meaning != "unknown"
    except (NoSessionError, NotNowError) as error:
        return "nothing", str(error), False


def _show_answers(answers: Sequence[Asked]) -> None:
    table(
        ["", "company", "channel", "login", "service", "asked about", "said"],
        [
            (
                coloured("ok" if one.well else "fail"),
                f"{one.issuer}@{one.environment}",
                one.channel,
                one.login,
                one.state,
                one.asked,
                one.said,
            )
            for one in answers
        ],
        title="What the SII says",
    )
