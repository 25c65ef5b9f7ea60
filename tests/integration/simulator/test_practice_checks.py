"""Documents of everyday business that the schema leaves open: what is taken, and what is remarked or refused.

Rules and figures come from the SII's format and its questions and answers, each named where it is tried.
"""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.sandbox.sii.amounts import amount_findings, line_findings
from deploy.sandbox.sii.caf import Range
from deploy.sandbox.sii.exports import export_findings
from deploy.sandbox.sii.goods import goods_findings
from deploy.sandbox.sii.reading import read
from deploy.sandbox.sii.references import changes_others, enter_note, reference_findings
from deploy.sandbox.sii.registry import Document
from deploy.sandbox.sii.stamp import shows, signed_forms
from deploy.sandbox.sii.switches import Switches
from deploy.sandbox.sii.taxes import tax_findings
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import ANONYMOUS, COMPANY, Caf, Cover, Sale, envelope, reference, signed_dte
from tests.integration.simulator.signing import Authority, Person
from tests.integration.simulator.workbench import Workbench

_DAY = dt.date(2026, 11, 24)


def codes(document_type: int, inside: str, **switches: Any) -> list[str]:
    """Codes of the findings about amounts, taxes and goods of a document's inside."""
    body = read(f"<Documento>{inside}</Documento>".encode())
    setting = Switches()
    setting.change(switches)
    found = line_findings(body, document_type) + amount_findings(body, document_type)
    found += tax_findings(body, document_type) + export_findings(body, document_type)
    found += [f for f in goods_findings(body, document_type, _DAY, setting) if f.code != "HED-3-845"]
    return [finding.code for finding in found]


def document(totals: str, *lines: str, more: str = "", head: str = "") -> str:
    numbered = "".join(f"<Detalle><NroLinDet>{n}</NroLinDet>{line}</Detalle>" for n, line in enumerate(lines, 1))
    return f"<Encabezado><IdDoc>{head}</IdDoc><Totales>{totals}</Totales></Encabezado>{numbered}{more}"


def line(amount: int | str, *taxes: str, price: int | str = "", quantity: int | str = 1, text: str = "") -> str:
    marks = "".join(f"<CodImpAdic>{code}</CodImpAdic>" for code in taxes)
    described = f"<DscItem>{text}</DscItem>" if text else ""
    return (
        f"<NmbItem>Algo</NmbItem>{described}<QtyItem>{quantity}</QtyItem><PrcItem>{price or amount}</PrcItem>{marks}"
        f"<MontoItem>{amount}</MontoItem>"
    )


def totals(net: int, vat: int, total: int, *kept: tuple[str, int, int], left: int | None = None) -> str:
    rows = "".join(
        f"<ImptoReten><TipoImp>{code}</TipoImp><TasaImp>{rate}</TasaImp><MontoImp>{amount}</MontoImp></ImptoReten>"
        for code, rate, amount in kept
    )
    rest = "" if left is None else f"<IVANoRet>{left}</IVANoRet>"
    head = f"<MntNeto>{net}</MntNeto><TasaIVA>19</TasaIVA><IVA>{vat}</IVA>"
    return f"{head}{rows}{rest}<MntTotal>{total}</MntTotal>"


TEN_PERCENT = (
    "<DscRcgGlobal><NroLinDR>1</NroLinDR><TpoMov>D</TpoMov><TpoValor>%</TpoValor><ValorDR>10</ValorDR></DscRcgGlobal>"
)
FUEL = document(
    "<MntNeto>78000</MntNeto><TasaIVA>19</TasaIVA><IVA>14820</IVA>"
    "<ImptoReten><TipoImp>28</TipoImp><MontoImp>1</MontoImp></ImptoReten><MntTotal>91620</MntTotal>",
    line(78000, "28", price=780, quantity=100, text="Impuesto específico diésel negativo de 1.200"),
)
RING = "<SubTotInfo><NroSTI>1</NroSTI><SubTotAdicSTI>15000</SubTotAdicSTI></SubTotInfo>"


