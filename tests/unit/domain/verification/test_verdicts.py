"""One verdict for two readers: what rejects is always named, and what is only form is a warning."""

import base64
import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from domain.elsewhere import documents_in, read_document
from domain.problems import Problem
from domain.verification import Verdict, verify
from domain.verification.kinds import KINDS
from domain.verification.readers import readings
from domain.verification.verdict import FACTS, UNPROVEN
from tests.unit.domain import material
from tests.unit.domain.damage import damaged
from tests.unit.domain.verification import corpus
from tests.unit.domain.verification.exchanged import FILES
from tests.unit.domain.verification.forgery import Forge, codes
from tests.unit.domain.verification.test_exchange_and_books import CASES, signed_file

SII = ' xmlns="http://www.sii.cl/SiiDte"'


@pytest.mark.parametrize("root", KINDS)
@pytest.mark.parametrize("value", [None, False])
def test_no_fact_that_a_kind_needs_may_be_open_without_being_named(root: str, *, value: bool | None) -> None:
    kind = KINDS[root]
    sound: dict[str, bool | None] = dict.fromkeys(kind.needed, True)
    assert Verdict(kind.name, root, sound, (), kind.needed).verdict == "accept"
    for fact in kind.needed:
        verdict = Verdict(kind.name, root, sound | {fact: value}, (), kind.needed)
        assert verdict.verdict == "reject"
        assert [(each.code, each.path) for each in verdict.problems] == [(UNPROVEN, fact)]
    for fact in set(FACTS) - set(kind.needed) - {"has_private_key"}:
        refuted = Verdict(kind.name, root, sound | {fact: False}, (), kind.needed)
        assert [each.path for each in refuted.problems] == [fact], "what isn't asked for may not be refuted either"


def test_a_file_of_no_kind_is_rejected_with_a_reason() -> None:
    assert codes(Verdict("unknown", None, {}, (), ())) == {"KIND-UNKNOWN"}


def test_a_warning_excuses_only_the_fact_that_it_speaks_of() -> None:
    kind = KINDS["DTE"]
    facts: dict[str, bool | None] = dict.fromkeys(kind.needed, True)
    remark = Problem("SCHEMA-NAMESPACE", "DTE", "…", "warning")
    sums = Problem("SUM-LINE", "DTE", "…", "warning")
    for fact, warning in (("schema_valid", remark), ("totals_consistent", sums)):
        assert Verdict("dte", "DTE", facts | {fact: False}, (warning,), kind.needed).verdict == "accept"
        for other in set(kind.needed) - {fact}:
            assert Verdict("dte", "DTE", facts | {other: False}, (warning,), kind.needed).verdict == "reject"


@pytest.mark.needs_shared
def test_whatever_is_rejected_says_why(shared: Path) -> None:
    """Every kind of file of the corpus, damaged: a rejection names an error, an acceptance has none."""
    chance = Random(9)
    kinds = set()
    for item in corpus.items(shared):
        for data in (item.data, *(damaged(item.data, chance) for _ in range(25))):
            verdict = verify(data, trust=item.trust, at=corpus.AT)
            told = [each.message for each in verdict.problems if each.level == "error"]
            assert (verdict.verdict == "reject") is bool(told)
            assert all(told)
            assert UNPROVEN not in codes(verdict), "a reason of its own is found for each"
            kinds.add(verdict.kind)
            both = readings(verdict)
            assert verdict.verdict == "reject" or both.receiver.holds is not False
            assert not (verdict.verdict == "reject" and both.sii.holds)
    assert kinds > {"dte", "envio", "aec", "libro", "ted", "caf", "unknown"}


@pytest.mark.parametrize("schema", CASES)
def test_files_of_the_exchange_are_rejected_with_a_reason_too(forge: Forge, schema: str) -> None:
    chance, (name, _) = Random(10), CASES[schema]
    for whole in FILES[schema]:
        sound = signed_file(whole, name, forge.signer)
        for data in (whole, *(damaged(sound, chance) for _ in range(100))):
            verdict = forge.judge(data)
            assert (verdict.verdict == "reject") is any(each.level == "error" for each in verdict.problems)
            assert UNPROVEN not in codes(verdict)


