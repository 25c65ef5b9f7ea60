"""Sealing of secrets before they become rows or Redis values.

A secret is sealed with AES-256-GCM under a key that has an id; the id is stored beside the sealed bytes, so that keys
can be changed without touching old rows. The purpose (which secret of whom this is) is authenticated with it: sealed
bytes moved to another row don't open. Promises: what `Vault.open` returns is what `Vault.seal` was given, for that
purpose, or an error is raised; keys appear in no repr, no log and no error text.

Sealed bytes: one byte of format (1), a random nonce of 12 bytes, ciphertext and tag of 16 (NIST SP 800-38D). Keys
come from `FMGO_VAULT_KEYS` ("id:base64,id:base64") or from a file of mode 0600 with one "id:base64" a line; the last
one seals, all of them open.
"""

import base64
import binascii
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from workers.settings import Settings

_FORMAT: Final = b"\x01"
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_KEY_BYTES: Final = 32
_KEY_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_OTHERS_MAY: Final = stat.S_IRWXG | stat.S_IRWXO


class VaultError(Exception):
    """A secret can't be sealed or opened; a person must act, a retry does not help."""

    code = "VAULT"
    retry_helps: Final = False


class VaultKeysMissingError(VaultError):
    """No key was given: set FMGO_VAULT_KEYS or FMGO_VAULT_KEY_FILE."""

    code = "VAULT-KEYS-MISSING"


class VaultKeysUnreadableError(VaultError):
    """The keys aren't written as "id:base64" with 32 bytes each and ids that differ."""

    code = "VAULT-KEYS-UNREADABLE"


class VaultFileOpenError(VaultError):
    """The key file can be read by others than its owner."""

    code = "VAULT-FILE-MODE"


class VaultKeyUnknownError(VaultError):
    """A secret was sealed under a key that this process doesn't hold."""

    code = "VAULT-KEY-UNKNOWN"


class VaultTamperedError(VaultError):
    """Sealed bytes were changed, cut, or belong to another purpose or key."""

    code = "VAULT-TAMPERED"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as it may be stored: which key sealed it, and the sealed bytes."""

    key_id: str
    data: bytes = field(repr=False)


class Vault:
    """Seals with the newest key and opens with any. Safe from many threads."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Take keys of 32 bytes by id, oldest first; raises `VaultKeysMissingError` or `VaultKeysUnreadableError`."""
        if not keys:
            message = "no vault key was given: set FMGO_VAULT_KEYS, or FMGO_VAULT_KEY_FILE to a file of mode 0600"
            raise VaultKeysMissingError(message)
        for key_id, key in keys.items():
            if not _KEY_ID.fullmatch(key_id) or len(key) != _KEY_BYTES:
                message = "a vault key needs an id (letters, digits, '.', '_', '-'; at most 40) and exactly 32 bytes"
                raise VaultKeysUnreadableError(message)
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._newest = next(reversed(self._ciphers))

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Read the keys that the settings name: the variable first, else the file."""
        if settings.vault_keys is not None:
            return cls(_parse(settings.vault_keys.get_secret_value().split(",")))
        if settings.vault_key_file is not None:
            return cls(_parse(_read(settings.vault_key_file).splitlines()))
        return cls({})

    @property
    def newest_key_id(self) -> str:
        """Id of the key that seals."""
        return self._newest

    def seal(self, plain: bytes, *, purpose: str) -> Sealed:
        """Seal `plain` for `purpose`, which must be told again to open it."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._newest].encrypt(nonce, plain, _bound(self._newest, purpose))
        return Sealed(self._newest, _FORMAT + nonce + sealed)

    def open(self, sealed: Sealed, *, purpose: str) -> bytes:
        """Return what was sealed; raises `VaultKeyUnknownError` or `VaultTamperedError`."""
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            message = f"the secret was sealed under vault key {sealed.key_id!r}, which isn't among the keys given"
            raise VaultKeyUnknownError(message)
        data = bytes(sealed.data)
        if len(data) < 1 + _NONCE_BYTES + _TAG_BYTES or data[:1] != _FORMAT:
            message = "sealed bytes are cut or of an unknown format"
            raise VaultTamperedError(message)
        try:
            return cipher.decrypt(data[1 : 1 + _NONCE_BYTES], data[1 + _NONCE_BYTES :], _bound(sealed.key_id, purpose))
        except InvalidTag:
            message = "sealed bytes don't open: they were changed, or sealed for another purpose or under another key"
            raise VaultTamperedError(message) from None

    def reopen(self, key_id: str, data: bytes, *, purpose: str) -> bytes | None:
        """Open a secret that can be made again (a token's copy): None instead of an error when it doesn't open."""
        try:
            return self.open(Sealed(key_id, data), purpose=purpose)
        except VaultError:
            return None

    def __repr__(self) -> str:
        """Show ids only."""
        return f"Vault(keys={list(self._ciphers)})"


def new_key(key_id: str) -> str:
    """Make a random key and write it as the line of a key file, ``id:base64``."""
    if not _KEY_ID.fullmatch(key_id):
        message = f"{key_id!r} can't be a key's id: letters, digits, '.', '_', '-'; at most 40"
        raise VaultKeysUnreadableError(message)
    return f"{key_id}:{base64.b64encode(os.urandom(_KEY_BYTES)).decode('ascii')}"


def _bound(key_id: str, purpose: str) -> bytes:
    """Join key id and purpose so that no other pair gives the same bytes (an id holds no NUL)."""
    return b"fmgo\x00" + key_id.encode("ascii") + b"\x00" + purpose.encode("utf-8")


def _parse(lines: Iterable[str]) -> dict[str, bytes]:
    """Read ``id:base64`` items; blank ones and those that begin with # are skipped. Errors show no key."""
    keys: dict[str, bytes] = {}
    for number, line in enumerate((text.strip() for text in lines), start=1):
        if not line or line.startswith("#"):
            continue
        key_id, colon, text = line.partition(":")
        key_id = key_id.strip()
        try:
            key = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not colon or len(key) != _KEY_BYTES or not _KEY_ID.fullmatch(key_id):
            message = f'vault key number {number} isn\'t written as "id:base64" with 32 bytes'
            raise VaultKeysUnreadableError(message)
        if key_id in keys:
            message = f"vault key number {number} repeats an id; a key's id must never be given to another key"
            raise VaultKeysUnreadableError(message)
        keys[key_id] = key
    return keys


def _read(path: Path) -> str:
    """Read the key file if only its owner can; the mode is taken from the open file, not from its name."""
    try:
        with path.open(encoding="ascii") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & _OTHERS_MAY:
                message = f"{path} has mode {mode:04o}; a vault key file must be readable by its owner only: chmod 0600"
                raise VaultFileOpenError(message)
            return file.read()
    except OSError as error:
        message = f"the vault key file {path} can't be read: {error.strerror}"
        raise VaultKeysMissingError(message) from error
    except UnicodeDecodeError:
        message = f'the vault key file {path} isn\'t text with one "id:base64" a line'
        raise VaultKeysUnreadableError(message) from None