@pytest.mark.parametrize("document_type", [46, 61])
@pytest.mark.parametrize(
    ("kept", "found"), [(173, []), (174, ["HED-2-302", "HED-2-999"]), (172, ["HED-2-302", "HED-2-999"])]
)
def test_what_a_purchase_keeps_in_whole_is_its_vat_to_the_peso(document_type: int, kept: int, found: list[str]) -> None:
    """1015 less ten per cent: net 913, VAT 173, although ten per cent off the code's own base would give 174."""
    of_purchase = "<Referencia><NroLinRef>1</NroLinRef><TpoDocRef>46</TpoDocRef></Referencia>"
    inside = document(totals(913, 173, 1086 - kept, ("15", 19, kept)), line(1015, "15"), more=TEN_PERCENT + of_purchase)
    assert codes(document_type, inside) == found


@pytest.mark.parametrize(("second", "found"), [(87, []), (88, ["HED-2-302", "HED-2-999"])])
def test_two_codes_kept_in_whole_add_up_to_the_vat(second: int, found: list[str]) -> None:
    inside = document(
        totals(913, 173, 1086 - 86 - second, ("15", 19, 86), ("331", 19, second)),
        line(508, "15"),
        line(507, "331"),
        more=TEN_PERCENT,
    )
    assert codes(46, inside) == found


@pytest.mark.parametrize(("tax", "found"), [(1582, []), (1583, ["HED-2-302"])])
def test_one_tax_on_every_line_has_the_net_for_its_base(tax: int, found: list[str]) -> None:
    inside = document(totals(15822, 3006, 15822 + 3006 + tax, ("27", 10, tax)), line(17580, "27"), more=TEN_PERCENT)
    assert codes(33, inside) == found


def test_a_purchase_whose_lines_keep_nothing_is_remarked() -> None:
    assert codes(46, document(totals(10000, 1900, 11900), line(10000))) == ["HED-2-999"]
    assert codes(46, document(totals(10000, 1900, 11900), line(10000, "49"))) == []


def test_fuel_below_zero_is_written_as_one_with_its_true_amount_in_words() -> None:
    """SII, FAQ 001.003.8044: MontoImp 1, the amount at the end of DscItem, the total with the discount."""
    assert codes(33, FUEL) == []
    assert codes(33, FUEL.replace("<MntTotal>91620", "<MntTotal>92821")) == ["HED-2-260"]
    assert codes(33, FUEL.replace("negativo de 1.200", "de 1.200")) == ["HED-2-260"]


def test_fuel_below_zero_may_be_signed_in_the_format_of_2026() -> None:
    signed = FUEL.replace("<MontoImp>1<", "<MontoImp>-1200<").replace("negativo de 1.200", "")
    assert codes(33, signed) == []


def test_a_boleta_says_its_additional_taxes_in_a_subtotal() -> None:
    """A ring with the tax of article 37: net 100,000, VAT 19,000, tax 15,000."""
    figures = "<MntNeto>100000</MntNeto><IVA>19000</IVA><MntTotal>134000</MntTotal>"
    assert codes(39, document(figures, line(134000), more=RING)) == []
    overstated = "<MntNeto>112605</MntNeto><IVA>21395</IVA><MntTotal>134000</MntTotal>"
    assert codes(39, document(overstated, line(134000), more=RING)) == ["HED-2-999", "HED-3-211"]


def test_an_exchange_house_documents_what_is_no_sale() -> None:
    purchase = line(930000, price=930, quantity=1000).replace("<NmbItem>", "<IndExe>6</IndExe><NmbItem>")
    figures = "<MntTotal>0</MntTotal><MontoNF>-930000</MontoNF><TotalPeriodo>-930000</TotalPeriodo>"
    assert codes(41, document(figures, purchase)) == []


def test_a_telephone_boleta_may_owe_its_buyer() -> None:
    credit = line(15000).replace("<NmbItem>", "<IndExe>6</IndExe><NmbItem>")
    figures = "<MntNeto>10076</MntNeto><IVA>1914</IVA><MntTotal>11990</MntTotal><MontoNF>-15000</MontoNF>"
    figures += "<TotalPeriodo>-3010</TotalPeriodo>"
    assert codes(39, document(figures, line(11990), credit)) == []


