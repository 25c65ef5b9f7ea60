"""What a file is that isn't XML, or isn't only XML, said to the person who has it.

Pages, mails and programs hand documents out wrapped: with text around them, as a page shows them, several in one file,
or as something else altogether. What a parser says of that helps nobody.
"""

import binascii
import re
from typing import Final

from domain.problems import Problem, shown

_BEGINNINGS: Final = (
    (b"%PDF", "The file is a PDF, the printed form of a document: ask for its XML."),
    (b"PK\x03\x04", "The file is a ZIP inside: take the files out of it."),
    (b"Rar!", "The file is a RAR archive: take the files out of it."),
    (b"7z\xbc\xaf", "The file is a 7z archive: take the files out of it."),
    (b"\x1f\x8b", "The file is compressed (gzip): take the file out of it."),
    (b"\x89PNG", "The file is a picture: ask for the document's XML."),
    (b"\xff\xd8\xff", "The file is a picture: ask for the document's XML."),
    (b"-----BEGIN", "The file is a key or a certificate (PEM), no document."),
    (b"\xd0\xcf\x11\xe0", "The file is of Office or Outlook: save its attachment by itself."),
    (b"{", "The file is JSON, which nobody signed: ask for the document's XML."),
    (b"[", "The file is JSON, which nobody signed: ask for the document's XML."),
)
_ROOTS: Final = (
    rb"(?:\w+:)?(?:DTE|EnvioDTE|EnvioBOLETA|AEC|RespuestaDTE|EnvioRecibos|ConsumoFolios|LibroCompraVenta|LibroGuia"
    rb"|LibroBoleta|RESULTADO_ENVIO|getToken|TED|AUTORIZACION)\b"
)
_BEGINS: Final = re.compile(rb"<\?xml\b|<" + _ROOTS)
_BASE64: Final = "The file is base64, as mails carry attachments: save the attachment itself."
_ELEMENT: Final = re.compile(rb"<([\w:.-]+)")
_ESCAPED: Final = re.compile(rb"&lt;(?:\?xml\b|" + _ROOTS + rb")")
_MAIL: Final = re.compile(rb"\A(?:[\w-]+: [^\n]*\r?\n(?:[ \t][^\n]*\r?\n)*){2}", re.IGNORECASE)
_LONGEST_HEAD: Final = 4096
"""Bytes of a file in which a mail shows what it is."""


def around(data: bytes) -> Problem | None:
    """What stands around the XML in a file that is none as a whole; None when that isn't what is wrong with it.

    Codes: XML-NONE (no XML at all), XML-AROUND (text before or after it, or XML as a page shows it), XML-MALFORMED.
    """
    plain = data.lstrip()
    for beginning, sentence in _BEGINNINGS:
        if plain.startswith(beginning):
            return Problem("XML-NONE", "", sentence)
    if _MAIL.match(plain[:_LONGEST_HEAD]) is not None:
        return Problem("XML-AROUND", "", "The file is a mail: save its attachment by itself, and give that.")
    begins = _BEGINS.search(data)
    if begins is None:
        return _without_xml(plain)
    if before := data[: begins.start()].strip():
        return Problem("XML-AROUND", "", f"{_quoted(before)} stands before the XML: save the file by itself.")
    return _at_its_end(data)


def _without_xml(plain: bytes) -> Problem | None:
    if _ESCAPED.search(plain) is not None:
        sentence = "The XML is written as pages show it (&lt; for <): save the file itself, not the page."
        return Problem("XML-AROUND", "", sentence)
    if plain.startswith(b"<"):
        return None
    return Problem("XML-NONE", "", _BASE64 if _is_base64(plain) else "The file holds no XML.")


def _at_its_end(data: bytes) -> Problem | None:
    element = _ELEMENT.search(data)
    if element is None:
        return None
    closing = b"</%b>" % element[1]
    count = data.count(closing)
    if not count:
        sentence = f"The file ends before {shown(closing.decode('ascii', 'replace'))}: it was cut off on its way."
        return Problem("XML-MALFORMED", "", sentence)
    if after := data[data.rindex(closing) + len(closing) :].strip():
        return Problem("XML-AROUND", "", f"{_quoted(after)} stands after the end of the XML: save the file by itself.")
    if count > 1:
        sentence = "Several files stand one after the other in this one: save each by itself."
        return Problem("XML-AROUND", "", sentence)
    return None


def _is_base64(text: bytes) -> bool:
    """Whether a text is base64 of XML, as mails carry it."""
    head = b"".join(text[:_LONGEST_HEAD].split())
    try:
        return (
            binascii.a2b_base64(head[: len(head) // 4 * 4], strict_mode=True).lstrip(b"\xef\xbb\xbf").startswith(b"<")
        )
    except ValueError:
        return False


def _quoted(text: bytes) -> str:
    words = " ".join(text[:_LONGEST_HEAD].decode("iso-8859-1").split())
    readable = "".join(letter for letter in words if letter.isprintable())
    return f"“{shown(readable)}”" if len(readable) * 2 > len(words) else "Something that is no text"
