"""The press of `fmgo render`: documents are made with keys, folios and facts from files, nothing else.

Folios are counted up from the first for each type; a document that is refused uses none. What a note refers to is known
from files of XML and from what was printed before it in the same run; what isn't known is a warning. The issuer is read
from the document's own Emisor, then from the file of the issuer, and its RUT and name, if nobody states them, from
the CAF.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn

from domain.caf import Caf, StampingCaf, environment_of, expires_on
from domain.codes.document_types import BOLETA_TYPES
from domain.completion import IssuerData, ReferencedDocument
from domain.format.table import Profile
from domain.issued import STATE, IssuedDocument
from domain.issuing import Prepared, SignedDocument, issue, prepare
from domain.problems import DomainError, InvalidDocument, Problem, shown
from domain.signature import RsaSigner
from domain.stamp import chile
from workers.cli.units import Units

_EMISOR: Final = "document.Encabezado.Emisor"
_TAGS: Final = {
    "rut": ("RUTEmisor",),
    "razon_social": ("RznSoc", "RznSocEmisor"),
    "giro": ("GiroEmis", "GiroEmisor"),
    "acteco": ("Acteco",),
    "dir_origen": ("DirOrigen",),
    "cmna_origen": ("CmnaOrigen",),
    "ciudad_origen": ("CiudadOrigen",),
    "telefono": ("Telefono",),
    "correo": ("CorreoEmisor",),
    "sucursal": ("Sucursal",),
    "cdg_sii_sucur": ("CdgSIISucur",),
}
"""What is known of an issuer and the official tags that say it; a file of an issuer may use either."""


class RenderError(DomainError):
    """Files that do not go together."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One document to render: where it was read, what it is called, and who issues it if the job says so."""

    place: str
    name: str | None
    document: Mapping[str, Any]
    issuer: str | None


@dataclass(frozen=True, slots=True)
class Printed:
    """A document that was made, and what whoever asked for it should know."""

    asked: Asked
    made: SignedDocument
    issuer: str
    warnings: tuple[Problem, ...]


class Press:
    """The keys, the folios that are left, and what is known of the world."""

    def __init__(
        self,
        cafs: Sequence[Caf],
        signer: RsaSigner,
        at: datetime,
        *,
        folio: int,
        profile: Profile | None,
        units: Units,
        issuer: Mapping[str, Any],
        issued: Iterable[IssuedDocument],
    ) -> None:
        self.signer, self.at = signer, at
        self._cafs, self._first, self._profile, self._units, self._issuer = cafs, folio, profile, units, issuer
        self._used: Counter[int] = Counter()
        self._known: dict[str, dict[tuple[int, int], ReferencedDocument]] = {}
        for each in issued:
            self._remember(each.issuer, each.facts)

    def print(self, asked: Asked) -> Printed:
        """The document under the next folio of its type. Raises DomainError with every problem; no folio is used up."""
        kind = _type_of(asked.document) or self._without_type(asked)
        folio = self._first + self._used[kind]
        caf = self._caf(kind, folio)
        issuer = self._issuer_of(asked, caf)
        today = self.at.astimezone(chile()).date()
        try:
            prepared = prepare(
                asked.document,
                issuer=issuer,
                today=today,
                referenced=self._known.get(issuer.rut, {}),
                profile=self._profile,
                uf=self._units(asked.document, today),
            )
        except InvalidDocument as fault:
            raise InvalidDocument((*fault.problems, *_hint(fault.problems))) from None
        stamping = StampingCaf.load(caf.caf_xml, caf.private_key_der)
        made = issue(prepared, folio=folio, caf=stamping, signer=self.signer, at=self.at)
        self._used[kind] += 1
        self._remember(issuer.rut, _facts_of(prepared, folio))
        named = stamping.other_name(
            prepared.document.emisor.get("RznSoc") or prepared.document.emisor.get("RznSocEmisor", "")
        )
        return Printed(asked, made, issuer.rut, prepared.warnings if named is None else (*prepared.warnings, named))

    def _without_type(self, asked: Asked) -> NoReturn:
        """Raise what keeps the document from having a type: it is missing, or under names that aren't the format's."""
        today = self.at.astimezone(chile()).date()
        prepare(asked.document, issuer=None, today=today, referenced={}, profile=self._profile)
        raise RenderError([Problem("RENDER-TYPE", "Encabezado.IdDoc.TipoDTE", "Say the type of the document.")])

    def _remember(self, issuer: str, facts: ReferencedDocument) -> None:
        self._known.setdefault(issuer, {})[facts.document_type, facts.folio] = facts

    def _caf(self, kind: int, folio: int) -> Caf:
        of_type = [caf for caf in self._cafs if caf.document_type == kind]
        for caf in of_type:
            if caf.first <= folio <= caf.last:
                return caf
        ranges = ", ".join(f"{caf.first} to {caf.last}" for caf in of_type) or "none"
        sentence = f"No CAF for folio {folio} of type {kind}: of that type are {ranges}."
        raise RenderError([Problem("RENDER-CAF", "--caf", sentence)])

    def _issuer_of(self, asked: Asked, caf: Caf) -> IssuerData:
        head = asked.document["Encabezado"]
        stated = head.get("Emisor") if isinstance(head, dict) else None
        sources = (stated if isinstance(stated, dict) else {}, self._issuer)
        said = {name: _said(sources, (name, *tags)) for name, tags in _TAGS.items()}
        codes = said.pop("acteco")
        listed = codes if isinstance(codes, list) else [codes]
        texts = {name: None if value is None else str(value) for name, value in said.items()}
        return IssuerData(
            rut=texts["rut"] or asked.issuer or caf.issuer,
            environment=environment_of(caf.idk) or "certification",
            razon_social=texts["razon_social"] or caf.razon_social,
            giro=texts["giro"] or "",
            acteco=tuple(int(each) for each in map(str, listed) if each.isascii() and each.isdecimal()),
            dir_origen=texts["dir_origen"] or "",
            cmna_origen=texts["cmna_origen"] or "",
            ciudad_origen=texts["ciudad_origen"],
            telefono=texts["telefono"],
            correo=texts["correo"],
            sucursal=texts["sucursal"],
            cdg_sii_sucur=texts["cdg_sii_sucur"],
        )


