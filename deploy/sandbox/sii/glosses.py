"""The words for the states of an upload: envelopes of documents, books, reports of folios (SII protocol, 6.1)."""

_ENVELOPE = {
    "REC": "Envio Recibido",
    "SOK": "Schema Validado",
    "CRT": "Caratula OK",
    "FOK": "Firma de Envio Validada",
    "PDR": "Envio en Proceso",
    "EPR": "Envio Procesado",
    "RSC": "Rechazado por Error en Schema",
    "RCT": "Rechazado por Error en Caratula",
    "RFR": "Rechazado por Error en Firma",
    "RCH": "Rechazado",
    "RPR": "Aceptado con Reparos",
    "RLV": "Aceptado con Reparos Leves",
    "RPT": "Repetido",
    "LSO": "Schema de Envio de Libro Correcto",
    "LOK": "Envio de Libro Aceptado - Cuadrado",
    "LRP": "Envio de Libro Aceptado con Reparos",
    "LRH": "Envio de Libro Rechazado - Descuadrado",
    "LRS": "Envio de Libro Rechazado - Error de Schema",
    "LRC": "Envio de Libro Rechazado - Error en Caratula",
    "LRF": "Envio de Libro Rechazado - Error en Firma",
    "LNC": "Envio de Libro Rechazado - Tipo de Envio",
}


def envelope_gloss(state: str) -> str:
    """The GLOSA of an envelope's state."""
    return _ENVELOPE.get(state, "Estado no Definido")
