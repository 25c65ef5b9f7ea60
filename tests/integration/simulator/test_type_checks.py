"""What the simulated SII examines in each type: the documents that producers' jobs come to, and what one change does.

The documents are those of `tests/golden/types`; a case changes their text and says the codes that must be found, in
their order.
"""

import datetime as dt
from pathlib import Path

import pytest

from deploy.sandbox.sii.amounts import amount_findings, line_findings
from deploy.sandbox.sii.editions import NEWER_SINCE, Edition
from deploy.sandbox.sii.exports import export_findings
from deploy.sandbox.sii.goods import goods_findings
from deploy.sandbox.sii.reading import read
from deploy.sandbox.sii.schemas import Schemas
from deploy.sandbox.sii.switches import Switches
from deploy.sandbox.sii.taxes import tax_findings
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import Cover, Sale, envelope, signed_dte, today

GOLDEN = Path(__file__).parents[2] / "golden" / "types"


def codes(
    name: str,
    *changes: tuple[str, str],
    day: dt.date = NEWER_SINCE,
    profile: str = "2019",
    guide_rule: str = "reject",
) -> list[str]:
    """Codes of the findings in a golden document after changes of its text."""
    text = (GOLDEN / f"{name}.xml").read_text("utf-8")
    for old, new in changes:
        assert old in text, f"{name} has no {old}"
        text = text.replace(old, new)
    body = read(f"<Documento>{text}</Documento>".encode())
    document_type = int(name.partition("-")[0])
    found = line_findings(body, document_type) + amount_findings(body, document_type)
    found += tax_findings(body, document_type)
    found += export_findings(body, document_type)
    switches = Switches()
    switches.change({"format_profile": profile, "guide_rule": guide_rule})
    found += goods_findings(body, document_type, day, switches)
    return [finding.code for finding in found]


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.xml")))
def test_a_right_document_of_each_type_has_no_finding(name: str) -> None:
    assert codes(name, profile="2019" if name == "52" else "2026") == []


