"""Setting up: companies, branches, people, certificates and folio authorisations (CAF) become rows.

Whatever comes in is checked as a whole first: a refusal (`EnrolmentError`) tells every problem at once, each with a
stable code and a sentence, and then nothing has changed. Private keys are opened, validated and sealed here and go no
further; every act leaves an audit row that holds no secret. After a change the sweep is rung for, so that documents
that waited for it go on. The same thing added again changes nothing and is said to be known.

Sources: SII, Formato DTE 2.5 (fields of Emisor); SII, Instructivo técnico de emisión (CAF); Resolución Exenta 58 of
2017 (expiry of folios).
"""

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeVar

from sqlalchemy import Connection

from domain.caf import SII_PUBLIC_KEYS, Caf, CafError, expires_on, read_authorisation, read_caf
from domain.certificate import CertificateError, Credential, open_credential
from domain.problems import Problem
from workers.caf_checks import (
    CafKeys,
    Company,
    already_open,
    badly_opened,
    company_name,
    overlap,
    standing_against,
    unknown_company,
)
from workers.database import enrolment as rows
from workers.database import folio_accounts as accounts
from workers.database import services, switches
from workers.database.attempts import Resend, allow_once_more
from workers.database.audit import audit
from workers.database.engine import Ledger, business_time
from workers.database.enrolment import BranchRow, CafRow, CertificateRow, IssuerRow
from workers.database.switches import What
from workers.database.verdicts import release_envelope, settle
from workers.enrolment_fields import Checks
from workers.enrolment_fields import EnrolmentError as EnrolmentError
from workers.folio_ranges import Range, joined, written
from workers.outside_bells import OutsideBells
from workers.vault.sealing import Vault
from workers.vault.signers import seal_caf_key, seal_certificate_key

Answer = TypeVar("Answer")
GONE_BEFORE = "used or annulled before the range was loaded"
"""Reason of the voids of a partly used range."""


@dataclass(frozen=True, slots=True)
class AddedCertificate:
    """A certificate in the ledger: whose it is, until when, and whether it is new there."""

    id: int
    person: str
    name: str
    not_after: date
    new: bool


@dataclass(frozen=True, slots=True)
class AddedCaf:
    """A range in the ledger; `warnings` are what a person should know of it."""

    id: int
    issuer: str
    environment: str
    document_type: int
    first: int
    last: int
    next: int
    expires_on: date | None
    new: bool
    warnings: tuple[Problem, ...]


