"""The timbre electrónico (TED): the stamp that a CAF's key puts on a document and that is printed as a barcode.

It promises the flat text that is signed, stored and printed, built once and never serialised again: no blanks between
tags, no namespace, `&`, `<` and `>` as entities, ISO-8859-1 bytes (SII, Instructivo técnico de emisión, Anexo 2;
Formato DTE 2.5, zone TED).

Quotes stay as they are in the names that it repeats (unproven). Half of the programs in use write and sign them so,
half as `&quot;` and `&apos;`, and both have issued for years; what they have in common is that the text is signed as it
is written, and that RSR and IT1, once parsed, are the document's own names. No answer of the SII is known that tells
one form right or wrong, so others' stamps are verified in either. The CAF inside the stamp keeps the SII's own bytes.
"""

from base64 import b64encode
from datetime import date, datetime
from functools import cache
from typing import Protocol
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from domain.caf import StampingCaf

NAME_LENGTH = 40
"""Characters that RSR and IT1 hold, counted before escaping (SII, Formato DTE 2.5, zone TED)."""

_BLANKS = str.maketrans("\t\n\r", "   ")


class StampFields(Protocol):
    """What the stamp repeats of the document; texts are unescaped and uncut."""

    @property
    def issuer(self) -> str:
        """RUT of the issuer, as in RUTEmisor."""
        ...

    @property
    def document_type(self) -> int:
        """TipoDTE."""
        ...

    @property
    def issued_on(self) -> date:
        """FchEmis."""
        ...

    @property
    def receiver(self) -> str:
        """RUT of the receiver, as in RUTRecep."""
        ...

    @property
    def receiver_name(self) -> str:
        """RznSocRecep, or what stands for it."""
        ...

    @property
    def total_text(self) -> str:
        """MntTotal, letter by letter as the document writes it."""
        ...

    @property
    def first_item(self) -> str:
        """NmbItem of the first line."""
        ...


@cache
def chile() -> ZoneInfo:
    """The time zone of the documents."""
    return ZoneInfo("America/Santiago")


def local_timestamp(at: datetime) -> str:
    """`at` (aware) as the documents write time: Chile's clock, whole seconds, no zone (SII, FechaHoraType).

    Raises ValueError for a naive time, which could be anybody's.
    """
    if at.tzinfo is None:
        raise ValueError("a moment without time zone cannot be written as Chilean time")
    return at.astimezone(chile()).isoformat(timespec="seconds")[:19]


def stamp_name(text: str, otherwise: str) -> str:
    """`text` as RSR or IT1, escaped (`&`, `<` and `>` only): line breaks blanked, cut at 40 characters, no last blank.

    `otherwise` stands where nothing is left, because the tag may not be empty (SII, DTE_v10.xsd, RSR: minLength 1).
    """
    cut = text.translate(_BLANKS)[:NAME_LENGTH].rstrip()
    return escape(cut if cut.strip() else otherwise)


def stamp_data(fields: StampFields, *, folio: int, caf: StampingCaf, at: datetime) -> bytes:
    """The `<DD>…</DD>` that is signed, flat, ISO-8859-1.

    Raises UnicodeEncodeError when a name holds a character that ISO-8859-1 lacks.
    """
    head = (
        f"<DD><RE>{fields.issuer}</RE><TD>{fields.document_type}</TD><F>{folio}</F><FE>{fields.issued_on.isoformat()}</FE>"
        f"<RR>{fields.receiver}</RR><RSR>{stamp_name(fields.receiver_name, 'Cliente')}</RSR>"
        f"<MNT>{fields.total_text}</MNT><IT1>{stamp_name(fields.first_item, 'Item')}</IT1>"
    )
    return b"%b%b<TSTED>%b</TSTED></DD>" % (
        head.encode("iso-8859-1"),
        caf.caf_xml,
        local_timestamp(at).encode("ascii"),
    )


def build_stamp(fields: StampFields, *, folio: int, caf: StampingCaf, at: datetime) -> bytes:
    """The whole `<TED version="1.0">…</TED>` on one line, ISO-8859-1, signed with the CAF's key.

    The signature is RSASSA-PKCS1-v1_5 with SHA-1 over the flat DD; `at` becomes TSTED. Raises UnicodeEncodeError as
    `stamp_data` does. Whether the folio belongs to the CAF is asked before (`StampingCaf.problems_with`).
    """
    data = stamp_data(fields, folio=folio, caf=caf, at=at)
    return b'<TED version="1.0">%b<FRMT algoritmo="SHA1withRSA">%b</FRMT></TED>' % (data, b64encode(caf.sign(data)))
