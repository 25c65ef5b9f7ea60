"""The official schemas, found on this machine and compiled once.

The schemas of DTE and EnvioDTE are the SII's own, from the data folder of the installed package cl_sii (found by
path; the package isn't imported). That package has none for EnvioBOLETA: the file that FMgo ships is used, by path. A
folder given at the start (``--schema-dir``) comes before both.
"""

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


class SchemaMissingError(Exception):
    """No folder holds the schema of that root element."""


class Schemas:
    """Compiled schemas by root element."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folders = [place for place in (folder, _cl_sii_folder(), _SHIPPED) if place is not None]
        self._compiled: dict[str, etree.XMLSchema] = {}

    def faults(self, root: Element, name: str) -> list[str]:
        """What the schema of envelope `name` objects to in `root`, empty if valid. Raises SchemaMissingError."""
        schema = self.schema(name)
        if schema.validate(root):
            return []
        return [f"LSX-{entry.type:05}: linea {entry.line}: {entry.message}" for entry in schema.error_log]

    def schema(self, name: str) -> etree.XMLSchema:
        """The compiled schema of envelope `name`. Raises SchemaMissingError."""
        if name not in self._compiled:
            path = self._find(_FILES[name])
            document = etree.parse(str(path))
            # An import may name its file without a folder, or not at all: it is looked for in all of ours.
            for element in document.iter(f"{_XS}import", f"{_XS}include"):
                wanted = Path(element.get("schemaLocation", "xmldsignature_v10.xsd")).name
                element.set("schemaLocation", str(self._find(wanted)))
            self._compiled[name] = etree.XMLSchema(document)
        return self._compiled[name]

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
