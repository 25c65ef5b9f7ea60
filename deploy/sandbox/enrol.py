"""Enrolling companies in a sandbox, on both sides: in the SII's registry and in FMgo, as an operator would.

A company gets a person of its own with a certificate of the sandbox's authority, the permissions that the SII wants,
and CAFs that the simulated SII signs.
"""

import datetime as dt
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from deploy.sandbox.control import SiiControl
from deploy.sandbox.people import Authority, Company, rut
from domain.rut import is_valid
from workers.database.engine import Ledger, business_time
from workers.database.enrolment import IssuerRow
from workers.enrolment import Enrolment
from workers.outside_bells import OutsideBells
from workers.settings import Settings
from workers.vault.sealing import Vault

ENVIRONMENT: Final = "certification"
AUTHORISED_BEFORE: Final = dt.timedelta(days=10)
"""How old the CAFs are: no document may be of an earlier day."""
_PASSWORD: Final = "sandbox"  # noqa: S105 - of files that never leave this process


class SandboxEnrolment:
    """Enrols invented companies; one authority signs all their certificates."""

    def __init__(self, ledger: Ledger, sii: SiiControl, settings: Settings) -> None:
        self._ledger = ledger
        self._sii = sii
        self._authority = Authority()
        self._sii.register({"authorities": [self._authority.pem]})
        self._operator = Enrolment(
            ledger,
            Vault.from_settings(settings),
            OutsideBells(settings.redis_url),
            caf_keys={100: (sii.caf_key(),)},
            actor="sandbox",
        )

    @property
    def operator(self) -> Enrolment:
        """What an operator enrols and mends with."""
        return self._operator

    def enrol(
        self,
        company: Company,
        types: Sequence[int],
        *,
        folios: int,
        believed_resolution: dt.date | None = None,
    ) -> None:
        """Enrol a company with folios of some types; FMgo may be told another resolution than the SII knows."""
        person = rut(10_000_000 + zlib.crc32(company.rut.encode()) % 9_000_000)
        pfx = self._authority.pfx(person, f"Firmante de {company.razon_social}"[:60], _PASSWORD.encode())
        with self._ledger.transaction() as tx:
            today = business_time(tx).date()
        authorised_on = today - AUTHORISED_BEFORE
        cafs = self._sii.register(
            {
                "companies": [
                    {
                        "rut": company.rut,
                        "razon_social": company.razon_social,
                        "resolution": {
                            "number": company.resolution_number,
                            "date": company.resolution_date.isoformat(),
                        },
                        "actecos": [company.acteco],
                    }
                ],
                "persons": [{"rut": person, "name": f"Firmante de {company.razon_social}"}],
                "permissions": [{"person": person, "company": company.rut, "can": ["send", "query", "sign"]}],
                "cafs": [
                    {
                        "company": company.rut,
                        "type": number,
                        "from": 1,
                        "to": folios,
                        "date": authorised_on.isoformat(),
                    }
                    for number in types
                ],
            }
        )
        self._operator.add_issuer(
            IssuerRow(
                rut=company.rut,
                environment=ENVIRONMENT,
                razon_social=company.razon_social,
                giro=company.giro,
                acteco=(company.acteco,),
                dir_origen=company.dir_origen,
                cmna_origen=company.cmna_origen,
                ciudad_origen=company.ciudad_origen,
                telefono=None,
                correo=None,
                sucursal=None,
                cdg_sii_sucur=None,
                resolution_number=company.resolution_number,
                resolution_date=believed_resolution or company.resolution_date,
            )
        )
        self._operator.add_certificate(pfx, _PASSWORD, [(company.rut, ENVIRONMENT)])
        for caf in cafs:
            self._operator.add_caf(caf.data, environment=ENVIRONMENT)


def companies_of(bodies: Iterable[bytes]) -> list[tuple[Company, tuple[int, ...]]]:
    """Every issuer found in jobs, with its types; what a job says of its Emisor is taken, the rest is invented."""
    types: dict[str, set[int]] = defaultdict(set)
    emisores: dict[str, dict[str, Any]] = {}
    for body in bodies:
        try:
            job = json.loads(body)
            issuer = str(job["issuer"]).replace(".", "").upper()
            header = job["document"]["Encabezado"]
            number = int(header["IdDoc"]["TipoDTE"])
        except (ValueError, KeyError, TypeError):
            continue
        if is_valid(issuer):
            types[issuer].add(number)
            emisor = header.get("Emisor")
            emisores.setdefault(issuer, emisor if isinstance(emisor, dict) else {})
    return [(_company(issuer, emisores[issuer]), tuple(sorted(found))) for issuer, found in sorted(types.items())]


def _company(issuer: str, emisor: dict[str, Any]) -> Company:
    acteco = emisor.get("Acteco", 523_999)
    return Company(
        rut=issuer,
        razon_social=str(emisor.get("RznSoc") or emisor.get("RznSocEmisor") or f"Empresa inventada {issuer}")[:100],
        giro=str(emisor.get("GiroEmis") or emisor.get("GiroEmisor") or "Comercio al por menor")[:80],
        acteco=int(acteco[0] if isinstance(acteco, list) else acteco),
        dir_origen=str(emisor.get("DirOrigen") or "Calle Inventada 123")[:60],
        cmna_origen=str(emisor.get("CmnaOrigen") or "Santiago")[:20],
        ciudad_origen=str(emisor.get("CiudadOrigen") or "Santiago")[:20],
    )
