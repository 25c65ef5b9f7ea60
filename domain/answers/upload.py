"""Answers to uploads: a receipt, the receipt of an earlier attempt, a refusal, or nothing that can be relied on.

A receipt is not an acceptance, and what can't be read is "unknown", never "failed": the SII may hold the file (design
law 5). STATUS table: SII, manual of automatic upload, and clients in the field; the duplicate's text was recorded in
2026.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Final, Literal, cast

from lxml import etree

from domain.answers.reading import (
    DIGITS,
    UnreadableError,
    decode,
    elements,
    excerpt,
    local,
    named_track_id,
    parse,
    read_json,
    text_of,
    without_zeros,
)
from domain.answers.table.uploads import UPLOADS

Outcome = Literal["received", "duplicate", "not_received", "unknown"]
Retry = Literal["token", "later", "never"]

_DUPLICATE: Final = re.compile(r"ya\s+fue\s+enviado", re.IGNORECASE)
_LOGIN_PAGE: Final = re.compile(r"<script[^>]*>\s*alert|zeusr?\.sii\.cl|herculesr?\.sii\.cl|CAutInicio", re.IGNORECASE)
_WRONG_HOST: Final = "acceso denegado (from client)"

# STATUS of DTEUpload that say surely: nothing was stored.
_REFUSALS: Final[dict[str, tuple[Retry, str]]] = {
    row.answer: (cast("Retry", row.meaning.removeprefix("not_received ")), row.says)
    for row in UPLOADS
    if row.service == "DTEUpload" and row.is_code and row.meaning.startswith("not_received ")
}
_RATE: Final = frozenset({405, 429})
_TOKEN_STATUSES: Final = frozenset({401, 403})
_BAD_REQUEST: Final = 400
_MULTIPLE_CHOICES: Final = 300
_PAGE_BYTES: Final = 64 * 1024
_RECEIPT: Final = frozenset({"RUTSENDER", "RUTCOMPANY", "FILE", "TIMESTAMP", "STATUS", "TRACKID"})


@dataclass(frozen=True, slots=True)
class UploadAnswer:
    """What became of an upload.

    `outcome`: "received" (a receipt with its track id), "duplicate" (the SII recognised the bytes of an earlier
    attempt; the track id is that one's, or None when the text has none, which alone proves nothing), "not_received"
    (surely nothing was stored; `retry` says what helps: a new "token", the same "later", or "never" before somebody
    mends something), "unknown".
    `status` is the service's code verbatim ("" when there is none), `detail` its words. `retry_after` in seconds.
    """

    outcome: Outcome
    track_id: str | None = None
    retry: Retry | None = None
    status: str = ""
    detail: str = ""
    http_status: int | None = None
    body: bytes = field(default=b"", repr=False)
    retry_after: float | None = None

    @property
    def by_the_service(self) -> bool:
        """Whether the service itself spoke, whatever it said; else it was away, or a page stood in its place."""
        return self.outcome in {"received", "duplicate"} or bool(self.status) or self.retry in {"token", "never"}


def read_upload(http_status: int, body: bytes, *, retry_after: float | None = None) -> UploadAnswer:
    """Read what DTEUpload answered: XML with a STATUS, or an HTML page, ``Error 500``, nothing, half of an answer."""
    base = UploadAnswer("unknown", http_status=http_status, body=body, retry_after=retry_after)
    try:
        root = parse(decode(body))
    except UnreadableError as error:
        return _without_status(base, str(error))
    status = _value(root, "STATUS")
    detail = _detail(root)
    if status == "99" or _DUPLICATE.search(detail):
        return replace(base, outcome="duplicate", status=status, detail=detail, track_id=named_track_id(detail))
    if status and not status.strip("0"):
        track_id = _value(root, "TRACKID")
        if DIGITS.fullmatch(track_id):
            return replace(base, outcome="received", status=status, detail=detail, track_id=without_zeros(track_id))
        return replace(base, status=status, detail=detail or "a receipt without a track id")
    refusal = _REFUSALS.get(status)
    if refusal is None:
        return replace(base, status=status, detail=detail or excerpt(body))
    retry, sentence = refusal
    return replace(base, outcome="not_received", retry=retry, status=status, detail=detail or sentence)


def read_rest_upload(http_status: int, body: bytes, *, retry_after: float | None = None) -> UploadAnswer:
    """Read what boleta.electronica.envio answered: JSON with a track id, or a text with 400, 401, 404, 405 or 500.

    401 means the token or a User-Agent that isn't on the SII's list: renewing more than once doesn't help.
    """
    base = UploadAnswer("unknown", http_status=http_status, body=body, retry_after=retry_after)
    refusal = _rest_refusal(http_status, excerpt(body))
    if refusal is not None:
        retry, detail = refusal
        return replace(base, outcome="not_received", retry=retry, detail=detail)
    try:
        value = read_json(body)
    except UnreadableError as error:
        return replace(base, detail=str(error))
    fields = value if isinstance(value, dict) else {}
    track_id, state = str(fields.get("trackid", "")), str(fields.get("estado") or "")
    if http_status < _MULTIPLE_CHOICES and DIGITS.fullmatch(track_id):
        return replace(base, outcome="received", track_id=without_zeros(track_id), status=state)
    return replace(base, status=state, detail=excerpt(body))


def _rest_refusal(http_status: int, text: str) -> tuple[Retry, str] | None:
    """What helps, and the words, where the API's front says surely that it took nothing."""
    lowered = text.lower()
    if http_status in _TOKEN_STATUSES or (http_status == _BAD_REQUEST and "token" in lowered):
        return "token", text
    if http_status == _BAD_REQUEST:
        return "never", text
    if http_status in _RATE:
        return "later", text or "asked too often"
    if _WRONG_HOST in lowered:
        return "later", "this host doesn't take boletas' files"
    return None


def _without_status(base: UploadAnswer, reason: str) -> UploadAnswer:
    """What DTEUpload's front end or its login says instead of an answer."""
    if base.http_status in _TOKEN_STATUSES or _LOGIN_PAGE.search(decode(base.body[:_PAGE_BYTES])):
        return replace(base, outcome="not_received", retry="token", detail=reason)
    if base.http_status in _RATE:
        return replace(base, outcome="not_received", retry="later", detail=reason)
    return replace(base, detail=reason)


def _value(root: etree._Element, name: str) -> str:
    """The text of the first element of that name, "" when there is none."""
    found = next(elements(root, name), None)
    return "" if found is None else text_of(found)


def _detail(root: etree._Element) -> str:
    """The errors and the loose text of an answer; the fields of the receipt left out."""
    pieces = [root.text]
    for part in root:
        if local(part) == "DETAIL":
            pieces += [text_of(error) for error in part if local(error) == "ERROR"] or [text_of(part)]
        elif local(part) not in _RECEIPT:
            pieces.append(text_of(part))
        pieces.append(part.tail)
    return "; ".join(" ".join(piece.split()) for piece in pieces if piece and piece.strip())
