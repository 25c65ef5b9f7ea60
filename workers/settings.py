"""One tree of settings for every process of FMgo.

Each field is an environment variable: ``FMGO_`` and the field's name in capitals (``database_url`` is
``FMGO_DATABASE_URL``). The tree is read once per process, is frozen, and promises that whoever holds one needs to
check nothing again: URLs are of a kind that FMgo can use, numbers lie within their limits, and the real production
hosts of the SII are never a default. An invalid tree raises `SettingsError` with a sentence for each field, without
showing any value (values hold passwords).

Source of the hosts: SII, list of services for electronic documents (palena/maullin for SOAP and uploads, api/apicert
and rahue/pangal for boletas, ws1/ws2 for acceptances and claims). Source of the times and sizes: the comment beside
each field.
"""

import os
from datetime import timedelta
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.format.table import Profile
from domain.job import LARGEST
from workers.addresses import check_database_url, check_http_url
from workers.addresses import check_redis_url as check_redis_url

Environment = Literal["certification", "production"]

# SII: hosts of each service. Boletas need two: one takes the files, the other answers everything else.
SOAP_HOSTS: Final[dict[Environment, str]] = {
    "certification": "https://maullin.sii.cl",
    "production": "https://palena.sii.cl",
}
REST_HOSTS: Final[dict[Environment, str]] = {
    "certification": "https://apicert.sii.cl",
    "production": "https://api.sii.cl",
}
REST_UPLOAD_HOSTS: Final[dict[Environment, str]] = {
    "certification": "https://pangal.sii.cl",
    "production": "https://rahue.sii.cl",
}
CLAIMS_HOSTS: Final[dict[Environment, str]] = {
    "certification": "https://ws2.sii.cl",
    "production": "https://ws1.sii.cl",
}
_SII_DOMAIN: Final = ".sii.cl"

_PREFIX: Final = "FMGO_"
_NEARLY: Final = 0.85
"""Likeness (0 to 1) from which a variable is taken for a misspelt one: one letter in ten, a word's end."""
_NO_SETTINGS: Final = frozenset(
    {
        "FMGO_PASSWORD",  # of a file that a command reads
        "FMGO_WORKER_KIND",  # a worker's launcher says it
        "FMGO_SIMULATOR_URL",
        "FMGO_SANDBOX_FOLDER",
        "FMGO_SHARED",
    }
)
"""Variables that other parts of FMgo read."""
_OF_OTHERS: Final = ("FMGO_FLOWER_", "FMGO_ENV_", "FMGO_EXPECTED_")


class SettingsError(Exception):
    """The environment variables of FMgo don't describe a system that can run; a person must act."""

    code: Final = "SETTINGS-INVALID"
    retry_helps: Final = False

    def __init__(self, sentences: tuple[str, ...]) -> None:
        """Keep one sentence for each variable at fault, none of which shows a value."""
        super().__init__("\n".join(sentences))
        self.sentences = sentences


def _minutes_by_type(text: str) -> str:
    """Accept ``TYPE=MINUTES,…`` in whole numbers; nothing at all is allowed."""
    for pair in filter(None, text.split(",")):
        code, _, minutes = pair.partition("=")
        if not (code.strip().isdecimal() and minutes.strip().isdecimal()):
            message = "write minutes by type as TYPE=MINUTES,TYPE=MINUTES in whole numbers"
            raise ValueError(message)
    return text


RedisUrl = Annotated[str, AfterValidator(check_redis_url)]
DatabaseUrl = Annotated[str, AfterValidator(check_database_url)]
HttpUrl = Annotated[str, AfterValidator(check_http_url)]


