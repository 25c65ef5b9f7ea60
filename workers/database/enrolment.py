"""Companies, people, certificates and CAFs: what setting up writes, and the lists of it.

Each function is one statement inside the caller's transaction. Secrets come in sealed and don't come out: the lists
hold nothing that opens anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from workers.database.engine import run


@dataclass(frozen=True, slots=True)
class IssuerRow:
    """A company as it is stored: the Emisor of its documents and the resolution of its Carátula."""

    rut: str
    environment: str
    razon_social: str
    giro: str
    acteco: tuple[int, ...]
    dir_origen: str
    cmna_origen: str
    ciudad_origen: str | None
    telefono: str | None
    correo: str | None
    sucursal: str | None
    cdg_sii_sucur: str | None
    resolution_number: int
    resolution_date: date


@dataclass(frozen=True, slots=True)
class BranchRow:
    """A branch (sucursal) of a company; `code` is what jobs name it by, `cdg_sii_sucur` what the SII does."""

    issuer: str
    environment: str
    code: str
    sucursal: str
    cdg_sii_sucur: str | None
    dir_origen: str
    cmna_origen: str
    ciudad_origen: str | None
    tills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateRow:
    """A person's certificate (DER) with its private key sealed under `key_id`."""

    person: str
    fingerprint: bytes
    certificate_der: bytes
    private_key_sealed: bytes
    key_id: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class CafRow:
    """A folio authorisation with its private key sealed under `key_id`; `next` is the first folio to be given."""

    issuer: str
    environment: str
    document_type: int
    first: int
    last: int
    authorised_on: date
    expires_on: date | None
    idk: int
    caf_xml: bytes
    private_key_sealed: bytes
    key_id: str
    branch: str | None
    reserve: int
    next: int


@dataclass(frozen=True, slots=True)
class KnownCaf:
    """A range in the ledger that has folios in common with another."""

    id: int
    first: int
    last: int
    next: int
    authorised_on: date
    caf_xml: bytes


PUT_ISSUER = """
    INSERT INTO issuers (rut, environment, razon_social, giro, acteco, dir_origen, cmna_origen, ciudad_origen, telefono,
                         correo, sucursal, cdg_sii_sucur, resolution_number, resolution_date)
    VALUES (:rut, :environment, :razon_social, :giro, CAST(:acteco AS integer[]), :dir_origen, :cmna_origen,
            :ciudad_origen, :telefono, :correo, :sucursal, :cdg_sii_sucur, :resolution_number, :resolution_date)
    ON CONFLICT (rut, environment) DO UPDATE
    SET razon_social = excluded.razon_social, giro = excluded.giro, acteco = excluded.acteco,
        dir_origen = excluded.dir_origen, cmna_origen = excluded.cmna_origen, ciudad_origen = excluded.ciudad_origen,
        telefono = excluded.telefono, correo = excluded.correo, sucursal = excluded.sucursal,
        cdg_sii_sucur = excluded.cdg_sii_sucur, resolution_number = excluded.resolution_number,
        resolution_date = excluded.resolution_date
    RETURNING (xmax = 0) AS created
"""


def put_issuer(tx: Connection, issuer: IssuerRow) -> bool:
    """Add a company, or replace all that is stored of it; whether it is new."""
    values = {name: getattr(issuer, name) for name in IssuerRow.__slots__}
    return bool(run(tx, PUT_ISSUER, **{**values, "acteco": list(issuer.acteco)}).scalar_one())


def set_resolution(tx: Connection, issuer: str, environment: str, number: int, on: date) -> bool:
    """Replace a company's resolution; False when there is no such company."""
    return (
        run(
            tx,
            """
            UPDATE issuers SET resolution_number = :number, resolution_date = :on
            WHERE rut = :issuer AND environment = :environment
            """,
            number=number,
            on=on,
            issuer=issuer,
            environment=environment,
        ).rowcount
        == 1
    )


def name_of(tx: Connection, rut: str, environment: str) -> str | None:
    """What a company of this ledger is called; None where it is none."""
    row = run(
        tx,
        "SELECT razon_social FROM issuers WHERE rut = :rut AND environment = :environment",
        rut=rut,
        environment=environment,
    ).one_or_none()
    return None if row is None else row.razon_social


