"""What the SII checks in each document of an envelope, in the order in which it checks.

Folio known, folio annulled, CAF, stamp, signature, header, lines, references. Findings carry the codes of real
answers (section-level-number); a document with findings of level 1 and 2 only is accepted with repairs. Where the
real catalogue has a code that nobody published, 999 stands for it.
"""

from base64 import b64decode
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from lxml import etree

from deploy.sandbox.sii.amounts import amount_findings, figure, line_findings
from deploy.sandbox.sii.caf import Caf
from deploy.sandbox.sii.certificates import Certificates
from deploy.sandbox.sii.clock import SANTIAGO
from deploy.sandbox.sii.exports import export_findings
from deploy.sandbox.sii.extraction import Piece
from deploy.sandbox.sii.goods import goods_findings
from deploy.sandbox.sii.reading import Element, NotXmlError, children, find, find_all, local, text_of
from deploy.sandbox.sii.references import reference_findings
from deploy.sandbox.sii.registry import Document, Finding, Identity, Registry, Upload
from deploy.sandbox.sii.signatures import BadSignatureError, Signature, sign_check
from deploy.sandbox.sii.stamp import flat, shows, signed_forms
from deploy.sandbox.sii.switches import Switches
from deploy.sandbox.sii.taxes import tax_findings

# Types that give VAT credit: their folios expire (SII, Res. Ex. 58/2017).
_EXPIRING = frozenset({33, 43, 46, 56, 61})
_EXPIRY_MONTHS = 6
_TERM = timedelta(days=3)
_FACTURAS, _GUIDES, _LAST_DAY_FOR_GUIDES = frozenset({33, 34}), frozenset({"50", "52"}), 10


@dataclass(slots=True)
class Subject:
    """A document under examination: its bytes, its parse alone, and what is read from it."""

    piece: Piece
    root: Element
    body: Element
    upload: Upload
    identity: Identity
    caf: Caf | None = None
    findings: list[Finding] = field(default_factory=list)

    def text(self, path: str) -> str:
        """The text at a path below the document's body."""
        return text_of(self.body, path)

    def object_to(self, code: str, text: str) -> None:
        """Add a finding."""
        self.findings.append(Finding(code, text))

    @property
    def is_rejected(self) -> bool:
        """Whether a finding so far rejects it."""
        return any(finding.level == 3 for finding in self.findings)  # noqa: PLR2004 - the level that rejects


