"""What nobody published about the real service: each unknown is a switch with a documented default.

Where sources contradict, the default is what the evidence favours: programs in use are let in. The stricter readings
stand together in the profile ``strict``. Switches of forms choose among forms of an answer that have all been seen;
``random`` draws from the seeded generator. Each switch says in one sentence what it decides; the control port shows
them at ``/switches`` and `docs/simulator.md` explains the profiles.
"""

from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from deploy.sandbox.sii.profiles import STEPS, TIMINGS, Span, profile_named

T = TypeVar("T")
_FOREVER = -1
_AT_ONCE = TIMINGS["fast"]["soap"]


def _switch(default: T, decides: str) -> T:
    """A switch with its default and the sentence that says what it decides."""
    metadata = {"decides": decides}
    if isinstance(default, dict):
        return cast("T", dataclass_field(default_factory=lambda: dict(default), metadata=metadata))
    return dataclass_field(default=default, metadata=metadata)


@dataclass(slots=True)
class Switches:
    """Behaviour that a test may choose; times in seconds of the simulator's clock, sizes in bytes."""

    profile: str = _switch("", "the named profile taken last; it sets many of the others (see docs/simulator.md)")
    timings: str = _switch("fast", "named times from reception to verdict: fast, prod, prod_dte, prod_boleta, cert")
    steps: dict[str, Span] = _switch(_AT_ONCE, "least and most seconds to SOK, CRT, FOK, PDR, EPR")  # noqa: RUF009
    rest_steps: dict[str, Span] = _switch(_AT_ONCE, "the same for boletas sent over REST")  # noqa: RUF009
    time_scale: float = _switch(1.0, "divides every time of the pipeline: 60 turns minutes into seconds")
    visibility_delay: float = _switch(0.0, "seconds during which a new track id isn't known to queries yet")
    early_epr: float = _switch(0.0, "chance that the first EPR comes without counters")
    stray_003: float = _switch(0.0, "chance that a query answers 003 although the token is good")

    token_ttl: float = _switch(3600.0, "life of a token")
    token_sliding: bool = _switch(True, "life counts from the last use; otherwise from the login")  # noqa: FBT003
    max_tokens_per_person: int = _switch(0, "living tokens of a person and channel, the oldest dies; 0: no limit")
    expired_state: Literal["001", "002"] = _switch("001", "how QueryEstUp and QueryEstDte call an expired token")
    seed_signature: Literal["lenient", "strict"] = _switch(
        "lenient", "what a signed seed must look like: as programs in use send it, or as the manual says"
    )
    seed_ttl: float = _switch(120.0, "life of a seed (published: two minutes)")
    seed_state: Literal["0", "00", "random"] = _switch("00", "ESTADO of a good seed over REST")
    seed_checked: Literal["last", "first"] = _switch("last", "whether getToken looks at the seed before the signature")

    dedupe_window: float = _switch(900.0, "how long the same bytes answer 99 and the first track id; -1: for ever")
    dedupe_restarts: bool = _switch(True, "each repetition begins the window anew")  # noqa: FBT003
    dedupe_by_name: bool = _switch(False, "the same bytes under another file name or sender are new")  # noqa: FBT003
    rest_dedupe: bool = _switch(False, "boletas over REST: the same bytes are refused as on the other side")  # noqa: FBT003
    repeat_mode: Literal["document", "envelope"] = _switch(
        "document", "an envelope of known folios: each document is refused, or the envelope (RFR)"
    )
    rejected_keeps_folio: bool = _switch(True, "the folio of a rejected document counts as received")  # noqa: FBT003

    max_upload_bytes: int = _switch(5 * 1024 * 1024, "largest file; larger: STATUS 2")
    max_line_bytes: int = _switch(4090, "longest line; longer: CHR-00002")
    max_rest_documents: int = _switch(500, "documents of one envelope of boletas; more: 400")
    attribute_order: bool = _switch(True, "the root's attributes must stand in their usual order")  # noqa: FBT003
    part_order: Literal["warn", "refuse"] = _switch("warn", "parts of an upload in another order")
    sync_schema: Literal["books", "all", "off"] = _switch(
        "books", "which files DTEUpload validates against their whole schema at once: STATUS 7"
    )
    user_agent: Literal["compatible", "prog"] = _switch(
        "compatible", "User-Agent of uploads and REST: Mozilla/n.n (compatible; …), or with PROG 1.0 in it"
    )
    missing_permission: Literal["examination", "gateway"] = _switch(
        "examination", "who may not send for a company: STATUS 0 and then RFR with ENV-3-6, or STATUS 1 at once"
    )
    chunked: Literal["refuse", "cut"] = _switch("refuse", "a chunked upload: 400, or cut after 4096 bytes")
    rate_per_minute: int = _switch(0, "requests a minute that a host of boletas takes; 0: any number")
    rate_status: Literal["429", "405", "503"] = _switch("429", "status of the answer that says: too many")
    rate_header: Literal["x-retry-after", "retry-after", "retry-after-date", "none"] = _switch(
        "x-retry-after", "the header that says how long to wait"
    )
    rate_wait: float = _switch(60.0, "how long it says")

    soap_namespace: Literal["any", "default", "jws", "both"] = _switch("any", "namespace that operations are called in")
    soap_bind: Literal["position", "name"] = _switch("position", "parameters count, or must bear the WSDL's names")
    hdr_order: Literal["body_first", "hdr_first", "random"] = _switch("body_first", "order of RESP_BODY and RESP_HDR")
    charset: Literal["utf8", "latin1_mislabelled", "replacement_char", "random"] = _switch(
        "utf8", "how accents in an answer travel; random draws among the first two"
    )
    inner_form: Literal["encoding", "plain", "crlf", "random"] = _switch(
        "encoding", "prolog and line ends of the inner document"
    )
    return_prefix: Literal["none", "ns1", "random"] = _switch("none", "prefix of the return element")
    status_form: Literal["minimal", "full", "random"] = _switch("minimal", "DTEUpload's refusals: STATUS alone, or all")
    upstatus_form: Literal["hdr", "estado0_in_hdr", "random"] = _switch("hdr", "where QueryEstUp's ESTADO stands")
    unknown_track: Literal["-11", "106"] = _switch("-11", "QueryEstUp about a track id that isn't the company's")
    document_av_form: Literal["plain", "extended", "random"] = _switch(
        "plain", "whether QueryEstDteAv has TRACKID and NUMATENCION"
    )
    num_atencion: Literal["full", "digits", "absent", "random"] = _switch("full", "form of NUM_ATENCION")
    omit_type_61: bool = _switch(False, "QueryEstUp leaves out notes of credit; profiles of varied forms draw it")  # noqa: FBT003
    single_type_without_tipo: Literal["yes", "no", "random"] = _switch(
        "no", "counters of one type only come without TIPO_DOCTO"
    )
    date_with_dashes: bool = _switch(True, "QueryEstDte takes dd-MM-yyyy besides ddMMyyyy")  # noqa: FBT003
    dte_scope: Literal["as_written", "any"] = _switch(
        "as_written",
        "namespaces of a DTE's signature: those on the tag as written, or none, SiiDte, SiiDte and xsi too",
    )
    ted_text: Literal["folded", "exact"] = _switch(
        "folded",
        "RSR and IT1 of a stamp: also folded to ASCII and without quotes, or the document's text only",
    )
    ted_quotes: Literal["both", "literal", "entities"] = _switch(
        "both", "how ' and \" stand in what a stamp signs (unproven)"
    )
    future_stamp: float = _switch(4 * 3600.0, "how far ahead of the clock a stamp may be: programs in use write UTC")
    format_profile: Literal["date", "2019", "2026"] = _switch(
        "date", "edition of the schema that judges documents; date: 2026 since 2026-11-01"
    )
    boleta_format: Literal["2025", "2020"] = _switch("2025", "schema of boletas in profile 2026: with the tags of 2025")
    guide_rule: Literal["repair", "reject"] = _switch("repair", "a guía without data of transport since 2026-11-01")
    wsdl_address: Literal["public", "internal"] = _switch(
        "public", "the host that a WSDL names as its service's: the one that was asked, or nogal.sii.cl"
    )
    error_namespace: Literal["schema", "manual"] = _switch("schema", "namespace of answers that are a header alone")
    arithmetic: Literal["lenient", "strict"] = _switch(
        "lenient", "amounts that don't multiply: repairs, as seen, or rejections, by the rules"
    )
    caf_expires: bool = _switch(True, "folios of 33, 43, 46, 56, 61 expire after six months")  # noqa: FBT003

    checks: Literal["full", "light"] = _switch("full", "whether files are examined, or only counted and remembered")
    report_state: Literal["LOK", "LRP"] = _switch("LOK", "the state of a report of folios that adds up")
    book_signature: Literal["either", "own", "w3c"] = _switch(
        "either", "namespace of the Signature in a book of boletas; its schema has the SII's own"
    )
    second_claim: bool = _switch(True, "another claim after a first is taken; otherwise codResp 5")  # noqa: FBT003
    events_rut_token: bool = _switch(False, "a list of events has the asker's RUT beside it (seen)")  # noqa: FBT003
    mail_maildir: str = _switch("", "result mails go to this maildir; relative to the simulator's folder")
    mail_smtp: str = _switch("", "result mails go to this server, host:port")
    mail_lists_all_types: bool = _switch(False, "result mails list types that their schema doesn't know")  # noqa: FBT003

    max_logins_per_hour: int = _switch(0, "the invariants object to more logins of a person and channel; 0: to none")
    max_queries_per_hour: int = _switch(0, "the invariants object to more queries of a track id; 0: to none")
    retry_grace: float = _switch(2.0, "a request so soon after a Retry-After was on its way and isn't held against it")

    def use_timings(self, name: str) -> None:
        """Take named times; raises KeyError when there are none of that name."""
        self.steps, self.rest_steps = dict(TIMINGS[name]["soap"]), dict(TIMINGS[name]["rest"])
        self.timings = name
        self.visibility_delay = 0.0 if name == "fast" else 3.0

    def steps_of(self, channel: str) -> dict[str, Span]:
        """The times that hold for a channel, scaled."""
        steps = self.rest_steps if channel == "rest" else self.steps
        return {step: (low / self.time_scale, high / self.time_scale) for step, (low, high) in steps.items()}

    def remembers(self, seconds: float) -> bool:
        """Whether bytes that came so long ago still count as the same upload."""
        return self.dedupe_window == _FOREVER or seconds <= self.dedupe_window

    def change(self, values: dict[str, Any]) -> None:
        """Set switches by name; raises ValueError for an unknown name or value. A profile is taken first."""
        for name in ("profile", "timings"):
            if name in values:
                self._take_named(name, str(values[name]))
        for name, value in values.items():
            if name not in {"profile", "timings"}:
                self._set(name, value)

    def _take_named(self, name: str, value: str) -> None:
        if name == "timings":
            if value not in TIMINGS:
                raise ValueError(f"no such timings: {value!r}; there are {', '.join(TIMINGS)}")
            self.use_timings(value)
        else:
            chosen = profile_named(value)
            for f in fields(self):
                setattr(self, f.name, getattr(_defaults(), f.name))
            self.change(chosen.switches)
            self.profile = value

    def _set(self, name: str, value: Any) -> None:
        kind = _KINDS.get(name)
        if kind is None:
            raise ValueError(f"no such switch: {name}={value!r}")
        if name in {"steps", "rest_steps"}:
            given = {str(step): (float(low), float(high)) for step, (low, high) in dict(value).items()}
            if set(given) - set(STEPS):
                raise ValueError(f"switch {name} has the steps {', '.join(STEPS)}")
            setattr(self, name, getattr(self, name) | given)
        elif get_origin(kind) is Literal:
            if value not in get_args(kind):
                raise ValueError(f"switch {name} is one of {', '.join(get_args(kind))}, not {value!r}")
            setattr(self, name, value)
        else:
            fits = (
                isinstance(value, int | float) and not isinstance(value, bool) if kind is float else type(value) is kind
            )
            if not fits or (name == "time_scale" and value <= 0):
                raise ValueError(f"switch {name} takes {kind.__name__}, not {value!r}")
            setattr(self, name, kind(value))


def _defaults() -> Switches:
    return Switches()


_KINDS: dict[str, Any] = get_type_hints(Switches)


def described() -> list[dict[str, Any]]:
    """Every switch: its name, its default, what it may be, and what it decides."""
    fresh = _defaults()
    return [
        {
            "name": f.name,
            "default": getattr(fresh, f.name),
            "values": list(get_args(_KINDS[f.name])) if get_origin(_KINDS[f.name]) is Literal else [],
            "decides": f.metadata["decides"],
        }
        for f in fields(Switches)
    ]
