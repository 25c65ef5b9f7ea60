"""Invented keys, CAF files, certificates and documents, made on the spot."""

import base64
import datetime as dt
import secrets
from dataclasses import dataclass, field
from typing import Literal
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

ISSUER = "76900101-8"
PERSON = "11111111-1"
AT = dt.datetime(2026, 11, 24, 13, 15, 2, tzinfo=dt.UTC)
"""10:15:02 in Chile."""
LOCAL = "2026-11-24T10:15:02"
TODAY = dt.date(2026, 11, 24)


def _probably_prime(number: int) -> bool:
    if any(number % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(16):
        power = pow(secrets.randbelow(number - 3) + 2, odd, number)
        if power in {1, number - 1}:
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def _prime(bits: int, exponent: int) -> int:
    while True:
        candidate = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if (candidate - 1) % exponent and _probably_prime(candidate):
            return candidate


def short_key(bits: int = 512, exponent: int = 3) -> rsa.RSAPrivateKey:
    """A key as the SII gives out: shorter than the library makes them."""
    p, q = _prime(bits // 2, exponent), _prime(bits // 2, exponent)
    d = pow(exponent, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(exponent, p * q)
    )
    return numbers.private_key()


def public_pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def pkcs8(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def b64(number: int) -> str:
    return base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()


def caf_file(
    key: rsa.RSAPrivateKey,
    sii_key: rsa.RSAPrivateKey,
    *,
    document_type: int = 33,
    first: int = 1,
    last: int = 100,
    authorised_on: dt.date = dt.date(2026, 11, 1),
    idk: int = 999,
    issuer: str = ISSUER,
    name: str = "FERRETERÍA ÑUBLE &amp; CÍA",
) -> str:
    """The text of a CAF file as the SII's portal writes it; `name` is escaped already."""
    numbers = key.public_key().public_numbers()
    lines = (
        f"<DA>\n<RE>{issuer}</RE>\n<RS>{name}</RS>\n<TD>{document_type}</TD>\n<RNG><D>{first}</D><H>{last}</H></RNG>\n"
        f"<FA>{authorised_on}</FA>\n<RSAPK><M>{b64(numbers.n)}</M><E>{b64(numbers.e)}</E></RSAPK>\n<IDK>{idk}</IDK>\n</DA>"
    )
    flat = lines.replace("\n", "").encode("iso-8859-1")
    frma = base64.b64encode(sii_key.sign(flat, padding.PKCS1v15(), hashes.SHA1())).decode()  # noqa: S303  (fixed by the SII)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    return (
        f'<?xml version="1.0"?>\n<AUTORIZACION>\n<CAF version="1.0">\n{lines}\n'
        f'<FRMA algoritmo="SHA1withRSA">{frma}</FRMA>\n</CAF>\n<RSASK>{pem}</RSASK>\n\n'
        f"<RSAPUBK>{public_pem(key).decode()}</RSAPUBK>\n</AUTORIZACION>\n"
    )


def certificate(
    key: rsa.RSAPrivateKey,
    *,
    alternative_rut: bytes | None = None,
    serial_number: str | None = None,
    name: str = "María Peña Núñez",
    not_before: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    not_after: dt.datetime = dt.datetime(2029, 1, 1, tzinfo=dt.UTC),
) -> x509.Certificate:
    """A self-signed certificate; `alternative_rut` is the DER of the otherName's value."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if serial_number is not None:
        attributes.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number))
    subject = x509.Name(attributes)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1234)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    if alternative_rut is not None:
        other = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.8321.1"), alternative_rut)
        builder = builder.add_extension(x509.SubjectAlternativeName([other]), critical=False)
    return builder.sign(key, hashes.SHA256())


def ia5(text: str) -> bytes:
    """DER of an IA5String, as the authorities write the RUT."""
    return bytes((0x16, len(text))) + text.encode("ascii")


@dataclass(frozen=True)
class Stamped:
    """What the stamp repeats of an invented sale."""

    issuer: str
    document_type: int
    issued_on: dt.date
    receiver: str
    receiver_name: str
    total_text: str
    first_item: str


@dataclass(frozen=True)
class Sale:
    """An invented sale, prepared by hand: the shape that issuing takes."""

    document_type: int = 33
    receiver_name: str = "Servicio & Compañía"
    items: tuple[str, ...] = ("Cajón de fruta 1/2 <selección>",)
    issuer: str = ISSUER
    receiver: str = "77777777-7"
    issued_on: dt.date = TODAY
    extra_lines: str = field(default="", repr=False)
    profile: Literal["2019", "2026"] = "2019"

    @property
    def total(self) -> int:
        return 1190 * len(self.items)

    @property
    def stamp(self) -> Stamped:
        return Stamped(
            self.issuer,
            self.document_type,
            self.issued_on,
            self.receiver,
            self.receiver_name,
            str(self.total),
            self.items[0],
        )

    def render(self, folio: int) -> str:
        boleta = self.document_type in {39, 41}
        name, giro = ("RznSocEmisor", "GiroEmisor") if boleta else ("RznSoc", "GiroEmis")
        net = 1000 * len(self.items)
        price = 1190 if boleta else 1000
        lines = "\n".join(
            f"<Detalle><NroLinDet>{number}</NroLinDet><NmbItem>{escape(item)}</NmbItem><QtyItem>1</QtyItem>"
            f"<PrcItem>{price}</PrcItem><MontoItem>{price}</MontoItem></Detalle>"
            for number, item in enumerate(self.items, 1)
        )
        return (
            f"<Encabezado>\n<IdDoc><TipoDTE>{self.document_type}</TipoDTE><Folio>{folio}</Folio>"
            f"<FchEmis>{self.issued_on}</FchEmis>{'<IndServicio>3</IndServicio>' if boleta else ''}</IdDoc>\n"
            f"<Emisor><RUTEmisor>{self.issuer}</RUTEmisor><{name}>FERRETERIA ÑUBLE</{name}><{giro}>Ferretería</{giro}>"
            f"{'' if boleta else '<Acteco>475201</Acteco>'}<DirOrigen>Av. O'Higgins 123</DirOrigen>"
            f"<CmnaOrigen>Chillán</CmnaOrigen></Emisor>\n"
            f"<Receptor><RUTRecep>{self.receiver}</RUTRecep><RznSocRecep>{escape(self.receiver_name)}</RznSocRecep>"
            f"{'' if boleta else '<GiroRecep>Gobierno</GiroRecep>'}<DirRecep>Teatinos 120</DirRecep>"
            f"<CmnaRecep>Santiago</CmnaRecep></Receptor>\n"
            f"<Totales><MntNeto>{net}</MntNeto>{'' if boleta else '<TasaIVA>19</TasaIVA>'}<IVA>{self.total - net}</IVA>"
            f"<MntTotal>{self.total}</MntTotal></Totales>\n</Encabezado>\n{lines}{self.extra_lines}"
        )
