"""Cessions (AEC): the chain from the document that is ceded to the last who takes it, and everybody's signature.

The checks that the SII makes of an AEC as far as the file shows them (SII, Instructivo técnico Registro Electrónico de
Cesión): the document that is ceded is the one in the file, the cessions follow each other, amounts and dates stay
within it. That those sign whom a cession authorises, in their order, is only looked at.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from lxml import etree

from domain.problems import Problem, shown
from domain.verification.headers import shape_of
from domain.verification.reading import children, fields, first, moment_of
from domain.verification.signature_parts import Finding
from domain.verification.signatures import signatures_of, verify_signature

_Signed = Sequence[tuple[Finding, datetime | None]]
_DOCUMENT = (
    ("TipoDTE", "TipoDTE"),
    ("RUTEmisor", "RUTEmisor"),
    ("RUTReceptor", "RUTRecep"),
    ("Folio", "Folio"),
    ("FchEmis", "FchEmis"),
    ("MntTotal", "MntTotal"),
)
_PURCHASE = "46"


def cession_signatures(content: etree._Element, ids: Callable[[str], int]) -> Iterator[tuple[Finding, datetime | None]]:
    """Every signature inside DocumentoAEC but that of the document: of what is ceded, of receipts, of each cession."""
    cessions = first(content, "Cesiones")
    for ceded in children(cessions, "DTECedido"):
        inner = first(ceded, "DocumentoDTECedido")
        for at, receipt in enumerate(children(inner, "Recibo")):
            yield from _signatures(receipt, "DocumentoRecibo", "TmstFirmaRecibo", ids, f"DTECedido/Recibo[{at}]")
        yield from _signatures(ceded, "DocumentoDTECedido", "TmstFirma", ids, "DTECedido")
    for at, cession in enumerate(children(cessions, "Cesion")):
        yield from _signatures(cession, "DocumentoCesion", "TmstCesion", ids, f"Cesion[{at}]")


def _signatures(
    parent: etree._Element, name: str, time: str, ids: Callable[[str], int], path: str
) -> Iterator[tuple[Finding, datetime | None]]:
    contents, signatures = signatures_of(parent, frozenset({name}))
    if len(contents) != 1 or not signatures:
        problem = Problem("SIG-STRUCTURE", path, f"It has {len(contents)} {name} and {len(signatures)} signatures.")
        yield Finding(path, valid=False, problems=(problem,)), None
        return
    signed_at = moment_of(fields(contents[0]).get(time))
    for signature in signatures:
        yield verify_signature(contents[0], signature, ids=ids, inner=True, path=path), signed_at


def cession_problems(content: etree._Element, document: Mapping[str, str], signed: _Signed) -> Iterator[Problem]:
    """What is untrue in a cession: CESSION-DOCUMENT, CESSION-CHAIN, CESSION-AMOUNT, CESSION-DATE.

    CESSION-SIGNER is a warning: cessions that the SII registered name the company where a person signed.
    """
    cessions = [first(each, "DocumentoCesion") for each in children(first(content, "Cesiones"), "Cesion")]
    purchase = document.get("TipoDTE") == _PURCHASE
    holder = document.get("RUTRecep" if purchase else "RUTEmisor")
    for at, cession in enumerate(cessions):
        path = f"Cesion[{at}]"
        values = fields(cession)
        yield from _same_document(fields(first(cession, "IdDTE")), document, path)
        if values.get("SeqCesion", "").strip() != str(at + 1):
            yield Problem("CESSION-CHAIN", f"{path}/SeqCesion", f"Cession {at + 1} has another number.")
        giver, taker = fields(first(cession, "Cedente")).get("RUT"), fields(first(cession, "Cesionario")).get("RUT")
        if giver != holder:
            sentence = f"{shown(giver or 'nobody')} cedes what {shown(holder or 'nobody')} holds."
            yield Problem("CESSION-CHAIN", f"{path}/Cedente/RUT", sentence)
        holder = taker
        yield from _within(values, document, path)
        yield from _authorised(cession, [each for each, _ in signed if each.path == path], path)
    header = fields(first(content, "Caratula"))
    last = cessions[-1] if cessions else None
    for name, block in (("RutCedente", "Cedente"), ("RutCesionario", "Cesionario")):
        own = fields(first(last, block)).get("RUT")
        if name in header and header[name] != own:
            sentence = f"{name} is {shown(header[name])}, the last cession says {shown(own or 'nobody')}."
            yield Problem("CESSION-CHAIN", f"Caratula/{name}", sentence)


def _same_document(stated: Mapping[str, str], document: Mapping[str, str], path: str) -> Iterator[Problem]:
    for name, own in _DOCUMENT:
        if stated.get(name) != document.get(own):
            sentence = (
                f"{name} is {shown(stated.get(name, 'nothing'))}, of the document {shown(document.get(own, ''))}."
            )
            yield Problem("CESSION-DOCUMENT", f"{path}/IdDTE/{name}", sentence)


def _within(values: Mapping[str, str], document: Mapping[str, str], path: str) -> Iterator[Problem]:
    amount, total = values.get("MontoCesion", "").strip(), document.get("MntTotal", "").strip()
    digits = amount.isdecimal() and total.isdecimal() and max(len(amount), len(total)) <= 20  # noqa: PLR2004
    if digits and int(amount) > int(total):
        yield Problem("CESSION-AMOUNT", f"{path}/MontoCesion", f"{amount} is more than the document's {total}.")
    due, issued = values.get("UltimoVencimiento", ""), document.get("FchEmis", "")
    if due and issued and due < issued:
        yield Problem("CESSION-DATE", f"{path}/UltimoVencimiento", f"{shown(due)} is before the document of {issued}.")


def _authorised(cession: etree._Element | None, findings: Sequence[Finding], path: str) -> Iterator[Problem]:
    named = [fields(each).get("RUT", "") for each in children(first(cession, "Cedente"), "RUTAutorizado")]
    signers = [each.holder.rut if each.holder else None for each in findings]
    if len(named) != len(signers) or any(shape_of(rut) != signer for rut, signer in zip(named, signers, strict=True)):
        sentence = f"Authorised are {shown(', '.join(named) or 'none')}, who did not sign in that order and number."
        yield Problem("CESSION-SIGNER", f"{path}/Cedente/RUTAutorizado", sentence, "warning")
