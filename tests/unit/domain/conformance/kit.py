"""The corpus' own company: its person, its folios and its resolution."""

import datetime as dt
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from domain.caf import StampingCaf, read_caf
from domain.certificate import open_pfx
from domain.completion import IssuerData
from domain.envelope import Caratula, build_envelope
from domain.signature import RsaSigner

AT = dt.datetime(2026, 11, 24, 18, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 24)


@dataclass(frozen=True)
class Kit:
    """An issuer of the kit."""

    folder: Path
    facts: dict[str, Any]
    password: str

    @property
    def issuer(self) -> IssuerData:
        """Who issues."""
        return IssuerData(
            rut=self.facts["RUTEmisor"],
            environment="certification",
            razon_social=self.facts["RznSoc"],
            giro=self.facts["GiroEmis"],
            acteco=(self.facts["Acteco"],),
            dir_origen=self.facts["DirOrigen"],
            cmna_origen=self.facts["CmnaOrigen"],
            ciudad_origen=self.facts["CiudadOrigen"],
        )

    def signer(self) -> RsaSigner:
        """The person who signs, out of the PFX."""
        credential = open_pfx((self.folder / self.facts["pfx"]).read_bytes(), self.password, at=AT)
        return RsaSigner.load(credential.private_key_der, credential.certificate_der)

    def caf(self, kind: int) -> StampingCaf:
        """Folios of a type."""
        caf = read_caf((self.folder / self.facts["caf"][str(kind)]).read_bytes())
        return StampingCaf.load(caf.caf_xml, caf.private_key_der)

    def envelope(self, documents: list[bytes], kinds: list[int]) -> bytes:
        """An envelope to the SII."""
        resolved = dt.date.fromisoformat(self.facts["FchResol"])
        caratula = Caratula(self.facts["RUTEmisor"], self.facts["signer_rut"], resolved, self.facts["NroResol"])
        return build_envelope(documents, kinds, caratula=caratula, signer=self.signer(), at=AT)


@cache
def kits(shared: Path) -> tuple[Kit, ...]:
    """The issuers of the kit."""
    folder = shared / "corpus" / "kit"
    content = json.loads((folder / "kit.json").read_text(encoding="utf-8"))
    return tuple(Kit(folder, facts, content["pfx_password"]) for facts in content["issuers"])
