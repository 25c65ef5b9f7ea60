"""Runs in the side environment: a published package issues, signs and uploads with its own code, then asks.

Standard input holds its job as JSON; standard output gets what it says of the upload, its state and its documents.
"""

import copy
import json
import sys

from facturacion_electronica import (  # type: ignore[import-not-found]
    facturacion_electronica as package,
)


def main() -> None:
    """Issue and send, then ask twice."""
    job = json.load(sys.stdin)
    again = copy.deepcopy(job)
    sent = package.timbrar_y_enviar(job)
    shown = ("status", "sii_send_ident", "sii_xml_request", "errores", "xml_resp")
    told = {"sent": {name: sent.get(name) for name in shown}}
    if sent.get("sii_send_ident"):
        query = copy.deepcopy(again) | {
            "codigo_envio": sent["sii_send_ident"],
            "api": bool(again.pop("boletas", False)),
        }
        told["upload"] = package.consulta_estado_envio(query)
        told["documents"] = package.consulta_estado_dte(copy.deepcopy(again))
    json.dump(told, sys.stdout, default=_text)


def _text(value: object) -> object:
    return value.decode("iso-8859-1") if isinstance(value, bytes) else value


main()
