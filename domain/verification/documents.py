"""One document (DTE) of a file: its signature, its stamp, whether they belong together, whether it adds up.

Everything is read from the element that its signature covers, by position, and from nowhere else.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from lxml import etree

from domain.problems import Problem
from domain.verification.arithmetic import weighed
from domain.verification.coherence import rut_problems, stamp_incoherences
from domain.verification.reading import fields, local_name, moment_of, named_children, text_of, value_in
from domain.verification.signature_parts import Finding
from domain.verification.signatures import IN_PLACE, lost_signature, signatures_of, verify_signature
from domain.verification.stamps import judge_stamp
from domain.verification.sums import amounts_of, sum_problems, totals_as_written
from domain.verification.trust import Trust
from domain.verification.whole_file import covers_all, undescribed, verify_whole

CONTENTS = frozenset({"Documento", "Liquidacion", "Exportaciones"})
"""The elements inside DTE that hold a document (SII, DTE_v10.xsd)."""


class JudgedDocument(NamedTuple):
    """What was found of one document; None where there is nothing to judge."""

    path: str
    identifier: str
    facts: dict[str, str]
    """TipoDTE, Folio, FchEmis, RUTEmisor, RUTRecep, MntTotal … as the signed element says them."""
    totals: dict[str, str]
    """The values of Totales as written."""
    signature: Finding | None
    signature_valid: bool
    stamp_valid: bool
    caf_valid: bool | None
    coherent: bool
    consistent: bool
    signed_at: datetime | None
    problems: tuple[Problem, ...]

    def as_dict(self) -> dict[str, object]:
        """The document as members of a JSON object."""
        facts = self.facts
        return {
            "id": self.identifier,
            "type": facts.get("TipoDTE"),
            "folio": facts.get("Folio"),
            "issuer": facts.get("RUTEmisor"),
            "receiver": facts.get("RUTRecep"),
            "issued_on": facts.get("FchEmis"),
            "signature_valid": self.signature_valid,
            "signature_scope": self.signature.scope if self.signature else None,
            "signer": self.signature.holder.rut if self.signature and self.signature.holder else None,
            "ted_valid": self.stamp_valid,
            "caf_valid": self.caf_valid,
            "coherent": self.coherent,
            "totals_consistent": self.consistent,
            "totals": totals_as_written(self.totals),
        }


class _Blocks:
    """What stands directly inside a document's element, read once."""

    __slots__ = ("globals", "header", "issuer", "lines", "receiver", "signed_at", "stamp", "totals", "totals_block")

    def __init__(self, content: etree._Element) -> None:
        self.header: dict[str, str] = {}
        self.issuer: str | None = None
        self.receiver: str | None = None
        self.totals: dict[str, str] = {}
        self.totals_block: etree._Element | None = None
        self.lines: list[dict[str, str]] = []
        self.globals: list[dict[str, str]] = []
        self.stamp: etree._Element | None = None
        self.signed_at: str | None = None
        head = None
        for name, child in named_children(content):
            if name == "Detalle":
                self.lines.append(fields(child))
            elif name == "DscRcgGlobal":
                self.globals.append(fields(child))
            elif name == "Encabezado" and head is None:
                head = child
            elif name == "TED" and self.stamp is None:
                self.stamp = child
            elif name == "TmstFirma":
                self.signed_at = text_of(child)
        self._read(head)

    def _read(self, head: etree._Element | None) -> None:
        for name, block in named_children(head):
            if name == "IdDoc":
                self.header = self.header or fields(block)
            elif name == "Emisor":
                self.issuer = value_in(block, "RUTEmisor") if self.issuer is None else self.issuer
            elif name == "Receptor":
                self.receiver = value_in(block, "RUTRecep") if self.receiver is None else self.receiver
            elif name == "Totales" and self.totals_block is None:
                self.totals_block, self.totals = block, fields(block)

    def facts(self) -> dict[str, str]:
        """What stamp and envelope repeat, as far as the document says it."""
        stated = {
            "TipoDTE": self.header.get("TipoDTE"),
            "Folio": self.header.get("Folio"),
            "FchEmis": self.header.get("FchEmis"),
            "RUTEmisor": self.issuer,
            "RUTRecep": self.receiver,
            "MntTotal": self.totals.get("MntTotal"),
            "NmbItem": self.lines[0].get("NmbItem") if self.lines else None,
            "TmstFirma": self.signed_at,
        }
        return {name: value for name, value in stated.items() if value is not None}


