"""What `fmgo doctor` looks at, one function a matter: each says what it found and what to do about it.

Nothing is changed but a probe file in the evidence folder, which is removed again.
"""

import errno
import importlib
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from kombu.transport import resolve_transport
from sqlalchemy import Connection

from domain.answers.table.alerts import ALERTS
from domain.codes.document_types import BOLETA, EXEMPT_BOLETA
from domain.format.table import NEWER_SINCE
from domain.schema import official_folder, own_folder
from workers.database import health, mail_sources, switches
from workers.evidence import PROBE_BYTES
from workers.folio_forecast import DAYS_LOOKED_AT, days_left
from workers.ground import files_named
from workers.settings import Settings, unknown_variables
from workers.vault.sealing import Sealed, Vault, VaultError
from workers.vault.signers import KeyRing

Level = Literal["ok", "warn", "fail"]

EXPIRY_DAYS: Final = 30
FOLIO_DAYS: Final = 7
REJECTED_DAYS: Final = 30
FREE_BYTES: Final = 1024**3
BOLETAS: Final = (BOLETA, EXEMPT_BOLETA)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; `todo` says what to do unless all is well."""

    level: Level
    about: str
    said: str
    todo: str = ""


def look_at_ringing(settings: Settings) -> Iterator[Finding]:
    """Whether the libraries that carry bells are installed: without them jobs are recorded and no worker starts."""
    try:
        resolve_transport(urlsplit(settings.redis_url).scheme)
        importlib.import_module("celery.bin.worker")
    except (ImportError, KeyError) as error:
        todo = "Install FMgo with all that it asks for: `pip install --force-reinstall` the wheel, or `make env`."
        yield Finding("fail", "bells", f"can't be rung, workers can't start: {error}", todo)
    else:
        yield Finding("ok", "bells", f"Celery {version('celery')} and kombu {version('kombu')} talk to Redis")


def look_at_vault(settings: Settings, tx: Connection) -> Iterator[Finding]:
    """Whether the vault's keys are there and open what the ledger holds."""
    try:
        vault = Vault.from_settings(settings)
    except VaultError as error:
        yield Finding("fail", "vault", str(error), "Nothing can be signed without the keys.")
        return
    keys = KeyRing(vault)
    opened = 0
    for row in health.secrets_by_key(tx):
        sealed = Sealed(row["key_id"], bytes(row["sealed"]))
        load = keys.signer if row["kind"] == "certificate" else keys.stamping_caf
        try:
            load(opened, bytes(row["public"]), sealed)
        except (VaultError, ValueError) as error:
            todo = f"Give the vault the key {row['key_id']!r} that this was sealed under."
            yield Finding("fail", "vault", f"a {row['kind']}'s private key doesn't open: {error}", todo)
        else:
            opened += 1
    yield Finding("ok", "vault", f"seals with {vault.newest_key_id!r}; {opened} kinds of secrets tried, they open")


def look_at_settings(settings: Settings) -> Iterator[Finding]:
    """Files that the settings name, and variables that are none of FMgo's."""
    for sentence in files_named(settings):
        yield Finding("fail", "settings", sentence, "Set it in the environment of every process.")
    for name in unknown_variables():
        said = f"{name} is no setting of FMgo, and nothing reads it"
        yield Finding("warn", "settings", said, "Take it out, or look for its name: docs/operating.md.")


def look_at_evidence(settings: Settings) -> Iterator[Finding]:
    """Whether the second copies can be written, and for how long."""
    folder = settings.evidence_dir
    try:
        _probe(folder)
        disk = shutil.disk_usage(folder)
    except OSError as error:
        todo = f"Nothing is issued until then. {_what_to_do(folder, error)} All goes on by itself."
        yield Finding("fail", "evidence", f"{folder} can't be written: {error.strerror}", todo)
        return
    said = f"{folder} can be written; {disk.free / FREE_BYTES:.1f} GiB free of {disk.total / FREE_BYTES:.1f}"
    if disk.free < FREE_BYTES:
        yield Finding("warn", "evidence", said, "Make room: a document takes some 6 KB here.")
    else:
        yield Finding("ok", "evidence", said)


def _probe(folder: Path) -> None:
    """Write as much as a chunk of documents takes, and take it away again; raises OSError."""
    probe = folder / f"doctor-{uuid.uuid4().hex}"
    descriptor = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        left = PROBE_BYTES
        while left:
            left -= os.write(descriptor, bytes(left))
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
        probe.unlink()


def _what_to_do(folder: Path, error: OSError) -> str:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"The disk (or quota) of {folder} is full: make room there, or mount a larger one."
        case errno.ENOENT:
            return f"Make the folder {folder}, owned by the workers' account, or correct FMGO_EVIDENCE_DIR."
        case errno.EACCES | errno.EPERM:
            return f"Give {folder} to the workers' account (chown), or run this as that account."
        case errno.EROFS:
            return f"The disk of {folder} is mounted read-only: look at it (dmesg), mount it for writing."
        case errno.ENOTDIR:
            return "FMGO_EVIDENCE_DIR names something that is no folder: correct it."
        case _:
            return f"Look at the disk of {folder}."


