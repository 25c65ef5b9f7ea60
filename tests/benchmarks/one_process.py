"""Issuing in one process, without queue, ledger or files: what the domain adds to the floor."""

import base64
import datetime as dt
import time
from dataclasses import dataclass
from statistics import median
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

from deploy.sandbox.people import Authority, rut
from domain.caf import StampingCaf
from domain.issuing import IssuerData, issue, prepare
from domain.signature import RsaSigner
from tests.benchmarks.floor import short_key
from tests.benchmarks.sales import COMPANIES, document

_AT: Final = dt.datetime.now(dt.UTC)
_PASSWORD: Final = b"benchmark"


@dataclass(frozen=True, slots=True)
class Issuing:
    """CPU of one document in milliseconds: its judgement and calculation, and its stamp, signature and schema check."""

    prepare: float
    issue: float

    @property
    def both(self) -> float:
        """From the job's `document` to the signed bytes."""
        return self.prepare + self.issue


def measure(lines: int, *, documents: int = 200, rounds: int = 7) -> Issuing:
    """The median of several rounds."""
    issuer, raw, caf, signer = _issuer(), document(lines), _caf(), _signer()
    today = _AT.date()

    def prepared() -> object:
        return prepare(raw, issuer=issuer, today=today, referenced={})

    ready = prepare(raw, issuer=issuer, today=today, referenced={})
    for folio in range(1, 50):
        prepared()
        issue(ready, folio=folio, caf=caf, signer=signer, at=_AT)
    first, second = [], []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(documents):
            prepared()
        middle = time.process_time()
        for folio in range(1, documents + 1):
            issue(ready, folio=folio, caf=caf, signer=signer, at=_AT)
        first.append((middle - began) * 1000 / documents)
        second.append((time.process_time() - middle) * 1000 / documents)
    return Issuing(median(first), median(second))


def _issuer() -> IssuerData:
    company = COMPANIES[0]
    return IssuerData(
        rut=company.rut,
        environment="certification",
        razon_social=company.razon_social,
        giro=company.giro,
        acteco=(company.acteco,),
        dir_origen=company.dir_origen,
        cmna_origen=company.cmna_origen,
        ciudad_origen=company.ciudad_origen,
    )


def _signer() -> RsaSigner:
    pfx = Authority().pfx(rut(11_111_111), "Firmante inventado", _PASSWORD)
    key, certificate, _ = load_key_and_certificates(pfx, _PASSWORD)
    if key is None or certificate is None:
        raise AssertionError
    return RsaSigner.load(
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), certificate.public_bytes(Encoding.DER)
    )


def _caf() -> StampingCaf:
    """A range of folios whose SII nobody asks: only its own key counts here."""
    key = short_key()
    modulus = base64.b64encode(_modulus(key)).decode("ascii")
    company = COMPANIES[0]
    text = (
        f'<CAF version="1.0"><DA><RE>{company.rut}</RE><RS>{company.razon_social[:40]}</RS><TD>33</TD>'
        f"<RNG><D>1</D><H>9999</H></RNG><FA>{_AT.date() - dt.timedelta(days=3)}</FA>"
        f"<RSAPK><M>{modulus}</M><E>Aw==</E></RSAPK><IDK>100</IDK></DA>"
        f'<FRMA algoritmo="SHA1withRSA">{modulus}</FRMA></CAF>'
    )
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return StampingCaf.load(text.encode("iso-8859-1"), der)


def _modulus(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_numbers().n.to_bytes(64, "big")
