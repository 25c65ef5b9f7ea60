"""The file in which the SII gives out a CAF, read letter by letter.

It promises one code per fault, all faults of a file in one answer, a key pair that belongs together, and the text of
the `<CAF>` as the SII wrote it with the blanks between tags gone. It has no trust in the file: no document types, no
entities, no comments, a limit on its size. The file declares no encoding though it is ISO-8859-1, so it is read as
UTF-16 or UTF-8 only if it is that without doubt (somebody saved it again) and as ISO-8859-1 otherwise: a text decoded
wrongly would break FRMA and every stamp, so FRMA tells whether it was read rightly. Source: SII, Instructivo técnico
de emisión, and files of both environments.
"""

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date
from typing import TypeVar
from xml.sax.saxutils import unescape

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key
from lxml import etree

from domain.problems import DomainError, Problem, shown
from domain.rut import normalise

LARGEST_FILE = 64 * 1024
"""Bytes of the largest file that is read; the SII's have about two thousand."""
DOCUMENT_TYPES = frozenset({33, 34, 39, 41, 43, 46, 52, 56, 61, 110, 111, 112})
"""Types that are stamped (SII, SiiTypes_v10.xsd, DTEType; EnvioBOLETA_v11.xsd)."""
NAME_LENGTH = 40
"""Characters of RS (SII, DTE_v10.xsd, CAF)."""
SHORTEST_MODULUS = 256
"""Bits below which a modulus is no key at all; the SII gives out 512."""

T = TypeVar("T")

_PROLOG = re.compile(r"\A\s*<\?xml[^>]*\?>")
_OPEN, _CLOSE, _ESCAPED = "<AUTORIZACION", "</AUTORIZACION>", "&lt;AUTORIZACION"
_BLANKS = " \t\n\0\x1a"
"""What may stand around a file and says nothing: blanks, and the ends of files of former systems."""
_MARKS = (
    ((b"\xff\xfe", b"\xfe\xff"), "utf-16"),
    ((b"<\0", b"\n\0", b"\r\0", b" \0"), "utf-16-le"),
    ((b"\0<", b"\0\n", b"\0\r", b"\0 "), "utf-16-be"),
)
"""How a file begins that was saved in another encoding than UTF-8 or ISO-8859-1."""
_CAF = re.compile(
    r"""<CAF \s+ version \s*=\s* ["']1\.0["'] \s*> \s*
        <DA> \s*
          <RE>([^<]*)</RE> \s*
          <RS>([^<]*)</RS> \s*
          <TD>([^<]*)</TD> \s*
          <RNG> \s* <D>([^<]*)</D> \s* <H>([^<]*)</H> \s* </RNG> \s*
          <FA>([^<]*)</FA> \s*
          <RSAPK> \s* <M>([^<]*)</M> \s* <E>([^<]*)</E> \s* </RSAPK> \s*
          <IDK>([^<]*)</IDK> \s*
        </DA> \s*
        <FRMA \s+ algoritmo \s*=\s* ["']SHA1withRSA["'] \s*>([^<]*)</FRMA> \s*
        </CAF>""",
    re.VERBOSE,
)
_ELEMENTS = ("DA/RE", "DA/RS", "DA/TD", "DA/RNG/D", "DA/RNG/H", "DA/FA", "DA/RSAPK/M", "DA/RSAPK/E", "DA/IDK", "FRMA")
_TEXT = re.compile(rb"(?<=>)[^<]+(?=<)")
_QUOTES = (
    (b"&quot;", b'"'),
    (b"&#34;", b'"'),
    (b"&#x22;", b'"'),
    (b"&apos;", b"'"),
    (b"&#39;", b"'"),
    (b"&#x27;", b"'"),
)
_SCHOOLS = ((b'"', b"'"), (b"&quot;", b"&apos;"), (b"&quot;", b"'"), (b'"', b"&apos;"), (b"&#34;", b"&#39;"))
"""How programs write double and single quotes in what a stamp signs."""
_ARMOUR = re.compile(r"-----BEGIN (?:RSA )?PRIVATE KEY-----(.*?)-----END (?:RSA )?PRIVATE KEY-----", re.DOTALL)