CASES: tuple[tuple[str, tuple[tuple[str, str], ...], list[str]], ...] = (
    # 33: lines, classes, VAT, total
    ("33", (("<QtyItem>10<", "<QtyItem>9<"),), ["DET-1-200"]),
    ("33", (("<IVA>1900<", "<IVA>1901<"),), ["HED-2-302", "HED-3-211"]),
    ("33", (("<MntTotal>11900<", "<MntTotal>11901<"),), ["HED-3-211"]),
    ("33", (("<NroLinDet>1</NroLinDet>", "<NroLinDet>1</NroLinDet><IndExe>1</IndExe>"),), ["HED-2-220", "HED-2-999"]),
    ("33", (("<MntNeto>10000</MntNeto>", ""),), ["HED-2-223", "HED-1-232", "HED-3-211"]),
    ("33", (("<MntNeto>10000<", "<MntNeto>9999<"),), ["HED-2-999", "HED-3-211"]),
    ("33", (("<DirRecep>Calle Dos 456</DirRecep>", ""),), ["HED-3-845"]),
    (
        "33",
        (("</Totales>", "<MontoNF>0</MontoNF><MontoPeriodo>11901</MontoPeriodo></Totales>"),),
        ["HED-3-265"],
    ),
    # additional taxes: the code on the lines, and its sum
    ("33", (("<MontoItem>", "<CodImpAdic>27</CodImpAdic><MontoItem>"),), ["HED-2-300"]),
    (
        "33",
        (
            ("<MontoItem>", "<CodImpAdic>27</CodImpAdic><MontoItem>"),
            ("<IVA>1900</IVA>", "<IVA>1900</IVA><ImptoReten><TipoImp>27</TipoImp><TasaImp>10</TasaImp>"),
            ("<MntTotal>11900<", "<MontoImp>999</MontoImp></ImptoReten><MntTotal>12899<"),
        ),
        ["HED-2-302"],
    ),
    # 34 and 41: nothing but MntExe
    ("34", (("<MntExe>10000<", "<MntExe>9000<"), ("<MntTotal>10000<", "<MntTotal>9000<")), ["HED-2-220"]),
    ("34", (("<MntTotal>", "<IVA>1900</IVA><MntTotal>"),), ["HED-2-223", "HED-3-211", "HED-2-223"]),
    ("41", (("<MntTotal>11900<", "<MntTotal>11901<"),), ["HED-3-211"]),
    # 39: gross lines, VAT inside
    ("39", (("<MntNeto>10000<", "<MntNeto>10001<"),), ["HED-2-999", "HED-3-211"]),
    ("39", (("<MntNeto>10000<", "<MntNeto>10003<"), ("<IVA>1900<", "<IVA>1897<")), ["HED-2-999", "HED-2-302"]),
    # 43: commissions and whose VAT it is
    ("43", (("<MntTotal>133050<", "<MntTotal>139000<"),), ["HED-2-260"]),
    ("43", (("<IVATerc>18050<", "<IVATerc>18051<"),), ["HED-2-999"]),
    (
        "43",
        (("<Glosa>Comisión por venta</Glosa><TasaComision>5</TasaComision><ValComNeto>5000<", "<ValComNeto>4000<"),),
        ["HED-2-999"],
    ),
    # 46: VAT that the buyer keeps
    ("46", (("<TasaImp>19<", "<TasaImp>10<"),), ["HED-2-300", "HED-2-302"]),
    (
        "46",
        (("<MontoImp>1900<", "<MontoImp>1899<"), ("<MntTotal>10000<", "<MntTotal>10001<")),
        ["HED-2-302", "HED-2-999"],
    ),
    ("46", (("<MntTotal>10000<", "<MntTotal>11900<"),), ["HED-2-260"]),
    ("46", (("<CodImpAdic>15</CodImpAdic>", ""),), ["HED-2-300", "HED-2-999"]),
    (
        "46",
        (("<MntTotal>10000<", "<IVANoRet>5</IVANoRet><MntTotal>10000<"),),
        ["HED-2-999"],
    ),
    # 52: a sale has amounts; what is no sale may have none
    ("52", (("<IndTraslado>1</IndTraslado>", ""),), ["HED-3-999"]),
    ("52", (("<IndTraslado>1<", "<IndTraslado>5<"),), ["HED-2-999"]),
    ("52", (("<MntTotal>11900<", "<MntTotal>0<"),), ["HED-3-211"]),
    (
        "52",
        (
            ("<IndTraslado>1<", "<IndTraslado>6<"),
            ("<MntNeto>10000</MntNeto><TasaIVA>19</TasaIVA><IVA>1900</IVA><MntTotal>11900<", "<MntTotal>0<"),
            ("<MontoItem>10000<", "<MontoItem>0<"),
        ),
        [],
    ),
    ("52", (("<IndTraslado>1<", "<IndTraslado>8<"),), ["HED-2-804"] * 5),
    # notes
    ("61", (("<MntTotal>11900<", "<MntTotal>11901<"),), ["HED-3-211"]),
    ("56", (("<IVA>1900<", "<IVA>1800<"),), ["HED-2-302", "HED-3-211"]),
    # 110: the currency's decimals, pesos beside, customs
    ("110", (("<QtyItem>100<", "<QtyItem>99<"),), ["DET-1-200"]),
    ("110", (("<MntTotal>1234.5<", "<MntTotal>1234<"),), ["HED-2-260", "HED-2-999"]),
    (
        "110",
        (("<MntExe>1234.5<", "<MntExe>1234.6<"), ("<MntTotal>1234.5<", "<MntTotal>1234.6<")),
        ["HED-2-220", "HED-2-999", "HED-2-999"],
    ),
    ("110", (("<TpoMoneda>PESO CL<", "<TpoMoneda>EURO<"),), ["HED-3-834"]),
    ("110", (("<MntTotOtrMnda>1175701<", "<MntTotOtrMnda>1175703<"),), ["HED-2-999"]),
    ("110", (("<FmaPagExp>1<", "<FmaPagExp>21<"),), ["HED-2-220", "HED-1-803", "HED-1-803"]),
    ("110", (("<Marcas>LOTE 1</Marcas>", ""),), ["HED-2-804"]),
    ("110", (("<CodTpoBultos>80<", "<CodTpoBultos>73<"),), ["HED-2-804"] * 3),
    ("110", (("<RUTRecep>55555555-5<", "<RUTRecep>77777777-7<"),), ["HED-3-999"]),
    ("110", (("<Nacionalidad>225</Nacionalidad>", ""),), ["HED-2-804"]),
    ("110", (("<CodClauVenta>5</CodClauVenta>", ""),), ["HED-2-804"]),
    (
        "112",
        (("<MntExe>1234.5<", "<MntExe>1<"), ("<MntTotal>1234.5<", "<MntTotal>1<")),
        ["HED-2-220", "HED-2-999", "HED-2-999"],
    ),
    ("111", (("<TpoCambio>952.37<", "<TpoCambio>95.237<"),), ["HED-2-999", "HED-2-999"]),
)


