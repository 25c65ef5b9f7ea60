"""Whether what a file says of itself (its Carátula) is true of its contents and of the person who signed it.

Sources: SII, EnvioDTE_v10.xsd and the schemas of answers, receipts and books; the SII's refusals RCT, CRT-3-11 and
DTE-3-100.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from lxml import etree

from domain.problems import Problem, shown
from domain.rut import InvalidRut, canonical_shape
from domain.verification.coherence import LONGEST_RUT
from domain.verification.reading import children, fields, first, text_of

_PLACE = "Caratula"
_LONGEST_COUNT = 10
"""Digits of the largest count."""


def envelope_problems(
    content: etree._Element, documents: Sequence[Mapping[str, str]], signer: str | None
) -> Iterator[Problem]:
    """What is untrue in the Carátula of an envelope; `documents` are the facts of its documents, in order.

    Codes: HEADER-ISSUER, HEADER-COUNT, HEADER-DUPLICATE, HEADER-SENDER.
    """
    caratula = first(content, _PLACE)
    values = fields(caratula)
    issuer = values.get("RutEmisor")
    for at, document in enumerate(documents):
        if issuer is not None and document.get("RUTEmisor") != issuer:
            own = shown(document.get("RUTEmisor", "nobody"))
            sentence = f"RutEmisor is {shown(issuer)}, a document of the envelope is of {own}."
            yield Problem("HEADER-ISSUER", f"DTE[{at}]", sentence)
    stated: Counter[str] = Counter()
    for subtotal in children(caratula, "SubTotDTE"):
        said = fields(subtotal)
        number = said.get("NroDTE", "").strip()
        stated[said.get("TpoDTE", "").strip()] += int(number) if number.isdecimal() and len(number) < 10 else -1  # noqa: PLR2004
    found = Counter(document.get("TipoDTE", "").strip() for document in documents)
    if stated != found:
        sentence = f"SubTotDTE says {shown(_counts(stated))}, the envelope holds {shown(_counts(found))}."
        yield Problem("HEADER-COUNT", f"{_PLACE}/SubTotDTE", sentence)
    again = Counter((document.get("TipoDTE"), document.get("Folio")) for document in documents)
    for (document_type, folio), count in again.items():
        if count > 1:
            sentence = f"Folio {shown(folio)} of type {shown(document_type)} stands {count} times in the envelope."
            yield Problem("HEADER-DUPLICATE", "SetDTE", sentence)
    yield from sender_problems(values, "RutEnvia", signer)


def _counts(counts: Counter[str]) -> str:
    return (
        ", ".join(f"{count} of {document_type or 'no type'}" for document_type, count in sorted(counts.items()))
        or "none"
    )


def shape_of(rut: str) -> str | None:
    """The canonical text of what is shaped like a RUT; None for what is not."""
    try:
        return canonical_shape(rut) if len(rut) <= LONGEST_RUT else None
    except InvalidRut:
        return None


def sender_problems(values: Mapping[str, str], name: str, signer: str | None) -> Iterator[Problem]:
    """HEADER-SENDER when the person whom the Carátula names is not the one whose certificate signed."""
    stated = values.get(name)
    if stated is None or signer is None:
        return
    if shape_of(stated) != signer:
        sentence = f"{name} is {shown(stated)} but the certificate that signs is of {signer}."
        yield Problem("HEADER-SENDER", f"{_PLACE}/{name}", sentence)


def answer_problems(content: etree._Element) -> Iterator[Problem]:
    """HEADER-COUNT when an answer to an envelope does not hold as many details as its Carátula says."""
    stated = fields(first(content, _PLACE)).get("NroDetalles")
    found = len(children(content, "RecepcionEnvio")) + len(children(content, "ResultadoDTE"))
    if stated is not None and stated.strip() != str(found):
        sentence = f"NroDetalles is {shown(stated)}, the answer holds {found}."
        yield Problem("HEADER-COUNT", f"{_PLACE}/NroDetalles", sentence)
    for at, reception in enumerate(children(content, "RecepcionEnvio")):
        count = first(reception, "NroDTE")
        listed = len(children(reception, "RecepcionDTE"))
        if count is not None and listed and text_of(count).strip() != str(listed):
            sentence = f"NroDTE is {shown(text_of(count))}, {listed} documents are answered."
            yield Problem("HEADER-COUNT", f"RecepcionEnvio[{at}]/NroDTE", sentence)


def result_problems(root: etree._Element) -> Iterator[Problem]:
    """HEADER-COUNT when a type's documents in a result mail are not those accepted, repaired and rejected together.

    The SII counts a document with repairs under REPARO only; parts may be left out, then nothing is compared.
    """
    for at, subtotal in enumerate(children(first(root, "ESTADISTICA"), "SUBTOTAL")):
        values = fields(subtotal)
        parts = [values[tag].strip() for tag in ("RECHAZO", "REPARO", "ACEPTA") if tag in values]
        stated = values.get("INFORMADO", "").strip()
        if not parts or not all(each.isdecimal() and len(each) <= _LONGEST_COUNT for each in (stated, *parts)):
            continue
        if sum(map(int, parts)) > int(stated) or ("ACEPTA" in values and sum(map(int, parts)) != int(stated)):
            sentence = f"INFORMADO is {stated}, its parts come to {sum(map(int, parts))}."
            yield Problem("HEADER-COUNT", f"ESTADISTICA/SUBTOTAL[{at}]/INFORMADO", sentence)


def receipt_problems(content: etree._Element, signers: Sequence[str | None]) -> Iterator[Problem]:
    """HEADER-SIGNER when a receipt of goods was signed by another than the person whom it names (RutFirma)."""
    for at, (receipt, signer) in enumerate(zip(children(content, "Recibo"), signers, strict=False)):
        stated = fields(first(receipt, "DocumentoRecibo")).get("RutFirma")
        for problem in sender_problems({"RutFirma": stated} if stated else {}, "RutFirma", signer):
            yield Problem("HEADER-SIGNER", f"Recibo[{at}]/RutFirma", problem.message)
