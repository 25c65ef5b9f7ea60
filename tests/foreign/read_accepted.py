"""Runs alone: cl-sii, another company's library (MIT), reads a DTE from standard input and says what it read, as JSON.

In a process of its own, because it warns of a dependency of its own on import.
"""

import json
import sys

from cl_sii.dte.parse import parse_dte_xml
from cl_sii.libs.xml_utils import parse_untrusted_xml


def main() -> None:
    """Read one document."""
    read = parse_dte_xml(parse_untrusted_xml(sys.stdin.buffer.read()))
    told = {
        "issuer": read.emisor_rut.canonical,
        "type": int(read.tipo_dte),
        "folio": read.folio,
        "receiver": read.receptor_rut.canonical,
        "total": read.monto_total,
        "issued_on": read.fecha_emision_date.isoformat(),
    }
    json.dump(told, sys.stdout)


main()
