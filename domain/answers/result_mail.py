"""The mail in which the SII tells what became of an upload: RESULTADO_ENVIO, attached to a message.

It alone says why documents were rejected or repaired; accepted ones aren't listed (SII, RespSII_v10; texts of recorded
mails). It reaches a company in many forms: as sent, forwarded by a colleague as a message or with its file attached
again, pasted as text, recoded by a gateway, in another charset than it says. Promises: whatever the bytes are, a
`Letter` is returned and nothing is raised; no DTD, no entity, bounded size and number; codes nobody published are kept
verbatim. Who wrote a mail is read from its own From, or from the quoted one of a forwarded mail: neither proves
anything, so that a mail only explains what the SII's services say.
"""

import email
import email.errors
import email.header
import email.policy
import email.utils
import re
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field, replace
from email.message import Message
from typing import Any, Final, Literal

from lxml import etree

from domain.answers.envelope import TypeCounters
from domain.answers.reading import (
    LARGEST,
    UnreadableError,
    elements,
    excerpt,
    local,
    number,
    parse,
    storable,
    text_of,
    without_zeros,
)
from domain.rut import InvalidRut, normalise

Kind = Literal["result", "unreadable", "other"]
Meaning = Literal["rejected", "repaired", "unknown"]

MEANINGS: Final[dict[str, Meaning]] = {"RCH": "rejected", "RPR": "repaired", "RLV": "repaired"}
"""ESTADO of a document in the mail; accepted ones aren't listed."""

_MOST_REVIEWS: Final = 5_000  # an envelope has at most 2,000 documents
_MOST_REASONS: Final = 100
_LONGEST_TEXT: Final = 2_000
_DEEPEST: Final = 10  # of messages within messages
_MOST_PARTS: Final = 200

