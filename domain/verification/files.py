"""The verdict on a file of any kind that the field exchanges."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from lxml import etree

from domain.problems import Problem, shown
from domain.stamp import chile
from domain.verification.books import book_problems
from domain.verification.caf_files import CAF_ROOT, holds_caf, looks_like_caf, verify_caf
from domain.verification.certificates import certificate_problems
from domain.verification.cessions import cession_problems, cession_signatures
from domain.verification.coherence import caf_incoherences, is_rut
from domain.verification.documents import CONTENTS, JudgedDocument, judge_document
from domain.verification.headers import (
    answer_problems,
    envelope_problems,
    receipt_problems,
    result_problems,
    sender_problems,
)
from domain.verification.kinds import KINDS, UNKNOWN, Kind
from domain.verification.reading import (
    Reading,
    Unreadable,
    children,
    fields,
    first,
    local_name,
    moment_of,
    read,
    text_of,
)
from domain.verification.schemas import judge_schema, lost_namespace
from domain.verification.signature_parts import SIGNATURE, Finding
from domain.verification.signatures import (
    lost_signature,
    own_signatures_of,
    signatures_of,
    verify_own_signature,
    verify_signature,
)
from domain.verification.stamps import judge_stamp, raw_stamps
from domain.verification.trust import Trust
from domain.verification.verdict import Verdict
from domain.verification.whole_file import covers_all, undescribed, verify_whole

_BOLETAS = ("39", "41")
_SIGNATURE_FACTS = ("doc_signature_valid", "env_signature_valid", "all_signatures_valid", "ted_valid")
_PARTS = {
    **dict.fromkeys(CONTENTS, "DTE"),
    "SetDTE": "EnvioDTE",
    "DocumentoAEC": "AEC",
    "Resultado": "RespuestaDTE",
    "SetRecibos": "EnvioRecibos",
    "EnvioLibro": "the book",
}
"""What a file is the inside of, by its root."""
_IDS = etree.XPath("/descendant::*/@ID", smart_strings=False)


def verify(data: bytes, *, trust: Trust, at: datetime) -> Verdict:
    """The verdict on a file, judged at `at` (aware) with the keys of `trust`.

    It never raises for what the file holds: whatever cannot be read is a verdict too. Certificates are judged at the
    time that the document says it was signed; `at` is for what says no time, for CAF files, and against signatures
    that lie in the future.
    """
    if looks_like_caf(data):
        return _caf(data, trust, at)
    try:
        reading = read(data)
    except Unreadable as fault:
        if holds_caf(data):
            return _caf(data, trust, at)
        return Verdict(UNKNOWN.name, None, {}, fault.problems, ())
    name = local_name(reading.root)
    if name == CAF_ROOT or (name not in KINDS and holds_caf(data)):
        return _caf(data, trust, at)
    verdict = _Case(reading, trust, at).verdict()
    if False in map(verdict.facts.get, _SIGNATURE_FACTS):
        others = [_Case(otherwise, trust, at).verdict() for otherwise in reading.otherwise()]
        return max(verdict, *others, key=_held) if others else verdict
    return verdict


def _caf(data: bytes, trust: Trust, at: datetime) -> Verdict:
    return verify_caf(data, trust=trust, today=at.astimezone(chile()).date())


def _held(verdict: Verdict) -> int:
    return sum(verdict.facts.get(each) is True for each in _SIGNATURE_FACTS)


@dataclass
class _Case:
    """A file while it is judged."""

    reading: Reading
    trust: Trust
    at: datetime
    facts: dict[str, bool | None] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    findings: list[tuple[Finding, datetime | None]] = field(default_factory=list)
    documents: list[JudgedDocument] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)

    def verdict(self) -> Verdict:
        """Judge the file by its root element."""
        root = self.reading.root
        name = local_name(root)
        kind = KINDS.get(name, UNKNOWN)
        if kind is UNKNOWN:
            self.problems.append(_unknown(self.reading.root))
        elif kind.name == "ted":
            self._stamp_alone(root)
        else:
            self._contents(root, name, kind)
            self._schema(root, name, kind)
            self._signers(root)
        if self.reading.remark and kind.sent:
            self.problems.append(_written_otherwise(self.reading.remark))
        return Verdict(
            kind.name,
            name,
            self.facts,
            tuple(self.problems),
            kind.needed,
            self.documents,
            self.values,
        )

    def __post_init__(self) -> None:
        """Count how often each ID occurs in the file."""
        self.ids: Counter[str] = Counter(_IDS(self.reading.root))

    @cached_property
    def raw(self) -> list[str]:
        """The stamps of the file in its own letters."""
        return raw_stamps(self.reading.text)

    def _schema(self, root: etree._Element, name: str, kind: Kind) -> None:
        """What the schema of the root says; a boleta alone is judged by that of boletas."""
        if not kind.schema:
            return
        boleta = name == "DTE" and bool(self.documents) and self.documents[0].facts.get("TipoDTE") in _BOLETAS
        found = judge_schema(root, kind, boleta=boleta or name == "EnvioBOLETA")
        self.values.update(found.values)
        remark = (lost_namespace(name),) if self.reading.mended else ()
        self.facts = {"schema_valid": found.valid and not remark, **self.facts}
        self.problems[:0] = (*remark, *found.problems)

    def _contents(self, root: etree._Element, name: str, kind: Kind) -> None:
        """Documents and signatures, by position."""
        if name == "getToken":
            self._token(root)
            return
        if name == "DTE":
            self._judge_documents([root], enveloped=False)
            return
        if not kind.content:
            self._said(list(result_problems(root)))
            return
        content = next(iter(signatures_of(root, frozenset({kind.content}))[0]), None)
        outer = self._outer_signature(root, kind, content)
        signer = outer.holder.rut if outer is not None and outer.holder else None
        if content is None:
            self.facts.setdefault("header_ok", None)
            if kind.name in ("envio", "aec"):
                self._judge_documents([], enveloped=True)
            return
        self._header(content, kind, signer)

    def _header(self, content: etree._Element, kind: Kind, signer: str | None) -> None:
        values = fields(first(content, "Caratula"))
        if kind.name == "envio":
            self._judge_documents(children(content, "DTE"), enveloped=True)
            found = list(envelope_problems(content, [each.facts for each in self.documents], signer))
        elif kind.name == "aec":
            found = self._cession(content)
        elif kind.name == "respuesta":
            found = list(answer_problems(content))
        elif kind.name == "recibos":
            found = self._receipts(content)
        else:
            found = list(sender_problems(values, "RutEnvia", signer))
            self._book(content)
        self._said(found)

    def _said(self, found: Sequence[Problem]) -> None:
        self.facts["header_ok"] = all(each.level == "warning" for each in found)
        self.problems.extend(found)

    def _book(self, content: etree._Element) -> None:
        """Whether a book's summary is what its details come to."""
        sums = book_problems(local_name(self.reading.root), content)
        if sums is not None:
            self.facts["totals_consistent"] = not sums
            self.problems.extend(sums)

    def _judge_documents(self, elements: Sequence[etree._Element], *, enveloped: bool, path: str = "DTE") -> None:
        for at, element in enumerate(elements):
            self.documents.append(
                judge_document(
                    element,
                    trust=self.trust,
                    ids=self.ids.__getitem__,
                    raw=self._raw_of(at, len(elements)),
                    enveloped=enveloped,
                    path=f"{path}[{at}]" if len(elements) > 1 else path,
                )
            )
        signed = stamped = coherent = consistent = bool(elements)
        for each in self.documents:
            self.problems.extend(each.problems)
            if each.signature is not None:
                self.findings.append((each.signature, each.signed_at))
            signed &= each.signature_valid
            stamped &= each.stamp_valid
            coherent &= each.coherent
            consistent &= each.consistent
        self.facts |= {
            "doc_signature_valid": signed,
            "ted_valid": stamped,
            "caf_valid": _all([each.caf_valid for each in self.documents]),
            "coherent": coherent if elements else None,
            "totals_consistent": consistent if elements else None,
        }

    def _raw_of(self, at: int, count: int) -> Callable[[], str | None]:
        return lambda: self.raw[at] if len(self.raw) == count else None

    def _outer_signature(self, root: etree._Element, kind: Kind, content: etree._Element | None) -> Finding | None:
        """The signature of the whole file, over the element before it."""
        contents, signatures = signatures_of(root, frozenset({kind.content}))
        own = own_signatures_of(root) if kind.own_signature else []
        signatures = own or signatures
        self.facts["env_signature_valid"] = False
        if content is None or len(contents) != 1 or len(signatures) != 1:
            sentence = f"The file has {len(contents)} {kind.content} and {len(signatures)} signatures; it has one each."
            lost = None if signatures else lost_signature(root, "")
            self.problems.append(lost or Problem("SIG-MISSING" if not signatures else "SIG-STRUCTURE", "", sentence))
            if len(signatures) != 1 or content is None:
                return None
        path = "Signature"
        if covers_all(signatures[0]):
            finding = undescribed(verify_whole(root, signatures[0], path=path))
        elif own:
            finding = verify_own_signature(content, own[0], ids=self.ids.__getitem__, path=path)
        else:
            finding = verify_signature(content, signatures[0], ids=self.ids.__getitem__, inner=False, path=path)
        self.problems.extend(finding.problems)
        signed_at = first(content, *kind.signed_at)
        self.findings.append((finding, moment_of(text_of(signed_at)) if signed_at is not None else None))
        self.facts["env_signature_valid"] = finding.valid and len(contents) == 1
        return finding

    def _token(self, root: etree._Element) -> None:
        _, signatures = signatures_of(root, frozenset())
        if len(signatures) != 1:
            self.problems.append(Problem("SIG-MISSING", "", f"The seed has {len(signatures)} signatures; it has one."))
            self.facts["all_signatures_valid"] = False
            return
        finding = verify_whole(root, signatures[0], path="Signature")
        self.problems.extend(finding.problems)
        self.findings.append((finding, self.at))

    def _cession(self, content: etree._Element) -> list[Problem]:
        ceded = first(content, "Cesiones", "DTECedido", "DocumentoDTECedido")
        self._judge_documents(children(ceded, "DTE"), enveloped=True)
        for finding, signed_at in cession_signatures(content, self.ids.__getitem__):
            self.problems.extend(finding.problems)
            self.findings.append((finding, signed_at))
        return list(cession_problems(content, self.documents[0].facts if self.documents else {}, self.findings))

    def _receipts(self, content: etree._Element) -> list[Problem]:
        found: list[Finding | None] = []
        for at, receipt in enumerate(children(content, "Recibo")):
            inner, signatures = signatures_of(receipt, frozenset({"DocumentoRecibo"}))
            path = f"Recibo[{at}]"
            if len(inner) != 1 or len(signatures) != 1:
                self.problems.append(Problem("SIG-STRUCTURE", path, "A receipt has one content and one signature."))
                found.append(None)
                continue
            finding = verify_signature(inner[0], signatures[0], ids=self.ids.__getitem__, inner=True, path=path)
            self.problems.extend(finding.problems)
            self.findings.append((finding, moment_of(fields(inner[0]).get("TmstFirmaRecibo"))))
            found.append(finding)
        self.facts["doc_signature_valid"] = bool(found) and all(each is not None and each.valid for each in found)
        return list(receipt_problems(content, [each.holder.rut if each and each.holder else None for each in found]))

    def _signers(self, root: etree._Element) -> None:
        """What the certificates of all signatures are worth; and no signature outside the places where they belong."""
        total = len(list(root.iter(SIGNATURE))) + len(own_signatures_of(root))
        if total > len(self.findings):
            sentence = f"The file has {total} signatures, {len(self.findings)} of them where signatures belong."
            self.problems.append(Problem("SIG-STRAY", "", sentence))
        if not total:
            return
        self.facts["all_signatures_valid"] = total == len(self.findings) and all(
            each.valid for each, _ in self.findings
        )
        found = [
            problem
            for finding, signed_at in self.findings
            if finding.holder is not None
            for problem in certificate_problems(
                finding.holder,
                key_value=finding.key_value,
                signed_at=signed_at,
                at=self.at,
                trust=self.trust,
                path=finding.path,
            )
        ]
        self.facts["certificate_ok"] = not found
        self.problems.extend(found)

    def _stamp_alone(self, ted: etree._Element) -> None:
        stamp = judge_stamp(ted, trust=self.trust, path="TED", raw=self._raw_of(0, 1))
        values = stamp.values
        found = [
            Problem("RUT-INVALID", f"TED/DD/{tag}", f"{shown(values.get(tag, 'nothing'))} is no RUT.")
            for tag in ("RE", "RR")
            if not is_rut(values.get(tag, ""))
        ]
        if stamp.caf is not None:
            found.extend(caf_incoherences(stamp.caf, values, None, "TED"))
        self.facts.update(ted_valid=stamp.valid, caf_valid=stamp.caf_valid, coherent=not found)
        self.problems.extend((*stamp.problems, *found))


def _unknown(root: etree._Element) -> Problem:
    """That a file is of no kind that is verified, and what of those it holds inside."""
    name = local_name(root)
    if name in _PARTS:
        whole = _PARTS[name]
        sentence = f"{name} is the inside of {whole}, whose signature stands beside it: save the whole {whole}."
        return Problem("KIND-UNKNOWN", "", sentence)
    inside = next((local_name(each) for each in root.iter(etree.Element) if local_name(each) in KINDS), None)
    sentence = f"{shown(local_name(root))} is no file that is verified here."
    if inside is not None:
        sentence = f"{sentence} It holds {inside} inside: save that by itself, as it was sent."
    return Problem("KIND-UNKNOWN", "", sentence)


def _written_otherwise(remark: str) -> Problem:
    sentence = (
        f"The file is written {remark}; the SII takes ISO-8859-1 that begins with its declaration. So these are not "
        "the bytes that the SII got: somebody saved the file anew."
    )
    return Problem("XML-OTHER-ENCODING", "", sentence, "warning")


def _all(values: Sequence[bool | None]) -> bool | None:
    """Whether all hold; None when there is none, or when one cannot be told and none is refuted."""
    if False in values:
        return False
    return None if not values or None in values else True
