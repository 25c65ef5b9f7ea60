"""The schema of boletas written here gives the verdicts of the official one, inside what both its variants take."""

import re
from pathlib import Path

import pytest
from lxml import etree

from domain.schema import boleta_schema, validate_envelope
from tests.unit.domain import referee
from tests.unit.domain.mutations import mutations

RICH = (
    "<IndMntNeto>2</IndMntNeto><PeriodoDesde>2026-10-01</PeriodoDesde><PeriodoHasta>2026-10-31</PeriodoHasta>"
    "<FchVenc>2026-11-30</FchVenc>"
)
RICH_LINE = (
    "<Detalle><NroLinDet>9</NroLinDet><CdgItem><TpoCodigo>EAN</TpoCodigo><VlrCodigo>1</VlrCodigo></CdgItem>"
    "<IndExe>1</IndExe><ItemEspectaculo>01</ItemEspectaculo><RUTMandante>1-9</RUTMandante><NmbItem>Uno</NmbItem>"
    "<DscItem>Más</DscItem><QtyItem>1.5</QtyItem><UnmdItem>UN</UnmdItem><PrcItem>10</PrcItem>"
    "<DescuentoPct>10</DescuentoPct><DescuentoMonto>1</DescuentoMonto><RecargoPct>0.01</RecargoPct>"
    "<RecargoMonto>1</RecargoMonto><MontoItem>1</MontoItem></Detalle>"
    "<SubTotInfo><NroSTI>1</NroSTI><GlosaSTI>Sub</GlosaSTI><OrdenSTI>1</OrdenSTI><SubTotNetoSTI>1</SubTotNetoSTI>"
    "<SubTotIVASTI>1</SubTotIVASTI><SubTotAdicSTI>1</SubTotAdicSTI><SubTotExeSTI>1</SubTotExeSTI>"
    "<ValSubtotSTI>1</ValSubtotSTI><LineasDeta>1</LineasDeta><LineasDeta>2</LineasDeta></SubTotInfo>"
    "<DscRcgGlobal><NroLinDR>1</NroLinDR><TpoMov>D</TpoMov><GlosaDR>x</GlosaDR><TpoValor>%</TpoValor>"
    "<ValorDR>1</ValorDR><IndExeDR>1</IndExeDR></DscRcgGlobal>"
    "<Referencia><NroLinRef>1</NroLinRef><CodRef>SET</CodRef><RazonRef>CASO-1</RazonRef><CodVndor>1</CodVndor>"
    "<CodCaja>1</CodCaja></Referencia>"
)
RICH_TOTALS = (
    "<MontoNF>-1</MontoNF><TotalPeriodo>1</TotalPeriodo><SaldoAnterior>-1</SaldoAnterior><VlrPagar>1</VlrPagar>"
    "</Totales>"
)
STRICTER = re.compile(r"Detalle (left out|renamed)|OrdenSTI (left out|renamed)|LineasDeta (61|99|100)$|Pct (0|0\.001)$")
"""Where the house stays inside what both official variants take."""


def _rich_boleta(shared: Path) -> bytes:
    """A boleta with every element that both official variants know; its signatures no longer matter."""
    text = (shared / "reference" / "vectors" / "types" / "EnvioBOLETA-39.xml").read_bytes().decode("iso-8859-1")
    text = text.replace("</IndServicio>", f"</IndServicio>{RICH}", 1).replace("</Totales>", RICH_TOTALS, 1)
    receiver = (
        "<CdgIntRecep>1</CdgIntRecep><RznSocRecep>Cliente</RznSocRecep><Contacto>x</Contacto><DirRecep>x</DirRecep>"
        "<CmnaRecep>x</CmnaRecep><CiudadRecep>x</CiudadRecep><DirPostal>x</DirPostal><CmnaPostal>x</CmnaPostal>"
        "<CiudadPostal>x</CiudadPostal>"
    )
    text = text.replace("<RznSocRecep>Cliente</RznSocRecep>", receiver, 1)
    text = text.replace("<TED ", f"{RICH_LINE}<TED ", 1)
    return text.encode("iso-8859-1")


@pytest.fixture
def official_boleta_schema(shared: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(shared / "reference" / "xsd" / "EnvioBOLETA_v11.xsd"))


@pytest.mark.needs_shared
def test_sound_boletas_are_valid_under_both(shared: Path, official_boleta_schema: etree.XMLSchema) -> None:
    folders = (shared / "reference" / "vectors" / "types", shared / "corpus" / "controls")
    files = [
        file
        for folder in folders
        for file in sorted(folder.glob("*.xml"))
        if b"<EnvioBOLETA" in file.read_bytes()[:400]
    ]
    assert len(files) >= 4
    for data in (*(file.read_bytes() for file in files), _rich_boleta(shared)):
        assert official_boleta_schema.validate(referee.parsed(data))
        assert validate_envelope(data) == ()


@pytest.mark.needs_shared
def test_boletas_are_judged_as_by_the_official_schema(shared: Path, official_boleta_schema: etree.XMLSchema) -> None:
    verdicts = {True: 0, False: 0}
    for name, tree in mutations(_rich_boleta(shared)):
        official, own = official_boleta_schema.validate(tree), boleta_schema().validate(tree)
        verdicts[own] += 1
        if STRICTER.search(name):
            assert official or not own, name
        else:
            assert official == own, (name, official_boleta_schema.error_log, boleta_schema().error_log)
    assert min(verdicts.values()) > 500, verdicts


@pytest.mark.needs_shared
@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("<CodRef>", "<TpoDocRef>801</TpoDocRef><CodRef>"),
        ("<CodRef>", "<FolioRef>1</FolioRef><CodRef>"),
        ("<DescuentoPct>10<", "<DescuentoPct>0.00<"),
        ("<OrdenSTI>1</OrdenSTI>", ""),
        ("<LineasDeta>1<", "<LineasDeta>61<"),
    ],
)
def test_what_one_variant_refuses_is_refused(
    shared: Path, official_boleta_schema: etree.XMLSchema, good: str, bad: str
) -> None:
    text = _rich_boleta(shared).decode("iso-8859-1")
    assert good in text
    changed = text.replace(good, bad, 1).encode("iso-8859-1")
    assert official_boleta_schema.validate(referee.parsed(changed))
    assert validate_envelope(changed) != ()