class CafError(DomainError):
    """A CAF that cannot be used; each problem says what to do about it."""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """The public part of a CAF: who may use which folios, and the SII's signature on it."""

    issuer: str
    """Canonical RUT (RE)."""
    razon_social: str
    """Name as the SII cut it (RS), unescaped."""
    document_type: int
    first: int
    last: int
    authorised_on: date
    idk: int
    modulus: int
    exponent: int
    caf_xml: bytes
    """The flat `<CAF version="1.0">…</CAF>` as it goes into stamps, ISO-8859-1."""

    @property
    def signed(self) -> bytes:
        """The flat `<DA>…</DA>` that FRMA signs."""
        return self.caf_xml[self.caf_xml.index(b"<DA>") : self.caf_xml.index(b"</DA>") + len(b"</DA>")]

    @property
    def frma(self) -> bytes:
        """The SII's signature."""
        return b64decode(self.caf_xml[self.caf_xml.rindex(b'RSA">') + len(b'RSA">') : self.caf_xml.rindex(b"</FRMA>")])


@dataclass(frozen=True, slots=True)
class Caf(Authorisation):
    """A whole CAF: the authorisation and the private key that goes with it."""

    private_key_der: bytes = field(repr=False)
    """PKCS#8, validated. A secret: whoever has it can stamp documents."""


def in_other_letters(flat: bytes) -> tuple[bytes, ...]:
    """A flat text first as it is, then with its quotes as each school of programs writes them.

    All say the same. Which of them was signed can't be seen once a parser has been over the text; half of the programs
    in use sign quotes as they are, half as entities.
    """
    plain = _TEXT.sub(_plain_quotes, flat)
    if not any(quote in text for text in _TEXT.findall(plain) for quote in (b'"', b"'")):
        return (flat,)
    return tuple(dict.fromkeys((flat, *(_with_quotes(plain, *school) for school in _SCHOOLS))))


def _with_quotes(flat: bytes, double: bytes, single: bytes) -> bytes:
    return _TEXT.sub(lambda text: text[0].replace(b'"', double).replace(b"'", single), flat)


def _plain_quotes(text: re.Match[bytes]) -> bytes:
    found = text[0]
    if b"&" in found:
        for entity, quote in _QUOTES:
            found = found.replace(entity, quote)
    return found


def read_caf(data: bytes) -> Caf:
    """The CAF in `data`, the bytes of the SII's file, its key pair checked.

    Whether it is genuine and suits an issuer is asked of `domain.caf.check_caf`. Raises CafError with all faults:
    CAF-TOO-LARGE, CAF-DTD, CAF-ENCODING, CAF-AROUND, CAF-UNREADABLE, CAF-STRUCTURE, CAF-DSA, CAF-RUT, CAF-NAME,
    CAF-TYPE, CAF-RANGE, CAF-DATE, CAF-PUBLIC-KEY, CAF-IDK, CAF-FRMA-UNREADABLE, CAF-WITHOUT-KEY, CAF-PRIVATE-KEY,
    CAF-KEY-MISMATCH.
    """
    text = _representable(_alone(decoded(data)))
    root = _parsed(text)
    faults = _Faults()
    public = _authorisation(text, root, faults)
    key = _private_key(root, faults)
    if public is None or key is None or faults:
        raise CafError(faults)
    numbers = key.public_key().public_numbers()
    if (numbers.n, numbers.e) != (public.modulus, public.exponent):
        raise _refusal("CAF-KEY-MISMATCH", "The private key (RSASK) is not that of the CAF's public key.", "RSASK")
    return Caf(
        **{each.name: getattr(public, each.name) for each in fields(public)},
        private_key_der=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    )


def read_authorisation(data: bytes) -> Authorisation:
    """The public part alone, for a file whose private key was cut out. Raises CafError as `read_caf` does."""
    text = _representable(_alone(decoded(data)))
    faults = _Faults()
    public = _authorisation(text, _parsed(text), faults)
    if public is None or faults:
        raise CafError(faults)
    return public


class _Faults(list[Problem]):
    """What is wrong with a file, gathered while reading goes on."""

    def attempt(self, code: str, path: str, read: Callable[[str], T], text: str, otherwise: T) -> T:
        """What `read` makes of `text`; or `otherwise`, and a fault with the reader's sentence."""
        try:
            return read(text)
        except ValueError as fault:
            self.append(Problem(code, path, f"{path} of the CAF is wrong ({shown(text)}): {fault}."))
            return otherwise


