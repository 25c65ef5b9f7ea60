"""The CAF: the SII's permission to use a range of folios, with the key that stamps them.

`read_caf` (domain.caf_file) says whether a file is a CAF; here stands whether it is genuine and suits an issuer on a
day (`check_caf`), until when (`expires_on`), and its use (`StampingCaf`). Sources: SII, Instructivo técnico de emisión
(CAF, FRMA); Resolución Exenta 58 of 2017 (expiry).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Self
from xml.sax.saxutils import unescape

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_public_key

from domain.caf_file import Authorisation as Authorisation
from domain.caf_file import Caf as Caf
from domain.caf_file import CafError as CafError
from domain.caf_file import in_other_letters
from domain.caf_file import read_authorisation as read_authorisation
from domain.caf_file import read_caf as read_caf
from domain.problems import Problem, shown
from domain.rut import normalise

EXPIRING_TYPES = frozenset({33, 43, 46, 56, 61})
"""Types that give right to VAT credit: their folios expire (SII, Resolución Exenta 58 of 2017)."""
EXPIRY_SINCE = date(2018, 7, 1)
"""First day of authorisation from which folios expire (the same)."""
MONTHS_OF_VALIDITY = 6
CUT_NAME = 40
"""Characters of an issuer's name that a CAF has room for (SII, schema of the CAF, RS)."""
WARNING_DAYS = 30
"""Days before its last one from which a CAF is reported as about to expire."""

ENVIRONMENTS: Mapping[int, str] = {100: "certification", 300: "production"}
"""The SII's signing keys, one an environment (IDK of the CAF)."""

SII_PUBLIC_KEYS: Mapping[int, Sequence[bytes]] = {
    100: (
        (
            b"-----BEGIN PUBLIC KEY-----\n"
            b"MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMj78A3LIaVQAKWFUixd5SinPgzhbMA6\n"
            b"seXqfeSyooER41L6743LfVHjSavUsQXc1PZ8+eExFQWMnwFUKRuMcVMCAwEAAQ==\n"
            b"-----END PUBLIC KEY-----\n"
        ),
    ),
    300: (
        (
            b"-----BEGIN PUBLIC KEY-----\n"
            b"MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAJ3uv8XuvZbfTHz1Pxv6Fdhdc+8ExnGP\n"
            b"jAez94Xv7nXntO9aOuB5wyZakA5F9gKJCvb7T6+iuNaTj38BHDWFszUCAwEAAQ==\n"
            b"-----END PUBLIC KEY-----\n"
        ),
    ),
}
"""The keys that sign CAFs, by IDK: 512-bit RSA, e = 65537 (SII, certificates 100.cer and 300.cer). So short a key
proves that a file is whole, not who wrote it."""

_UNVERIFIABLE = "CAF-FRMA-UNVERIFIABLE"
_PADDING = padding.PKCS1v15()
_SHA1 = hashes.SHA1()  # noqa: S303  (fixed by the SII)
_FLAT = re.compile(
    rb'<CAF version="1\.0"><DA><RE>([^<]+)</RE><RS>([^<]*)</RS><TD>(\d+)</TD><RNG><D>(\d+)</D><H>(\d+)</H></RNG>'
    rb"<FA>(\d{4}-\d\d-\d\d)</FA>"
)


def other_name(of_caf: str, razon_social: str, path: str) -> Problem | None:
    """A warning where an issuer is called otherwise than the SII calls it in a CAF (HED-1-863).

    The SII cuts the name there; letters' case, accents and signs between words say nothing.
    """
    own, stated = _plain_name(of_caf), _plain_name(razon_social)
    if not own or stated == own or (len(of_caf.strip()) >= CUT_NAME and stated.startswith(own)):
        return None
    return Problem(
        "CAF-RZNSOC", path, f"Check RznSoc: the SII calls the issuer “{shown(of_caf)}” in the CAF.", "warning"
    )


def _plain_name(name: str) -> str:
    """A name's letters and digits, in capitals without accents."""
    return "".join(each for each in unicodedata.normalize("NFKD", name.upper()) if each.isalnum())