def look_at_copies(tx: Connection) -> Iterator[Finding]:
    """Whether documents wait for their second copy."""
    waiting = health.without_copy(tx)
    if waiting:
        todo = (
            "They go on once the evidence folder of every worker can be written: look there, and at the workers' logs."
        )
        yield Finding("fail", "evidence", f"{waiting} documents are signed and wait for their second copy", todo)


def look_at_companies(tx: Connection) -> Iterator[Finding]:
    """Certificates and folios: who can't sign, what runs out."""
    companies = health.certificates_needed(tx)
    for row in companies:
        name = f"{row['rut']}@{row['environment']}"
        if row["until"] is None:
            todo = f"Add one: `fmgo certificate add FILE --for {name}`."
            yield Finding("fail", "certificates", f"{name} has none in force", todo)
        elif row["remaining"] < timedelta(days=EXPIRY_DAYS):
            said = f"{name}: the last one ends in {row['remaining'].days} days"
            yield Finding("warn", "certificates", said, "Ask the authority for the next and add it.")
    yield Finding("ok", "certificates", f"in force for each of {len(companies)} companies")
    series = health.folios(tx, DAYS_LOOKED_AT)
    for row in series:
        name = f"{row['issuer']}@{row['environment']} type {row['document_type']}"
        todo = "Load a CAF: `fmgo caf add FILE`."
        if row["left"] == 0:
            yield Finding("fail", "folios", f"{name}: none left", todo)
        elif (days := _days_left(row)) is not None and days < FOLIO_DAYS:
            last = "less than a day" if days == 0 else "a day" if days == 1 else f"{days} days"
            said = f"{name}: {row['left']} left, which last {last} at the pace of the last weeks"
            yield Finding("warn", "folios", said, todo)
        if row["next_expiry"] and row["next_expiry"] - row["today"] < timedelta(days=EXPIRY_DAYS):
            said = f"{name}: a range ends on {row['next_expiry']}"
            yield Finding(
                "warn",
                "folios",
                said,
                "Annul its unused folios then, at the SII and with `fmgo folio annul`, and load another.",
            )
        if row["expired_unused"]:
            said = f"{name}: {row['expired_unused']} folios ended unused"
            yield Finding("warn", "folios", said, "Annul them at the SII, and say so: `fmgo folio annul`.")
    yield Finding("ok", "folios", f"enough for each of {len(series)} series")


def _days_left(row: dict[str, Any]) -> int | None:
    used = {date.fromisoformat(day): int(count) for day, count in row["used"].items()}
    return days_left(int(row["left"]), used, row["today"])


def look_at_mail(tx: Connection) -> Iterator[Finding]:
    """Whether each company's result mails can be read, as the workers found at their last look."""
    rows = mail_sources.shown(tx)
    for row in rows:
        name = f"{row['issuer']}@{row['environment']}: {row['address']}"
        if row["problem"]:
            since = f", works no more since {row['worked_at']:%Y-%m-%d %H:%M}" if row["worked_at"] else ", never worked"
            todo = "Mend it, or add the source again with another secret (`fmgo mail add`)."
            yield Finding("fail", "mail", f"{name}: {row['problem']}{since}", todo)
        elif row["looked_at"] is None or row["is_stale"]:
            todo = "A threads worker looks: is one running?"
            yield Finding("warn", "mail", f"{name} wasn't looked into lately", todo)
    lacking = health.without_mail(tx)
    if lacking:
        said = f"{len(lacking)} companies have no source of result mails, the first {lacking[0]}"
        todo = "Why a document was rejected comes by mail only: `fmgo mail add`, or `fmgo mail import` by hand."
        yield Finding("warn", "mail", said, todo)
    if rows:
        yield Finding("ok", "mail", f"{sum(not row['problem'] for row in rows)} of {len(rows)} sources work")


def look_at_uf(tx: Connection) -> Iterator[Finding]:
    """Whether the UF that fixes the year's limit is known, where boletas are issued."""
    found = health.uf_of_the_year(tx, BOLETAS)
    if not found["boletas"]:
        return
    if found["value"] is None:
        todo = "Load it: `fmgo uf import FILE`; until then boletas above 135 UF aren't told from others."
        yield Finding("warn", "UF", f"none of {found['day']}, which fixes the limit of 135 UF for a year", todo)
    elif found["next_day"] is not None and found["next_value"] is None:
        todo = "Load it before the year ends: `fmgo uf import FILE`; it fixes the limit of 135 UF for the next year."
        yield Finding("warn", "UF", f"none of {found['next_day']} yet", todo)
    else:
        yield Finding("ok", "UF", f"{found['value']} pesos on {found['day']}, for the limit of this year")


