"""Books and result mails: summaries against details, the simplified book, the signature of another namespace."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from lxml import etree

from domain.schema import judge, official_schema_2026, schema_file, simplified_book_schema
from domain.signature import RsaSigner, canonical_signed_info, digest_of, signature_element
from domain.verification.books import book_problems
from tests.unit.domain import referee
from tests.unit.domain.mutations import SHAPES, mutations
from tests.unit.domain.verification.exchanged import FILES, SIGNATURE
from tests.unit.domain.verification.forgery import Forge, codes
from tests.unit.domain.verification.whole_book import whole_book

SII, DSIG = "http://www.sii.cl/SiiDte", "http://www.w3.org/2000/09/xmldsig#"
BOLETAS = FILES["LibroBOLETA_v10.xsd"][0].decode("iso-8859-1")


def _content(data: bytes) -> etree._Element:
    return referee.parsed(data)[0]


def _own_signed(text: str, signer: RsaSigner) -> bytes:
    """A book of boletas signed as its schema wants it: in the SII's namespace."""
    start, end = text.index("<EnvioLibro "), text.index("</EnvioLibro>") + len("</EnvioLibro>")
    canonical = text[start:end].replace("<EnvioLibro ", f'<EnvioLibro xmlns="{SII}" ', 1).encode()
    digest = digest_of(canonical)
    info = canonical_signed_info(uri="#A", digest=digest).replace(DSIG.encode(), SII.encode(), 1)
    made = signature_element(uri="#A", digest=digest, value=signer.sign(info), signer=signer)
    own = made.replace(f' xmlns="{DSIG}"', "", 1)
    return f"{text[:end]}{own}</LibroBoleta>".encode("iso-8859-1")


def test_a_book_of_boletas_is_signed_in_the_namespace_of_the_sii(forge: Forge) -> None:
    verdict = forge.judge(_own_signed(BOLETAS, forge.signer))
    assert (verdict.kind, verdict.verdict) == ("libro", "accept"), verdict.problems
    assert verdict.facts["env_signature_valid"]
    assert verdict.facts["totals_consistent"]
    assert verdict.facts["all_signatures_valid"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (b"<FolioDoc>1<", b"<FolioDoc>9<", "SIG-DIGEST"),
        (b'<Reference URI="#A">', b'<Reference URI="#B">', "SIG-REFERENCE"),
        (b"xmldsig#rsa-sha1", b"xmldsig#dsa-sha1", "SIG-ALGORITHM"),
        (b"<SignatureValue>", b"<SignatureValue>AAAA", "SIG-VALUE"),
        (b"<DigestMethod", b"<!-- --> <DigestMethod", "SIG-VALUE"),
    ],
)
def test_whatever_that_signature_covers_is_fixed(forge: Forge, old: bytes, new: bytes, code: str) -> None:
    signed = _own_signed(BOLETAS, forge.signer)
    assert old in signed
    verdict = forge.judge(signed.replace(old, new, 1))
    assert code in codes(verdict)
    assert verdict.verdict == "reject"


def test_a_second_signature_is_one_too_many(forge: Forge) -> None:
    signed = _own_signed(BOLETAS, forge.signer)
    begin, end = signed.index(b"<Signature>"), signed.index(b"</Signature>") + len(b"</Signature>")
    verdict = forge.judge(signed[:end] + signed[begin:end] + signed[end:])
    assert "SIG-STRUCTURE" in codes(verdict)
    assert not verdict.facts["env_signature_valid"]


def test_a_book_of_boletas_with_a_signature_of_w3c_is_not_that_of_the_schema(forge: Forge) -> None:
    text = _own_signed(BOLETAS, forge.signer).decode("iso-8859-1").replace("<Signature>", f'<Signature xmlns="{DSIG}">')
    verdict = forge.judge(text.encode("iso-8859-1"))
    assert verdict.facts["schema_valid"] is False


def test_sums_of_the_sample_books_hold() -> None:
    for name in ("LibroGuia_v10.xsd", "LibroBOLETA_v10.xsd", "ConsumoFolio_v10.xsd"):
        for data in FILES[name]:
            assert book_problems(etree.QName(referee.parsed(data)).localname, _content(data)) == (), name
    assert book_problems("AEC", _content(BOLETAS.encode("iso-8859-1"))) is None


GUIDES, FOLIOS = FILES["LibroGuia_v10.xsd"][0], FILES["ConsumoFolio_v10.xsd"][0]


