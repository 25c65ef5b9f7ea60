"""The catalogue of faults: every way in which the real service is known to misbehave, by its id.

An entry says what the simulator does, which requests a rule means when it names none, and its arguments. `natural` says
how the same comes about without a rule, by what a client does. The kind says where a fault takes hold:

* ``line``: of the listening port itself; ``body``: while the request is being read; ``door``: before it is looked at;
* ``token``: the token is worth nothing; ``form``: another form of the right answer, for this request;
* ``instead``: no work is done, an answer is made up; ``after``: the work is done, its answer goes wrong;
* ``verdict``: the examination of an upload ends otherwise; ``mail``: of the result mails; ``clock``: time moves;
* ``natural``: nothing but a client can bring it about.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

LINE, BODY, DOOR, TOKEN, FORM, INSTEAD, AFTER = "line", "body", "door", "token", "form", "instead", "after"
VERDICT, MAIL, CLOCK, NATURAL = "verdict", "mail", "clock", "natural"

# Operations by group: a rule's `operation` may name either.
OPERATIONS: dict[str, frozenset[str]] = {
    "upload": frozenset({"DTEUpload", "envio"}),
    "envelope_status": frozenset({"getEstUp", "estado_envio"}),
    "document_status": frozenset({"getEstDte", "getEstDteAv", "estado_documento"}),
    "query": frozenset({"getEstUp", "estado_envio", "getEstDte", "getEstDteAv", "estado_documento"}),
    "seed": frozenset({"getSeed", "semilla"}),
    "get_token": frozenset({"getToken", "token"}),
    "login": frozenset({"getSeed", "semilla", "getToken", "token"}),
    "mail_again": frozenset({"reenvioCorreo"}),
    "claims": frozenset(
        {"ingresarAceptacionReclamoDoc", "listarEventosHistDoc", "consultarDocDteCedible", "consultarFechaRecepcionSii"}
    ),
    "cession_upload": frozenset({"RTCAnotEnvio"}),
    "cession_status": frozenset({"getEstEnvio", "getEstCesion", "getEstCesionRelac"}),
}
_ALL = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """An entry of the catalogue."""

    id: str
    kind: str
    does: str
    operations: str = _ALL  # the group, or operation, that a rule means when it names none; empty: any
    args: dict[str, str] = field(default_factory=dict)
    natural: str = ""
    times: int = 1
    changes: dict[str, Any] = field(default_factory=dict)  # of a form: switches for that request

    def as_dict(self) -> dict[str, Any]:
        """The entry as the control API shows it."""
        shown = {"id": self.id, "kind": self.kind, "does": self.does, "operations": self.operations or "any"}
        return shown | {"args": self.args, "natural": self.natural, "times": self.times}


# What may happen to a result mail.
MAIL_VARIANTS = frozenset(
    {
        "early",
        "late",
        "twice",
        "never",
        "forwarded",
        "forwarded-inline",
        "quoted-printable",
        "utf-8",
        "windows-1252",
        "mislabelled",
        "unknown-codes",
        "forged",
        "unknown-track",
    }
)
_LISTED = ", ".join(sorted(MAIL_VARIANTS))
_STATE = {"state": "S: the work is done all the same (default N)"}
_EXAMINED = "of an upload that is stored"
_ENTRIES = (
    # Tokens and seeds.
    Fault("F-TOK-1", TOKEN, "the token has expired", natural="move the clock by 3601 s, or POST /tokens/expire"),
    Fault("F-TOK-2", FORM, "tokens die after 30 s", changes={"token_ttl": 30.0}, times=-1, args={"seconds": "30"}),
    Fault("F-TOK-3", TOKEN, "every token has expired, for ever", "upload", times=-1),
    Fault("F-TOK-4", TOKEN, "the token is one of the other channel", natural="use a SOAP token over REST"),
    Fault("F-UA-1", INSTEAD, "the User-Agent isn't liked: HTML, or 401", "upload", natural="send another User-Agent"),
    Fault("F-SEED-1", INSTEAD, "the seed is too old: 08", "get_token", natural="move the clock by 121 s"),
    Fault("F-SEED-2", INSTEAD, "the seed was used: 08", "get_token", natural="use a seed twice"),
    Fault(
        "F-SEED-3", INSTEAD, "the seed is of the other environment: 08", "get_token", natural="ask the other instance"
    ),
    Fault("F-SEED-4", INSTEAD, "an internal error: -1, or 07", "login", args={"estado": "-1 or -2; 07, 09, 10, 12"}),
    Fault("F-SEED-5", FORM, "BODY before HDR; errors have no BODY", "login", changes={"hdr_order": "body_first"}),
    # Front ends, and lost answers.
    Fault(
        "F-HTTP-503",
        INSTEAD,
        "an HTML page with 503",
        args=_STATE | {"status": "503", "headers": "more headers, such as Retry-After"},
    ),
    Fault("F-MAINT", DOOR, "every host answers HTML", times=-1, args={"status": "503 or 200"}),
    Fault("F-500-LIT", INSTEAD, "the text Error 500 with status 200", "upload", args=_STATE | {"status": "200"}),
    Fault("F-HTML-UP", INSTEAD, "the page HA OCURRIDO UN ERROR EN EL UPLOAD", "upload", args={"page": "sessions"}),
    Fault("F-LOST-1", AFTER, "stored; the connection is reset before any byte", "upload"),
    Fault("F-LOST-2", AFTER, "stored; the answer is late", "upload", args={"seconds": "30, of real time"}),
    Fault("F-LOST-3", BODY, "reset in the middle of the request's body", "upload", args={"bytes": "half of it"}),
    Fault("F-LOST-4", AFTER, "stored; the answer is cut inside TRACKID", "upload", args={"bytes": "where"}),
    Fault("F-LOST-5", AFTER, "stored; the answer is empty", "upload"),
    Fault("F-LOST-6", AFTER, "as F-LOST-1, and the 99 of the same bytes names no track id", "upload"),
    Fault("F-LOST-7", AFTER, "stored; the answer waits until the rule is lifted or released", "upload"),
    Fault("F-LOST-8", AFTER, "as F-LOST-1, and the clock moves by 901 s", "upload", args={"seconds": "901"}),
    Fault("F-LOST-9", VERDICT, "as F-LOST-1, and the verdict takes 10 minutes", "upload", args={"seconds": "600"}),
    # Duplicates.
    Fault("F-DUP-1", NATURAL, "STATUS 99 with the first track id", "upload", natural="send the same bytes again"),
    Fault(
        "F-DUP-2",
        VERDICT,
        "the envelope is refused (RFR): its folios are known",
        "upload",
        natural="send a known folio in other bytes: DTE-3-101",
    ),
    Fault("F-DUP-3", FORM, "the same boletas again get a second track id", "envio", changes={"rest_dedupe": False}),
    # Slow, cut, stuck.
    Fault(
        "F-SLOW",
        AFTER,
        "the answer is slow",
        args={"seconds": "25, of real time", "bytes_per_second": "instead of seconds"},
    ),
    Fault("F-CUT-XML", AFTER, "an answer in XML is cut", "query", args={"bytes": "where; default half"}),
    Fault("F-CUT-JSON", AFTER, "an answer in JSON is cut", "query", args={"bytes": "where; default half"}),
    Fault("F-STUCK-1", VERDICT, "REC, then PDR, until it is let go", "upload", natural="POST /uploads/ID/freeze"),
    Fault("F-STUCK-2", INSTEAD, "not ready: -11 with ERR_CODE 2, over REST 404", "envelope_status"),
    Fault("F-EPR-0", VERDICT, "EPR without counters at first", "upload", args={"times": "1, answers without"}),
    Fault("F-EPR-61", FORM, "counters leave out notes of credit", "getEstUp", changes={"omit_type_61": True}),
    Fault("F-EPR-MIX", VERDICT, "some repaired, some rejected", "upload", args={"repaired": "1", "rejected": "1"}),
    Fault(
        "F-HDR0", FORM, "ESTADO 0 in HDR, the state in BODY", "getEstUp", changes={"upstatus_form": "estado0_in_hdr"}
    ),
    # Verdicts.
    Fault("F-HALF", VERDICT, "every second document is rejected", "upload", args={"types": "all", "code": "HED-3-861"}),
    Fault("F-REP", VERDICT, "every document has a repair", "upload", args={"code": "TED-2-510"}),
    Fault("F-RCT", VERDICT, "the envelope is refused: Carátula", "upload"),
    Fault("F-RFR", VERDICT, "the envelope is refused: signature", "upload", natural="sign it wrongly"),
    Fault(
        "F-RSC",
        VERDICT,
        "the envelope is refused: schema",
        "upload",
        natural="break the schema",
        args={"folios": "only an envelope that holds one of them"},
    ),
    Fault("F-106", INSTEAD, "no permission: 106, over REST 401", "envelope_status", natural="POST /permissions/revoke"),
    Fault(
        "F-UNK", INSTEAD, "a code nobody knows: STATUS 42, ESTADO ZZZ", "upload", args={"status": "42", "estado": "ZZZ"}
    ),
    Fault("F-9", INSTEAD, "STATUS 9: locked", "upload", args={"form": "minimal, full, loose"}),
    Fault("F-STATUS-n", INSTEAD, "STATUS n", "upload", args={"status": "1", "form": "minimal, full, loose"}),
    # Clocks.
    Fault("F-SKEW-1", CLOCK, "the SII's clock is ahead of yours", args={"seconds": "600, may be negative"}),
    Fault("F-SKEW-2", CLOCK, "folios expire: the clock moves past six months", args={"seconds": "184 days"}),
    Fault("F-SKEW-3", CLOCK, "half a minute before the next change of summer time", args={"set": "a moment"}),
    # Mistakes of configuration, and forms.
    Fault("F-HOST", INSTEAD, "Acceso Denegado, as at the wrong host", natural="send boletas to the other host"),
    Fault("F-NSOP", FORM, "operations only in the .jws namespace", changes={"soap_namespace": "jws"}, times=-1),
    Fault("F-L1", FORM, "ISO-8859-1 that says it is UTF-8", changes={"charset": "latin1_mislabelled"}),
    Fault(
        "F-RATE",
        DOOR,
        "too many requests",
        args={
            "status": "429, 405, 503",
            "header": "x-retry-after, retry-after, retry-after-date, none",
            "seconds": "60",
        },
        natural="the switch rate_per_minute",
    ),
    Fault("F-CHUNK", NATURAL, "a chunked upload: 400, or cut (switch chunked)", "upload", natural="send one"),
    Fault("F-LINE", INSTEAD, "CHR-00002: Line too long", "DTEUpload", natural="send a line of 4091 bytes"),
    Fault("F-404", INSTEAD, "404 for an upload that is there", "estado_envio", natural="the switch visibility_delay"),
    Fault("F-TXT200", INSTEAD, "plain text that says it is JSON", "estado_documento", natural="leave a parameter out"),
    # Of the connection.
    Fault("F-TLS", LINE, "the handshake fails", args={"form": "reset, wrong_ca, expired"}, times=-1),
    Fault("F-DNS", LINE, "the port takes no connection", args={"form": "refused, timeout"}, times=-1),
    # Mails, claims, cessions.
    Fault(
        "F-MAIL-1", MAIL, "a result mail never comes, or comes otherwise", args={"variants": _LISTED, "seconds": "late"}
    ),
    Fault("F-MAIL-2", MAIL, "mails that aren't the SII's, or of no upload", args={"variants": "forged, unknown-track"}),
    Fault(
        "F-RCL-x",
        INSTEAD,
        "a claim ends with that code",
        "claims",
        args={"code": "-1", "text": "its words", "fault": "the words of a SOAP fault instead"},
    ),
    Fault(
        "F-RTC-x",
        INSTEAD,
        "a cession's upload ends with that STATUS, or its examination with a verdict",
        "cession_upload",
        args={"status": "10", "verdict": "RCS and the like"},
    ),
    # Against parsers.
    Fault(
        "F-XXE",
        AFTER,
        "an answer made to hurt its reader",
        args={"form": "entities, external, inner, deep, huge", "megabytes": "200", "depth": "100000"},
    ),
)

# Ids that hold a figure: the entry that they are of, and the argument that the figure is.
_FAMILIES = {
    "F-STATUS-": ("F-STATUS-n", "status"),
    "F-RTC-": ("F-RTC-x", "status"),
    "F-RCL-": ("F-RCL-x", "code"),
}

CATALOGUE: dict[str, Fault] = {entry.id: entry for entry in _ENTRIES}


def operations_of(names: str | Iterable[str]) -> frozenset[str]:
    """The operations that a name, or several, stand for."""
    found: set[str] = set()
    for name in [names] if isinstance(names, str) else names:
        found |= OPERATIONS.get(name, {name})
    return frozenset(found)


def named(text: str) -> tuple[Fault, dict[str, Any]]:
    """The entry that a rule means, with the arguments that its id itself holds (``F-STATUS-6``).

    Raises ValueError when there is none of that id.
    """
    for family, (entry, argument) in _FAMILIES.items():
        rest = text.removeprefix(family)
        if text == family.rstrip("-"):
            return CATALOGUE[entry], {}
        if text.startswith(family) and rest.lstrip("-").isdigit():
            return CATALOGUE[entry], {argument: int(rest)}
    if text not in CATALOGUE:
        raise ValueError(f"no such fault: {text!r}; GET /faults/catalogue has them all")
    return CATALOGUE[text], {}