@pytest.mark.parametrize("amount", ["103.4", "103"])
def test_a_percentage_of_an_exports_line_may_be_taken_exactly_or_as_a_whole_amount(amount: str) -> None:
    """94 and ten per cent was accepted as 103.4; DescuentoMonto and RecargoMonto are whole in the schema."""
    figures = f"<TpoMoneda>EURO</TpoMoneda><MntExe>{amount}</MntExe><MntTotal>{amount}</MntTotal>"
    surcharge = line(amount, price=94).replace(
        "<MontoItem>", "<RecargoPct>10</RecargoPct><RecargoMonto>9</RecargoMonto><MontoItem>"
    )
    assert [code for code in codes(110, document(figures, surcharge)) if code.startswith("DET")] == []
    assert "DET-1-200" in codes(110, document(figures, surcharge.replace(f"<MontoItem>{amount}", "<MontoItem>105")))


def test_a_service_used_abroad_leaves_without_customs_data() -> None:
    figures = "<TpoMoneda>EURO</TpoMoneda><MntExe>7280</MntExe><MntTotal>7280</MntTotal>"
    work = line("7280", price="45.5", quantity=160)
    lacking = codes(110, document(figures, work))
    assert lacking.count("HED-2-804") > codes(110, document(figures, work, head="<IndServicio>6</IndServicio>")).count(
        "HED-2-804"
    )


MEALS = document(
    "<MntTotal>0</MntTotal>", line(0, price=100), head="<FchEmis>2026-11-24</FchEmis><IndTraslado>1</IndTraslado>"
)


def test_only_what_moves_goods_is_asked_who_drives() -> None:
    assert [c for c in codes(52, MEALS, guide_rule="reject") if c.startswith("HED-3")] == []
    moving = MEALS.replace("<IndTraslado>1", "<TipoDespacho>2</TipoDespacho><IndTraslado>1")
    assert "HED-3-999" in codes(52, moving, guide_rule="reject")


def test_a_guide_to_oneself_leads_somewhere() -> None:
    own = MEALS.replace("<IndTraslado>1", "<IndTraslado>5")
    assert "HED-2-999" in codes(52, own, format_profile="2019")
    place = "<Transporte><DirDest>Calle 9</DirDest><CmnaDest>Talca</CmnaDest></Transporte></Encabezado>"
    assert "HED-2-999" not in codes(52, own.replace("</Encabezado>", place), format_profile="2019")


# --- over the wire: notes, liquidaciones, boletas of the newer schema ---


def _findings(taxpayer: Taxpayer, *sales: Sale) -> list[list[str]]:
    return taxpayer.findings(taxpayer.send(taxpayer.envelope(*sales)))


@pytest.mark.parametrize("receiver", ["12345678-5", COMPANY, ANONYMOUS])
def test_a_note_on_a_boleta_to_nobody_may_name_its_buyer(taxpayer: Taxpayer, receiver: str) -> None:
    boleta = Sale(1, 39, 11900)
    data = taxpayer.envelope(boleta, root="EnvioBOLETA")
    assert taxpayer.findings(taxpayer.send(data)) == [[]]
    note = Sale(1, 61, 10000, receiver=receiver, references=reference(39, 1, 1))
    assert _findings(taxpayer, note) == [[]]


def test_a_note_on_an_invoice_still_goes_to_its_receiver(taxpayer: Taxpayer) -> None:
    assert _findings(taxpayer, Sale(1)) == [[]]
    assert _findings(taxpayer, Sale(1, 61, receiver="12345678-5", references=reference(33, 1, 1))) == [["REF-3-751"]]


def test_one_note_may_be_for_many_boletas(taxpayer: Taxpayer) -> None:
    many = reference(39, 0, 3).replace("</TpoDocRef>", "</TpoDocRef><IndGlobal>1</IndGlobal>")
    assert _findings(taxpayer, Sale(1, 61, receiver=COMPANY, references=many)) == [[]]
    assert _findings(taxpayer, Sale(2, 61, receiver=COMPANY, references=reference(39, 0, 3))) == [["REF-3-750"]]


def _of_2025(taxpayer: Taxpayer, folio: int) -> bytes:
    body = Sale(folio, 39, 11900).body(taxpayer.cafs[39])
    body = body.replace("</IndServicio>", "</IndServicio><MedioPago>2</MedioPago>")
    body = body.replace("</RznSocRecep>", "</RznSocRecep><CorreoRecep>a@b.cl</CorreoRecep>")
    body = body.replace("</Receptor>", "</Receptor><RUTProvSW>76900101-8</RUTProvSW>")
    dte = signed_dte(body, taxpayer.person)
    return envelope([dte], [39], Cover(taxpayer.person.rut, root="EnvioBOLETA"), taxpayer.person)


