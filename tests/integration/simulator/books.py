"""Invented books and reports of folios, signed as the SII expects."""

import re

from tests.integration.simulator.documents import COMPANY, now, today
from tests.integration.simulator.signing import (
    DSIG,
    SII,
    XSI,
    Person,
    canonical,
    sha1,
    signature,
    with_namespaces,
    wrapped,
)

PERIOD = "2026-10"
_SCOPE = f'xmlns="{SII}" xmlns:xsi="{XSI}"'
_SCHEMAS = {
    "LibroCompraVenta": "LibroCV_v10.xsd",
    "LibroGuia": "LibroGuia_v10.xsd",
    "LibroBoleta": "LibroBOLETA_v10.xsd",
    "ConsumoFolios": "ConsumoFolio_v10.xsd",
}


def signed(root: str, person: Person, caratula: str, inside: str, *, own: bool = False) -> bytes:
    """The file around a Carátula and what follows it, signed in context; `own`: all of it in the SII's namespace."""
    name = "DocumentoConsumoFolios" if root == "ConsumoFolios" else "EnvioLibro"
    stamp = "" if root == "ConsumoFolios" else f"<TmstFirma>{now()}</TmstFirma>"
    body = f'<{name} ID="Libro">{caratula}\n{inside}{stamp}</{name}>'
    around = f' xmlns:xsi="{XSI}"'
    digest = sha1(canonical(with_namespaces(body, f'xmlns="{SII}"{around}')))
    element = _own_signature(person, digest) if own else signature(person, digest, "#Libro", around)
    text = (
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<{root} {_SCOPE} xsi:schemaLocation="{SII} {_SCHEMAS[root]}"'
        f' version="1.0">{body}\n{element}</{root}>\n'
    )
    return text.encode("iso-8859-1")


def _own_signature(person: Person, digest: bytes) -> str:
    """A Signature without a namespace of its own, over SignedInfo as it stands in the book."""
    standard = signature(person, digest, "#Libro").replace(f' xmlns="{DSIG}"', "")
    info, value = standard[standard.index("<SignedInfo>") : standard.index("<SignatureValue>")], standard
    new = wrapped(person.sign(canonical(with_namespaces(info, _SCOPE))))
    return re.sub(r"(<SignatureValue>).*?(</SignatureValue>)", rf"\g<1>{new}\g<2>", value, flags=re.DOTALL)


def _caratula(person: Person, kind: str, resolution: str, more: str = "") -> str:
    notification = "<FolioNotificacion>1</FolioNotificacion>"
    return (
        f"<Caratula><RutEmisorLibro>{COMPANY}</RutEmisorLibro><RutEnvia>{person.rut}</RutEnvia>"
        f"<PeriodoTributario>{PERIOD}</PeriodoTributario><FchResol>{resolution}</FchResol><NroResol>0</NroResol>"
        f"{more}<TipoLibro>ESPECIAL</TipoLibro><TipoEnvio>{kind}</TipoEnvio>{notification}</Caratula>"
    )


def sales(person: Person, total: int = 11900, kind: str = "TOTAL", resolution: str = "2014-08-22") -> bytes:
    """A book of sales: one factura, one annulled folio, and boletas by their total alone."""
    summary = "ResumenSegmento" if kind == "PARCIAL" else "ResumenPeriodo"
    row = "TotalesSegmento" if kind == "PARCIAL" else "TotalesPeriodo"
    inside = (
        f"<{summary}><{row}><TpoDoc>33</TpoDoc><TotDoc>1</TotDoc><TotAnulado>1</TotAnulado><TotMntExe>0</TotMntExe>"
        f"<TotMntNeto>10000</TotMntNeto><TotMntIVA>1900</TotMntIVA><TotMntTotal>{total}</TotMntTotal></{row}>"
        f"<{row}><TpoDoc>39</TpoDoc><TotDoc>7</TotDoc><TotMntExe>0</TotMntExe><TotMntNeto>1000</TotMntNeto>"
        f"<TotMntIVA>190</TotMntIVA><TotMntTotal>1190</TotMntTotal></{row}></{summary}>"
        f"<Detalle><TpoDoc>33</TpoDoc><NroDoc>1</NroDoc><TasaImp>19</TasaImp><FchDoc>{PERIOD}-05</FchDoc>"
        "<RUTDoc>77900202-0</RUTDoc><RznSoc>Señor Cliente</RznSoc><MntNeto>10000</MntNeto><MntIVA>1900</MntIVA>"
        "<MntTotal>11900</MntTotal></Detalle>"
        "<Detalle><TpoDoc>33</TpoDoc><NroDoc>2</NroDoc><Anulado>A</Anulado></Detalle>"
    )
    operation = "<TipoOperacion>VENTA</TipoOperacion>"
    return signed("LibroCompraVenta", person, _caratula(person, kind, resolution, operation), inside)