class Settings(BaseSettings):
    """Everything a process of FMgo must be told, validated and frozen. Times are in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix="FMGO_", frozen=True, extra="forbid", hide_input_in_errors=True, env_ignore_empty=True
    )

    # ---- where the servers are -------------------------------------------------------------------------------------
    # The ledger: libpq URL of PostgreSQL 15 or later, e.g. postgresql://fmgo@/fmgo?host=/run/postgresql.
    database_url: DatabaseUrl = Field(repr=False)
    # The doorbell: URL of one Redis-protocol server, broker of Celery and list of jobs. Everything in it can be lost.
    redis_url: RedisUrl = Field(repr=False)
    # Copies of results and tokens; None means the same server as `redis_url` (see `cache`).
    cache_url: RedisUrl | None = Field(default=None, repr=False)
    # The second failure domain: folder of append-only files, best on another disk than the ledger.
    evidence_dir: Path

    # ---- secrets ---------------------------------------------------------------------------------------------------
    # Keys of the vault, "id:base64,id:base64", 32 bytes each; the last one seals, all of them open.
    vault_keys: SecretStr | None = None
    # The same in a file of mode 0600, one "id:base64" a line; used when `vault_keys` is absent.
    vault_key_file: Path | None = None

    # Public keys that sign CAFs besides the SII's own, "IDK=path,IDK=path" of PEM files: a simulated SII has its own.
    trust_caf_keys: str = ""

    # ---- the SII ---------------------------------------------------------------------------------------------------
    # Which of the SII's two worlds this installation talks to. Production is never a default.
    sii_environment: Environment = "certification"
    # Edition of the format that all documents follow, 2019 or 2026. None means by each document's day of issue: 2019,
    # the schema in circulation, before 2026-11-01; from then on 2026, which is unverified but can carry what guías must
    # say since that day (docs/types.md).
    format_profile: Profile | None = None
    # Host of SOAP services and DTEUpload; None means the SII's own of `sii_environment` (see `soap_host`).
    sii_soap_url: HttpUrl | None = None
    # Host of the boletas' seed, token and queries; None means the SII's own (see `rest_host`).
    sii_rest_url: HttpUrl | None = None
    # Host that takes the boletas' files; None means the SII's own (see `rest_upload_host`).
    sii_rest_upload_url: HttpUrl | None = None
    # Host of the acceptances and claims of receivers; None means the SII's own (see `claims_host`).
    sii_claims_url: HttpUrl | None = None
    # PEM file of the only authorities to trust for the SII's hosts; None means the public ones. Certificates are
    # always verified, nothing turns that off.
    sii_ca_file: Path | None = None
    # Seconds to open a connection. Field practice; beyond it the front end is down.
    sii_connect_seconds: float = Field(default=10, gt=0, le=60)
    # Seconds that a query or login may take from first to last byte. Field practice is 30 s of reading.
    sii_query_seconds: float = Field(default=30, gt=0, le=300)
    # Bytes of an answer after which reading stops and the answer counts as unreadable. The largest real ones, a REST
    # status with a finding for each of 500 boletas, stay well below 2 MiB.
    sii_answer_bytes: int = Field(default=4 * 1024 * 1024, ge=64 * 1024, le=64 * 1024 * 1024)
    # Keep-alive connections for queries per process: one per thread that asks is enough.
    sii_query_connections: int = Field(default=20, ge=1, le=200)

    # Uploads to one service of the SII in a minute, by all workers together. The SII publishes no figure.
    sii_uploads_per_minute: float = Field(default=300, gt=0, le=60000)
    # The same for questions and logins.
    sii_queries_per_minute: float = Field(default=1200, gt=0, le=60000)
    # Uploads to one service that may be open at a time, by all workers together; bulk leaves a quarter to tills.
    sii_open_uploads: int = Field(default=8, ge=1, le=200)
    # The same for questions.
    sii_open_queries: int = Field(default=16, ge=1, le=200)
    # Questions about claims in a minute, by all workers together: each document is asked about some six times.
    sii_claims_per_minute: float = Field(default=120, gt=0, le=60000)
    # Requests in a row that bring no answer before a service is left alone.
    sii_faults: int = Field(default=3, ge=1, le=100)
    # How long it is left alone at first; doubled each time that its one probe brings no answer either.
    sii_pause_seconds: float = Field(default=30, gt=0, le=3600)
    # The longest of these pauses: an outage that ends is noticed within this time.
    sii_longest_pause_seconds: float = Field(default=300, gt=0, le=86400)

    # ---- result mails and claims -----------------------------------------------------------------------------------
    # Seconds between two looks at a company's mail source; one that fails is left alone longer, up to an hour.
    mail_seconds: float = Field(default=60, gt=0, le=86400)
    # Bytes of a mail above which it isn't read. A result of 2,000 documents, all rejected, stays below 2 MiB.
    mail_bytes: int = Field(default=6 * 1024 * 1024, ge=64 * 1024, le=8 * 1024 * 1024)
    # Domains (and all below them) that the SII's mails come from, separated by commas.
    mail_domains: str = "sii.cl"
    # Seconds that connecting to a mail server, or waiting for one of its answers, may take.
    mail_timeout_seconds: float = Field(default=30, gt=0, le=300)
    # PEM file of the only authorities to trust for mail servers; None means the public ones.
    mail_ca_file: Path | None = None
    # Seconds after a verdict without reasons before the SII is asked for its mail again (then twice as long, ...).
    mail_again_seconds: float = Field(default=4 * 3600, gt=0, le=7 * 86400)
    # How often it is asked for the same mail; after that the envelope has the alert `no-reasons`.
    mail_again_times: int = Field(default=4, ge=0, le=20)
    # Days (corridos) from the SII's reception in which a receiver may accept or claim (Ley 19.983, art. 3); 0: nothing
    # is asked.
    claims_days: float = Field(default=8, ge=0, le=60)
    # Seconds from the SII's reception to the first question about claims; each next one comes twice as long after it.
    claims_first_seconds: float = Field(default=6 * 3600, gt=0, le=8 * 86400)
    # Documents of a company that are asked about in one go.
    claims_batch: int = Field(default=20, ge=1, le=500)

    # ---- logs ------------------------------------------------------------------------------------------------------
    # JSON lines for machines, console for a person's terminal.
    log_format: Literal["json", "console"] = "json"
    # Least severe level that is written.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    # A file besides standard output; None leaves rotation to the platform.
    log_file: Path | None = None
    # Size of that file, in bytes, at which it is rotated.
    log_file_bytes: int = Field(default=50 * 1024 * 1024, ge=1024)
    # How many rotated files are kept beside it.
    log_file_backups: int = Field(default=5, ge=1, le=1000)

    # ---- the way in ------------------------------------------------------------------------------------------------
    # Bytes of one job, by whichever way it comes; a message of Celery, which holds several, may have eight times as
    # many. What is larger is never read: it is set aside and answered. A document of the most lines that the format
    # allows has some three hundred thousand, so the default leaves room for three of them.
    job_bytes: int = Field(default=LARGEST, ge=64 * 1024, le=16 * 1024 * 1024)

    # ---- the pipeline ----------------------------------------------------------------------------------------------
    # Documents claimed, signed and committed together: 50 a task moved twelve times what one a task did, and is some
    # 50 ms of work, so that a claim never holds the interactive lane up.
    chunk_documents: int = Field(default=50, ge=1, le=200)
    # The same for the interactive lane: a till waits for its chunk's commit, so chunks are small.
    interactive_chunk: int = Field(default=20, ge=1, le=200)
    # Documents per envelope through SOAP; clients in the field send a few hundred.
    envelope_documents: int = Field(default=500, ge=1, le=2000)
    # Documents per envelope of boletas: 500 is the SII's limit (API of boletas, version 1.0.5).
    boleta_envelope_documents: int = Field(default=500, ge=1, le=500)
    # Bytes of documents in one envelope: the SII's limit isn't published, field practice is a few megabytes.
    envelope_bytes: int = Field(default=4_000_000, ge=100_000, le=20_000_000)
    # Seconds for which a bulk document waits while others of its company are signed, so that they share an envelope.
    envelope_linger_seconds: float = Field(default=5, ge=0, le=600)
    # Uploads open at a time for one issuer and channel; what comes meanwhile shares the next envelope.
    uploads_in_flight: int = Field(default=2, ge=1, le=20)
    # Seconds a claim holds its rows: longer than any chunk's work and than an upload with its grace.
    lease_seconds: float = Field(default=120, gt=0, le=3600)
    # Seconds from the first to the last byte of an upload; after it the answer counts as lost.
    upload_deadline_seconds: float = Field(default=60, gt=0, le=600)
    # Seconds after the deadline during which the SII may still be taking the file, so nothing is sent again.
    upload_grace_seconds: float = Field(default=15, ge=0, le=300)
    # First question about an upload through SOAP; no official figure, field practice is 30 to 60 s.
    poll_first_seconds_soap: float = Field(default=30, gt=0, le=86400)
    # First question about an upload of boletas; the SII asks to wait ten minutes (API of boletas, version 1.0.5).
    poll_first_seconds_rest: float = Field(default=600, gt=0, le=86400)
    # Questions slow down to one in this time; half an hour is the upper end of field practice.
    poll_max_seconds: float = Field(default=1800, gt=0, le=86400)
    # A lost answer is asked for with identical bytes after this time: past the grace, well inside the window below.
    resend_after_seconds: float = Field(default=60, gt=0, le=900)
    # How long the SII recognises identical bytes: its own text says "Debe esperar 900 segundos antes de reintentar".
    dedupe_window_seconds: float = Field(default=900, gt=0, le=86400)
    # Every process writes its beat this often (real time, never the sandbox's moved clock).
    beat_seconds: float = Field(default=2, gt=0, le=60)
    # A process without a beat for this long is dead and its claims are free: three missed beats.
    dead_after_seconds: float = Field(default=6, gt=0, le=600)
    # Seconds after which a statement without an answer is cancelled, or given up with its connection: the longest ones
    # (a chunk of 200 jobs, a sweep after an outage) take one or two; an orchestrator waits 30 s for a process to end.
    statement_seconds: float = Field(default=20, gt=0, le=3600)
    # How often one process looks for what is due and nobody was rung for.
    sweep_seconds: float = Field(default=2, gt=0, le=300)
    # Minutes from signing by which a document should be at the SII, "TYPE=MINUTES,…": what waits is sent in the order
    # of these moments. Boletas: one hour (SII, Res. Ex. 74/2020, as practitioners read it). Others go at once (their
    # buyer needs them there), guías before their goods leave.
    send_by_minutes: Annotated[str, AfterValidator(_minutes_by_type)] = "39=60,41=60"
    # How long a result stays in Redis; the ledger answers for ever.
    result_ttl_seconds: int = Field(default=7 * 86400, ge=60)
    # Deaths of a process with one document alone in its hands before that document is set aside.
    quarantine_after_deaths: int = Field(default=3, ge=1, le=100)

    @field_validator("sii_soap_url", "sii_rest_url", "sii_rest_upload_url", "sii_claims_url")
    @classmethod
    def _of_one_world(cls, url: str | None, info: ValidationInfo) -> str | None:
        """Refuse a host of the SII's other environment, or one without TLS: production must be asked for by name."""
        environment = info.data.get("sii_environment")
        if url is None or environment is None or not f".{urlsplit(url).hostname}".endswith(_SII_DOMAIN):
            return url
        families = (SOAP_HOSTS, REST_HOSTS, REST_UPLOAD_HOSTS, CLAIMS_HOSTS)
        if url not in {family[environment] for family in families}:
            message = (
                f"this is no host of the SII's {environment} environment: leave it out, or set FMGO_SII_ENVIRONMENT"
                " (production is used only when it is named there)"
            )
            raise ValueError(message)
        return url

    @field_validator("evidence_dir")
    @classmethod
    def _one_place(cls, folder: Path) -> Path:
        """Refuse a folder that would be another for each process, by where it was started."""
        if not folder.is_absolute():
            raise ValueError("write the whole path of the folder, from /")
        return folder

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse settings that contradict each other, a sentence for all of them."""
        faults = [sentence for holds, sentence in self._agreements() if not holds]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _agreements(self) -> tuple[tuple[bool, str], ...]:
        upload = self.upload_deadline_seconds + self.upload_grace_seconds
        return (
            (
                self.dead_after_seconds >= 2 * self.beat_seconds,
                "FMGO_DEAD_AFTER_SECONDS must be at least twice FMGO_BEAT_SECONDS, or the living count as dead",
            ),
            (
                upload < self.lease_seconds,
                "FMGO_LEASE_SECONDS must be longer than FMGO_UPLOAD_DEADLINE_SECONDS and _GRACE_SECONDS together",
            ),
            (
                self.resend_after_seconds < self.dedupe_window_seconds,
                "FMGO_RESEND_AFTER_SECONDS must be shorter than FMGO_DEDUPE_WINDOW_SECONDS",
            ),
            (
                self.sii_pause_seconds <= self.sii_longest_pause_seconds,
                "FMGO_SII_PAUSE_SECONDS can't be longer than FMGO_SII_LONGEST_PAUSE_SECONDS",
            ),
            (
                max(self.poll_first_seconds_soap, self.poll_first_seconds_rest) <= self.poll_max_seconds,
                "FMGO_POLL_MAX_SECONDS can't be shorter than FMGO_POLL_FIRST_SECONDS_SOAP or _REST",
            ),
        )

    @property
    def cache(self) -> str:
        """URL of the server that holds results and token copies."""
        return self.cache_url or self.redis_url

    @property
    def send_by(self) -> dict[int, timedelta]:
        """Allowances from signing to sending, by type."""
        pairs = (pair.split("=") for pair in self.send_by_minutes.split(",") if pair)
        return {int(code): timedelta(minutes=int(minutes)) for code, minutes in pairs}

    @property
    def soap_host(self) -> str:
        """Scheme and host of SOAP services and DTEUpload, without a slash at the end."""
        return self.sii_soap_url or SOAP_HOSTS[self.sii_environment]

    @property
    def mail_writers(self) -> tuple[str, ...]:
        """Domains whose mails, and whose subdomains' mails, are the SII's; in lower case."""
        return tuple(name.strip().lower() for name in self.mail_domains.split(",") if name.strip())

    @property
    def rest_host(self) -> str:
        """Scheme and host of the boletas' seed, token and queries, without a slash at the end."""
        return self.sii_rest_url or REST_HOSTS[self.sii_environment]

    @property
    def rest_upload_host(self) -> str:
        """Scheme and host that takes the boletas' files, without a slash at the end."""
        return self.sii_rest_upload_url or REST_UPLOAD_HOSTS[self.sii_environment]

    @property
    def claims_host(self) -> str:
        """Scheme and host of acceptances and claims, without a slash at the end."""
        return self.sii_claims_url or CLAIMS_HOSTS[self.sii_environment]


