"""What the SII checks in an envelope as a whole: schema, Carátula, signature, permissions.

Each step ends with its own verdict: RSC, RCT or RFR. In all three no document is registered and the folios stay free.
"""

from collections import Counter
from dataclasses import dataclass

from deploy.sandbox.sii.certificates import Certificates
from deploy.sandbox.sii.editions import edition_at
from deploy.sandbox.sii.reading import Element, children, find, find_all, text_of
from deploy.sandbox.sii.registry import Finding, Registry, Upload
from deploy.sandbox.sii.schemas import SchemaMissingError, Schemas
from deploy.sandbox.sii.signatures import BadSignatureError, sign_check
from deploy.sandbox.sii.switches import Switches

_SII_RUT = "60803000-K"
_MANY = 5


@dataclass(frozen=True, slots=True)
class Refusal:
    """The verdict that refuses an envelope, with its finding."""

    state: str
    finding: Finding


class EnvelopeChecks:
    """Examines envelopes."""

    def __init__(self, registry: Registry, certificates: Certificates, schemas: Schemas, switches: Switches) -> None:
        self._registry = registry
        self._certificates = certificates
        self._schemas = schemas
        self._switches = switches

    def examine(self, root: Element, upload: Upload) -> Refusal | None:
        """The refusal that an envelope deserves, None when its documents may be looked at."""
        return self._schema(root, upload) or self._caratula(root, upload) or self._signature(root, upload)

    def _schema(self, root: Element, upload: Upload) -> Refusal | None:
        try:
            faults = self._schemas.faults(root, upload.root, edition_at(self._switches, upload.received_at.date()))
        except (SchemaMissingError, KeyError) as error:
            faults = [f"SCH-00001: Invalid Schema Name ({error})"]
        return Refusal("RSC", Finding("ENV-3-0", "; ".join(faults[:_MANY]))) if faults else None

    def _caratula(self, root: Element, upload: Upload) -> Refusal | None:
        set_dte = children(root)[0]
        caratula = find(set_dte, "Caratula")
        if caratula is None:
            return _rct("CRT-3-999", "Envio sin Caratula")
        company = self._registry.companies[upload.company]
        for tag, expected in (("RutEmisor", upload.company), ("RutEnvia", upload.sender)):
            if text_of(caratula, tag) != expected:
                return _rct("CRT-3-11", f"{tag} Diferente al Upload")
        stated = text_of(caratula, "NroResol"), text_of(caratula, "FchResol")
        if stated != (str(company.resolution_number), company.resolution_date.isoformat()):
            return _rct("CRT-3-19", f"Fecha/Numero Resolucion Invalido [{stated[0]} de {stated[1]}]")
        if text_of(caratula, "RutReceptor") != _SII_RUT:
            return _rct("CRT-3-18", "RUT Receptor (Caratula) Invalido")
        written = {text_of(s, "TpoDTE"): int(text_of(s, "NroDTE")) for s in find_all(caratula, "SubTotDTE")}
        counted = Counter(text_of(children(d)[0], "Encabezado/IdDoc/TipoDTE") for d in find_all(set_dte, "DTE"))
        if written != counted or len(find_all(caratula, "SubTotDTE")) != len(written):
            return _rct("CRT-3-999", f"SubTotDTE No Cuadra [{written} <> {dict(counted)}]")
        return None

    def _signature(self, root: Element, upload: Upload) -> Refusal | None:
        try:
            signature = sign_check(root, "SetDTE", self._certificates)
        except BadSignatureError as error:
            return Refusal("RFR", Finding("ENV-3-999", f"Firma del Envio Incorrecta: {error}"))
        certificate = signature.certificate
        fault = certificate.fault_at(upload.received_at)
        if fault is not None:
            return Refusal("RFR", Finding("ENV-3-999", f"Firma del Envio Incorrecta: {fault}"))
        if certificate.rut != upload.sender:
            return Refusal("RFR", Finding("ENV-3-999", "RUT del Certificado Distinto a RutEnvia"))
        if not self._registry.may(upload.sender, upload.company, "send"):
            return Refusal("RFR", Finding("ENV-3-6", "Usuario Sin Permiso de Envio"))
        return None


def _rct(code: str, text: str) -> Refusal:
    return Refusal("RCT", Finding(code, text))