def _refusal(code: str, sentence: str, path: str = "") -> CafError:
    return CafError((Problem(code, path, sentence),))


def decoded(data: bytes) -> str:
    """The text of a file with line ends as XML reads them; a file that was saved in another encoding says the same.

    Raises CafError: CAF-TOO-LARGE, CAF-ENCODING.
    """
    if len(data) > LARGEST_FILE:
        raise _refusal(
            "CAF-TOO-LARGE", f"The file has {len(data)} bytes; a CAF has some two thousand, at most {LARGEST_FILE}."
        )
    codec = next((codec for marks, codec in _MARKS if data.startswith(marks)), "utf-8")
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        if codec != "utf-8":
            raise _refusal("CAF-ENCODING", "The file begins as UTF-16 but is not. Download it again.") from None
        text = data.decode("iso-8859-1")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _alone(text: str) -> str:
    """The text of a CAF's element alone. Raises CafError (CAF-AROUND) when something stands around it."""
    plain = _PROLOG.sub("", text).strip(_BLANKS)
    begin, end = plain.find(_OPEN), plain.rfind(_CLOSE)
    if begin < 0:
        if _ESCAPED in plain:
            sentence = "The CAF is written as a page shows it (&lt; for <). Save the SII's file itself, not the page."
            raise _refusal("CAF-AROUND", sentence)
        return plain
    if plain.count(_CLOSE) > 1:
        raise _refusal("CAF-AROUND", "The file holds several CAFs. Save each by itself, as the SII gives it out.")
    before = plain[:begin]
    after = plain[end + len(_CLOSE) :] if end > begin else ""
    for around, where in ((before, "before"), (after, "after")):
        if around.strip() and not around.lstrip().startswith(("<!", "<?")):
            quoted = shown(" ".join(around.split()))
            sentence = f"“{quoted}” stands {where} the CAF. Save the SII's file itself, not the page or mail around it."
            raise _refusal("CAF-AROUND", sentence)
    return plain


def _representable(text: str) -> str:
    try:
        text.encode("iso-8859-1")
    except UnicodeEncodeError:
        raise _refusal(
            "CAF-ENCODING",
            "The file holds characters that ISO-8859-1 lacks, so it was altered after the SII wrote it. "
            "Download it again.",
        ) from None
    return text


def _parsed(text: str) -> etree._Element:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise _refusal("CAF-DTD", "The file has a document type definition; a CAF has none, and none is accepted.")
    if "<!" in text or "<?" in text:
        raise _refusal(
            "CAF-STRUCTURE", "The file has comments, CDATA or instructions between its tags; a CAF has none."
        )
    parser = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(text.encode("utf-8"), parser)
    except etree.XMLSyntaxError as fault:
        raise _refusal("CAF-UNREADABLE", f"The file is not well-formed XML: {shown(fault.msg)}.") from None
    if root.tag != "AUTORIZACION" or len(root.findall("CAF")) != 1:
        raise _refusal(
            "CAF-STRUCTURE", "The file is no CAF, which is an AUTORIZACION with one CAF in it. Load it as downloaded."
        )
    return root


def _authorisation(text: str, root: etree._Element, faults: _Faults) -> Authorisation | None:
    if root.find("CAF/DA/DSAPK") is not None:
        faults.append(Problem("CAF-DSA", "DA/DSAPK", "The CAF has a DSA key; stamps are made with RSA keys only."))
        return None
    match = _CAF.search(text)
    if match is None:
        faults.append(_structure_fault(root))
        return None
    issuer, name, document_type, first, last, authorised_on, modulus, exponent, idk, frma = match.groups()
    folios = faults.attempt("CAF-RANGE", "DA/RNG", _range, f"{first} to {last}", (1, 1))
    faults.attempt("CAF-FRMA-UNREADABLE", "FRMA", _number, frma, 0)
    return Authorisation(
        issuer=faults.attempt("CAF-RUT", "DA/RE", normalise, issuer, ""),
        razon_social=faults.attempt("CAF-NAME", "DA/RS", _name, name, ""),
        document_type=faults.attempt("CAF-TYPE", "DA/TD", _document_type, document_type, 0),
        first=folios[0],
        last=folios[1],
        authorised_on=faults.attempt("CAF-DATE", "DA/FA", date.fromisoformat, authorised_on, date.min),
        idk=faults.attempt("CAF-IDK", "DA/IDK", _identifier, idk, 0),
        modulus=faults.attempt("CAF-PUBLIC-KEY", "DA/RSAPK/M", _modulus, modulus, 0),
        exponent=faults.attempt("CAF-PUBLIC-KEY", "DA/RSAPK/E", _exponent, exponent, 0),
        caf_xml=_flat(match),
    )


