"""`fmgo envelope …`: looking at envelopes, and letting refused and doubtful ones go on."""

import sys
import uuid
from typing import Annotated, Any, Final

import typer

from domain.states import ENVELOPE_STATES
from workers.cli.access import Access, canonical
from workers.cli.ledger import Issuer, Limit, state_named, unknown
from workers.cli.output import (
    DONE,
    NO,
    EnvironmentFilter,
    Json,
    amount,
    coloured,
    complain,
    facts,
    say,
    table,
    write_json,
)
from workers.database import overview

envelope = typer.Typer(no_args_is_help=True, help="Envelopes.")


@envelope.command("list")
def envelope_list(
    state: Annotated[str | None, typer.Option(help="Only envelopes in this state.")] = None,
    issuer: Issuer = None,
    environment: EnvironmentFilter = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Envelopes, the latest first."""
    with Access() as access, access.ledger.transaction() as tx:
        of = None if issuer is None else canonical(issuer)
        found = overview.envelopes(
            tx, state=state_named(state, ENVELOPE_STATES), issuer=of, environment=environment, limit=limit
        )
    if as_json:
        for row in found:
            write_json(row)
        return
    table(
        ["envelope", "state", "issuer", "channel", "#documents", "track id", "SII", "#attempts", "sealed", "released"],
        [
            (
                row["id"],
                coloured(row["state"]),
                row["issuer"],
                row["channel"],
                row["documents"],
                row["track_id"],
                row["sii_state"],
                row["attempts"],
                row["sealed_at"],
                row["released_at"],
            )
            for row in found
        ],
    )


@envelope.command("show")
def envelope_show(
    number: Annotated[str, typer.Argument(help="Id, or its first digits.", metavar="ID")],
    xml: Annotated[bool, typer.Option("--xml", help="Write its bytes as they are sent.")] = False,
    as_json: Json = False,
) -> None:
    """An envelope: its story (steps, attempts, every exchange with the SII, in order) and its documents."""
    with Access() as access:
        found = access.found("envelopes", number)
        with access.ledger.transaction() as tx:
            row = None if found is None else overview.envelope(tx, found)
            data = overview.envelope_bytes(tx, found) if xml and found is not None else None
    if row is None:
        unknown("envelope", as_json=as_json)
        return
    if data is not None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    elif as_json:
        write_json(row)
    else:
        _show_envelope(row)


@envelope.command("release")
def envelope_release(
    numbers: Annotated[list[str], typer.Argument(help="Ids, or their first digits.", metavar="ID")],
    as_json: Json = False,
) -> None:
    """Let the documents of refused envelopes go again, same bytes, in new ones, once the cause is mended."""
    worst = DONE
    with Access() as access:
        operator = access.enrolment()
        for number in numbers:
            found = access.found("envelopes", number)
            count = 0 if found is None else operator.release_envelope(found)
            if not count:
                worst = NO
                complain("NOT-REFUSED", f"{number} is no refused envelope whose documents wait.", as_json=as_json)
            elif as_json:
                write_json({"envelope": found, "released": count})
            else:
                say(f"{number}: {count} documents go again")
    raise typer.Exit(worst)


@envelope.command("resend")
def envelope_resend(
    number: Annotated[str, typer.Argument(help="Id, or its first digits.", metavar="ID")],
    as_json: Json = False,
) -> None:
    """Send the identical bytes of an envelope in doubt once more: for one whose alert is `in-doubt`, after a look."""
    with Access() as access:
        found = access.found("envelopes", number)
        outcome = "unknown" if found is None else access.enrolment().resend_envelope(found)
    if outcome != "allowed":
        code, sentence = _NOT_RESENT[outcome]
        complain(code, sentence.format(number=number), as_json=as_json)
        raise typer.Exit(NO)
    if as_json:
        write_json({"envelope": found, "resend": True})
    else:
        say("its bytes go once more")


_NOT_RESENT: Final = {
    "unknown": ("UNKNOWN", "There is no envelope {number}."),
    "not-in-doubt": ("NOT-IN-DOUBT", "{number} isn't in doubt: nothing of it is sent again."),
    "in-hand": ("IN-HAND", "A worker has {number} in its hands: look again in a minute."),
    "goes-already": ("GOES-ALREADY", "The bytes of {number} go once more already."),
    "too-early": (
        "TOO-EARLY",
        "FMgo still ends the doubt about {number} itself; only an envelope whose alert is `in-doubt` is sent by hand.",
    ),
    "stopped": ("STOPPED", "The sending of its company is stopped: `fmgo resume --sending` first."),
}


def _show_envelope(row: dict[str, Any]) -> None:
    lists = ("attempt_list", "events", "story", "riders")
    pairs = [(name.replace("_", " "), value) for name, value in row.items() if name not in lists]
    facts([(name, coloured(value) if name == "state" else _whole(value)) for name, value in pairs])
    table(
        ["at", "what", "#HTTP", "SII", "track id", "#seconds", "detail"],
        [
            (
                line["at"],
                line["what"],
                line["http_status"],
                line["sii_status"],
                line["track_id"],
                None if line["seconds"] is None else f"{line['seconds']:.1f}",
                line["detail"] if line["detail"] not in (None, "{}") else _beginning(line["answer"]),
            )
            for line in row["story"]
        ],
        title="Story",
    )
    table(
        ["document", "#type", "#folio", "#total", "state", "held", "key"],
        [
            (r["id"], r["type"], r["folio"], amount(r["total"]), coloured(r["state"]), r["held"], r["idempotency_key"])
            for r in row["riders"]
        ],
    )


def _beginning(answer: str | None) -> str:
    """The beginning of an answer on one line; the whole of it is in the JSON."""
    return " ".join((answer or "").split())[:120]


def _whole(value: object) -> object:
    """Ids are shown whole where one thing is shown alone."""
    return str(value) if isinstance(value, uuid.UUID) else value
