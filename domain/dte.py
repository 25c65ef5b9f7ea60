"""A signed document (DTE): the text of its element, its signature, and how it stands in an envelope.

The SII verifies each document alone, cut out of its envelope as text (SII, Instructivo técnico; rejection DTE-3-505
when an envelope's namespaces take part). So a document is signed as a document of its own, in the form that is called
S: `xmlns="http://www.sii.cl/SiiDte"` written on DTE and nothing else in scope. What is written is written once, in
ISO-8859-1, and never serialised again.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.canonical import canonical_text
from domain.problems import InvalidDocument, Problem
from domain.signature import (
    C14N,
    CANONICAL_METHODS,
    METHODS,
    SII_NAMESPACE,
    Signer,
    canonical_signed_info,
    canonical_transforms,
    digest_of,
    signature_element,
    transforms,
    wrapped,
)
from domain.stamp import local_timestamp

INNER_NAMESPACE = f' xmlns="{SII_NAMESPACE}"'
"""What an inner document declares: form S. Form N, which the SII has also accepted, would be an empty text."""
DTE_OPEN = f'<DTE{INNER_NAMESPACE} version="1.0">'
DTE_CLOSE = "</DTE>"
DTE_OPEN_IN_ENVELOPE = '<DTE version="1.0">'
"""The same tag as C14N writes it inside an element of the SII's namespace, where the declaration is redundant."""

PROLOG = b'<?xml version="1.0" encoding="ISO-8859-1"?>\n'
"""Goes before what stands alone in a file; without it every XML tool takes the bytes for UTF-8."""

LONGEST_LINE = 4000
"""Bytes of the longest line that is written; the SII's gateway stops at some 4,090 (CHR-00002)."""

_TRANSFORMS, _CANONICAL_TRANSFORMS = transforms(C14N), canonical_transforms(C14N)


def as_file(xml: bytes) -> bytes:
    """A file that any XML tool opens: a document, stamp or envelope (ISO-8859-1), unchanged, under its declaration."""
    return xml if xml.startswith(b"<?xml") else b"%b%b\n" % (PROLOG, xml)


@dataclass(frozen=True, slots=True)
class SignedXml:
    """A document and the values of its signature."""

    xml: bytes
    """`<DTE xmlns="…" version="1.0">…</DTE>`, ISO-8859-1, no prolog."""
    digest_value: str
    signature_value: str
    """Both base64 on one line."""


def element_of(document_type: int) -> str:
    """The element inside DTE that holds a document of that type (SII, DTE_v10.xsd)."""
    if document_type == 43:  # noqa: PLR2004  (liquidación factura)
        return "Liquidacion"
    return "Exportaciones" if document_type in {110, 111, 112} else "Documento"


def element_id(document_type: int, folio: int) -> str:
    """The ID of a document's element: begins with a letter and is alone in any envelope of one issuer."""
    return f"F{folio}T{document_type}"


def content_of(inner: str, stamp: bytes, at: datetime) -> str:
    """What stands inside the document's element: the rendered document, its stamp, and `at` as TmstFirma.

    The line feeds between them are signed with the rest.
    """
    return f"\n{inner}\n{stamp.decode('iso-8859-1')}\n<TmstFirma>{local_timestamp(at)}</TmstFirma>\n"


def sign_document(content: str, *, element: str, identifier: str, signer: Signer) -> SignedXml:
    """The DTE whose `element` holds `content`, signed.

    `content` is markup as `canonical_text` takes it, with line feeds only. Raises InvalidDocument: DTE-ENCODING for a
    character outside ISO-8859-1, DTE-LINE-TOO-LONG for a line that the SII's gateway would refuse.
    """
    canonical = f'<{element}{INNER_NAMESPACE} ID="{identifier}">{canonical_text(content)}</{element}>'
    digest = digest_of(canonical.encode("utf-8"))
    uri = f"#{identifier}"
    value = signer.sign(canonical_signed_info(uri=uri, digest=digest))
    signature = signature_element(uri=uri, digest=digest, value=value, signer=signer)
    text = f'{DTE_OPEN}\n<{element} ID="{identifier}">{content}</{element}>\n{signature}\n{DTE_CLOSE}'
    return SignedXml(_encoded(text), digest, wrapped(value).replace("\n", ""))


def _encoded(text: str) -> bytes:
    try:
        xml = text.encode("iso-8859-1")
    except UnicodeEncodeError as fault:
        raise InvalidDocument([unwritable(fault)]) from None
    longest = max(map(len, xml.split(b"\n")))
    if longest > LONGEST_LINE:
        raise InvalidDocument(
            [Problem("DTE-LINE-TOO-LONG", "document", f"A line of the document would have {longest} bytes.")]
        )
    return xml


def unwritable(fault: UnicodeEncodeError) -> Problem:
    """The problem of a text that the SII's encoding cannot hold."""
    character = ord(fault.object[fault.start])
    return Problem("DTE-ENCODING", "document", f"The character U+{character:04X} is not in ISO-8859-1.")


def canonical_in_envelope(document: bytes) -> bytes:
    """The canonical text (UTF-8) of a signed document where it stands inside a SetDTE.

    Only three things change there: the namespace that DTE declares is redundant, the tags without content in SignedInfo
    are written as pairs, and the text is UTF-8. They are changed where they are known to be, never by searching the
    document's own text, which may hold anything. Raises ValueError for a document that is not written as
    `sign_document` writes.
    """
    text = document.decode("iso-8859-1")
    signature_at = text.rfind("<Signature ")
    content, signature = text[len(DTE_OPEN) : signature_at], text[signature_at:]
    if (
        signature_at < 0
        or not text.startswith(DTE_OPEN)
        or not text.endswith(DTE_CLOSE)
        or signature.count(METHODS) != 1
        or signature.count(_TRANSFORMS) != 1
        or any(foreign in content for foreign in ("/>", "<!", "<?", "\r"))
    ):
        raise ValueError("not a document that this house wrote")
    signature = signature.replace(METHODS, CANONICAL_METHODS).replace(_TRANSFORMS, _CANONICAL_TRANSFORMS)
    return f"{DTE_OPEN_IN_ENVELOPE}{canonical_text(content)}{signature}".encode()
