"""One forge a run: keys are dear to make."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from domain.signature import RsaSigner
from tests.unit.domain.verification.forgery import Forge


@pytest.fixture(scope="session")
def forge(caf_key: rsa.RSAPrivateKey, sii_key: rsa.RSAPrivateKey, signer: RsaSigner) -> Forge:
    return Forge(caf_key, sii_key, signer)