def delivery_notes(person: Person, sold: int = 11900, moved: int = 1) -> bytes:
    """A book of delivery notes: a sale, a move between own places, and an annulled folio."""
    inside = (
        "<ResumenPeriodo><TotFolAnulado>1</TotFolAnulado><TotGuiaVenta>1</TotGuiaVenta>"
        f"<TotMntGuiaVta>{sold}</TotMntGuiaVta><TotTraslado><TpoTraslado>5</TpoTraslado><CantGuia>{moved}</CantGuia>"
        "<MntGuia>0</MntGuia></TotTraslado></ResumenPeriodo>"
        f"<Detalle><Folio>1</Folio><TpoOper>1</TpoOper><FchDoc>{PERIOD}-05</FchDoc><RUTDoc>77900202-0</RUTDoc>"
        "<RznSoc>Señor Cliente</RznSoc><MntNeto>10000</MntNeto><TasaImp>19</TasaImp><IVA>1900</IVA>"
        "<MntTotal>11900</MntTotal></Detalle>"
        f"<Detalle><Folio>2</Folio><TpoOper>5</TpoOper><FchDoc>{PERIOD}-06</FchDoc><RUTDoc>{COMPANY}</RUTDoc>"
        "<MntTotal>0</MntTotal></Detalle><Detalle><Folio>3</Folio><Anulado>1</Anulado></Detalle>"
    )
    return signed("LibroGuia", person, _caratula(person, "TOTAL", "2014-08-22"), inside)


def boletas(person: Person, total: int = 2380, *, own: bool = False) -> bytes:
    """A book of boletas: two of them and an annulled folio."""
    line = "<Detalle><TpoDoc>39</TpoDoc><FolioDoc>{}</FolioDoc>{}</Detalle>"
    sold = f"<TpoServ>3</TpoServ><FchEmiDoc>{PERIOD}-05</FchEmiDoc><MntTotal>1190</MntTotal>"
    inside = (
        "<ResumenPeriodo><TotalesPeriodo><TpoDoc>39</TpoDoc><TotAnulado>1</TotAnulado><TotalesServicio>"
        "<TpoServ>3</TpoServ><TotDoc>2</TotDoc><TotMntNeto>2000</TotMntNeto><TasaIVA>19</TasaIVA>"
        f"<TotMntIVA>380</TotMntIVA><TotMntTotal>{total}</TotMntTotal></TotalesServicio></TotalesPeriodo>"
        f"</ResumenPeriodo>{line.format(1, sold)}{line.format(2, sold)}{line.format(3, '<Anulado>A</Anulado>')}"
    )
    return signed("LibroBoleta", person, _caratula(person, "TOTAL", "2014-08-22"), inside, own=own)


def report(person: Person, turn: int = 1, used: int = 3, last: int = 12, total: int = 2380) -> bytes:
    """A report of the folios of a day: two boletas issued (11 and 12), one annulled."""
    caratula = (
        f'<Caratula version="1.0"><RutEmisor>{COMPANY}</RutEmisor><RutEnvia>{person.rut}</RutEnvia>'
        f"<FchResol>2014-08-22</FchResol><NroResol>0</NroResol><FchInicio>{today()}</FchInicio>"
        f"<FchFinal>{today()}</FchFinal><SecEnvio>{turn}</SecEnvio><TmstFirmaEnv>{now()}</TmstFirmaEnv></Caratula>"
    )
    inside = (
        "<Resumen><TipoDocumento>39</TipoDocumento><MntNeto>2000</MntNeto><MntIva>380</MntIva><TasaIVA>19</TasaIVA>"
        f"<MntTotal>{total}</MntTotal><FoliosEmitidos>2</FoliosEmitidos><FoliosAnulados>1</FoliosAnulados>"
        f"<FoliosUtilizados>{used}</FoliosUtilizados><RangoUtilizados><Inicial>11</Inicial><Final>{last}</Final>"
        "</RangoUtilizados><RangoAnulados><Inicial>13</Inicial><Final>13</Final></RangoAnulados></Resumen>"
    )
    return signed("ConsumoFolios", person, caratula, inside)