class StampingCaf:
    """A CAF ready to stamp. Made once per CAF and kept; it trusts what `read_caf` examined when the CAF was loaded."""

    __slots__ = (
        "_key",
        "authorised_on",
        "caf_xml",
        "document_type",
        "expires_on",
        "first",
        "issuer",
        "last",
        "razon_social",
    )

    def __init__(self, caf_xml: bytes, key: rsa.RSAPrivateKey) -> None:
        match = _FLAT.match(caf_xml)
        if match is None:
            raise ValueError("not the flat text of a CAF")
        self._key = key
        self.caf_xml = caf_xml
        self.issuer = normalise(match[1].decode("ascii"))
        self.razon_social = unescape(match[2].decode("iso-8859-1"))
        self.document_type = int(match[3])
        self.first = int(match[4])
        self.last = int(match[5])
        self.authorised_on = date.fromisoformat(match[6].decode("ascii"))
        self.expires_on = expires_on(self.document_type, self.authorised_on)

    @classmethod
    def load(cls, caf_xml: bytes, private_key_der: bytes) -> Self:
        """From `Caf.caf_xml` and `Caf.private_key_der`, without validating the key (0.01 ms).

        Raises ValueError when the bytes are no flat CAF or no key, TypeError when the key is not RSA.
        """
        key = load_der_private_key(private_key_der, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("a CAF has an RSA key; this one is of another kind")
        return cls(caf_xml, key)

    def __repr__(self) -> str:
        return f"StampingCaf({self.issuer}, {self.document_type}, {self.first}-{self.last})"

    def sign(self, data: bytes) -> bytes:
        """RSA PKCS#1 v1.5 over SHA-1 of `data`."""
        return self._key.sign(data, _PADDING, _SHA1)

    def other_name(self, razon_social: str) -> Problem | None:
        """See `other_name`."""
        return other_name(self.razon_social, razon_social, "document.Encabezado.Emisor.RznSoc")

    def problems_with(
        self, *, issuer: str, document_type: int, folio: int, issued_on: date, stamped_on: date
    ) -> tuple[Problem, ...]:
        """Why this CAF may not stamp that folio: the last look before a signature that cannot be taken back.

        A stamp is for the CAF's issuer, type and range, on a document not older than the authorisation (TED-1-646),
        made while the CAF is in force (CAF-3-517).
        """
        if (
            issuer == self.issuer
            and document_type == self.document_type
            and self.first <= folio <= self.last
            and self.authorised_on <= issued_on
            and (self.expires_on is None or stamped_on <= self.expires_on)
        ):
            return ()
        found = []
        if issuer != self.issuer or document_type != self.document_type:
            found.append(
                Problem(
                    "CAF-OTHER-DOCUMENT",
                    "document",
                    f"The CAF is for documents of type {self.document_type} of {self.issuer}, "
                    f"not of type {document_type} of {issuer}.",
                )
            )
        if not self.first <= folio <= self.last:
            found.append(
                Problem("CAF-FOLIO", "Folio", f"Folio {folio} is outside the CAF's range {self.first} to {self.last}.")
            )
        if issued_on < self.authorised_on:
            found.append(
                Problem(
                    "CAF-LATER-THAN-DOCUMENT",
                    "FchEmis",
                    f"The document is of {issued_on}, before its CAF was authorised on {self.authorised_on}.",
                )
            )
        if self.expires_on is not None and stamped_on > self.expires_on:
            found.append(_expired(self.expires_on))
        return tuple(found)


def expires_on(document_type: int, authorised_on: date) -> date | None:
    """The last day on which folios of that authorisation may be used; None when they do not expire.

    Six calendar months for 33, 43, 46, 56 and 61 authorised since 2018-07-01 (SII, Resolución Exenta 58 of 2017).
    """
    if document_type not in EXPIRING_TYPES or authorised_on < EXPIRY_SINCE:
        return None
    years, month = divmod(authorised_on.month - 1 + MONTHS_OF_VALIDITY, 12)
    first_of_month = date(authorised_on.year + years, month + 1, 1)
    after = (first_of_month + timedelta(days=31)).replace(day=1)
    return min(first_of_month + timedelta(days=authorised_on.day - 1), after - timedelta(days=1))


def environment_of(idk: int) -> str | None:
    """The environment whose CAFs bear that IDK; None for a key that is not the SII's."""
    return ENVIRONMENTS.get(idk)


def frma_valid(caf: Authorisation, keys: Mapping[int, Sequence[bytes]] = SII_PUBLIC_KEYS) -> bool | None:
    """Whether the SII signed this CAF: SHA1withRSA over the flat DA in ISO-8859-1.

    `keys` are PEM public keys by IDK; several may bear one IDK. None when there is no key for the CAF's IDK. A quote in
    the issuer's name may have been signed in other letters than those it is written in.
    """
    trusted = keys.get(caf.idk, ())
    if not trusted:
        return None
    return any(_verifies(pem, caf.frma, signed) for pem in trusted for signed in in_other_letters(caf.signed))


def _verifies(pem: bytes, signature: bytes, data: bytes) -> bool:
    try:
        key = load_pem_public_key(pem)
        if not isinstance(key, rsa.RSAPublicKey):
            return False
        key.verify(signature, data, _PADDING, _SHA1)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def check_caf(
    caf: Authorisation,
    *,
    issuer: str,
    environment: str,
    today: date,
    keys: Mapping[int, Sequence[bytes]] = SII_PUBLIC_KEYS,
) -> tuple[Problem, ...]:
    """What stands against loading this CAF for `issuer` (canonical RUT) in `environment` on `today`.

    Warnings: a FRMA that no known key can judge, and an end within the next thirty days.
    """
    found = []
    if caf.issuer != issuer:
        found.append(
            Problem("CAF-OTHER-ISSUER", "DA/RE", f"The CAF belongs to {caf.issuer}; it cannot be used by {issuer}.")
        )
    of_caf = environment_of(caf.idk)
    if of_caf is not None and of_caf != environment:
        found.append(
            Problem(
                "CAF-OTHER-ENVIRONMENT",
                "DA/IDK",
                f"The CAF is of the SII's {of_caf} environment (IDK {caf.idk}); load it there, not in {environment}.",
            )
        )
    if caf.authorised_on > today:
        found.append(
            Problem("CAF-FUTURE", "DA/FA", f"The CAF says it was authorised on {caf.authorised_on}, after today.")
        )
    found.extend(_expiry(caf, today))
    found.extend(
        replace(each, level="warning") if each.code == _UNVERIFIABLE else each
        for each in frma_problem(caf, genuine=frma_valid(caf, keys))
    )
    return tuple(found)


def frma_problem(caf: Authorisation, *, genuine: bool | None) -> Iterator[Problem]:
    """What it means that the SII's signature on a CAF file doesn't fit, or that no key is known to judge it by."""
    if genuine is None:
        sentence = f"No public key is known for IDK {caf.idk}, so the SII's signature on the CAF could not be checked."
        yield Problem(_UNVERIFIABLE, "DA/IDK", sentence)
    elif not genuine:
        yield Problem(
            "CAF-FRMA-INVALID",
            "FRMA",
            "The SII's signature does not fit the CAF: the file was altered, or saved in another encoding. "
            "Download it again.",
        )


def _expiry(caf: Authorisation, today: date) -> tuple[Problem, ...]:
    last_day = expires_on(caf.document_type, caf.authorised_on)
    if last_day is None:
        return ()
    if today > last_day:
        return (_expired(last_day),)
    if today > last_day - timedelta(days=WARNING_DAYS):
        return (
            Problem(
                "CAF-EXPIRES-SOON", "DA/FA", f"The CAF expires after {last_day}; ask the SII for a new one.", "warning"
            ),
        )
    return ()


def _expired(last_day: date) -> Problem:
    return Problem(
        "CAF-EXPIRED",
        "DA/FA",
        f"The CAF expired after {last_day}: annul its unused folios at the SII and ask for a new one.",
    )