@pytest.mark.parametrize(
    ("data", "old", "new", "code"),
    [
        (GUIDES, "<TotFolAnulado>1<", "<TotFolAnulado>2<", "BOOK-COUNT"),
        (GUIDES, "<TotGuiaAnulada>0<", "<TotGuiaAnulada>1<", "BOOK-COUNT"),
        (GUIDES, "<TotGuiaVenta>1<", "<TotGuiaVenta>2<", "BOOK-COUNT"),
        (GUIDES, "<TotMntGuiaVta>1190<", "<TotMntGuiaVta>1191<", "BOOK-SUM"),
        (GUIDES, "<TotMntModificado>1<", "<TotMntModificado>0<", "BOOK-SUM"),
        (GUIDES, "<CantGuia>1<", "<CantGuia>0<", "BOOK-COUNT"),
        (GUIDES, "<MntGuia>7<", "<MntGuia>8<", "BOOK-SUM"),
        (GUIDES, "<TpoTraslado>5<", "<TpoTraslado>6<", "BOOK-COUNT"),
        (GUIDES, "<TotMntGuiaVta>1190<", "<TotMntGuiaVta>1e3<", "BOOK-NUMBER"),
        (GUIDES, "<TotMntGuiaVta>1190<", f"<TotMntGuiaVta>{'9' * 19}<", "BOOK-NUMBER"),
        (BOLETAS.encode("iso-8859-1"), "<TotDoc>1<", "<TotDoc>2<", "BOOK-COUNT"),
        (BOLETAS.encode("iso-8859-1"), "<TotAnulado>1<", "<TotAnulado>0<", "BOOK-COUNT"),
        (BOLETAS.encode("iso-8859-1"), "<TotMntTotal>1<", "<TotMntTotal>3<", "BOOK-SUM"),
        (BOLETAS.encode("iso-8859-1"), "<TotVlrPagar>1<", "<TotVlrPagar>2<", "BOOK-SUM"),
        (FOLIOS, "<FoliosUtilizados>2<", "<FoliosUtilizados>3<", "BOOK-COUNT"),
        (
            FOLIOS,
            "<RangoUtilizados><Inicial>1</Inicial><Final>1<",
            "<RangoUtilizados><Inicial>1</Inicial><Final>4<",
            "",
        ),
        (FOLIOS, "<MntTotal>1190<", "<MntTotal>1200<", "BOOK-SUM"),
    ],
)
def test_a_summary_that_is_not_what_its_details_come_to(data: bytes, old: str, new: str, code: str) -> None:
    assert old.encode() in data
    changed = data.replace(old.encode(), new.encode())
    problems = book_problems(etree.QName(referee.parsed(changed)).localname, _content(changed))
    assert problems
    assert {each.code for each in problems} == {code or "BOOK-COUNT"}


def _purchases(totals: str, details: str, name: str = "Periodo") -> etree._Element:
    text = f'<EnvioLibro xmlns="{SII}"><Resumen{name}>{totals}</Resumen{name}>{details}</EnvioLibro>'
    return referee.parsed(text.encode())


DETAILS = (
    "<Detalle><TpoDoc>33</TpoDoc><NroDoc>1</NroDoc><MntNeto>100</MntNeto><MntIVA>0</MntIVA><IVANoRec><CodIVANoRec>1"
    "</CodIVANoRec><MntIVANoRec>19</MntIVANoRec></IVANoRec><MntTotal>119</MntTotal></Detalle>"
    "<Detalle><TpoDoc>33</TpoDoc><NroDoc>2</NroDoc><Anulado>A</Anulado></Detalle>"
    "<Detalle><TpoDoc>46</TpoDoc><NroDoc>3</NroDoc><MntNeto>200</MntNeto><MntIVA>38</MntIVA><OtrosImp><CodImp>15</CodImp>"
    "<TasaImp>19</TasaImp><MntImp>38</MntImp></OtrosImp><MntTotal>200</MntTotal></Detalle>"
)
TOTALS = (
    "<Totales{0}><TpoDoc>33</TpoDoc><TotDoc>1</TotDoc><TotMntExe>0</TotMntExe><TotMntNeto>100</TotMntNeto><TotMntIVA>0"
    "</TotMntIVA><TotIVANoRec><CodIVANoRec>1</CodIVANoRec><TotMntIVANoRec>19</TotMntIVANoRec></TotIVANoRec><TotMntTotal>119"
    "</TotMntTotal></Totales{0}><Totales{0}><TpoDoc>46</TpoDoc><TotDoc>1</TotDoc><TotMntNeto>200</TotMntNeto><TotMntIVA>38"
    "</TotMntIVA><TotOtrosImp><CodImp>15</CodImp><TotMntImp>38</TotMntImp></TotOtrosImp><TotMntTotal>200</TotMntTotal>"
    "</Totales{0}><Totales{0}><TpoDoc>39</TpoDoc><TotDoc>50</TotDoc><TotMntTotal>9999</TotMntTotal></Totales{0}>"
)