def test_boletas_of_the_newer_schema_are_taken_unless_the_older_one_judges(taxpayer: Taxpayer) -> None:
    assert taxpayer.findings(taxpayer.send(_of_2025(taxpayer, 1))) == [[]]
    for older in ({"boleta_format": "2020"}, {"boleta_format": "2025", "format_profile": "2019"}):
        taxpayer.sii.control("POST", "/switches", older)
        track = taxpayer.send(_of_2025(taxpayer, 2))
        assert (taxpayer.state(track), taxpayer.envelope_findings(track)) == ("RSC", ["ENV-3-0"])
        taxpayer.sii.control("POST", "/switches", {"dedupe_window": 0.0})


def test_a_note_keeps_the_kind_of_sale_of_what_it_changes(taxpayer: Taxpayer) -> None:
    def with_kind(sale: Sale, kind: str) -> str:
        body = sale.body(taxpayer.cafs[sale.document_type])
        before = "<FmaPago>" if sale.document_type == 33 else "</IdDoc>"
        return signed_dte(body.replace(before, f"<TpoTranVenta>{kind}</TpoTranVenta>{before}", 1), taxpayer.person)

    def send(dte: str, kind: int) -> list[list[str]]:
        data = envelope([dte], [kind], Cover(taxpayer.person.rut), taxpayer.person)
        return taxpayer.findings(taxpayer.send(data))

    assert send(with_kind(Sale(1), "3"), 33) == [[]]
    assert _findings(taxpayer, Sale(1, 61, 100, references=reference(33, 1, 3))) == [[]]
    other = Sale(2, 61, 100, references=reference(33, 1, 3))
    assert send(with_kind(other, "1"), 61) == [["REF-2-999"]]
    keeps = Sale(3, 61, 100, references=reference(33, 1, 3))
    assert send(with_kind(keeps, "3"), 61) == [[]]


def _settlement(bench: Workbench, folio: int, total: int, refers_to: int | None = None) -> Document:
    """A liquidación as it was examined, and entered when nothing rejects it."""
    net = round(total / 1.19)
    named = f"<TpoDocRef>43</TpoDocRef><FolioRef>{refers_to}</FolioRef>"
    row = "" if refers_to is None else f"<Referencia><NroLinRef>1</NroLinRef>{named}</Referencia>"
    figures = f"<MntNeto>{net}</MntNeto><IVA>{total - net}</IVA><MntTotal>{total}</MntTotal>"
    body = read(f"<Liquidacion>{document(figures, more=row)}</Liquidacion>".encode())
    upload = bench._some_upload
    registry = bench.world.registry
    registry.uploads[upload.track_id] = upload
    made = Document(
        COMPANY,
        43,
        folio,
        f"{folio}",
        "77900202-0",
        "2026-11-24",
        total,
        net,
        None,
        total - net,
        "",
        1,
        upload.timeline["EPR"],
    )
    made.findings.extend(reference_findings(body, upload, made.identity, registry))
    registry.enter(made)
    if changes_others(made) and made.state != "rejected":
        enter_note(body, made, registry)
    return made


def test_a_liquidacion_is_annulled_by_another_below_zero_once(
    tmp_path: Path, authority: Authority, person: Person
) -> None:
    """SII, FAQ 001.003.7335: the same amounts, negative."""
    bench = Workbench.at(tmp_path, authority, person)
    first = _settlement(bench, 1, 119000)
    assert (first.state, first.annulled) == ("accepted", False)
    assert [f.code for f in _settlement(bench, 2, -118000, 1).findings] == ["REF-2-780"]
    assert first.annulled
    again = _settlement(bench, 3, -119000, 1)
    assert [f.code for f in again.findings] == ["REF-3-999"]
    assert [f.code for f in _settlement(bench, 4, -119000, 9).findings] == ["REF-3-750"]
    assert [f.code for f in _settlement(bench, 5, -119000).findings] == ["REF-3-415"]
    second = _settlement(bench, 6, 119000)
    assert _settlement(bench, 7, -119000, 6).state == "accepted"
    assert second.annulled