_CAUSES: Final = {
    "issuer": "Add the company: `fmgo issuer add`.",
    "certificate": "Add a certificate: `fmgo certificate add`.",
    "folio": "Load folios: `fmgo caf add`.",
    "resolution": "Its date is to come, or its number is 0 in production: `fmgo issuer set-resolution`.",
    "environment": "No worker talks to that environment of the SII: start some there (FMGO_SII_ENVIRONMENT).",
    "caf-expired": "Signed after the end of their folios: replace them (`fmgo document replace`).",
    "schema-refused": "The SII refuses each alone: look at its verdict, replace it (`fmgo document replace`).",
    "reference": "They go on by themselves once the document that they change is decided.",
    "reference-rejected": "The document that they change was rejected: withdraw or replace them.",
}


def look_at_documents(tx: Connection) -> Iterator[Finding]:
    """What stands still, and why."""
    for row in health.standing_still(tx):
        said = f"{row['documents']} {row['state']}" + (f" for {row['cause']}" if row["cause"] else "")
        todo = _CAUSES.get(row["cause"], f"Look: `fmgo document list --state {row['state']}`.")
        if row["cause"].startswith("envelope-refused"):
            todo = "Mend the cause (`fmgo issuer set-resolution`), then `fmgo envelope release`."
        level: Level = "fail" if row["state"] in ("quarantined", "conflict") else "warn"
        yield Finding(level, "documents", f"{said}, since {row['since']:%Y-%m-%d %H:%M}", todo)
    late = health.overdue(tx)
    if late["documents"]:
        todo = "Are workers running, and is the ledger busy?"
        yield Finding("warn", "documents", f"{late['documents']} due for more than a minute", todo)
    if late["results"]:
        yield Finding("warn", "results", f"{late['results']} not told yet", "Is a threads worker running, and Redis?")
    for row in health.rejected_and_left(tx, REJECTED_DAYS):
        name = f"{row['issuer']}@{row['environment']} type {row['document_type']}"
        said = f"{name}: {row['documents']} rejected since {row['since']:%Y-%m-%d} and not replaced"
        todo = f"Why: `fmgo document show {row['latest'].hex[:8]}`; then `fmgo document replace ID`."
        yield Finding("warn", "rejected", said, todo)
    yield Finding("ok", "documents", "none stands still")


def look_at_envelopes(tx: Connection) -> Iterator[Finding]:
    """What is in doubt or refused, and what came that was no job."""
    counts = health.envelope_counts(tx)
    if counts.get("uncertain"):
        todo = "FMgo finds out by itself within the hour; look: `fmgo envelope list --state uncertain`."
        yield Finding("warn", "envelopes", f"{counts['uncertain']} uncertain", todo)
    if counts.get("refused"):
        todo = "Mend the cause, then `fmgo envelope release`; look: `fmgo envelope list --state refused`."
        yield Finding("warn", "envelopes", f"{counts['refused']} refused and not released", todo)
    said = ", ".join(f"{count} {state}" for state, count in counts.items()) or "none yet"
    yield Finding("ok", "envelopes", said)
    refused = health.refused_lately(tx)
    if refused:
        said = f"{refused} in the last day were no jobs"
        yield Finding(
            "warn", "messages", said, "Look: `fmgo refused list`; mended ones go in with `fmgo refused retry`."
        )


def look_at_sii(tx: Connection) -> Iterator[Finding]:
    """Whether anything gets through to the SII, and whether a person stopped it."""
    for one in switches.stopped(tx):
        whose = f"{one.issuer}@{one.environment}" if one.issuer else f"all companies in {one.environment}"
        said = f"{one.what} is stopped for {whose}, since {one.since:%Y-%m-%d %H:%M}"
        yield Finding("warn", "switches", said, f"A person did that; `fmgo resume --{one.what}` undoes it.")
    for row in health.sii_state(tx):
        todo = next((alert.person for alert in ALERTS if alert.name == row["alert"]), "FMgo tries again by itself.")
        name = "" if row["alert"] is None else f" ({row['alert']})"
        yield Finding("fail" if row["down"] else "warn", "SII", f"{row['what']}: {row['why']}{name}", todo)
    yield Finding("ok", "SII", "no service is closed, no login fails")


def look_at_schemas(settings: Settings) -> Iterator[Finding]:
    """Which schemas judge documents before they leave."""
    try:
        official_folder()
    except FileNotFoundError as error:
        yield Finding("fail", "schemas", str(error), "Nothing is issued without them.")
        return
    own = len(list(own_folder().glob("*.xsd")))
    said = f"DTE and EnvioDTE as the SII publishes them (cl-sii {version('cl-sii')}), {own} written for FMgo"
    yield Finding("ok", "schemas", said)
    if settings.format_profile is None:
        said = f"by each document's day: profile 2019 before {NEWER_SINCE}, from then on 2026 (which is unverified)"
        yield Finding("ok", "format", said)
    elif settings.format_profile == "2019":
        said = f"all documents follow profile 2019, which can't carry what guías must say since {NEWER_SINCE}"
        yield Finding("warn", "format", said, "Unset FMGO_FORMAT_PROFILE: each document then follows its day.")
    else:
        said = f"all documents follow profile {settings.format_profile}, which is unverified"
        yield Finding("warn", "format", said, "Watch the SII's first verdicts; docs/types.md says what is known.")
