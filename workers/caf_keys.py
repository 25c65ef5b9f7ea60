"""The public keys that sign CAFs: the SII's own, and those that an installation trusts besides.

A simulated SII signs with a key of its own; where its folios are to be loaded, FMGO_TRUST_CAF_KEYS or the option
`--trust-caf-key` names it. Nothing of that is stored.
"""

from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from domain.caf import SII_PUBLIC_KEYS
from domain.problems import Problem, shown
from workers.enrolment_fields import EnrolmentError

LARGEST_FILE: Final = 64 * 1024
"""Bytes of a key file that are read at most."""


def read_caf_keys(text: str) -> dict[int, tuple[bytes, ...]]:
    """The SII's keys and those that `IDK=path,…` names as well (PEM files; several may bear one IDK).

    Raises EnrolmentError (CAF-KEYS) for text or files that can't be read.
    """
    keys = {idk: tuple(pems) for idk, pems in SII_PUBLIC_KEYS.items()}
    problems = []
    for item in (part.strip() for part in text.split(",")):
        if not item:
            continue
        idk, _, path = item.partition("=")
        try:
            if not (idk.isascii() and idk.isdigit() and path):
                raise ValueError("it isn't written as IDK=PATH")  # noqa: TRY301  (one way out for every fault)
            pem = Path(path).read_bytes()[:LARGEST_FILE]
            if not isinstance(load_pem_public_key(pem), rsa.RSAPublicKey):
                raise ValueError("it isn't an RSA key")  # noqa: TRY301, TRY004  (the same)
        except OSError as error:
            problems.append(_bad_key(item, error.strerror or "it can't be read"))
        except (ValueError, UnsupportedAlgorithm) as error:
            problems.append(_bad_key(item, str(error)))
        else:
            keys[int(idk)] = (*keys.get(int(idk), ()), pem)
    if problems:
        raise EnrolmentError(problems)
    return keys


def _bad_key(item: str, why: str) -> Problem:
    return Problem("CAF-KEYS", "trust_caf_keys", f"{shown(item)} is no key to trust: {shown(why)}. Write IDK=PEM-FILE.")
