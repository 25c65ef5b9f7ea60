"""The floor of this machine: the least work that any issuer of a signed, stamped and checked document must do.

A document is written from a fixed template that is canonical text already (no C14N), its stamp is signed with a 512-bit
key (e = 3, as CAFs have) and itself with a 2048-bit key, both over SHA-1; then it is parsed once and judged by the
official schema. Nothing of FMgo's own is used, so that no change of the product moves the measure it is held against.
Keys and certificate are made on the spot.

Source of the steps: the SII's Instructivo técnico (stamp, signature, schema) and the format's DTE_v10.xsd, read from
the installed distribution `cl-sii`.
"""

import base64
import datetime as dt
import hashlib
import importlib.util
import secrets
import time
from pathlib import Path
from statistics import median
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree

_PADDING: Final = padding.PKCS1v15()
_SHA1: Final = utils.Prehashed(hashes.SHA1())  # noqa: S303 - fixed by the SII's schema
_DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"
_C14N: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"

_LINE: Final = (
    "<Detalle><NroLinDet>{number}</NroLinDet><NmbItem>Llave inglesa de acero cromado 10</NmbItem><QtyItem>2</QtyItem>"
    "<UnmdItem>UN</UnmdItem><PrcItem>5000</PrcItem><MontoItem>10000</MontoItem></Detalle>\n"
)
_DOCUMENT: Final = (
    '<Documento{namespace} ID="F{folio}T33">\n<Encabezado>\n<IdDoc><TipoDTE>33</TipoDTE><Folio>{folio}</Folio>'
    "<FchEmis>2026-11-24</FchEmis><FmaPago>1</FmaPago></IdDoc>\n<Emisor><RUTEmisor>76900101-8</RUTEmisor>"
    "<RznSoc>FERRETERIA INVENTADA LTDA.</RznSoc><GiroEmis>Venta de articulos de ferreteria</GiroEmis>"
    "<Acteco>475201</Acteco><DirOrigen>Calle Inventada 123</DirOrigen><CmnaOrigen>Santiago</CmnaOrigen>"
    "<CiudadOrigen>Santiago</CiudadOrigen></Emisor>\n<Receptor><RUTRecep>77777777-7</RUTRecep>"
    "<RznSocRecep>EMPRESA INVENTADA S.A.</RznSocRecep><GiroRecep>Comercio</GiroRecep><DirRecep>Teatinos 120</DirRecep>"
    "<CmnaRecep>Santiago</CmnaRecep></Receptor>\n<Totales><MntNeto>{net}</MntNeto><TasaIVA>19</TasaIVA><IVA>{vat}</IVA>"
    "<MntTotal>{total}</MntTotal></Totales>\n</Encabezado>\n{lines}{stamp}\n<TmstFirma>{moment}</TmstFirma>\n</Documento>"
)
_STAMPED: Final = (
    "<DD><RE>76900101-8</RE><TD>33</TD><F>{folio}</F><FE>2026-11-24</FE><RR>77777777-7</RR>"
    "<RSR>EMPRESA INVENTADA S.A.</RSR><MNT>{total}</MNT><IT1>Llave inglesa de acero cromado 10</IT1>{caf}"
    "<TSTED>{moment}</TSTED></DD>"
)
_CAF: Final = (
    '<CAF version="1.0"><DA><RE>76900101-8</RE><RS>FERRETERIA INVENTADA LTDA.</RS><TD>33</TD>'
    "<RNG><D>1</D><H>9999</H></RNG><FA>2026-11-01</FA><RSAPK><M>{modulus}</M><E>Aw==</E></RSAPK><IDK>999</IDK></DA>"
    '<FRMA algoritmo="SHA1withRSA">{modulus}</FRMA></CAF>'
)
_SIGNED_INFO: Final = (
    '<SignedInfo{namespace}><CanonicalizationMethod Algorithm="' + _C14N + '"></CanonicalizationMethod>'
    '<SignatureMethod Algorithm="' + _DSIG + 'rsa-sha1"></SignatureMethod><Reference URI="#F{folio}T33"><Transforms>'
    '<Transform Algorithm="' + _C14N + '"></Transform></Transforms><DigestMethod Algorithm="' + _DSIG + 'sha1">'
    "</DigestMethod><DigestValue>{digest}</DigestValue></Reference></SignedInfo>"
)
_SII: Final = ' xmlns="http://www.sii.cl/SiiDte"'
_SIGNED: Final = f' xmlns="{_DSIG}"'