@pytest.mark.parametrize("name", ["Periodo", "Segmento"])
def test_purchases_are_summed_by_type_and_boletas_may_be_given_in_sum(name: str) -> None:
    totals = TOTALS.format(name)
    assert book_problems("LibroCompraVenta", _purchases(totals, DETAILS, name)) == ()
    with_annulled = totals.replace("<TotDoc>1<", "<TotDoc>2<", 1)
    assert book_problems("LibroCompraVenta", _purchases(with_annulled, DETAILS, name)) == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<TotDoc>1<", "<TotDoc>3<", "BOOK-COUNT"),
        ("<TotMntNeto>100<", "<TotMntNeto>101<", "BOOK-SUM"),
        ("<TotMntIVANoRec>19<", "<TotMntIVANoRec>18<", "BOOK-SUM"),
        ("<CodImp>15<", "<CodImp>31<", "BOOK-SUM"),
        ("<TpoDoc>46<", "<TpoDoc>45<", "BOOK-SUM"),
        ("<TotMntTotal>119</TotMntTotal>", "", "BOOK-SUM"),
    ],
)
def test_purchases_that_are_summed_wrongly(old: str, new: str, code: str) -> None:
    totals = TOTALS.format("Periodo").replace(old, new, 1)
    problems = book_problems("LibroCompraVenta", _purchases(totals, DETAILS)) or ()
    assert {each.code for each in problems} == {code}


def test_a_type_that_the_summary_parts_by_tax_is_one() -> None:
    part = (
        "<TotalesPeriodo><TpoDoc>33</TpoDoc><TpoImp>{0}</TpoImp><TotDoc>1</TotDoc><TotMntNeto>50</TotMntNeto>"
        "</TotalesPeriodo>"
    )
    detail = "<Detalle><TpoDoc>33</TpoDoc><MntNeto>50</MntNeto></Detalle>"
    content = _purchases(part.format(1) + part.format(2), detail * 2)
    assert book_problems("LibroCompraVenta", content) == ()


def test_the_simplified_book_differs_from_the_other_where_it_should() -> None:
    book = referee.parsed(whole_book())
    assert judge(book, schema_file("LibroCV_v10.xsd")) != (), "it isn't signed"
    assert judge(book, simplified_book_schema()) == ()
    signed = referee.parsed(whole_book().replace(b"</LibroCompraVenta>", f"{SIGNATURE}</LibroCompraVenta>".encode()))
    assert judge(signed, schema_file("LibroCV_v10.xsd")) == ()
    assert judge(signed, simplified_book_schema()) == ()


@pytest.mark.needs_shared
def test_verdicts_on_simplified_books_are_those_of_the_official_schema(shared: Path) -> None:
    official, own = (
        etree.XMLSchema(etree.parse(shared / "reference" / "xsd" / "LibroCVS_v10.xsd")),
        simplified_book_schema(),
    )
    verdicts = {True: 0, False: 0}
    for data in (
        whole_book(),
        whole_book().replace(b"</LibroCompraVenta>", f"{SIGNATURE}</LibroCompraVenta>".encode()),
    ):
        for change, tree in mutations(data, words=("", "x", "0", "-1", "48", "271", "100.01", "9" * 19)):
            expected, found = official.validate(tree), own.validate(tree)
            assert expected == found, (change, official.error_log, own.error_log)
            verdicts[found] += 1
    assert min(verdicts.values()) > len(SHAPES), verdicts


@pytest.mark.needs_shared
def test_a_simplified_book_is_told_and_unsigned_ones_prove_nothing(shared: Path, forge: Forge) -> None:
    verdict = forge.judge((shared / "corpus" / "xml" / "libro" / "libro_cvs_compras.xml").read_bytes()).as_dict()
    assert (verdict["simplified_book"], verdict["schema_valid"], verdict["verdict"]) == (True, False, "reject")


def test_a_result_mail_is_judged_by_its_schema_and_its_counts(forge: Forge) -> None:
    (mail,) = FILES["RespSII_v10.xsd"]
    verdict = forge.judge(mail)
    assert (verdict.kind, verdict.verdict) == ("resultado", "accept"), verdict.problems
    wrong = forge.judge(mail.replace(b"<INFORMADO>3<", b"<INFORMADO>4<"))
    assert codes(wrong) == {"HEADER-COUNT"}
    assert wrong.verdict == "reject"
    assert forge.judge(mail.replace(b"<ACEPTA>1</ACEPTA>", b"")).verdict == "accept", "parts may be left out"
    assert forge.judge(mail.replace(b"<TRACKID>1<", b"<TRACKID>x<")).facts["schema_valid"] is False


@pytest.mark.needs_shared
def test_the_result_mail_of_the_reference_is_accepted(shared: Path, forge: Forge) -> None:
    mail = (shared / "reference" / "sii-samples" / "correo-resultado-envio-construido.xml").read_bytes()
    assert forge.judge(mail).verdict == "accept"