_BEGUN: Final = re.compile(r"<(?:\w{1,20}:)?RESULTADO_ENVIO[\s>]")
_ENDED: Final = re.compile(r"</(?:\w{1,20}:)?RESULTADO_ENVIO\s{0,9}>")
_SUBJECT: Final = re.compile(r"Resultado de Revision Envio", re.IGNORECASE)
_QUOTED_FROM: Final = re.compile(
    r"^[> \t]{0,40}\*?(?:From|De|Desde)\*?[ \t]?:[ \t]*(.{1,500})$", re.MULTILINE | re.IGNORECASE
)
_ADDRESS: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+")
_QUOTE_MARKS: Final = re.compile(r"^(?:> ?)+", re.MULTILINE)
_FAULTS: Final = (ValueError, LookupError, email.errors.MessageError)
_NO_TEXT: Final = frozenset({"image", "audio", "video", "font"})
_NO_XML: Final = frozenset({"application/pdf", "application/zip"})


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, in the SII's words: `code` as SECTION-LEVEL-CODE, verbatim, empty when the text has none."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Review:
    """What the mail says of one document: `state` is the code verbatim, `meaning` ours."""

    document_type: int
    folio: int
    state: str
    text: str
    meaning: Meaning
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class ResultMail:
    """What a mail says of an upload: company, track id without leading zeros, state and its words, all verbatim."""

    company: str
    sender: str
    track_id: str
    received_at: str
    state: str
    text: str
    counters: tuple[TypeCounters, ...] = ()
    errors: tuple[Reason, ...] = ()
    reviews: tuple[Review, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON's own kinds."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: dict[str, Any]) -> "ResultMail":
        """The mail that `as_dict` was made of."""
        return cls(
            **{
                **said,
                "counters": tuple(TypeCounters(**one) for one in said["counters"]),
                "errors": tuple(Reason(**one) for one in said["errors"]),
                "reviews": tuple(
                    Review(**{**one, "reasons": tuple(Reason(**reason) for reason in one["reasons"])})
                    for one in said["reviews"]
                ),
            }
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """A message read: `kind` "result", "unreadable" (it would be one), or "other" (nothing of ours).

    `writer` is the address that the result came from, as far as the message says; `forwarder` whoever sent it on, None
    when it came as sent; of a `bare` file (the attachment alone) neither is known. `problem` says why an unreadable one
    can't be read.
    """

    kind: Kind
    writer: str = ""
    forwarder: str | None = None
    subject: str = ""
    result: ResultMail | None = None
    problem: str | None = None
    bare: bool = False

    def is_from(self, domains: Collection[str], forwarders: Collection[str] | None) -> bool:
        """Whether it comes from one of the domains (or below), as sent or by a known forwarder.

        `forwarders` are addresses and domains, None: anybody may have sent it on. A bare file has no sender: whoever
        put it there answers for it.
        """
        if self.bare:
            return True
        if self.forwarder is not None and _is_of(self.forwarder, domains):
            return True  # as sent, with others' words in it
        if not _is_of(self.writer, domains):
            return False
        return self.forwarder is None or forwarders is None or _is_of(self.forwarder, forwarders)


@dataclass(frozen=True, slots=True)
class _Part:
    """Text of one part, and the messages around it, the outermost first."""

    text: str
    around: tuple[Message, ...] = field(repr=False)


def read_letter(data: bytes) -> Letter:
    """Read a message as it lies in a mailbox, or the attached file alone."""
    if len(data) > LARGEST:
        return Letter("unreadable", problem=f"a message of {len(data)} bytes")
    if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return replace(_letter(_decoded(data, None), "", None, ""), bare=True)
    try:
        return _read_message(data)
    except (*_FAULTS, AttributeError, TypeError, RecursionError, AssertionError) as error:
        # The library of mail is lenient, but bytes from anywhere find its corners.
        return Letter("unreadable", problem=f"no readable message: {type(error).__name__}")


def _read_message(data: bytes) -> Letter:
    outer = email.message_from_bytes(data, policy=email.policy.compat32)
    subject = _header(outer, "Subject")
    parts = list(_parts(outer, (outer,)))
    part = next((one for one in parts if _BEGUN.search(_without_quotes(one.text))), None)
    if part is None:
        if _SUBJECT.search(subject) and not _is_reply(outer):
            return Letter("unreadable", _address(outer), None, subject, problem="no RESULTADO_ENVIO in it")
        return Letter("other", _address(outer), None, subject)
    writer, forwarder = _address(part.around[-1]), None
    if len(part.around) > 1:
        forwarder = _address(outer)
    else:
        quoted = _quoted_writer(parts)
        if quoted and quoted != writer:
            writer, forwarder = quoted, writer
    return _letter(part.text, writer, forwarder, subject)


def _letter(text: str, writer: str, forwarder: str | None, subject: str) -> Letter:
    begun = _BEGUN.search(text)
    if begun is None:
        text = _without_quotes(text)
        begun = _BEGUN.search(text)
    if begun is None:
        return Letter("other", writer, forwarder, subject)
    ended = _ENDED.search(text, begun.end())
    if ended is None:
        return Letter("unreadable", writer, forwarder, subject, problem="a RESULTADO_ENVIO without its end")
    written = text[begun.start() : ended.end()]
    try:
        return Letter("result", writer, forwarder, subject, _result(_parsed(written)))
    except UnreadableError as error:
        return Letter("unreadable", writer, forwarder, subject, problem=str(error))


def _parsed(written: str) -> etree._Element:
    """The file as it is or, where it was quoted line by line, without the marks."""
    try:
        return parse(written)
    except UnreadableError:
        return parse(_without_quotes(written))


def _parts(message: Message, around: tuple[Message, ...]) -> Iterator[_Part]:
    """The texts of a message and of those within it."""
    if len(around) > _DEEPEST:
        return
    for count, part in enumerate(_leaves(message)):
        if count >= _MOST_PARTS:
            return
        if part.get_content_type() == "message/rfc822":
            inner = _inner(part)
            if inner is not None:
                yield from _parts(inner, (*around, inner))
            continue
        if part.get_content_maintype() in _NO_TEXT or part.get_content_type() in _NO_XML:
            continue
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and payload:
            yield _Part(_decoded(payload, part.get_content_charset()), around)


def _leaves(message: Message) -> Iterator[Message]:
    """Parts that hold something, without going into messages within the message."""
    stack = [message]
    while stack:
        part = stack.pop()
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            stack.extend(one for one in reversed(payload) if isinstance(one, Message))
        else:
            yield part


def _inner(part: Message) -> Message | None:
    """The message within a part; some programs encode it, which the standard forbids."""
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else None
    if not isinstance(inner, Message):
        return None
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding not in ("base64", "quoted-printable"):
        return inner
    carrier = Message()
    carrier["Content-Transfer-Encoding"] = encoding
    carrier.set_payload(inner.as_bytes().lstrip(b"\r\n").decode("ascii", "replace"))
    decoded = carrier.get_payload(decode=True)
    return email.message_from_bytes(decoded) if isinstance(decoded, bytes) and decoded else inner


def _decoded(data: bytes, charset: str | None) -> str:
    """The text: UTF-8 if the bytes are that (or say so with a mark), else one of the charsets of Windows.

    ISO-8859-1 is read as windows-1252, which has the same letters; whatever a prolog says is believed least.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    for name in (charset, "windows-1252"):
        if name and name.lower().replace("_", "-") not in ("utf-8", "us-ascii", "iso-8859-1", "latin-1"):
            try:
                return data.decode(name)
            except (LookupError, UnicodeDecodeError):
                continue
    return data.decode("iso-8859-1")


def _without_quotes(text: str) -> str:
    """A pasted text without the marks of a quotation."""
    return _QUOTE_MARKS.sub("", text) if ">" in text[:1] or "\n>" in text else text


def _header(message: Message, name: str) -> str:
    value = message.get(name)
    try:
        text = str(email.header.make_header(email.header.decode_header(str(value)))) if value is not None else ""
    except _FAULTS:
        text = str(value)
    return storable(" ".join(text.split())[:_LONGEST_TEXT])


def _address(message: Message) -> str:
    """The address in From, in lower case; empty when there is none, or when there are several."""
    written = [str(value) for value in message.get_all("From", [])]
    found = [address for _, address in email.utils.getaddresses(written) if "@" in address]
    return storable(found[0].strip().lower()) if len(found) == 1 else ""


def _quoted_writer(parts: list[_Part]) -> str:
    """Whoever a forwarded mail's text names as the writer of what it quotes: the innermost."""
    for part in parts:
        text = _BEGUN.split(part.text, maxsplit=1)[0]
        lines = _QUOTED_FROM.findall(text[:20_000])
        addresses = [found[-1] for line in lines if (found := _ADDRESS.findall(line))]
        if addresses:
            return storable(addresses[-1].lower())
    return ""


def _is_of(address: str, names: Collection[str]) -> bool:
    """Whether an address is one of the names, or lies in a domain that is, or below it."""
    domain = address.rpartition("@")[2]
    return bool(domain) and any(
        name in (address, domain) or domain.endswith(f".{name}") for name in (n.lower() for n in names) if name
    )


def _is_reply(message: Message) -> bool:
    return message.get("In-Reply-To") is not None


def _result(root: etree._Element) -> ResultMail:
    head = next(elements(root, "IDENTIFICACION"), None)
    if head is None:
        raise UnreadableError("a RESULTADO_ENVIO without IDENTIFICACION")
    track_id = _of(head, "TRACKID")
    company = _rut(_of(head, "RUTEMISOR"))
    if number(track_id) is None or not company:
        raise UnreadableError(f"a RESULTADO_ENVIO without track id or company: {excerpt(text_of(head))}")
    state, text = _split(_of(head, "ESTADO"))
    return ResultMail(
        company=company,
        sender=_rut(_of(head, "RUTENVIA")),
        track_id=without_zeros(track_id),
        received_at=_of(head, "TMSTRECEPCION"),
        state=state,
        text=text,
        counters=tuple(c for c in map(_counter, elements(root, "SUBTOTAL")) if c is not None),
        errors=tuple(_reason(text_of(one)) for one in elements(root, "DETERRENVIO"))[:_MOST_REASONS],
        reviews=tuple(r for r in map(_review, elements(root, "REVISIONDTE")) if r is not None)[:_MOST_REVIEWS],
    )


def _counter(element: etree._Element) -> TypeCounters | None:
    """A type's counters; absent ones are 0, and one that isn't a number makes the row unreliable."""
    names = ("ACEPTA", "RECHAZO", "REPARO")
    accepted, rejected, repaired = (number(_of(element, name) or "0") for name in names)
    document_type = number(_of(element, "TIPODOC"))
    if document_type is None or accepted is None or rejected is None or repaired is None:
        return None
    return TypeCounters(document_type, number(_of(element, "INFORMADO")), accepted, rejected, repaired)


def _review(element: etree._Element) -> Review | None:
    document_type, folio = number(_of(element, "TIPODTE")), number(_of(element, "FOLIO"))
    if document_type is None or folio is None:
        return None
    state, text = _split(_of(element, "ESTADO"))
    reasons = tuple(_reason(text_of(one)) for one in elements(element, "DETALLE"))[:_MOST_REASONS]
    return Review(document_type, folio, state, text, MEANINGS.get(state, "unknown"), reasons)


def _reason(text: str) -> Reason:
    """Code and words: the code is what stands before the first blank, in parentheses."""
    first, _, rest = text.strip().partition(" ")
    if first.startswith("(") and first.endswith(")") and len(first) > 2:  # noqa: PLR2004  (something between them)
        return Reason(_kept(first[1:-1]), _kept(rest))
    return Reason("", _kept(text))


def _split(text: str) -> tuple[str, str]:
    """``EPR - Envio Procesado`` as code and words: the code is what stands before the first blank."""
    code, _, rest = text.strip().partition(" ")
    return _kept(code), _kept(rest.removeprefix("- "))


def _of(element: etree._Element, name: str) -> str:
    found = next((child for child in element.iterchildren(etree.Element) if local(child) == name), None)
    return "" if found is None else _kept(text_of(found))


def _rut(text: str) -> str:
    try:
        return normalise(text)
    except InvalidRut:
        return ""


def _kept(text: str) -> str:
    return storable(" ".join(text.split())[:_LONGEST_TEXT])
