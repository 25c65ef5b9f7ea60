"""What a worker stands on besides its servers: files and folders that its settings name.

A server that is away comes back by itself, and a worker waits for it. A key file that isn't there doesn't: a worker
says at once that it can't begin. A full disk is an outage like any other, and no fault of the settings.
"""

import os
import ssl
from collections.abc import Iterator
from pathlib import Path

from domain.problems import DomainError
from workers.caf_keys import read_caf_keys
from workers.settings import Settings
from workers.vault.sealing import Vault, VaultError


def faults(settings: Settings) -> tuple[str, ...]:
    """Why a worker can't begin with these settings, a sentence each; none shows a secret."""
    return (*_vault(settings), *_evidence(settings.evidence_dir), *files_named(settings))


def files_named(settings: Settings) -> Iterator[str]:
    """Files of public keys and authorities, and the log's, as far as they are named and can't be used."""
    for name, path in (("FMGO_SII_CA_FILE", settings.sii_ca_file), ("FMGO_MAIL_CA_FILE", settings.mail_ca_file)):
        if path is not None and (why := _no_authorities(path)):
            yield f"{name}: {path} {why}."
    try:
        read_caf_keys(settings.trust_caf_keys)
    except DomainError as error:
        yield f"FMGO_TRUST_CAF_KEYS: {' '.join(problem.message for problem in error.problems)}"
    if settings.log_file is not None and (why := _no_place(settings.log_file.parent)):
        yield f"FMGO_LOG_FILE: {settings.log_file.parent} {why}."


def _vault(settings: Settings) -> Iterator[str]:
    try:
        Vault.from_settings(settings)
    except VaultError as error:
        yield f"{error}."


def _evidence(folder: Path) -> Iterator[str]:
    if why := _no_place(folder):
        yield f"FMGO_EVIDENCE_DIR: {folder} {why}."


def _no_authorities(path: Path) -> str | None:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        return "holds no certificates in PEM"
    except OSError as error:
        return f"can't be read: {error.strerror}"
    return None


def _no_place(folder: Path) -> str | None:
    """Why files can't be made in a folder; None where they can. It is made if it isn't there."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        return f"can't be made: {error.strerror}"
    return None if os.access(folder, os.W_OK | os.X_OK) else "can't be written by this account"