@pytest.mark.needs_shared
def test_a_guide_of_the_format_of_2026_is_accepted_and_its_edition_told(shared: Path, forge: Forge) -> None:
    data = (shared / "reference" / "vectors" / "types" / "EnvioDTE-52-profile2026.xml").read_bytes()
    assert judge(referee.parsed(data), official_schema_2026()) == ()
    verdict = forge.judge(data)
    assert (verdict.facts["schema_valid"], verdict.as_dict()["profile"]) == (True, "2026")
    older = forge.judge(forge.envelope())
    assert older.as_dict()["profile"] == "2019"
    neither = forge.judge(data.replace(b"<HraSalida>", b"<HraSalida>x"))
    assert (neither.facts["schema_valid"], neither.as_dict()["profile"]) == (False, None)
    assert any("HraSalida" in each.message for each in neither.problems), "told by the edition that is nearer"


@pytest.mark.needs_shared
def test_a_cession_may_carry_a_document_of_2026(shared: Path, forge: Forge) -> None:
    data = next((shared / "corpus" / "xml" / "aec").glob("*.xml")).read_bytes()
    newer = data.replace(b"</Receptor>", b"</Receptor><Transporte><PatenteCarro>AB</PatenteCarro></Transporte>", 1)
    assert newer != data
    assert forge.judge(data).as_dict()["profile"] == "2019"
    verdict = forge.judge(newer).as_dict()
    assert (verdict["schema_valid"], verdict["profile"], verdict["doc_signature_valid"]) == (True, "2026", False)


@pytest.mark.needs_shared
def test_summaries_of_the_corpus_are_those_of_its_details(shared: Path) -> None:
    """Books of the corpus say what their summaries come to; where they give figures, these hold and others don't."""
    checked = 0
    for file in sorted((shared / "corpus" / "books").glob("*.json")):
        item = json.loads(file.read_text(encoding="utf-8"))
        made = book_of(item)
        if made is None:
            continue
        name, right, wrong = made
        assert refuted(name, right) == [], item["id"]
        assert refuted(name, wrong), item["id"]
        checked += 1
    assert checked >= 4


def refuted(name: str, content: etree._Element) -> list[str]:
    """Figures that are stated and wrong; what an item of the corpus leaves out of its summary isn't asked for."""
    return [each.path for each in book_problems(name, content) or () if not each.message.startswith("nothing")]


def book_of(item: Mapping[str, object]) -> tuple[str, etree._Element, etree._Element] | None:
    """A book with the details of an item and the summary that it expects, right and one off; None without figures."""
    expected = item["expected"]
    assert isinstance(expected, dict)
    ways = {way: value for way, value in expected.items() if "ResumenPeriodo" in way}
    name = next(iter(expected)).partition(".")[0]
    summary = _nested(ways).get("ResumenPeriodo", {})
    if not _figures(summary):
        return None
    given = item["input"]
    assert isinstance(given, dict)
    return name, _book(name, summary, given["detalle"]), _book(name, _one_off(summary), given["detalle"])


def _nested(ways: Mapping[str, object]) -> dict[str, object]:
    """`a.b.c: 1` as `{c: 1}` inside `{b: …}`, from what follows EnvioLibro."""
    found: dict[str, object] = {}
    for way, value in ways.items():
        place = found
        *path, last = way.split(".")[2:]
        for step in path:
            inner = place.setdefault(step, {})
            assert isinstance(inner, dict)
            place = inner
        place[last] = value
    return found


_CODES = ("TpoDoc", "TpoServ", "TpoTraslado", "CodImp", "CodIVANoRec", "TasaIVA")


def _figures(value: object, name: str = "") -> list[str]:
    if isinstance(value, dict):
        return [found for tag, inner in value.items() for found in _figures(inner, str(tag))]
    return [] if name in _CODES else [name]


def _one_off(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {tag: _one_off(inner, str(tag)) for tag, inner in value.items()}
    return value if name in _CODES or not isinstance(value, int) else value + 2


def _book(name: str, summary: object, details: list[Mapping[str, object]]) -> etree._Element:
    root = etree.Element(f"{{{SII}}}EnvioLibro")
    _put(root, "ResumenPeriodo", summary)
    for detail in details:
        _put(root, "Detalle", detail)
    assert name
    return root


def _put(parent: etree._Element, tag: str, value: object) -> None:
    for each in value if isinstance(value, list) else [value]:
        element = etree.SubElement(parent, f"{{{SII}}}{tag}")
        if isinstance(each, dict):
            for inner, held in each.items():
                _put(element, str(inner), held)
        else:
            element.text = str(each)