class Enrolment:
    """Sets up one ledger. `actor` is who the audit rows name."""

    def __init__(
        self,
        ledger: Ledger,
        vault: Vault | None,
        bells: OutsideBells | None,
        *,
        caf_keys: CafKeys = SII_PUBLIC_KEYS,
        actor: str = "operator",
    ) -> None:
        """Take the ledger, the vault that seals, the bells (None: nobody is rung for) and the keys that sign CAFs.

        Without vault, what has a private key can't be added: `VaultKeysMissingError` is raised then.
        """
        self._ledger = ledger
        self._vault = vault
        self._bells = bells
        self._caf_keys = caf_keys
        self._actor = actor

    def add_issuer(self, issuer: IssuerRow) -> bool:
        """Add a company, or replace what is stored of it; whether it is new. Raises EnrolmentError (ISSUER-…)."""
        checks = Checks("ISSUER")
        clean = IssuerRow(
            rut=checks.rut("rut", issuer.rut),
            environment=checks.environment(issuer.environment),
            razon_social=checks.text("razon_social", issuer.razon_social, 100),
            giro=checks.text("giro", issuer.giro, 80),
            acteco=checks.acteco(issuer.acteco),
            dir_origen=checks.text("dir_origen", issuer.dir_origen, 70),
            cmna_origen=checks.text("cmna_origen", issuer.cmna_origen, 20),
            ciudad_origen=checks.optional("ciudad_origen", issuer.ciudad_origen, 20),
            telefono=checks.optional("telefono", issuer.telefono, 20),
            correo=checks.optional("correo", issuer.correo, 80),
            sucursal=checks.optional("sucursal", issuer.sucursal, 20),
            cdg_sii_sucur=checks.branch_code(issuer.cdg_sii_sucur),
            resolution_number=checks.resolution(issuer.resolution_number),
            resolution_date=issuer.resolution_date,
        )
        _raise(checks.problems)

        def put(tx: Connection) -> bool:
            created = rows.put_issuer(tx, clean)
            resolution = {"number": clean.resolution_number, "date": clean.resolution_date.isoformat()}
            action = "issuer.add" if created else "issuer.update"
            self._audit(tx, action, company_name(clean.rut, clean.environment), resolution)
            return created

        return self._changed(self._ledger.repeated(put))

    def set_resolution(self, issuer: str, environment: str, number: int, on: date) -> None:
        """Replace a company's resolution; the next Carátula states it. Raises EnrolmentError (ISSUER-…)."""
        checks = Checks("ISSUER")
        rut, world = checks.rut("rut", issuer), checks.environment(environment)
        checks.resolution(number)
        _raise(checks.problems)

        def put(tx: Connection) -> None:
            if not rows.set_resolution(tx, rut, world, number, on):
                raise EnrolmentError([unknown_company((rut, world))])
            self._audit(
                tx, "issuer.set-resolution", company_name(rut, world), {"number": number, "date": on.isoformat()}
            )

        self._changed(self._ledger.repeated(put))

    def turn(self, what: What, issuer: str | None, environment: str, *, stop: bool, reason: str | None) -> None:
        """Stop issuing or sending, or let it go on, for a company or all of an environment (`issuer` None).

        Raises EnrolmentError (ISSUER-…).
        """
        checks = Checks("ISSUER")
        world = checks.environment(environment)
        rut = checks.rut("rut", issuer) if issuer is not None else None
        _raise(checks.problems)

        def put(tx: Connection) -> None:
            if not switches.turn(tx, what, rut, world, stop=stop, reason=reason):
                raise EnrolmentError([unknown_company((rut or "", world))])
            subject = company_name(rut, world) if rut is not None else world
            self._audit(tx, f"{what}.{'stop' if stop else 'resume'}", subject, {"reason": reason or ""})

        self._changed(self._ledger.repeated(put))

    def add_branch(self, branch: BranchRow) -> bool:
        """Add a branch and its tills, or replace its address; whether it is new. Raises EnrolmentError (BRANCH-…)."""
        checks = Checks("BRANCH")
        clean = BranchRow(
            issuer=checks.rut("issuer", branch.issuer),
            environment=checks.environment(branch.environment),
            code=checks.text("code", branch.code, 60),
            sucursal=checks.text("sucursal", branch.sucursal, 20),
            cdg_sii_sucur=checks.branch_code(branch.cdg_sii_sucur),
            dir_origen=checks.text("dir_origen", branch.dir_origen, 70),
            cmna_origen=checks.text("cmna_origen", branch.cmna_origen, 20),
            ciudad_origen=checks.optional("ciudad_origen", branch.ciudad_origen, 20),
            tills=tuple(checks.text("till", till, 60) for till in branch.tills),
        )
        _raise(checks.problems)

        def put(tx: Connection) -> bool:
            _know(tx, [(clean.issuer, clean.environment)])
            created = rows.put_branch(tx, clean)
            subject = f"{company_name(clean.issuer, clean.environment)}/{clean.code}"
            self._audit(tx, "branch.add" if created else "branch.update", subject, {"tills": len(clean.tills)})
            return created

        return self._changed(self._ledger.repeated(put))

    def add_person(self, rut: str, name: str, companies: Sequence[Company] = ()) -> bool:
        """Add a person, or replace the name, and let them act for companies. Raises EnrolmentError (PERSON-…)."""
        checks = Checks("PERSON")
        person, clean, acting_for = checks.rut("rut", rut), checks.text("name", name, 100), checks.companies(companies)
        _raise(checks.problems)

        def put(tx: Connection) -> bool:
            _know(tx, acting_for)
            created = rows.put_person(tx, person, clean)
            self._grant(tx, person, acting_for)
            self._audit(tx, "person.add" if created else "person.update", person, {})
            return created

        return self._changed(self._ledger.repeated(put))

    def add_certificate(self, data: bytes, password: str, companies: Sequence[Company] = ()) -> AddedCertificate:
        """Open a PFX (or PEM with key and certificate), seal its key and let its person act for companies.

        Raises EnrolmentError with the file's own fault (PFX-…, PEM-…, CERT-…) and companies that aren't known.
        """
        checks = Checks("CERT")
        acting_for = checks.companies(companies)
        with self._ledger.transaction() as tx:
            now = business_time(tx)
            problems = [
                *checks.problems,
                *(unknown_company(company) for company in rows.unknown_issuers(tx, acting_for)),
            ]
        credential: Credential | None = None
        try:
            credential = open_credential(data, password, at=now)
        except CertificateError as error:
            problems = [*error.problems, *problems]
        _raise(problems)
        if credential is None:
            raise AssertionError
        opened = credential
        sealed = seal_certificate_key(self._sealing(), opened.private_key_der, opened.certificate_der)
        certificate = CertificateRow(
            person=opened.rut,
            fingerprint=hashlib.sha256(opened.certificate_der).digest(),
            certificate_der=opened.certificate_der,
            private_key_sealed=sealed.data,
            key_id=sealed.key_id,
            not_before=opened.not_before,
            not_after=opened.not_after,
        )

        def put(tx: Connection) -> AddedCertificate:
            _know(tx, acting_for)
            rows.ensure_person(tx, opened.rut, opened.name or opened.rut)
            number, created = rows.put_certificate(tx, certificate)
            self._grant(tx, opened.rut, acting_for)
            services.try_anew(tx, opened.rut)
            detail = {"fingerprint": certificate.fingerprint.hex(), "vault_key": sealed.key_id}
            self._audit(tx, "certificate.add" if created else "certificate.seal-again", opened.rut, detail)
            return AddedCertificate(number, opened.rut, opened.name, opened.not_after.date(), created)

        return self._changed(self._ledger.repeated(put))

    def add_caf(
        self,
        data: bytes,
        *,
        environment: str,
        issuer: str | None = None,
        first_free: int | None = None,
        used: Sequence[Range] = (),
        reserve: int = 0,
        branch: str | None = None,
    ) -> AddedCaf:
        """Load a CAF for `issuer` (by default the one it names), seal its key and open its folios.

        A partly used range is opened with `first_free`, the numbers before which are gone, and with `used`, numbers
        that are gone wherever they are; each becomes a void. `reserve` keeps so many folios of the range for
        interactive sales. Raises EnrolmentError (CAF-…, ISSUER-UNKNOWN) with everything that is wrong with the file
        and that stands against loading it.
        """
        checks = Checks("CAF")
        stated = checks.rut("issuer", issuer) if issuer is not None else None
        world = checks.environment(environment)
        caf = self._read(data, stated, world, checks.problems)
        owner = stated or caf.issuer
        following = caf.first if first_free is None else first_free
        gone = joined([*([(caf.first, following - 1)] if following > caf.first else []), *used])
        series = (caf.issuer, world, caf.document_type)

        def put(tx: Connection) -> AddedCaf:
            found = standing_against(tx, caf, owner, world, self._caf_keys)
            found += badly_opened(caf, following, used, reserve)
            known = rows.overlapping_cafs(tx, caf.issuer, world, caf.document_type, caf.first, caf.last)
            same = next((one for one in known if one.caf_xml == caf.caf_xml), None)
            if same is None:
                found += [overlap(caf, one) for one in known]
            elif still_free := accounts.untaken(tx, series, gone):
                found.append(already_open(still_free))
            _raise([problem for problem in found if problem.level == "error"])
            warnings = tuple(found)
            if same is not None:
                return _added(caf, world, same.id, same.next, new=False, warnings=warnings)
            number = rows.add_caf(tx, self._row(caf, world, caf.first, reserve, branch))
            accounts.make_void(tx, series, gone, GONE_BEFORE)
            start = accounts.settle(tx, [accounts.Counter(number, series, caf.first, caf.first, caf.last)])[number]
            detail = {"type": caf.document_type, "first": caf.first, "last": caf.last, "next": start}
            facts = {**detail, "used": written(gone), "idk": caf.idk, "caf": number}
            self._audit(tx, "caf.add", company_name(caf.issuer, world), facts)
            return _added(caf, world, number, start, new=True, warnings=warnings)

        return self._changed(self._ledger.repeated(put))

    def release_envelope(self, envelope: uuid.UUID) -> int:
        """Let the documents of a refused envelope go again in a new one, same bytes; returns how many."""
        return self._changed(self._ledger.repeated(lambda tx: release_envelope(tx, envelope, self._actor)))

    def resend_envelope(self, envelope: uuid.UUID) -> Resend:
        """Let the identical bytes of an envelope go once more whose doubt FMgo can't end; or why not."""
        return self._changed(self._ledger.repeated(lambda tx: allow_once_more(tx, envelope, self._actor)))

    def settle_document(self, document: uuid.UUID, state: Literal["accepted", "rejected"], reason: str) -> bool:
        """Record what a person found at the SII of a document in conflict; False when it isn't in one."""
        return self._changed(self._ledger.repeated(lambda tx: settle(tx, document, state, reason, self._actor)))

    def _sealing(self) -> Vault:
        return self._vault or Vault({})

    def _read(self, data: bytes, stated: str | None, environment: str, problems: Sequence[Problem]) -> Caf:
        """The CAF in a file; of an unsound one, what its public part says is judged all the same."""
        try:
            caf = read_caf(data)
        except CafError as error:
            found = [*error.problems, *problems]
            with suppress(CafError):
                public = read_authorisation(data)
                with self._ledger.transaction() as tx:
                    found += standing_against(tx, public, stated or public.issuer, environment, self._caf_keys)
            raise EnrolmentError(problem for problem in found if problem.level == "error") from None
        _raise(problems)
        return caf

    def _row(self, caf: Caf, environment: str, following: int, reserve: int, branch: str | None) -> CafRow:
        sealed = seal_caf_key(self._sealing(), caf.private_key_der, caf.caf_xml)
        return CafRow(
            issuer=caf.issuer,
            environment=environment,
            document_type=caf.document_type,
            first=caf.first,
            last=caf.last,
            authorised_on=caf.authorised_on,
            expires_on=expires_on(caf.document_type, caf.authorised_on),
            idk=caf.idk,
            caf_xml=caf.caf_xml,
            private_key_sealed=sealed.data,
            key_id=sealed.key_id,
            branch=branch,
            reserve=reserve,
            next=following,
        )

    def _grant(self, tx: Connection, person: str, companies: Sequence[Company]) -> None:
        if companies:
            rows.put_grants(tx, person, companies)
            names = [company_name(rut, environment) for rut, environment in companies]
            self._audit(tx, "person.grant", person, {"companies": names})

    def _audit(self, tx: Connection, action: str, subject: str, detail: Mapping[str, object]) -> None:
        audit(tx, self._actor, action, subject, dict(detail))

    def _changed(self, answer: Answer) -> Answer:
        """Ring for the sweep after the commit: what waited for this goes on."""
        if self._bells is not None:
            self._bells.ring_for_sweep()
        return answer


def _raise(problems: Sequence[Problem]) -> None:
    if problems:
        raise EnrolmentError(problems)


def _know(tx: Connection, companies: Sequence[Company]) -> None:
    _raise([unknown_company(company) for company in rows.unknown_issuers(tx, companies)])


def _added(
    caf: Caf, environment: str, number: int, following: int, *, new: bool, warnings: tuple[Problem, ...]
) -> AddedCaf:
    return AddedCaf(
        id=number,
        issuer=caf.issuer,
        environment=environment,
        document_type=caf.document_type,
        first=caf.first,
        last=caf.last,
        next=following,
        expires_on=expires_on(caf.document_type, caf.authorised_on),
        new=new,
        warnings=warnings,
    )