class Floor:
    """Makes documents with so many lines the cheapest way there is."""

    def __init__(self, lines: int) -> None:
        self._lines = "".join(_LINE.format(number=number) for number in range(1, lines + 1))
        self._net = 10_000 * lines
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._caf_key = short_key()
        modulus = self._caf_key.public_key().public_numbers().n
        self._caf = _CAF.format(modulus=base64.b64encode(modulus.to_bytes(64, "big")).decode("ascii"))
        public = self._key.public_key().public_numbers().n.to_bytes(256, "big")
        self._key_info = (
            f"<KeyInfo><KeyValue><RSAKeyValue><Modulus>{_wrapped(public)}</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>"
            f"</KeyValue><X509Data><X509Certificate>{_wrapped(_certificate(self._key))}</X509Certificate></X509Data></KeyInfo>"
        )
        self._parser = etree.XMLParser(encoding="ISO-8859-1", resolve_entities=False, no_network=True)
        self._schema = etree.XMLSchema(etree.parse(schema_file()))

    def document(self, folio: int) -> bytes:
        """One document, stamped, signed and judged."""
        moment, vat = "2026-11-24T10:15:02", self._net * 19 // 100
        total = self._net + vat
        stamped = _STAMPED.format(folio=folio, total=total, caf=self._caf, moment=moment)
        stamp_value = self._caf_key.sign(hashlib.sha1(stamped.encode("iso-8859-1")).digest(), _PADDING, _SHA1)  # noqa: S324
        content = _DOCUMENT.format(
            namespace=_SII,
            folio=folio,
            net=self._net,
            vat=vat,
            total=total,
            lines=self._lines,
            moment=moment,
            stamp=f'<TED version="1.0">{stamped}<FRMT algoritmo="SHA1withRSA">{_base64(stamp_value)}</FRMT></TED>',
        )
        digest = _base64(hashlib.sha1(content.encode()).digest())  # noqa: S324 - fixed by the SII's schema
        info = _SIGNED_INFO.format(namespace=_SIGNED, folio=folio, digest=digest)
        value = self._key.sign(hashlib.sha1(info.encode()).digest(), _PADDING, _SHA1)  # noqa: S324 - the same
        xml = (
            f'<DTE{_SII} version="1.0">\n{content}\n<Signature{_SIGNED}>{info}<SignatureValue>{_wrapped(value)}'
            f"</SignatureValue>{self._key_info}</Signature>\n</DTE>"
        ).encode("iso-8859-1")
        self._schema.assertValid(etree.fromstring(xml, self._parser))
        return xml

    def cpu_milliseconds(self, *, documents: int = 300, rounds: int = 7) -> float:
        """CPU of one document in milliseconds: the median of several rounds."""
        for folio in range(1, 50):
            self.document(folio)
        times = []
        for turn in range(rounds):
            began = time.process_time()
            for n in range(documents):
                self.document(turn * documents + n + 1)
            times.append((time.process_time() - began) * 1000 / documents)
        return median(times)


def short_key() -> rsa.RSAPrivateKey:
    """An RSA key of 512 bits with e = 3, as the SII gives out; the library makes none so short."""
    while True:
        p, q = _prime(), _prime()
        n = p * q
        if n.bit_length() == 512 and p != q:
            break
    d = pow(3, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(3, n))
    return numbers.private_key()


def _prime() -> int:
    """A prime of 256 bits with 3 dividing neither it nor its predecessor (Miller and Rabin, 24 rounds)."""
    while True:
        candidate = secrets.randbits(256) | 3 << 254 | 1
        if candidate % 3 == 2 and _is_prime(candidate):
            return candidate


def _is_prime(number: int) -> bool:
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(24):
        power = pow(secrets.randbelow(number - 3) + 2, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def _certificate(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Firmante inventado")])
    today = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today)
        .not_valid_after(today + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def schema_file() -> str:
    """The official schema of a DTE, wherever `cl-sii` is installed."""
    spec = importlib.util.find_spec("cl_sii")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the SII's schemas are missing: install cl-sii")
    folder = Path(spec.submodule_search_locations[0]) / "data" / "ref" / "factura_electronica" / "schemas-xml"
    return str(folder / "DTE_v10.xsd")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _wrapped(data: bytes) -> str:
    text = _base64(data)
    return "\n" + "\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + "\n"