def read_settings() -> Settings:
    """Read the environment anew; raises `SettingsError` with a sentence for each variable at fault.

    A variable that is no setting and nearly one is at fault as well: what it was meant to set has its default.
    """
    misspelt = tuple(
        f"{name} is no setting of FMgo: did you mean {meant}?" for name, meant in unknown_variables().items() if meant
    )
    try:
        found = Settings.model_validate({})
    except ValidationError as error:
        raise SettingsError((*misspelt, *sentences_of(error))) from None
    if misspelt:
        raise SettingsError(misspelt)
    return found


def sentences_of(error: ValidationError) -> tuple[str, ...]:
    """A sentence for each variable at fault; none shows a value."""
    return tuple(_sentence(item["loc"], item["type"], item["msg"]) for item in error.errors())


def unknown_variables() -> dict[str, str | None]:
    """Variables named FMGO_… that nothing of FMgo reads, each with the setting that it nearly is, if any."""
    known = {_PREFIX + field.upper() for field in Settings.model_fields}
    return {
        name: next(iter(get_close_matches(name.upper(), known, n=1, cutoff=_NEARLY)), None)
        for name in sorted(os.environ)
        if name.upper().startswith(_PREFIX)
        and name.upper() not in known | _NO_SETTINGS
        and not name.startswith(_OF_OTHERS)
    }


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process, read at the first call and kept (`settings.cache_clear()` forgets them)."""
    return read_settings()


def _sentence(location: tuple[int | str, ...], kind: str, message: str) -> str:
    """Name the variable instead of the field, for whoever has to set it."""
    said = message.removeprefix("Value error, ")
    if not location:  # several settings that contradict each other; the sentence names them
        return f"{said}."
    variable = _PREFIX + "_".join(str(part) for part in location).upper()
    if kind == "missing":
        return f"{variable} is not set; FMgo can't run without it."
    return f"{variable}: {said}."
