"""Files looked at lightly: how many documents of which type, which folios, and whether they came before. Nothing else.

With the switch ``checks`` at ``light`` the simulator takes ten thousand documents a second: it reads its few figures
from the bytes and examines neither schema nor signatures nor amounts. Ledger, track ids, duplicates, counters and
invariants are those of full checks. For measuring what stands before the SII, never for judging documents.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from deploy.sandbox.sii.extraction import Piece, cut_all
from deploy.sandbox.sii.registry import Document

_ROOT = re.compile(rb"<([A-Za-z][\w.-]*)[\s>]")
_NOT_FOUND = -1


@dataclass(frozen=True, slots=True)
class Glance:
    """What a light look sees of a file: its root's name and its documents, each cut out of the bytes."""

    root: str
    pieces: list[Piece]

    @property
    def types(self) -> list[int]:
        """Types of the documents in order, 0 for one that doesn't say."""
        return [number(piece.data, b"<TipoDTE>") for piece in self.pieces]


def glance(data: bytes) -> Glance:
    """Look at a file lightly."""
    prolog = data.find(b"?>") + 2 if data.startswith(b"<?xml") else 0
    root = _ROOT.search(data, prolog)
    return Glance(root.group(1).decode("ascii") if root else "", cut_all(data, "DTE"))


def counts(data: bytes) -> dict[int, int]:
    """Documents by type as the Carátula states them."""
    head = data[: data.find(b"</Caratula>")]
    return {number(row, b"<TpoDTE>"): number(row, b"<NroDTE>") for row in head.split(b"<SubTotDTE>")[1:]}


def sketch(piece: Piece, track_id: int, final_at: datetime) -> Document:
    """A document as read from its bytes: identity, receiver, date, total and signature."""
    data = piece.data
    return Document(
        issuer=text(data, b"<RUTEmisor>"),
        document_type=number(data, b"<TipoDTE>"),
        folio=number(data, b"<Folio>"),
        digest=piece.digest,
        receiver=text(data, b"<RUTRecep>"),
        issued_on=text(data, b"<FchEmis>"),
        total=number(data, b"<MntTotal>"),
        net=None,
        exempt=None,
        vat=None,
        signature="".join(text(data, b"<SignatureValue>").split()),
        track_id=track_id,
        final_at=final_at,
    )


def text(data: bytes, tag: bytes) -> str:
    """The text after the first opening tag, up to the next one; empty when there is none."""
    start = data.find(tag)
    if start == _NOT_FOUND:
        return ""
    start += len(tag)
    return data[start : data.find(b"<", start)].decode("iso-8859-1").strip()


def number(data: bytes, tag: bytes) -> int:
    """The whole number there, 0 when there is none."""
    found = text(data, tag).partition(".")[0]
    return int(found) if found.isascii() and found.isdigit() else 0