def _cut_out(forge: Forge) -> bytes:
    """A document as portals cut it out of its envelope: with a declaration and without the namespace."""
    text = forge.document().decode("iso-8859-1")
    return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n{text.replace(SII, "", 1)}'.encode("iso-8859-1")


def test_a_document_that_was_cut_out_of_its_envelope_is_accepted_with_a_warning(forge: Forge) -> None:
    data = _cut_out(forge)
    verdict = forge.judge(data)
    assert (verdict.verdict, verdict.facts["schema_valid"]) == ("accept", False)
    assert [(each.code, each.level) for each in verdict.problems] == [("SCHEMA-NAMESPACE", "warning")]
    assert (readings(verdict).receiver.holds, readings(verdict).sii.holds) == (True, False)
    assert (verdict.values or {})["profile"] == "2019", "the rest follows the schema"
    (document,) = documents_in(data)
    assert read_document(document, trust=forge.trust, at=material.AT).verified, "an import says the same"


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: text.replace("<DTE ", '<DTE xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ', 1),
        lambda text: text.replace("<Documento ", f"<Documento{SII} ", 1),
        lambda text: text.replace("?>\n", "?>\n<!-- descargado -->\n", 1),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace(' version="1.0"><Doc', " version='1.0'  ><Doc", 1),
        lambda text: text.partition("?>")[2],
        lambda text: "\n\n" + text,
    ],
    ids=["xsi", "on the content", "a comment", "crlf", "other quotes", "no declaration", "blanks before"],
)
def test_other_ways_of_cutting_it_out_are_no_worse(forge: Forge, changed: Callable[[str], str]) -> None:
    verdict = forge.judge(changed(_cut_out(forge).decode("iso-8859-1")).encode("iso-8859-1"))
    assert verdict.verdict == "accept", verdict.problems
    assert "SCHEMA-NAMESPACE" in codes(verdict)


def _without_namespace(data: bytes) -> bytes:
    return data.replace(SII.encode(), b"")


def test_what_is_signed_in_place_holds_with_the_namespace_that_it_lost(forge: Forge) -> None:
    answer = signed_file(FILES["RespuestaEnvioDTE_v10.xsd"][0], "Resultado", forge.signer)
    broken = forge.document().replace(b"<IdDoc>", b'<IdDoc xmlns="">').replace(b"<Totales>", b'<Totales xmlns="">')
    for data in (forge.envelope(), answer, forge.envelope(document_type=39), broken):
        cut = data if data is broken else _without_namespace(data)
        verdict = forge.judge(cut)
        assert (verdict.verdict, verdict.facts["schema_valid"]) == ("accept", False), verdict.problems
        assert {(each.code, each.level) for each in verdict.problems} == {("SCHEMA-NAMESPACE", "warning")}
        changed = forge.judge(cut.replace(b"<Folio>1<", b"<Folio>2<", 1))
        assert (changed.verdict, "SIG-DIGEST" in codes(changed)) == ("reject", True)


def test_utf8_under_another_name_is_understood_and_told(forge: Forge) -> None:
    text = forge.document().decode("iso-8859-1")
    data = f'<?xml version="1.0" encoding="ISO-8859-1"?>{text}'.encode()
    verdict = forge.judge(data)
    assert (verdict.verdict, codes(verdict)) == ("accept", {"XML-OTHER-ENCODING"}), verdict.problems


@pytest.mark.parametrize(("part", "of"), [("Documento", "DTE"), ("SetDTE", "EnvioDTE"), ("TED", "")])
def test_the_inside_of_a_file_is_told_what_it_lacks(forge: Forge, part: str, of: str) -> None:
    data = forge.envelope()
    inside = data[data.index(b"<%b " % part.encode()) : data.index(b"</%b>" % part.encode()) + len(part) + 3]
    verdict = forge.judge(inside)
    if of:
        assert codes(verdict) == {"KIND-UNKNOWN"}
        assert f"save the whole {of}" in verdict.problems[0].message
    else:
        assert verdict.verdict == "accept", "a stamp alone is judged"