@pytest.mark.parametrize(("name", "changes", "expected"), CASES)
def test_one_wrong_figure_is_found(name: str, changes: tuple[tuple[str, str], ...], expected: list[str]) -> None:
    assert codes(name, *changes) == expected


@pytest.mark.parametrize(
    ("profile", "issued_on", "guide_rule", "expected"),
    [
        ("2019", "2026-11-01", "reject", []),
        ("2026", "2026-10-31", "reject", []),
        ("2026", "2026-11-01", "reject", ["HED-3-999", "HED-3-999"]),
        ("2026", "2026-11-01", "repair", ["HED-2-999", "HED-2-999"]),
        ("date", "2026-11-01", "repair", ["HED-2-999", "HED-2-999"]),
    ],
)
def test_since_november_2026_a_guide_says_when_it_leaves(
    profile: str, issued_on: str, guide_rule: str, expected: list[str]
) -> None:
    dated = ("<FchEmis>2026-11-24", f"<FchEmis>{issued_on}")
    assert codes("52", dated, profile=profile, guide_rule=guide_rule) == expected


def test_a_guide_may_declare_that_vehicle_and_driver_are_not_known() -> None:
    unknown = (
        ("<Patente>ABCD12</Patente>", ""),
        ("<RUTTrans>76192083-9</RUTTrans>", ""),
        ("<Chofer><RUTChofer>11111111-1</RUTChofer><NombreChofer>Pedro Pérez</NombreChofer></Chofer>", ""),
    )
    assert codes("52-2026", *unknown, profile="2026") == ["HED-3-999"] * 4
    declared = ("</NmbItem>", "</NmbItem><DscItem>Se desconoce el vehículo</DscItem>")
    assert codes("52-2026", *unknown, declared, profile="2026") == []


def of_2026(taxpayer: Taxpayer, folio: int) -> bytes:
    """An envelope of one factura that travels with its goods, as only the format of 2026 can say it."""
    leaves = f"<Transporte><FchSalida>{today()}</FchSalida><HraSalida>08:30:00</HraSalida></Transporte>"
    body = Sale(folio).body(taxpayer.cafs[33]).replace("</Receptor>", f"</Receptor>{leaves}")
    return envelope([signed_dte(body, taxpayer.person)], [33], Cover(taxpayer.person.rut), taxpayer.person)


def test_the_format_of_2026_is_a_schema_fault_under_that_of_2019(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"format_profile": "2019"})
    refused = taxpayer.send(of_2026(taxpayer, 1))
    assert taxpayer.state(refused) == "RSC"
    assert taxpayer.envelope_findings(refused) == ["ENV-3-0"]
    taxpayer.sii.control("POST", "/switches", {"format_profile": "date"})
    accepted = taxpayer.send(of_2026(taxpayer, 2))
    assert taxpayer.state(accepted) == "EPR"
    assert taxpayer.findings(accepted) == [[]]


def test_the_format_of_2026_takes_documents_of_2019_too(taxpayer: Taxpayer) -> None:
    taxpayer.sii.control("POST", "/switches", {"format_profile": "2026"})
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    assert (taxpayer.state(track), taxpayer.findings(track)) == ("EPR", [[]])


@pytest.mark.needs_shared
def test_a_schema_of_2026_in_a_folder_of_its_own_is_taken_as_it_is(taxpayer: Taxpayer, shared: Path) -> None:
    schemas = Schemas(shared / "reference" / "xsd" / "reconstructed-2026")
    assert schemas.faults(read(of_2026(taxpayer, 1)), "EnvioDTE", Edition("2026")) == []


@pytest.mark.parametrize("value", [2026, "2025", "reject"])
def test_an_edition_that_there_is_not_is_no_switch(taxpayer: Taxpayer, value: object) -> None:
    with pytest.raises(AssertionError):
        taxpayer.sii.control("POST", "/switches", {"format_profile": value})