def issuer_in(data: bytes) -> Mapping[str, Any]:
    """What a file says of an issuer: an object of official tags, or of FMgo's names. Raises RenderError."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise RenderError([Problem("RENDER-ISSUER", "--issuer", "Write a JSON object of the issuer's tags.")])
    taken = {name for tags in ((name, *tags) for name, tags in _TAGS.items()) for name in tags}
    if strange := sorted(found.keys() - taken):
        sentence = (
            f"{shown(strange[0])} is no tag of an issuer; there are {', '.join(tags[0] for tags in _TAGS.values())}."
        )
        raise RenderError([Problem("RENDER-ISSUER", "--issuer", sentence)])
    return found


def usable(caf: Caf, at: datetime) -> Caf:
    """The CAF, if its folios may still be stamped at that moment. Raises RenderError (CAF-EXPIRED)."""
    last_day = expires_on(caf.document_type, caf.authorised_on)
    if last_day is not None and at.astimezone(chile()).date() > last_day:
        sentence = f"The CAF of type {caf.document_type} ended on {last_day}."
        raise RenderError([Problem("CAF-EXPIRED", "--caf", sentence)])
    return caf


def _said(sources: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Any:
    return next((source[name] for source in sources for name in names if source.get(name) not in (None, "", [])), None)


def _hint(problems: Iterable[Problem]) -> Iterable[Problem]:
    if any(each.path.startswith(_EMISOR) and each.code == "FMT-REQUIRED" for each in problems):
        sentence = "Without a ledger the issuer is what the document's Emisor or a file (--issuer) says."
        yield Problem("RENDER-ISSUER", _EMISOR, sentence)


def _facts_of(prepared: Prepared, folio: int) -> ReferencedDocument:
    """What notes that follow are held to."""
    taxes = prepared.document.totals.get("ImptoReten") or ()
    stated = None if prepared.document_type in BOLETA_TYPES else {tax["TipoImp"]: tax["MontoImp"] for tax in taxes}
    return ReferencedDocument(
        document_type=prepared.document_type,
        folio=folio,
        state=STATE,
        receiver=prepared.receiver,
        total=prepared.total,
        net=prepared.net,
        exempt=prepared.exempt,
        vat=prepared.vat,
        issued_on=prepared.issued_on,
        taxes=stated,
        sale_kind=prepared.document.id_doc.get("TpoTranVenta") or 0,
        principal=prepared.document.header.get("RUTMandante"),
    )


def _type_of(document: Mapping[str, Any]) -> int:
    """The type that a document states, 0 where it states none."""
    head = document.get("Encabezado")
    identification = head.get("IdDoc") if isinstance(head, dict) else None
    kind = identification.get("TipoDTE") if isinstance(identification, dict) else None
    text = str(kind).strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 3):  # noqa: PLR2004  (three digits)
        return 0
    return int(text)