def _structure_fault(root: etree._Element) -> Problem:
    missing = [path for path in _ELEMENTS if root.find(f"CAF/{path}") is None]
    if missing:
        return Problem("CAF-STRUCTURE", missing[0], f"The CAF lacks {', '.join(missing)}.")
    return Problem(
        "CAF-STRUCTURE", "CAF", "The CAF's elements are not in the order and form in which the SII writes them."
    )


def _flat(match: re.Match[str]) -> bytes:
    """The CAF without blanks between tags; values stay as they are, but for blanks in FRMA, which nobody signs."""
    issuer, name, document_type, first, last, authorised_on, modulus, exponent, idk, frma = match.groups()
    return (
        f'<CAF version="1.0"><DA><RE>{issuer}</RE><RS>{name}</RS><TD>{document_type}</TD>'
        f"<RNG><D>{first}</D><H>{last}</H></RNG><FA>{authorised_on}</FA>"
        f"<RSAPK><M>{modulus}</M><E>{exponent}</E></RSAPK><IDK>{idk}</IDK></DA>"
        f'<FRMA algoritmo="SHA1withRSA">{"".join(frma.split())}</FRMA></CAF>'
    ).encode("iso-8859-1")


def _name(text: str) -> str:
    name = unescape(text, {"&quot;": '"', "&apos;": "'"})
    if not name.strip() or len(name) > NAME_LENGTH:
        raise ValueError(f"a name has 1 to {NAME_LENGTH} characters")
    return name


def _whole(text: str, digits: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        raise ValueError(f"expected a number of up to {digits} digits")
    return int(text)


def _document_type(text: str) -> int:
    document_type = _whole(text, 3)
    if document_type not in DOCUMENT_TYPES:
        raise ValueError("no document of that type is stamped")
    return document_type


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition(" to ")
    folios = (_whole(first, 10), _whole(last, 10))
    if not 1 <= folios[0] <= folios[1]:
        raise ValueError("the first folio is 1 or more and not above the last")
    return folios


def _identifier(text: str) -> int:
    return _whole(text, 9)


def _number(text: str) -> int:
    raw = b64decode("".join(text.split()), validate=True)
    if not raw:
        raise ValueError("nothing there")
    return int.from_bytes(raw, "big")


def _modulus(text: str) -> int:
    modulus = _number(text)
    if modulus.bit_length() < SHORTEST_MODULUS:
        raise ValueError("too short for a key")
    return modulus


def _exponent(text: str) -> int:
    exponent = _number(text)
    if exponent < 3 or exponent % 2 == 0:  # noqa: PLR2004  (the least exponent of RSA)
        raise ValueError("an exponent is odd and 3 or more")
    return exponent


def _private_key(root: etree._Element, faults: _Faults) -> rsa.RSAPrivateKey | None:
    """The key of RSASK: PEM whose armour may be indented, or call PKCS#1 what is PKCS#8."""
    text = root.findtext("RSASK")
    if text is None or not text.strip():
        faults.append(
            Problem("CAF-WITHOUT-KEY", "RSASK", "The file has no private key, so nothing can be stamped with it.")
        )
        return None
    armour = _ARMOUR.search(text)
    try:
        raw = b64decode("".join((armour[1] if armour else "-").split()), validate=True)
        key = load_der_private_key(raw, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        faults.append(
            Problem("CAF-PRIVATE-KEY", "RSASK", "The private key of the CAF is not a readable, sound RSA key.")
        )
        return None
    return key
