"""The floor of verifying: the least work that any verifier of a signed, stamped document must do.

One parse; one judgement by the official schema; the canonical form of the document and of what was signed, each parsed
anew because lxml errs in parts of a tree; one SHA-1 that must be the digest; two checks of RSA, the signature (2048
bits) with the certificate's key and the stamp (512 bits) with the CAF's, keys that were read beforehand. Nothing of
FMgo's own is used, so that no change of the product moves the measure it is held against, and nothing more is looked
at: no totals, no coherence, no CAF, no certificate, nothing hostile.

Source of the steps: the SII's Instructivo técnico (signature, stamp), W3C XML Signature, and DTE_v10.xsd from the
installed distribution `cl-sii`.
"""

import base64
import hashlib
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from tests.benchmarks.floor import schema_file

_SII: Final = "{http://www.sii.cl/SiiDte}"
_DSIG: Final = "{http://www.w3.org/2000/09/xmldsig#}"


class VerificationFloor:
    """Verifies documents of one signer and one CAF the cheapest way there is."""

    def __init__(self, key: rsa.RSAPublicKey, caf_key: rsa.RSAPublicKey) -> None:
        self._key, self._caf_key = key, caf_key
        self._schema = etree.XMLSchema(etree.parse(schema_file()))
        self._parser = etree.XMLParser(encoding="ISO-8859-1", resolve_entities=False, no_network=True)
        self._padding, self._sha1 = padding.PKCS1v15(), hashes.SHA1()  # noqa: S303 - fixed by the SII's schema

    def judge(self, data: bytes) -> None:
        """One document, ISO-8859-1 without prolog; AssertionError or InvalidSignature when it does not hold."""
        root = etree.fromstring(data, self._parser)
        self._schema.assertValid(root)
        document, signature = root.find(f"{_SII}Documento"), root.find(f"{_DSIG}Signature")
        assert document is not None
        assert signature is not None
        digest = hashlib.sha1(self._canonical(document)).digest()  # noqa: S324  (fixed by the SII)
        assert digest == base64.b64decode(str(signature.findtext(f".//{_DSIG}DigestValue")))
        info = signature.find(f"{_DSIG}SignedInfo")
        assert info is not None
        value = base64.b64decode(str(signature.findtext(f"{_DSIG}SignatureValue")))
        self._key.verify(value, self._canonical(info), self._padding, self._sha1)
        stamp = base64.b64decode(str(document.findtext(f"{_SII}TED/{_SII}FRMT")))
        dd = data[data.index(b"<DD>") : data.index(b"</DD>") + 5]
        self._caf_key.verify(stamp, dd, self._padding, self._sha1)

    def _canonical(self, element: etree._Element) -> bytes:
        alone = etree.fromstring(etree.tostring(element, with_tail=False), self._parser)
        return etree.tostring(alone, method="c14n", with_comments=False)
