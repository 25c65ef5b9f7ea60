"""The kinds of file that are verified, by their root element, and what each must show to be accepted."""

from collections.abc import Mapping
from dataclasses import dataclass

_DOCUMENT = ("doc_signature_valid", "ted_valid", "caf_valid", "coherent", "totals_consistent")
_SENT = ("schema_valid", "env_signature_valid", "certificate_ok", "header_ok")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file."""

    name: str
    schema: str
    """The file of its schema; empty where there is none."""
    content: str
    """The element that the root's signature covers; empty where the root has none."""
    signed_at: tuple[str, ...]
    """The way from there to the time of signing."""
    needed: tuple[str, ...]
    own_signature: bool = False
    """Whether its schema puts the signature into the SII's own namespace."""
    sent: bool = True
    """Whether the SII gets such files; the others go from company to company, or come from it."""


KINDS: Mapping[str, Kind] = {
    "DTE": Kind("dte", "EnvioDTE_v10.xsd", "", (), ("schema_valid", "certificate_ok", *_DOCUMENT)),
    "EnvioDTE": Kind("envio", "EnvioDTE_v10.xsd", "SetDTE", ("Caratula", "TmstFirmaEnv"), (*_SENT, *_DOCUMENT)),
    "EnvioBOLETA": Kind("envio", "EnvioBOLETA_v11.xsd", "SetDTE", ("Caratula", "TmstFirmaEnv"), (*_SENT, *_DOCUMENT)),
    "AEC": Kind(
        "aec",
        "AEC_v10.xsd",
        "DocumentoAEC",
        ("Caratula", "TmstFirmaEnvio"),
        (*_SENT, *_DOCUMENT, "all_signatures_valid"),
    ),
    "RespuestaDTE": Kind(
        "respuesta", "RespuestaEnvioDTE_v10.xsd", "Resultado", ("Caratula", "TmstFirmaResp"), _SENT, sent=False
    ),
    "EnvioRecibos": Kind(
        "recibos",
        "EnvioRecibos_v10.xsd",
        "SetRecibos",
        ("Caratula", "TmstFirmaEnv"),
        (*_SENT, "doc_signature_valid"),
        sent=False,
    ),
    "ConsumoFolios": Kind(
        "consumo_folios", "ConsumoFolio_v10.xsd", "DocumentoConsumoFolios", ("Caratula", "TmstFirmaEnv"), _SENT
    ),
    "LibroCompraVenta": Kind("libro", "LibroCV_v10.xsd", "EnvioLibro", ("TmstFirma",), _SENT),
    "LibroGuia": Kind("libro", "LibroGuia_v10.xsd", "EnvioLibro", ("TmstFirma",), _SENT),
    "LibroBoleta": Kind("libro", "LibroBOLETA_v10.xsd", "EnvioLibro", ("TmstFirma",), _SENT, own_signature=True),
    "RESULTADO_ENVIO": Kind("resultado", "RespSII_v10.xsd", "", (), ("schema_valid", "header_ok"), sent=False),
    "getToken": Kind("getToken", "", "", (), ("all_signatures_valid", "certificate_ok")),
    "TED": Kind("ted", "", "", (), ("ted_valid", "caf_valid", "coherent"), sent=False),
    "AUTORIZACION": Kind("caf", "", "", (), ("frma_valid",), sent=False),
}
"""By the name of the root element."""
UNKNOWN = Kind("unknown", "", "", (), ())
