"""Companies, people, certificates and CAFs: what the phases read.

Secrets come out sealed, as they are stored; opening them is the vault's business.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from domain.completion import IssuerData
from workers.database.engine import run


@dataclass(frozen=True, slots=True)
class SealedCertificate:
    """A person's certificate with its private key (PKCS#8 DER) sealed under `key_id`."""

    id: int
    person: str
    certificate_der: bytes
    private_key_sealed: bytes
    key_id: str


@dataclass(frozen=True, slots=True)
class SealedCaf:
    """A folio authorisation with its private key (DER) sealed under `key_id`; `expires_on` None: never."""

    id: int
    issuer: str
    environment: str
    document_type: int
    first: int
    last: int
    authorised_on: date
    expires_on: date | None
    caf_xml: bytes
    private_key_sealed: bytes
    key_id: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """The resolution that authorised a company, as the Carátula states it."""

    number: int
    date: date


Company = tuple[str, str]


def issuer_data(tx: Connection, companies: Iterable[Company]) -> dict[tuple[str, str, str | None], IssuerData]:
    """Emisor of each (RUT, environment, branch code or None), branches' own address and SII code included."""
    keys = sorted(set(companies))
    rows = run(
        tx,
        """
        SELECT i.*, b.code, b.sucursal AS b_sucursal, b.cdg_sii_sucur AS b_cdg, b.dir_origen AS b_dir,
               b.cmna_origen AS b_cmna, b.ciudad_origen AS b_ciudad
        FROM unnest(CAST(:ruts AS text[]), CAST(:environments AS text[])) AS k (rut, environment)
        JOIN issuers i ON i.rut = k.rut AND i.environment = k.environment
        LEFT JOIN LATERAL (
            SELECT * FROM branches b WHERE b.issuer = i.rut AND b.environment = i.environment
            UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
        ) b ON true
        """,
        ruts=[rut for rut, _ in keys],
        environments=[environment for _, environment in keys],
    )
    return {
        (row.rut, row.environment, row.code): IssuerData(
            rut=row.rut,
            environment=row.environment,
            razon_social=row.razon_social,
            giro=row.giro,
            acteco=tuple(row.acteco),
            dir_origen=row.b_dir or row.dir_origen,
            cmna_origen=row.b_cmna or row.cmna_origen,
            ciudad_origen=row.b_ciudad if row.code else row.ciudad_origen,
            telefono=row.telefono,
            correo=row.correo,
            sucursal=row.b_sucursal or row.sucursal,
            cdg_sii_sucur=row.b_cdg or row.cdg_sii_sucur,
        )
        for row in rows
    }


def is_enrolled(tx: Connection, issuer: str, environment: str) -> bool:
    """Whether a company is enrolled in an environment."""
    return bool(
        run(
            tx,
            "SELECT EXISTS (SELECT FROM issuers WHERE rut = :issuer AND environment = :environment)",
            issuer=issuer,
            environment=environment,
        ).scalar_one()
    )


def resolution_of(tx: Connection, issuer: str, environment: str) -> Resolution:
    """Resolution of a company as it stands now (it is read when an envelope is sealed)."""
    row = run(
        tx,
        "SELECT resolution_number, resolution_date FROM issuers WHERE rut = :issuer AND environment = :environment",
        issuer=issuer,
        environment=environment,
    ).one()
    return Resolution(row.resolution_number, row.resolution_date)


SIGNERS = """
    SELECT DISTINCT ON (g.issuer, g.environment)
           g.issuer, g.environment, c.id, c.person, c.certificate_der, c.private_key_sealed, c.key_id
    FROM unnest(CAST(:ruts AS text[]), CAST(:environments AS text[])) AS k (rut, environment)
    JOIN issuer_grants g ON g.issuer = k.rut AND g.environment = k.environment AND g.can_sign AND g.can_send
    JOIN certificates c ON c.person = g.person AND c.retired_at IS NULL
         AND c.not_before <= fmgo_now() AND c.not_after > fmgo_now()
    ORDER BY g.issuer, g.environment, c.not_after DESC, c.id DESC
"""


def signers_of(tx: Connection, companies: Iterable[Company]) -> dict[Company, SealedCertificate]:
    """The valid certificate with the longest life ahead among the people who may sign and send for each company."""
    keys = sorted(set(companies))
    rows = run(tx, SIGNERS, ruts=[rut for rut, _ in keys], environments=[environment for _, environment in keys])
    return {
        (row.issuer, row.environment): SealedCertificate(
            row.id, row.person, bytes(row.certificate_der), bytes(row.private_key_sealed), row.key_id
        )
        for row in rows
    }


def certificate(tx: Connection, certificate_id: int) -> SealedCertificate:
    """One certificate by its number, retired or not."""
    row = run(tx, "SELECT * FROM certificates WHERE id = :id", id=certificate_id).one()
    return SealedCertificate(row.id, row.person, bytes(row.certificate_der), bytes(row.private_key_sealed), row.key_id)


def cafs(tx: Connection, ids: Iterable[int]) -> dict[int, SealedCaf]:
    """CAFs by their numbers."""
    rows = run(tx, "SELECT * FROM cafs WHERE id = ANY(CAST(:ids AS bigint[]))", ids=sorted(set(ids)))
    return {
        row.id: SealedCaf(
            id=row.id,
            issuer=row.issuer,
            environment=row.environment,
            document_type=row.document_type,
            first=row.first,
            last=row.last,
            authorised_on=row.authorised_on,
            expires_on=row.expires_on,
            caf_xml=bytes(row.caf_xml),
            private_key_sealed=bytes(row.private_key_sealed),
            key_id=row.key_id,
        )
        for row in rows
    }