class DocumentChecks:
    """Examines documents against the registry."""

    def __init__(self, registry: Registry, certificates: Certificates, switches: Switches) -> None:
        self._registry = registry
        self._certificates = certificates
        self._switches = switches
        self._frma: dict[tuple[int, int, bytes], bool] = {}

    def examine(self, piece: Piece, upload: Upload) -> Document:
        """Examine one document; the registry isn't changed."""
        root = piece.alone()
        subject = Subject(piece, root, children(root)[0], upload, identity_of(children(root)[0]))
        # Stamp and signature are both looked at, whatever the other shows; a rejection at any other step ends it.
        for step in ((self._folio,), (self._caf,), (self._stamp, self._signature), (self._header,)):
            for check in step:
                check(subject)
            if subject.is_rejected:
                break
        return self._document(subject)

    def _document(self, subject: Subject) -> Document:
        issuer, document_type, folio = subject.identity
        totals = "Encabezado/Totales/"
        signature = find(subject.root, "Signature")
        return Document(
            issuer=issuer,
            document_type=document_type,
            folio=folio,
            digest=subject.piece.digest,
            receiver=subject.text("Encabezado/Receptor/RUTRecep"),
            issued_on=subject.text("Encabezado/IdDoc/FchEmis"),
            total=figure(subject.text(totals + "MntTotal")) or 0,
            net=figure(subject.text(totals + "MntNeto")),
            exempt=figure(subject.text(totals + "MntExe")),
            vat=figure(subject.text(totals + "IVA")),
            signature="" if signature is None else "".join(text_of(signature, "SignatureValue").split()),
            track_id=subject.upload.track_id,
            final_at=subject.upload.timeline["EPR"],
            findings=subject.findings,
            sale_kind=subject.text("Encabezado/IdDoc/TpoTranVenta"),
        )

    def folio_findings(self, identity: Identity, digest: str) -> list[Finding]:
        """What is to be said of a folio, given the SHA-256 of the document that bears it now."""
        earlier = self._registry.history.get(identity, [])
        held = [d for d in earlier if d.state != "rejected" or self._switches.rejected_keeps_folio]
        if any(d.digest == digest for d in held):
            return [Finding("DTE-3-100", "Documento Repetido")]
        if held:
            return [Finding("DTE-3-101", "Folio de Documento Ya Fue Recibido")]
        return [Finding("DTE-3-601", "Folio Anulado")] if identity in self._registry.annulled else []

    def _folio(self, subject: Subject) -> None:
        subject.findings.extend(self.folio_findings(subject.identity, subject.piece.digest))

    def _caf(self, subject: Subject) -> None:
        element = find(subject.body, "TED/DD/CAF")
        da = None if element is None else find(element, "DA")
        if element is None or da is None:
            subject.object_to("CAF-3-516", "Documento sin CAF")
            return
        caf = self._registry.cafs.get(_caf_identity(da))
        if caf is None or text_of(da, "IDK") != str(self._registry.idk) or not self._frma_is_good(caf, element, da):
            subject.object_to("CAF-3-516", "Firma del CAF Incorrecta o CAF de otro Ambiente")
            return
        subject.caf = caf
        issuer, document_type, folio = subject.identity
        if (caf.company, caf.document_type) != (issuer, document_type) or not caf.first <= folio <= caf.last:
            subject.object_to("CAF-3-999", f"Folio {folio} fuera del Rango Autorizado [{caf.first}-{caf.last}]")
        signed = _moment(subject.text("TmstFirma"))
        expires = _months_later(caf.date, _EXPIRY_MONTHS)
        if self._switches.caf_expires and document_type in _EXPIRING and signed and signed.date() > expires:
            subject.object_to("CAF-3-517", f"CAF Vencido: ({signed.date()}) - ({caf.date}) mayor que 6 meses")

    def _frma_is_good(self, caf: Caf, element: Element, da: Element) -> bool:
        keys = self._registry.frma_keys.get(caf.idk, [])
        place = len(keys), caf.key.n, etree.tostring(element, with_tail=False)
        if place not in self._frma:
            signature = text_of(element, "FRMA")
            self._frma[place] = any(key.verify_base64(flat(da), signature) for key in keys)
        return self._frma[place]

    def _stamp(self, subject: Subject) -> None:
        dd, ted, caf = find(subject.body, "TED/DD"), find(subject.body, "TED"), subject.caf
        if dd is None or ted is None or caf is None:
            return
        frmt = text_of(ted, "FRMT")
        if not any(caf.key.verify_base64(form, frmt) for form in signed_forms(dd, self._switches.ted_quotes)):
            subject.object_to("TED-2-510", "Firma del Timbre Incorrecta")
        for tag, path in (
            ("RE", "Encabezado/Emisor/RUTEmisor"),
            ("TD", "Encabezado/IdDoc/TipoDTE"),
            ("F", "Encabezado/IdDoc/Folio"),
            ("FE", "Encabezado/IdDoc/FchEmis"),
            ("RR", "Encabezado/Receptor/RUTRecep"),
            ("MNT", "Encabezado/Totales/MntTotal"),
        ):
            if text_of(dd, tag) != subject.text(path):
                subject.object_to("TED-3-640", f"{tag} del Timbre Distinto al Documento")
        names = (("RSR", "Encabezado/Receptor/RznSocRecep"), ("IT1", "Detalle/NmbItem"))
        for tag, path in names:
            written = subject.text(path)
            if written and not shows(text_of(dd, tag), written, self._switches.ted_text):
                subject.object_to("TED-3-640", f"{tag} del Timbre Distinto al Documento")
        stamped, signed = _moment(text_of(dd, "TSTED")), _moment(subject.text("TmstFirma"))
        if stamped is None or stamped.date() < caf.date:
            subject.object_to("TED-1-646", "Fecha del Timbre Anterior a la Autorizacion de Folios")
        elif stamped > subject.upload.received_at + timedelta(seconds=self._switches.future_stamp) or (
            signed is not None and stamped > signed
        ):
            subject.object_to("TED-1-647", "Fecha del Timbre Inconsistente")

    def _signature(self, subject: Subject) -> None:
        signature = self._verified(subject)
        if signature is None:
            subject.object_to("DTE-3-505", "Firma DTE Incorrecta")
            return
        fault = signature.certificate.fault_at(subject.upload.received_at)
        signer = signature.certificate.rut or ""
        if fault is not None:
            subject.object_to("DTE-3-505", f"Firma DTE Incorrecta: {fault}")
        elif not self._registry.may(signer, subject.identity[0], "sign", "send"):
            subject.object_to("DTE-3-505", f"Firma DTE Incorrecta: {signer} no autorizado")

    def _verified(self, subject: Subject) -> Signature | None:
        try:
            return sign_check(subject.root, local(subject.body), self._certificates)
        except BadSignatureError:
            pass
        if self._switches.dte_scope == "as_written":
            return None
        for root in subject.piece.other_scopes(with_xsi=True):
            try:
                return sign_check(root, local(subject.body), self._certificates)
            except BadSignatureError:
                continue
        return None

    def _header(self, subject: Subject) -> None:
        issuer, document_type, _ = subject.identity
        company = self._registry.companies[subject.upload.company]
        if issuer != company.rut:
            subject.object_to("HED-3-999", "RUT Emisor Distinto al de la Caratula")
        issued = _day(subject.text("Encabezado/IdDoc/FchEmis"))
        today = subject.upload.received_at.date()
        if issued is None or (subject.caf is not None and issued < subject.caf.date):
            subject.object_to("HED-3-305", "Fecha de Emision Anterior a la de Autorizacion")
        elif issued > today + timedelta(days=1):
            subject.object_to("HED-3-999", "Fecha de Emision Posterior a la de Recepcion")
        elif today - issued > _TERM and not _is_for_guides_in_time(subject, issued, today):
            subject.object_to("DTE-1-650", "Documento Enviado Fuera de Plazo")
        self._count(subject, amount_findings(subject.body, document_type))
        self._count(subject, tax_findings(subject.body, document_type))
        subject.findings.extend(export_findings(subject.body, document_type))
        emisor = find(subject.body, "Encabezado/Emisor")
        actecos = [] if emisor is None else [(e.text or "").strip() for e in find_all(emisor, "Acteco")]
        if company.actecos is not None and any(a.isdigit() and int(a) not in company.actecos for a in actecos):
            subject.object_to("HED-3-861", "Actividad Economica No Registrada")
        subject.findings.extend(goods_findings(subject.body, document_type, today, self._switches))
        self._count(subject, line_findings(subject.body, document_type))
        subject.findings.extend(reference_findings(subject.body, subject.upload, subject.identity, self._registry))

    def _count(self, subject: Subject, found: list[Finding]) -> None:
        """Enter what doesn't add up; under strict arithmetic it rejects, whatever level was reported of it."""
        for finding in found:
            if self._switches.arithmetic == "strict" and finding.level < 3:  # noqa: PLR2004 - the level that rejects
                subject.object_to(f"{finding.code[:3]}-3-999", finding.text)
            else:
                subject.findings.append(finding)


