"""Folios that the simulator authorises: CAF files, as a taxpayer downloads them from the SII.

A CAF (código de autorización de folios) names issuer, type and range, carries the public key of the range and is signed
(FRMA) by a key of the SII that IDK names: 100 in certification, 300 in production. The file is ISO-8859-1 although its
declaration names no encoding, with line breaks between tags; FRMA covers DA without them (SII, Instructivo técnico).
"""

import base64
import re
from dataclasses import dataclass
from datetime import date

from lxml import etree

from deploy.sandbox.sii.keys import PrivateKey, PublicKey, make_key

_NAME_LENGTH = 40
IDK_OF_ENVIRONMENT = {"certification": 100, "production": 300}


@dataclass(frozen=True, slots=True)
class Caf:
    """An authorised range of folios; `xml` is the file with its private key, empty when it isn't ours to give."""

    company: str
    document_type: int
    first: int
    last: int
    date: date
    idk: int
    key: PublicKey
    xml: bytes

    @property
    def identity(self) -> tuple[str, int, int]:
        """What tells one range from another: issuer, type and modulus of its key."""
        return self.company, self.document_type, self.key.n


@dataclass(frozen=True, slots=True)
class Range:
    """What a CAF is asked for."""

    company: str
    razon_social: str
    document_type: int
    first: int
    last: int
    date: date


def escape(text: str) -> str:
    """XML text with `&`, `<` and `>` as entities and nothing else."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def authorise(asked: Range, idk: int, authority: PrivateKey) -> Caf:
    """A new CAF with a key of its own, signed by the simulator's key of that IDK."""
    key = make_key(3)
    da = (
        f"<DA><RE>{asked.company}</RE><RS>{escape(asked.razon_social[:_NAME_LENGTH])}</RS><TD>{asked.document_type}</TD>"
        f"<RNG><D>{asked.first}</D><H>{asked.last}</H></RNG><FA>{asked.date.isoformat()}</FA>"
        f"<RSAPK><M>{_base64(key.public.n)}</M><E>{_base64(key.public.e)}</E></RSAPK><IDK>{idk}</IDK></DA>"
    )
    frma = base64.b64encode(authority.sign(da.encode("iso-8859-1", "replace"))).decode("ascii")
    flat = f'<CAF version="1.0">{da}<FRMA algoritmo="SHA1withRSA">{frma}</FRMA></CAF>'
    lines = flat.replace("><", ">\n<")
    text = (
        f'<?xml version="1.0"?>\n<AUTORIZACION>\n{lines}\n'
        f"<RSASK>{key.pem()}</RSASK>\n<RSAPUBK>{key.public.pem()}</RSAPUBK>\n</AUTORIZACION>\n"
    )
    xml = text.encode("iso-8859-1", "replace")
    return Caf(asked.company, asked.document_type, asked.first, asked.last, asked.date, idk, key.public, xml)


def read_caf(xml: bytes) -> Caf:
    """Read a CAF file (or its CAF element) made elsewhere; raises ValueError when it can't be read."""
    body = re.sub(rb"^\s*<\?xml.*?\?>", b"", xml)
    try:
        root = etree.fromstring(b'<?xml version="1.0" encoding="ISO-8859-1"?>' + body, _parser())
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not a CAF: {error}") from error
    da = root if root.tag == "DA" else root.find(".//DA")
    if da is None:
        raise ValueError("not a CAF: no DA")
    fields = [da.findtext(path) for path in ("RE", "TD", "RNG/D", "RNG/H", "FA", "IDK", "RSAPK/M", "RSAPK/E")]
    if not all(fields):
        raise ValueError("not a CAF: DA is incomplete")
    company, document_type, first, last, day, idk, modulus, exponent = (str(field).strip() for field in fields)
    key = PublicKey(int.from_bytes(base64.b64decode(modulus)), int.from_bytes(base64.b64decode(exponent)))
    return Caf(company, int(document_type), int(first), int(last), date.fromisoformat(day), int(idk), key, xml)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _base64(value: int) -> str:
    return base64.b64encode(value.to_bytes((value.bit_length() + 7) // 8)).decode("ascii")
