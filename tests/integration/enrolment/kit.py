"""An invented company's papers, made once a run: a key that signs CAFs, CAFs, certificates in PFX and PEM."""

import datetime as dt
from dataclasses import replace
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from tests.unit.domain import material
from workers.database.enrolment import IssuerRow

ISSUER = material.ISSUER
PERSON = material.PERSON
OTHER = "77900202-0"
COMPANY = (ISSUER, "certification")
PASSWORD = "secreto Ñ"

FERRETERIA = IssuerRow(
    rut=ISSUER,
    environment="certification",
    razon_social="FERRETERÍA ÑUBLE & CÍA",
    giro="Venta de artículos de ferretería",
    acteco=(475201,),
    dir_origen="Av. O'Higgins 123",
    cmna_origen="Chillán",
    ciudad_origen="Chillán",
    telefono=None,
    correo=None,
    sucursal=None,
    cdg_sii_sucur=None,
    resolution_number=0,
    resolution_date=dt.date(2014, 8, 22),
)
CONSULTORA = replace(FERRETERIA, rut=OTHER, razon_social="CONSULTORA")


@cache
def key(name: str, bits: int = 1024) -> rsa.RSAPrivateKey:
    """A key of this run by its name."""
    del name
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def caf_keys() -> dict[int, tuple[bytes, ...]]:
    """The keys to trust: the run's own signs as the SII's of each environment."""
    pem = material.public_pem(key("sii"))
    return {100: (pem,), 300: (pem,)}


def caf(
    *,
    first: int = 1,
    last: int = 100,
    document_type: int = 33,
    authorised_on: dt.date | None = None,
    issuer: str = ISSUER,
    idk: int = 100,
    signed_by: str = "sii",
) -> bytes:
    """A CAF as the SII's portal writes it, authorised yesterday unless said."""
    on = authorised_on or dt.datetime.now(dt.UTC).date() - dt.timedelta(days=1)
    text = material.caf_file(
        key("caf"),
        key(signed_by),
        document_type=document_type,
        first=first,
        last=last,
        authorised_on=on,
        idk=idk,
        issuer=issuer,
    )
    return text.encode("iso-8859-1")


def with_another_private_key(data: bytes) -> bytes:
    """A CAF whose private key isn't that of its public key."""
    pem = key("stranger").private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    head, _, rest = data.partition(b"<RSASK>")
    return head + b"<RSASK>" + pem + rest[rest.index(b"</RSASK>") :]


def _certificate(
    rut: str | None, not_before: dt.datetime | None = None, not_after: dt.datetime | None = None
) -> x509.Certificate:
    today = dt.datetime.now(dt.UTC).replace(microsecond=0)
    return material.certificate(
        key("person", 2048),
        alternative_rut=material.ia5(rut) if rut else None,
        not_before=not_before or today - dt.timedelta(days=30),
        not_after=not_after or today + dt.timedelta(days=365),
    )


def pfx(
    *,
    rut: str | None = PERSON,
    not_before: dt.datetime | None = None,
    not_after: dt.datetime | None = None,
    password: str = PASSWORD,
) -> bytes:
    """A person's PFX."""
    return pkcs12.serialize_key_and_certificates(
        b"firma",
        key("person", 2048),
        _certificate(rut, not_before, not_after),
        None,
        serialization.BestAvailableEncryption(password.encode()),
    )


def pem(*, password: str = PASSWORD) -> bytes:
    """The same as PEM, key (encrypted) and certificate in one file."""
    private = key("person", 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    return private + _certificate(PERSON).public_bytes(serialization.Encoding.PEM)