def unknown_issuers(tx: Connection, companies: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of the (RUT, environment) that are no companies of this ledger; the known ones are locked against loss."""
    rows = run(
        tx,
        """
        SELECT i.rut, i.environment FROM issuers i
        WHERE (i.rut, i.environment) IN (
            SELECT * FROM unnest(CAST(:ruts AS text[]), CAST(:environments AS text[])))
        ORDER BY i.rut, i.environment FOR KEY SHARE
        """,
        ruts=[rut for rut, _ in companies],
        environments=[environment for _, environment in companies],
    )
    known = {(row.rut, row.environment) for row in rows}
    return [company for company in companies if company not in known]


def put_branch(tx: Connection, branch: BranchRow) -> bool:
    """Add a branch with its tills, or replace its address and add the tills that are new; whether it is new."""
    values = {name: getattr(branch, name) for name in BranchRow.__slots__ if name != "tills"}
    created = run(
        tx,
        """
        INSERT INTO branches (issuer, environment, code, sucursal, cdg_sii_sucur, dir_origen, cmna_origen,
                              ciudad_origen)
        VALUES (:issuer, :environment, :code, :sucursal, :cdg_sii_sucur, :dir_origen, :cmna_origen, :ciudad_origen)
        ON CONFLICT (issuer, environment, code) DO UPDATE
        SET sucursal = excluded.sucursal, cdg_sii_sucur = excluded.cdg_sii_sucur, dir_origen = excluded.dir_origen,
            cmna_origen = excluded.cmna_origen, ciudad_origen = excluded.ciudad_origen
        RETURNING (xmax = 0) AS created
        """,
        **values,
    ).scalar_one()
    run(
        tx,
        """
        INSERT INTO tills (issuer, environment, branch, code)
        SELECT :issuer, :environment, :branch, till FROM unnest(CAST(:tills AS text[])) AS till
        ON CONFLICT DO NOTHING
        """,
        issuer=branch.issuer,
        environment=branch.environment,
        branch=branch.code,
        tills=sorted(set(branch.tills)),
    )
    return bool(created)


def put_person(tx: Connection, rut: str, name: str) -> bool:
    """Add a person or replace the name; whether the person is new."""
    return bool(
        run(
            tx,
            """
            INSERT INTO persons (rut, name) VALUES (:rut, :name)
            ON CONFLICT (rut) DO UPDATE SET name = excluded.name
            RETURNING (xmax = 0) AS created
            """,
            rut=rut,
            name=name,
        ).scalar_one()
    )


def ensure_person(tx: Connection, rut: str, name: str) -> None:
    """Add a person who isn't known yet; a known one's name stays."""
    run(tx, "INSERT INTO persons (rut, name) VALUES (:rut, :name) ON CONFLICT DO NOTHING", rut=rut, name=name)


def put_grants(tx: Connection, person: str, companies: Sequence[tuple[str, str]]) -> None:
    """Let a person sign and send for companies."""
    run(
        tx,
        """
        INSERT INTO issuer_grants (issuer, environment, person)
        SELECT k.rut, k.environment, :person
        FROM unnest(CAST(:ruts AS text[]), CAST(:environments AS text[])) AS k (rut, environment)
        ORDER BY k.rut, k.environment
        ON CONFLICT (issuer, environment, person) DO UPDATE SET can_sign = true, can_send = true
        """,
        person=person,
        ruts=[rut for rut, _ in companies],
        environments=[environment for _, environment in companies],
    )


def put_certificate(tx: Connection, certificate: CertificateRow) -> tuple[int, bool]:
    """Store a certificate, or bring a retired one back; its number, and whether it is new."""
    values = {name: getattr(certificate, name) for name in CertificateRow.__slots__}
    row = run(
        tx,
        """
        INSERT INTO certificates (person, fingerprint, certificate_der, private_key_sealed, key_id, not_before,
                                  not_after)
        VALUES (:person, :fingerprint, :certificate_der, :private_key_sealed, :key_id, :not_before, :not_after)
        ON CONFLICT (fingerprint) DO UPDATE
        SET private_key_sealed = excluded.private_key_sealed, key_id = excluded.key_id, retired_at = NULL
        RETURNING id, (xmax = 0) AS created
        """,
        **values,
    ).one()
    return int(row.id), bool(row.created)


def overlapping_cafs(
    tx: Connection, issuer: str, environment: str, document_type: int, first: int, last: int
) -> list[KnownCaf]:
    """Ranges of the same company and type that have folios in common with the one from `first` to `last`.

    The company's row is held until the transaction ends: two ranges are never loaded at once.
    """
    run(
        tx,
        "SELECT FROM issuers WHERE rut = :issuer AND environment = :environment FOR NO KEY UPDATE",
        issuer=issuer,
        environment=environment,
    )
    rows = run(
        tx,
        """
        SELECT c.id, c.first, c.last, f.next, c.authorised_on, c.caf_xml
        FROM cafs c JOIN folio_counters f ON f.caf = c.id
        WHERE c.issuer = :issuer AND c.environment = :environment AND c.document_type = :document_type
          AND int8range(c.first, c.last, '[]') && int8range(:first, :last, '[]')
        ORDER BY c.first
        """,
        issuer=issuer,
        environment=environment,
        document_type=document_type,
        first=first,
        last=last,
    )
    return [KnownCaf(row.id, row.first, row.last, row.next, row.authorised_on, bytes(row.caf_xml)) for row in rows]


def add_caf(tx: Connection, caf: CafRow) -> int:
    """Store a range with its counter; the numbers before `next` are the caller's to explain. Its number."""
    values = {name: getattr(caf, name) for name in CafRow.__slots__}
    number = run(
        tx,
        """
        WITH stored AS (
            INSERT INTO cafs (issuer, environment, document_type, first, last, authorised_on, expires_on, idk, caf_xml,
                              private_key_sealed, key_id, branch, reserve)
            VALUES (:issuer, :environment, :document_type, :first, :last, :authorised_on, :expires_on, :idk, :caf_xml,
                    :private_key_sealed, :key_id, :branch, :reserve)
            RETURNING id
        ), counted AS (
            INSERT INTO folio_counters (caf, issuer, environment, document_type, next, last)
            SELECT id, :issuer, :environment, :document_type, :next, :last FROM stored
        )
        SELECT id FROM stored
        """,
        **values,
    ).scalar_one()
    return int(number)


def issuer_list(tx: Connection) -> list[dict[str, Any]]:
    """Every company with its resolution, the people who may sign for it, and its certificates in force."""
    rows = run(
        tx,
        """
        SELECT i.*, coalesce(p.people, '{}') AS people, p.certificate_until
        FROM issuers i
        LEFT JOIN LATERAL (
            SELECT array_agg(DISTINCT g.person::text) AS people, max(c.not_after) AS certificate_until
            FROM issuer_grants g
            LEFT JOIN certificates c ON c.person = g.person AND c.retired_at IS NULL
                 AND c.not_before <= fmgo_now() AND c.not_after > fmgo_now()
            WHERE g.issuer = i.rut AND g.environment = i.environment AND g.can_sign AND g.can_send
        ) p ON true
        ORDER BY i.environment, i.rut
        """,
    )
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  (SQLAlchemy's documented way to a dict)


def caf_list(tx: Connection, issuer: str | None, environment: str | None) -> list[dict[str, Any]]:
    """Ranges with what is left of them, oldest first; of one company, or of all."""
    rows = run(
        tx,
        """
        SELECT c.id, c.issuer, c.environment, c.document_type, c.first, c.last, f.next,
               f.last - f.next + 1 - f.taken AS folios_left, c.authorised_on, c.expires_on, c.reserve,
               c.branch, c.withdrawn_at
        FROM cafs c JOIN folio_counters f ON f.caf = c.id
        WHERE (CAST(:issuer AS text) IS NULL OR c.issuer = :issuer)
          AND (CAST(:environment AS text) IS NULL OR c.environment = :environment)
        ORDER BY c.environment, c.issuer, c.document_type, c.authorised_on, c.first
        """,
        issuer=issuer,
        environment=environment,
    )
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  (SQLAlchemy's documented way to a dict)


def certificate_list(tx: Connection) -> list[dict[str, Any]]:
    """Certificates with the person's name and the companies they serve; no key, no bytes."""
    rows = run(
        tx,
        """
        SELECT c.id, c.person, p.name, encode(c.fingerprint, 'hex') AS fingerprint, c.not_before, c.not_after,
               c.retired_at, coalesce(g.companies, '{}') AS companies
        FROM certificates c JOIN persons p ON p.rut = c.person
        LEFT JOIN LATERAL (
            SELECT array_agg(issuer || '@' || environment ORDER BY issuer, environment) AS companies
            FROM issuer_grants WHERE person = c.person AND can_sign AND can_send
        ) g ON true
        ORDER BY p.name, c.not_after DESC
        """,
    )
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  (SQLAlchemy's documented way to a dict)
