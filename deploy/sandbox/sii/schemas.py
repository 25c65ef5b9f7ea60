"""The official schemas, found on this machine and compiled once.

The schemas of DTE and EnvioDTE are the SII's own, from the data folder of the installed package cl_sii (found by
path; the package isn't imported). That package has none for EnvioBOLETA: the file that FMgo ships is used, by path. A
folder given at the start (``--schema-dir``) comes before both.

Profile 2026 of the format is what ``DTE_2026.xsd`` lists, laid over the DTE in circulation: the elements of a group
follow the element that the group's name leads to. The SII's own file of 2026 wasn't available.
"""

import tempfile
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

from deploy.sandbox.sii.reading import Element

_FILES = {
    "EnvioDTE": "EnvioDTE_v10.xsd",
    "EnvioBOLETA": "EnvioBOLETA_v11.xsd",
    "AEC": "AEC_v10.xsd",
    "LibroCompraVenta": "LibroCV_v10.xsd",
    "LibroGuia": "LibroGuia_v10.xsd",
    "LibroBoleta": "LibroBOLETA_v10.xsd",
    "ConsumoFolios": "ConsumoFolio_v10.xsd",
}
_XS = "{http://www.w3.org/2001/XMLSchema}"
_CL_SII_DATA = Path("data/ref/factura_electronica/schemas-xml")
_SHIPPED = Path(__file__).parents[3] / "domain" / "schemas"
_ADDED = "DTE_2026.xsd"
_NEW = "FchSalida"
_SIGNED = ("Encabezado", "Totales", "ImptoReten", "MontoImp")  # may be below 0 since 2026


class SchemaMissingError(Exception):
    """No folder holds the schema of that root element."""


class Schemas:
    """Compiled schemas by root element."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folders = [place for place in (folder, _cl_sii_folder(), _SHIPPED) if place is not None]
        self._compiled: dict[tuple[str, str], etree.XMLSchema] = {}

    def faults(self, root: Element, name: str, profile: str = "2019") -> list[str]:
        """What the schema of envelope `name` objects to in `root`, empty if valid. Raises SchemaMissingError."""
        schema = self.schema(name, profile)
        if schema.validate(root):
            return []
        return [f"LSX-{entry.type:05}: linea {entry.line}: {entry.message}" for entry in schema.error_log]

    def schema(self, name: str, profile: str = "2019") -> etree.XMLSchema:
        """The compiled schema of envelope `name` in a profile of the format. Raises SchemaMissingError, KeyError."""
        if (name, profile) not in self._compiled:
            with tempfile.TemporaryDirectory(prefix="sii-schemas-") as laid:
                over = {} if profile == "2019" else {"DTE_v10.xsd": self._laid_over(Path(laid))}
                document = self._located(_FILES[name], over)
                self._compiled[name, profile] = etree.XMLSchema(document)
        return self._compiled[name, profile]

    def _located(self, file: str, over: dict[str, Path]) -> etree._ElementTree:
        """A schema whose imports and includes lead to files that are here.

        They may name their file without a folder, or not at all: it is looked for in all of ours.
        """
        document = etree.parse(str(self._find(file)))
        for element in document.iter(f"{_XS}import", f"{_XS}include"):
            wanted = Path(element.get("schemaLocation", "xmldsignature_v10.xsd")).name
            element.set("schemaLocation", str(over.get(wanted) or self._find(wanted)))
        return document

    def _laid_over(self, folder: Path) -> Path:
        """Write the DTE of 2026 into a folder: the one in circulation with the elements and types that were added.

        A file that has them already (of a folder given at the start) is left as it is.
        """
        document = self._located("DTE_v10.xsd", {})
        if document.find(f".//{_XS}element[@name='{_NEW}']") is not None:
            return self._find("DTE_v10.xsd")
        added = etree.parse(str(self._find(_ADDED))).getroot()
        start = document.find(f".//{_XS}element[@name='Documento']")
        for group in added.findall(f"{_XS}group"):
            place = _led_to(start, str(group.get("name")).split("."))
            for element in reversed(group.findall(f"{_XS}sequence/{_XS}element")):
                place.addnext(element)
        _led_to(start, list(_SIGNED)).set("type", "SiiDte:ValorType")
        document.getroot().extend(added.findall(f"{_XS}simpleType"))
        document.write(str(folder / "DTE_v10.xsd"))
        return folder / "DTE_v10.xsd"

    def missing(self) -> list[str]:
        """Root elements whose schema is nowhere."""
        return [name for name, file in _FILES.items() if not any((f / file).exists() for f in self._folders)]

    def _find(self, file: str) -> Path:
        for folder in self._folders:
            if (folder / file).exists():
                return folder / file
        raise SchemaMissingError(f"{file} is in none of {', '.join(map(str, self._folders))}")


def _led_to(place: Element | None, names: list[str]) -> Element:
    """The declaration that a way of element names leads to."""
    for name in names:
        place = None if place is None else place.find(f"{_XS}complexType/{_XS}sequence/{_XS}element[@name='{name}']")
    if place is None:
        raise SchemaMissingError(f"no {'/'.join(names)} in DTE_v10.xsd")
    return place


def _cl_sii_folder() -> Path | None:
    spec = find_spec("cl_sii")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / _CL_SII_DATA