@pytest.mark.parametrize(
    ("issued", "today", "guides", "found"),
    [
        ("2026-10-31", "2026-11-10", True, []),
        ("2026-10-31", "2026-11-11", True, ["DTE-1-650"]),
        ("2026-10-31", "2026-11-10", False, ["DTE-1-650"]),
        ("2026-11-08", "2026-11-10", False, []),
    ],
)
def test_an_invoice_of_last_months_guides_bears_a_date_of_their_month_until_the_tenth(
    tmp_path: Path, authority: Authority, person: Person, issued: str, today: str, guides: bool, found: list[str]
) -> None:
    bench = Workbench.at(tmp_path, authority, person)
    bench.cafs[33] = Caf.read(
        bench.world.registry.authorise_folios(Range(COMPANY, "X", 33, 200_000, 200_009, dt.date(2026, 10, 1))).xml
    )
    bench.world.clock.set(dt.datetime.fromisoformat(f"{today}T12:00:00"))
    row = reference(52, 7, None, issued).replace("<RazonRef>Devuelve</RazonRef>", "") if guides else ""
    at = f"{issued}T10:00:00"
    sale = Sale(200_000, issued_on=issued, signed_at=at, stamped_at=at, references=row)
    assert [f.code for f in bench.judged(bench.dte(sale)).findings] == found


# --- the stamp's names and quotes ---


@pytest.mark.parametrize(
    ("stamped", "written", "folded", "exact"),
    [
        ("Señor Cliente", "Señor Cliente", True, True),
        ("Senor Cliente", "Señor Cliente", True, False),
        ("Tubo 1/2  PVC", 'Tubo 1/2" PVC', True, False),
        ("D Angelo", "D'Angelo", True, False),
        ("Item", "'\"", True, False),
        ("Otro", "Señor Cliente", False, False),
        ("", "Señor Cliente", False, False),
        ("x" * 41, "x" * 60, False, False),
        ("x" * 40, "x" * 60, True, True),
    ],
)
def test_names_in_a_stamp(stamped: str, written: str, folded: bool, exact: bool) -> None:
    assert (shows(stamped, written, "folded"), shows(stamped, written, "exact")) == (folded, exact)


def test_quotes_in_a_stamp_are_signed_in_either_form() -> None:
    dd = read("<DD><IT1>Clavo 2&quot; d&apos;oro &amp; más</IT1></DD>".encode())
    literal = "<DD><IT1>Clavo 2\" d'oro &amp; más</IT1></DD>".encode("iso-8859-1")
    entities = "<DD><IT1>Clavo 2&quot; d&apos;oro &amp; más</IT1></DD>".encode("iso-8859-1")
    assert list(signed_forms(dd, "both")) == [literal, entities]
    assert list(signed_forms(dd, "literal")) == [literal]
    assert list(signed_forms(dd, "entities")) == [entities]
    plain = read(b"<DD><IT1>Clavo</IT1></DD>")
    assert list(signed_forms(plain, "both")) == [b"<DD><IT1>Clavo</IT1></DD>"]


@pytest.mark.parametrize(
    ("quotes", "form", "found"),
    [
        ("both", "literal", []),
        ("both", "entities", []),
        ("literal", "entities", ["TED-2-510"]),
        ("entities", "literal", ["TED-2-510"]),
        ("entities", "entities", []),
    ],
)
def test_a_stamp_over_a_name_with_quotes(taxpayer: Taxpayer, quotes: str, form: str, found: list[str]) -> None:
    taxpayer.sii.control("POST", "/switches", {"ted_quotes": quotes})
    body = Sale(1, item="Clavo de 2\" d'oro").body(taxpayer.cafs[33])
    if form == "entities":
        dd = re.findall("<DD>.*</DD>", body, re.DOTALL)[0]
        other = dd.replace("Clavo de 2\" d'oro", "Clavo de 2&quot; d&apos;oro")
        frmt = re.findall("<FRMT[^>]*>(.*)</FRMT>", taxpayer.cafs[33].stamp(other))[0]
        body = re.sub("(<FRMT[^>]*>).*(</FRMT>)", rf"\g<1>{frmt}\g<2>", body)
    data = envelope([signed_dte(body, taxpayer.person)], [33], Cover(taxpayer.person.rut), taxpayer.person)
    assert taxpayer.findings(taxpayer.send(data)) == [found]