def judge_document(
    dte: etree._Element,
    *,
    trust: Trust,
    ids: Callable[[str], int],
    raw: Callable[[], str | None],
    enveloped: bool,
    path: str,
) -> JudgedDocument:
    """What is found of a DTE; `raw` gives the letters of its stamp, `enveloped` says that it stands inside a file."""
    contents, signatures = signatures_of(dte, CONTENTS)
    if len(contents) != 1:
        sentence = f"The DTE holds {len(contents)} documents; it holds one."
        return _without_content(path, Problem("DTE-STRUCTURE", path, sentence))
    content = contents[0]
    finding, problems = _signature(content, signatures, ids, path, alone=not enveloped)
    if finding is not None and finding.scope == IN_PLACE and enveloped:
        sentence = "The signature holds only with the namespaces of the envelope; the SII says DTE-3-505 to that."
        problems.append(Problem("SIG-SCOPE", path, sentence, "warning"))
    place = f"{path}/{local_name(content)}"
    blocks = _Blocks(content)
    facts = blocks.facts()
    amounts = amounts_of(blocks.header, blocks.totals_block, blocks.totals, blocks.lines, blocks.globals)
    unsound = sum_problems(amounts, place)
    stamped, genuine, incoherent = _stamp(blocks.stamp, facts, trust, raw, place, problems)
    incoherent.extend(rut_problems(facts, ("RUTEmisor", "RUTRecep"), f"{place}/Encabezado"))
    problems.extend(incoherent)
    problems.extend(weighed(unsound, amounts) if unsound else ())
    return JudgedDocument(
        path=path,
        identifier=content.get("ID", ""),
        facts=facts,
        totals=blocks.totals,
        signature=finding,
        signature_valid=finding is not None and finding.valid,
        stamp_valid=stamped,
        caf_valid=genuine,
        coherent=not incoherent,
        consistent=all(each.level == "warning" for each in unsound),
        signed_at=moment_of(facts.get("TmstFirma")),
        problems=tuple(problems),
    )


def _without_content(path: str, problem: Problem) -> JudgedDocument:
    return JudgedDocument(
        path=path,
        identifier="",
        facts={},
        totals={},
        signature=None,
        signature_valid=False,
        stamp_valid=False,
        caf_valid=None,
        coherent=False,
        consistent=False,
        signed_at=None,
        problems=(problem,),
    )


def _signature(
    content: etree._Element, signatures: list[etree._Element], ids: Callable[[str], int], path: str, *, alone: bool
) -> tuple[Finding | None, list[Problem]]:
    """What is found of a document's signature; one that stands alone may be signed as a whole file."""
    dte = content.getparent()
    if len(signatures) != 1 or dte is None:
        sentence = "The document is not signed." if not signatures else "The document has several signatures."
        lost = lost_signature(dte, path) if dte is not None and not signatures else None
        return None, [lost or Problem("SIG-MISSING" if not signatures else "SIG-STRUCTURE", path, sentence)]
    place = f"{path}/Signature"
    finding = verify_signature(content, signatures[0], ids=ids, inner=True, path=place)
    if alone and not finding.valid and covers_all(signatures[0]):
        finding = undescribed(verify_whole(dte, signatures[0], path=place))
    return finding, list(finding.problems)


def _stamp(
    ted: etree._Element | None,
    facts: dict[str, str],
    trust: Trust,
    raw: Callable[[], str | None],
    place: str,
    problems: list[Problem],
) -> tuple[bool, bool | None, list[Problem]]:
    """Whether the stamp holds, whether its CAF is genuine, and what does not fit the document."""
    if ted is None:
        return False, None, [Problem("TED-MISSING", place, "The document has no stamp.")]
    stamp = judge_stamp(ted, trust=trust, path=f"{place}/TED", raw=raw)
    problems.extend(stamp.problems)
    incoherent = list(stamp_incoherences(stamp, facts, f"{place}/TED"))
    return stamp.valid, stamp.caf_valid, incoherent
