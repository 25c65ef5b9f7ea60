"""Loaded keys, kept by the process that signs with them.

Opening and loading a private key costs more than signing with it, so a process keeps the keys it used last. A key is
looked up by its row's id and by the fingerprint of its public part (certificate or CAF), so that a row whose content
changed never signs with the old key. The ledger isn't touched here: sealed bytes are handed in.

Sealing is here too, so that both sides agree on the purpose: a private key is bound to the very certificate or CAF
beside it.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from domain.caf import StampingCaf
from domain.signature import RsaSigner
from workers.vault.sealing import Sealed, Vault

_Key = TypeVar("_Key")


def seal_certificate_key(vault: Vault, private_key_der: bytes, certificate_der: bytes) -> Sealed:
    """Seal a person's private key (PKCS#8 DER), bound to its certificate (DER)."""
    return vault.seal(private_key_der, purpose=_certificate_purpose(certificate_der))


def seal_caf_key(vault: Vault, private_key_der: bytes, caf_xml: bytes) -> Sealed:
    """Seal a CAF's private key (DER), bound to the flat ``<CAF…>…</CAF>`` as the SII signed it."""
    return vault.seal(private_key_der, purpose=_caf_purpose(caf_xml))


class KeyRing:
    """The signers and stamping CAFs that a process used last. Safe from many threads; make one per process."""

    def __init__(self, vault: Vault, *, signers: int = 256, cafs: int = 1024) -> None:
        """Keep at most so many loaded keys of each kind (a few kilobytes each); the least used are dropped."""
        self._vault = vault
        self._signers: _Recent[RsaSigner] = _Recent(signers)
        self._cafs: _Recent[StampingCaf] = _Recent(cafs)

    def signer(self, certificate_id: Hashable, certificate_der: bytes, sealed: Sealed) -> RsaSigner:
        """Return the signer of that certificate; `VaultError` when its key doesn't open."""
        purpose = _certificate_purpose(certificate_der)
        return self._signers.get(
            (certificate_id, purpose),
            lambda: RsaSigner.load(self._vault.open(sealed, purpose=purpose), certificate_der),
        )

    def stamping_caf(self, caf_id: Hashable, caf_xml: bytes, sealed: Sealed) -> StampingCaf:
        """Return the CAF ready to stamp; `VaultError` when its key doesn't open."""
        purpose = _caf_purpose(caf_xml)
        return self._cafs.get(
            (caf_id, purpose),
            lambda: StampingCaf.load(caf_xml, self._vault.open(sealed, purpose=purpose)),
        )

    def forget(self) -> None:
        """Drop every loaded key."""
        self._signers.clear()
        self._cafs.clear()


class _Recent(Generic[_Key]):
    """The `size` keys used last."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held: OrderedDict[Hashable, _Key] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: Hashable, load: Callable[[], _Key]) -> _Key:
        """Return the key of that name, loading it outside the lock when it isn't held (twice at worst)."""
        with self._lock:
            held = self._held.get(name)
            if held is not None:
                self._held.move_to_end(name)
                return held
        loaded = load()
        with self._lock:
            self._held[name] = loaded
            self._held.move_to_end(name)
            while len(self._held) > self._size:
                self._held.popitem(last=False)
        return loaded

    def clear(self) -> None:
        """Drop all."""
        with self._lock:
            self._held.clear()


def _certificate_purpose(certificate_der: bytes) -> str:
    return "certificate-key:" + hashlib.sha256(certificate_der).hexdigest()


def _caf_purpose(caf_xml: bytes) -> str:
    return "caf-key:" + hashlib.sha256(caf_xml).hexdigest()
