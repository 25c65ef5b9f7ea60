"""The official schemas, found on this machine and compiled once.

The schemas of DTE and EnvioDTE are the SII's own, from the data folder of the installed package cl_sii (found by
path; the package isn't imported). That package has none for EnvioBOLETA: the file that FMgo ships is used, by path. A
folder given at the start (``--schema-dir``) comes before both. What newer editions have more is laid over them
(`editions`).
"""

import tempfile
from importlib.util import find_spec
from pathlib import Path

from lxml import etree

from deploy.sandbox.sii.editions import Edition, NoSuchPlaceError, lay_boletas_over, lay_documents_over
from deploy.sandbox.sii.reading import Element
from deploy.sandbox.sii.xerces import xerces_words

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
_CIRCULATING = Edition()


class SchemaMissingError(Exception):
    """No folder holds the schema of that root element."""


class Schemas:
    """Compiled schemas by root element."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folders = [place for place in (folder, _cl_sii_folder(), _SHIPPED) if place is not None]
        self._compiled: dict[tuple[str, Edition], etree.XMLSchema] = {}

    def faults(self, root: Element, name: str, edition: Edition = _CIRCULATING) -> list[str]:
        """What the schema of envelope `name` objects to in `root`, empty if valid. Raises SchemaMissingError."""
        return [f"LSX-{fault.type:05}: linea {fault.line}: {fault.message}" for fault in self._log(root, name, edition)]

    def gateway_faults(self, root: Element, name: str, edition: Edition = _CIRCULATING) -> list[str]:
        """The same in the words of the gateway. Raises SchemaMissingError."""
        return [said for fault in self._log(root, name, edition) for said in xerces_words(fault, root)]

    def _log(self, root: Element, name: str, edition: Edition) -> list[etree._LogEntry]:
        schema = self.schema(name, edition)
        return [] if schema.validate(root) else list(schema.error_log)

    def schema(self, name: str, edition: Edition = _CIRCULATING) -> etree.XMLSchema:
        """The compiled schema of envelope `name` in an edition. Raises SchemaMissingError, KeyError."""
        if (name, edition) not in self._compiled:
            with tempfile.TemporaryDirectory(prefix="sii-schemas-") as laid:
                over = {"DTE_v10.xsd": self._laid_over(Path(laid))} if edition.documents == "2026" else {}
                document = self._located(_FILES[name], over)
                if name == "EnvioBOLETA" and edition.boletas == "2025":
                    lay_boletas_over(document)
                self._compiled[name, edition] = etree.XMLSchema(document)
        return self._compiled[name, edition]

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
        """Write the DTE of 2026 into a folder; answers its place."""
        document = self._located("DTE_v10.xsd", {})
        try:
            lay_documents_over(document, etree.parse(str(self._find(_ADDED))).getroot())
        except NoSuchPlaceError as error:
            raise SchemaMissingError(str(error)) from error
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


def _cl_sii_folder() -> Path | None:
    spec = find_spec("cl_sii")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / _CL_SII_DATA
