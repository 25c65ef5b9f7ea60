"""What the SII checks in a cession file, step by step: schema, signature, Carátula, document, cessions.

Three layers are signed: the ceded document (DTECedido), each Cesion, and the file. The inner ones are verified as they
stand in the text, cut out of the file (SII, Instructivo técnico del Registro Electrónico de Cesión de Créditos, 2013).
Not checked, as there: powers of the signers, receipts, images.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from deploy.sandbox.sii.answers import held_document
from deploy.sandbox.sii.cessions import AecUpload, Cession, first_holder
from deploy.sandbox.sii.extraction import Piece, cut
from deploy.sandbox.sii.reading import Element, NotXmlError, children, find, find_all, local, read, text_of
from deploy.sandbox.sii.registry import Document, Finding, Identity
from deploy.sandbox.sii.schemas import SchemaMissingError
from deploy.sandbox.sii.signatures import BadSignatureError, Signature, sign_check, sign_checks
from deploy.sandbox.sii.world import World

_CEDIBLE = frozenset({33, 34, 43, 46})
_MANY = 5


class RefusedCessionError(Exception):
    """The file is refused: `state` is its verdict."""

    def __init__(self, state: str, text: str) -> None:
        super().__init__(text)
        self.state = state


@dataclass(slots=True)
class _File:
    """A cession file taken apart."""

    root: Element
    ceded: Piece
    dte: Piece
    cessions: list[Piece]
    identity: Identity
    read: list[Element] = field(default_factory=list)  # the Cesion elements, each alone


async def examine(world: World, upload: AecUpload, data: bytes) -> None:
    """Write the verdict of a file on its upload; a good one is registered."""
    try:
        file = _taken_apart(world, data)
        upload.identity = file.identity
        _check_signature(world, upload, file)
        _check_caratula(upload, file)
        document = await _check_document(world, upload, file)
        new = _check_cessions(world, upload, file, document)
    except RefusedCessionError as refused:
        upload.verdict = refused.state
        upload.findings.append(Finding(f"{refused.state}-3-999", str(refused)))
        return
    upload.verdict = "EOK"
    world.cessions.register(file.identity, new)


def _taken_apart(world: World, data: bytes) -> _File:
    try:
        root = read(data)
        faults = world.schemas.faults(root, "AEC") if local(root) == "AEC" else [f"Invalid root: {local(root)}"]
        if faults:
            raise RefusedCessionError("RSC", "; ".join(faults[:_MANY]))
        count = len(find_all(children(children(root)[0])[1], "Cesion"))
        (ceded,) = cut(data, "DTECedido", 1)
        (dte,) = cut(ceded.data, "DTE", 1)
        cessions = cut(data, "Cesion", count)
        body = children(dte.alone())[0]
    except (NotXmlError, SchemaMissingError) as error:
        raise RefusedCessionError("RSC", str(error)) from error
    header = "Encabezado/IdDoc"
    identity = (
        text_of(body, "Encabezado/Emisor/RUTEmisor"),
        int(text_of(body, f"{header}/TipoDTE")),
        int(text_of(body, f"{header}/Folio")),
    )
    return _File(root, ceded, dte, cessions, identity, [piece.alone() for piece in cessions])


def _check_signature(world: World, upload: AecUpload, file: _File) -> None:
    try:
        signature = sign_check(file.root, "DocumentoAEC", world.certificates)
    except BadSignatureError as error:
        raise RefusedCessionError("RFS", f"Firma del Envio Incorrecta: {error}") from error
    fault = signature.certificate.fault_at(upload.received_at)
    signer = signature.certificate.rut or ""
    if fault is None and not world.registry.may(signer, upload.company, "sign", "send"):
        fault = f"{signer} sin permiso en {upload.company}"
    if fault is not None:
        raise RefusedCessionError("RFS", f"Firma del Envio Incorrecta: {fault}")


def _check_caratula(upload: AecUpload, file: _File) -> None:
    caratula = find(children(file.root)[0], "Caratula")
    last = children(file.read[-1])[0]
    if caratula is None:
        raise RefusedCessionError("RCR", "Envio sin Caratula")
    cedente, cesionario = text_of(caratula, "RutCedente"), text_of(caratula, "RutCesionario")
    if cedente != upload.company:
        raise RefusedCessionError("RCR", "RutCedente Diferente al Upload")
    if (cedente, cesionario) != (text_of(last, "Cedente/RUT"), text_of(last, "Cesionario/RUT")):
        raise RefusedCessionError("RCR", "Cedente o Cesionario Diferente a los de la Ultima Cesion")


async def _check_document(world: World, upload: AecUpload, file: _File) -> Document:
    """The document as registered, when the ceded one is that and may be ceded."""
    _verified(world, upload, file.ceded, "DocumentoDTECedido", "RDC")
    document = await held_document(world, file.identity)
    if document is None:
        raise RefusedCessionError("RDC", "Documento No Recibido por el SII")
    if document.document_type not in _CEDIBLE:
        raise RefusedCessionError("RDC", f"Documento de tipo {document.document_type} No Cedible")
    body = children(file.dte.alone())[0]
    (signature,) = _verified(world, None, file.dte, local(body), "RDC")
    if signature.value != document.signature:
        raise RefusedCessionError("RDC", "Documento Distinto al Recibido por el SII")
    claim = world.claims.claim(file.identity)
    if claim is not None:
        raise RefusedCessionError("RDC", f"Documento Reclamado ({claim})")
    if document.annulled:
        raise RefusedCessionError("RDC", "Documento Anulado por Nota de Credito")
    return document


def _check_cessions(world: World, upload: AecUpload, file: _File, document: Document) -> Cession:
    """The new cession, when it continues those registered."""
    registered = world.cessions.of(file.identity)
    holder = first_holder(document.identity, document.receiver)
    bodies = [children(element)[0] for element in file.read]
    for number, (piece, body) in enumerate(zip(file.cessions, bodies, strict=True), start=1):
        if text_of(body, "SeqCesion") != str(number):
            raise RefusedCessionError("RCS", f"Secuencia de Cesion {text_of(body, 'SeqCesion')}, se espera {number}")
        if text_of(body, "Cedente/RUT") != holder:
            raise RefusedCessionError("RCS", f"Cedente de la Cesion {number} No es el Tenedor {holder}")
        holder = text_of(body, "Cesionario/RUT")
        _check_figures(upload, body, number, document)
        _check_signers(world, upload, piece, body, number)
        if number <= len(registered) and registered[number - 1].text_sha256 != piece.digest:
            raise RefusedCessionError("RCS", f"Cesion {number} Distinta a la Registrada")
    if len(bodies) != len(registered) + 1:
        raise RefusedCessionError("RCS", f"El Documento Tiene {len(registered)} Cesiones Registradas")
    last = bodies[-1]
    sworn = bool(text_of(last, "Cedente/DeclaracionJurada"))
    if not sworn and any(cession.is_sworn for cession in registered):
        raise RefusedCessionError("RCS", "Falta la Declaracion Jurada de una Cesion Anterior")
    return Cession(
        sequence=len(bodies),
        cedente=text_of(last, "Cedente/RUT"),
        cesionario=holder,
        text_sha256=file.cessions[-1].digest,
        is_sworn=sworn,
        track_id=upload.track_id,
        at=upload.timeline["EOK"],
    )


def _check_figures(upload: AecUpload, body: Element, number: int, document: Document) -> None:
    expected = {
        "TipoDTE": str(document.document_type),
        "RUTEmisor": document.issuer,
        "RUTReceptor": document.receiver,
        "Folio": str(document.folio),
        "FchEmis": document.issued_on,
        "MntTotal": str(document.total),
    }
    wrong = [tag for tag, value in expected.items() if text_of(body, f"IdDTE/{tag}") != value]
    if wrong:
        raise RefusedCessionError("RCS", f"Cesion {number}: {', '.join(wrong)} Distinto al Documento")
    if int(text_of(body, "MontoCesion")) > document.total:
        raise RefusedCessionError("RCS", f"Cesion {number}: Monto Mayor al del Documento")
    if text_of(body, "UltimoVencimiento") < document.issued_on:
        raise RefusedCessionError("RCS", f"Cesion {number}: Vencimiento Anterior a la Emision")
    if text_of(body, "TmstCesion")[:10] > upload.received_at.date().isoformat():
        raise RefusedCessionError("RCS", f"Cesion {number}: Fecha Posterior a la Recepcion")


def _check_signers(world: World, upload: AecUpload, piece: Piece, body: Element, number: int) -> None:
    """The signatures of a Cesion are those of its RUTAutorizado, as many and in their order."""
    signatures = _verified(world, upload, piece, "DocumentoCesion", "RCS")
    cedente = find(body, "Cedente")
    named = [] if cedente is None else [text_of(one, "RUT") for one in find_all(cedente, "RUTAutorizado")]
    if [signature.certificate.rut for signature in signatures] != named:
        raise RefusedCessionError("RCS", f"Cesion {number}: Firmas Distintas a RUTAutorizado")


def _verified(world: World, upload: AecUpload | None, piece: Piece, name: str, state: str) -> list[Signature]:
    """The signatures of a piece of the file; with an upload, their certificates must be good at its reception."""
    why = "firma no verifica"
    for root in _readings(piece, world.switches.dte_scope):
        try:
            found = sign_checks(root, name, world.certificates)
        except BadSignatureError as error:
            why = str(error)
            continue
        faults = [signature.certificate.fault_at(upload.received_at) for signature in found] if upload else []
        why = next((fault for fault in faults if fault), "")
        if not why:
            return found
    raise RefusedCessionError(state, f"Firma de {name} Incorrecta: {why}")


def _readings(piece: Piece, scope: str) -> Iterator[Element]:
    """A piece alone, and with the namespaces that parts of real cession files were signed with.

    In one that the SII took, a DTE had lost its xmlns after signing: here the text as written doesn't decide.
    """
    yield piece.alone()
    yield from piece.other_scopes(with_xsi=scope == "any")