def identity_of(body: Element) -> Identity:
    """Issuer, type and folio of a document's body; raises NotXmlError when they can't be read."""
    issuer = text_of(body, "Encabezado/Emisor/RUTEmisor")
    document_type, folio = text_of(body, "Encabezado/IdDoc/TipoDTE"), text_of(body, "Encabezado/IdDoc/Folio")
    try:
        return issuer, int(document_type), int(folio)
    except ValueError as error:
        raise NotXmlError(f"tipo o folio ilegible: {document_type} {folio}") from error


def unreadable(body: Element, piece: Piece, upload: Upload, why: str) -> Document:
    """A document whose text can't be read alone, although its envelope could; `body` is its place in the envelope."""
    issuer, document_type, folio = identity_of(body)
    return Document(
        issuer=issuer,
        document_type=document_type,
        folio=folio,
        digest=piece.digest,
        receiver="",
        issued_on="",
        total=0,
        net=None,
        exempt=None,
        vat=None,
        signature="",
        track_id=upload.track_id,
        final_at=upload.timeline["EPR"],
        findings=[Finding("DTE-3-505", f"Firma DTE Incorrecta: {why}")],
    )


def _caf_identity(da: Element) -> tuple[str, int, int]:
    try:
        return text_of(da, "RE"), int(text_of(da, "TD")), int.from_bytes(b64decode(text_of(da, "RSAPK/M")))
    except ValueError:
        return "", 0, 0


def _is_for_guides_in_time(subject: Subject, issued: date, today: date) -> bool:
    """Whether it is a factura of guías: it bears a date of their month and is made until the 10th of the next."""
    _, document_type, _ = subject.identity
    guides = [r for r in find_all(subject.body, "Referencia") if text_of(r, "TpoDocRef") in _GUIDES]
    ends = _months_later(issued.replace(day=1), 1).replace(day=_LAST_DAY_FOR_GUIDES)
    return document_type in _FACTURAS and bool(guides) and today <= ends


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=SANTIAGO)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day.day, last))