def test_a_missing_namespace_excuses_nothing_else(forge: Forge) -> None:
    data = _cut_out(forge)
    for good, bad, code in (
        (b"<MntTotal>1190<", b"<MntTotal>9190<", "SIG-DIGEST"),
        (b"<GiroRecep>Gobierno</GiroRecep>", b"", "SIG-DIGEST"),
        (b"<TmstFirma>2026", b"<TmstFirma>2025", "SIG-DIGEST"),
        (b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"', b"<Signature", "SIG-NAMESPACE"),
    ):
        assert good in data
        verdict = forge.judge(data.replace(good, bad, 1))
        assert (verdict.verdict, code in codes(verdict)) == ("reject", True), verdict.problems
    other = forge.judge(forge.document().replace(b"http://www.sii.cl/SiiDte", b"http://www.sii.cl/siidte", 1))
    assert (other.verdict, "SCHEMA-ROOT" in codes(other)) == ("reject", True), "another namespace is another matter"


def test_what_the_schema_finds_besides_is_told_in_its_own_words(forge: Forge) -> None:
    data = forge.signed_anew("<CmnaOrigen>Chillán<", f"<CmnaOrigen>{'x' * 30}<").replace(SII.encode(), b"", 1)
    verdict = forge.judge(data)
    assert verdict.verdict == "reject"
    assert {"SCHEMA-NAMESPACE", "SCHEMA-VALUE"} <= codes(verdict)
    assert (readings(verdict).receiver.holds, readings(verdict).sii.holds) == (True, False)


@dataclass(frozen=True)
class Changed(material.Sale):
    """A sale with something else in its text than is right, signed all the same."""

    changes: tuple[tuple[str, str], ...] = ()
    charged: int | None = None
    """MntTotal; what it is more than the net is called VAT."""

    @property
    def total(self) -> int:
        return super().total if self.charged is None else self.charged

    def render(self, folio: int) -> str:
        text = super().render(folio)
        for good, bad in self.changes:
            assert good in text
            text = text.replace(good, bad)
        return text


@pytest.mark.parametrize(
    ("sale", "code"),
    [
        (Changed(changes=(("<MontoItem>1000<", "<MontoItem>1300<"),)), "SUM-LINE"),
        (Changed(changes=(("<MontoItem>1000<", "<MontoItem>1300<"), ("<PrcItem>1000<", "<PrcItem>1300<"))), "SUM-NET"),
        (Changed(charged=1193), "SUM-VAT"),
        (Changed(charged=1187), "SUM-VAT"),
        (Changed(changes=(("</MntNeto>", "</MntNeto><MntExe>50</MntExe>"),)), "SUM-EXEMPT"),
        (Changed(changes=(("</MntNeto>", "</MntNeto><MntExe>50</MntExe>"),)), "SUM-TOTAL"),
        (
            Changed(changes=(("</MntTotal>", "</MntTotal><MontoNF>10</MontoNF><MontoPeriodo>9</MontoPeriodo>"),)),
            "SUM-PER",
        ),
    ],
)
def test_arithmetic_alone_is_a_warning(forge: Forge, sale: Changed, code: str) -> None:
    """The SII takes such documents and remarks on them; what the supplier sent is as genuine as before."""
    for data in (forge.document(sale=sale), forge.envelope_of([forge.document(sale=sale)])):
        verdict = forge.judge(data)
        assert (verdict.verdict, verdict.facts["totals_consistent"]) == ("accept", False), verdict.problems
        assert any(each.code.startswith(code) and each.level == "warning" for each in verdict.problems)
        assert readings(verdict).receiver.holds
        assert readings(verdict).sii.holds is (code != "SUM-PER"), "HED-3-265 is a rejection"


@pytest.mark.parametrize("charged", [1160, 1240, 1000, 1050])
def test_vat_of_another_rate_is_no_arithmetic(forge: Forge, charged: int) -> None:
    verdict = forge.judge(forge.document(sale=Changed(charged=charged)))
    assert (verdict.verdict, "SUM-VAT" in codes(verdict)) == ("reject", True)
    assert readings(verdict).receiver.holds, "genuine it is all the same"


@pytest.mark.parametrize(
    ("encoding", "declared", "told"),
    [
        ("iso-8859-1", "ISO-8859-1", False),
        ("iso-8859-1", "", False),
        ("windows-1252", "windows-1252", False),
        ("utf-8", "UTF-8", True),
        ("utf-8", "", True),
        ("utf-8-sig", "ISO-8859-1", True),
        ("utf-16", "UTF-16", True),
        ("utf-16-le", "UTF-16", True),
        ("utf-16-be", "", True),
    ],
)
def test_bytes_that_the_sii_cannot_have_got_are_told_of(
    forge: Forge, encoding: str, declared: str, *, told: bool
) -> None:
    opening = f'<?xml version="1.0" encoding="{declared}"?>\n' if declared else ""
    for whole in (forge.document(), forge.envelope()):
        text = whole.decode("iso-8859-1")
        text = text[text.index("?>") + 2 :].lstrip() if text.startswith("<?xml") else text
        verdict = forge.judge(f"{opening}{text}".encode(encoding))
        assert verdict.verdict == "accept", verdict.problems
        assert ("XML-OTHER-ENCODING" in codes(verdict)) is told
        assert readings(verdict).sii.holds is not told
        assert readings(verdict).receiver.holds


def test_files_that_the_sii_never_gets_may_be_written_in_any_encoding(forge: Forge) -> None:
    data = signed_file(FILES["RespuestaEnvioDTE_v10.xsd"][0], "Resultado", forge.signer)
    verdict = forge.judge(data.decode("iso-8859-1").encode("utf-16"))
    assert (verdict.verdict, codes(verdict)) == ("accept", set())
    assert readings(verdict).sii.holds is None


@pytest.mark.parametrize(
    ("wrapped", "code"),
    [
        (lambda text: f"<html><body>{text}</body></html>", "KIND-UNKNOWN"),
        (lambda text: f"<html><body>\n<?xml version='1.0'?>\n{text}</body></html>", "XML-AROUND"),
        (lambda text: f"Estimado cliente:\n\n{text}", "XML-AROUND"),
        (lambda text: f"{text}\n-- \nEnviado desde mi teléfono", "XML-AROUND"),
        (lambda text: f"From: a@b.cl\nTo: c@d.cl\nSubject: DTE\n\n{text}", "XML-AROUND"),
        (lambda text: text + text, "XML-AROUND"),
        (lambda text: f"<?xml version='1.0'?>\n{text}<?xml version='1.0'?>\n{text}", "XML-AROUND"),
        (lambda text: f"<pre>{html.escape(text)}", "XML-AROUND"),
        (html.escape, "XML-AROUND"),
        (lambda text: "\u00a0" + text, "XML-AROUND"),
        (lambda text: text + "\0\0", "XML-AROUND"),
        (lambda text: base64.encodebytes(text.encode("iso-8859-1")).decode(), "XML-NONE"),
        (lambda text: text[:-40], "XML-MALFORMED"),
        (lambda text: "%PDF-1.4\n%âãÏÓ", "XML-NONE"),
        (lambda text: '{"dte": "' + html.escape(text) + '"}', "XML-NONE"),
        (lambda text: "-----BEGIN CERTIFICATE-----\nMII", "XML-NONE"),
        (lambda text: "nada", "XML-NONE"),
    ],
)
def test_what_stands_around_a_document_is_named(forge: Forge, wrapped: Callable[[str], str], code: str) -> None:
    text = forge.document().decode("iso-8859-1")
    verdict = forge.judge(wrapped(text).encode("iso-8859-1", "replace"))
    assert (verdict.verdict, codes(verdict)) == ("reject", {code}), verdict.problems
    assert "line 1" not in verdict.problems[0].message, "no parser's word where a person's will do"
