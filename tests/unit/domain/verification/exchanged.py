"""Files of the exchange and books with every element of their format; their signatures are of something else."""

SIGNATURE = (
    '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><CanonicalizationMethod '
    'Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/><SignatureMethod '
    'Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"/><Reference URI="#A"><DigestMethod '
    'Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/><DigestValue>AAAA</DigestValue></Reference></SignedInfo>'
    "<SignatureValue>AAAA</SignatureValue><KeyInfo><KeyValue><RSAKeyValue><Modulus>AAAA</Modulus><Exponent>AQAB"
    "</Exponent></RSAKeyValue></KeyValue><X509Data><X509Certificate>AAAA</X509Certificate></X509Data></KeyInfo>"
    "</Signature>"
)
CONTACT = "<NmbContacto>Ana</NmbContacto><FonoContacto>1</FonoContacto><MailContacto>a@b.cl</MailContacto>"
DECLARATION = (
    "El acuse de recibo que se declara en este acto, de acuerdo a lo dispuesto en la letra b) del Art. 4, y la letra "
    "c) del Art. 5 de la Ley 19.983, acredita que la entrega de mercaderias o servicio(s) prestado(s) ha(n) sido "
    "recibido(s)."
)
DOCUMENT = (
    "<Folio>1</Folio><FchEmis>2026-11-24</FchEmis><RUTEmisor>76900101-8</RUTEmisor><RUTRecep>77777777-7</RUTRecep>"
    "<MntTotal>1190</MntTotal>"
)
ANSWER_HEADER = (
    '<Caratula version="1.0"><RutResponde>76900101-8</RutResponde><RutRecibe>77777777-7</RutRecibe><IdRespuesta>1'
    f"</IdRespuesta><NroDetalles>1</NroDetalles>{CONTACT}<TmstFirmaResp>2026-11-24T10:00:00</TmstFirmaResp></Caratula>"
)
BOOK_HEADER = (
    "<Caratula><RutEmisorLibro>76900101-8</RutEmisorLibro><RutEnvia>11111111-1</RutEnvia><PeriodoTributario>2026-11"
    "</PeriodoTributario><FchResol>2014-08-22</FchResol><NroResol>0</NroResol><TipoLibro>ESPECIAL</TipoLibro>"
    "<TipoEnvio>TOTAL</TipoEnvio><NroSegmento>1</NroSegmento><FolioNotificacion>1</FolioNotificacion></Caratula>"
)
NOTES = (
    "<TotFolAnulado>1</TotFolAnulado><TotGuiaAnulada>0</TotGuiaAnulada><TotGuiaVenta>1</TotGuiaVenta><TotMntGuiaVta>1190"
    "</TotMntGuiaVta><TotMntModificado>1</TotMntModificado><TotTraslado><TpoTraslado>5</TpoTraslado><CantGuia>1"
    "</CantGuia><MntGuia>7</MntGuia></TotTraslado>"
)
SIGNED_AT = "<TmstFirma>2026-11-24T10:00:00</TmstFirma>"


def _file(root: str, content: str, inner: str) -> bytes:
    signature = (
        SIGNATURE.replace(' xmlns="http://www.w3.org/2000/09/xmldsig#"', "") if root == "LibroBoleta" else SIGNATURE
    )
    opening = f'<{root} xmlns="http://www.sii.cl/SiiDte" version="1.0">'
    return f'{opening}<{content} ID="A">{inner}</{content}>{signature}</{root}>'.encode("iso-8859-1")


FILES = {
    "RespuestaEnvioDTE_v10.xsd": (
        _file(
            "RespuestaDTE",
            "Resultado",
            f"{ANSWER_HEADER}<RecepcionEnvio><NmbEnvio>a.xml</NmbEnvio><FchRecep>2026-11-24T10:00:00</FchRecep><CodEnvio>1"
            "</CodEnvio><EnvioDTEID>SetDoc</EnvioDTEID><Digest>AAAA</Digest><RutEmisor>76900101-8</RutEmisor>"
            "<RutReceptor>77777777-7</RutReceptor><EstadoRecepEnv>0</EstadoRecepEnv><RecepEnvGlosa>x</RecepEnvGlosa>"
            f"<NroDTE>1</NroDTE><RecepcionDTE><TipoDTE>33</TipoDTE>{DOCUMENT}<EstadoRecepDTE>0</EstadoRecepDTE>"
            "<RecepDTEGlosa>x</RecepDTEGlosa></RecepcionDTE></RecepcionEnvio>",
        ),
        _file(
            "RespuestaDTE",
            "Resultado",
            f"{ANSWER_HEADER}<ResultadoDTE><TipoDTE>33</TipoDTE>{DOCUMENT}<CodEnvio>1</CodEnvio><EstadoDTE>2</EstadoDTE>"
            "<EstadoDTEGlosa>x</EstadoDTEGlosa><CodRchDsc>-1</CodRchDsc></ResultadoDTE>",
        ),
    ),
    "EnvioRecibos_v10.xsd": (
        _file(
            "EnvioRecibos",
            "SetRecibos",
            '<Caratula version="1.0"><RutResponde>76900101-8</RutResponde><RutRecibe>77777777-7</RutRecibe>'
            f'{CONTACT}<TmstFirmaEnv>2026-11-24T10:00:00</TmstFirmaEnv></Caratula><Recibo version="1.0">'
            f'<DocumentoRecibo ID="B"><TipoDoc>33</TipoDoc>{DOCUMENT}<Recinto>x</Recinto>'
            f"<RutFirma>11111111-1</RutFirma><Declaracion>{DECLARATION}</Declaracion><TmstFirmaRecibo>2026-11-24T10:00:00"
            f"</TmstFirmaRecibo></DocumentoRecibo>{SIGNATURE}</Recibo>",
        ),
    ),
    "ConsumoFolio_v10.xsd": (
        _file(
            "ConsumoFolios",
            "DocumentoConsumoFolios",
            '<Caratula version="1.0"><RutEmisor>76900101-8</RutEmisor><RutEnvia>11111111-1</RutEnvia><FchResol>'
            "2014-08-22</FchResol><NroResol>0</NroResol><FchInicio>2026-11-24</FchInicio><FchFinal>2026-11-24</FchFinal><Correlativo>1"
            "</Correlativo><SecEnvio>1</SecEnvio><TmstFirmaEnv>2026-11-24T10:00:00</TmstFirmaEnv></Caratula><Resumen>"
            "<TipoDocumento>39</TipoDocumento><MntNeto>1000</MntNeto><MntIva>190</MntIva><TasaIVA>19</TasaIVA><MntExento>0"
            "</MntExento><MntTotal>1190</MntTotal><FoliosEmitidos>1</FoliosEmitidos><FoliosAnulados>1</FoliosAnulados>"
            "<FoliosUtilizados>2</FoliosUtilizados><RangoUtilizados><Inicial>1</Inicial><Final>1</Final></RangoUtilizados>"
            "<RangoAnulados><Inicial>2</Inicial><Final>2</Final></RangoAnulados></Resumen>",
        ),
    ),
    "RespSII_v10.xsd": (
        "<RESULTADO_ENVIO><IDENTIFICACION><RUTEMISOR>76900101-8</RUTEMISOR><RUTENVIA>11111111-1</RUTENVIA><TRACKID>1"
        "</TRACKID><TMSTRECEPCION>24/11/2026 10:00:00</TMSTRECEPCION><ESTADO>EPR - Envio Procesado</ESTADO>"
        "</IDENTIFICACION><ESTADISTICA><SUBTOTAL><TIPODOC>33</TIPODOC><INFORMADO>3</INFORMADO><RECHAZO>1</RECHAZO>"
        "<REPARO>1</REPARO><ACEPTA>1</ACEPTA></SUBTOTAL></ESTADISTICA><ERRORENVIO><DETERRENVIO>x</DETERRENVIO>"
        "</ERRORENVIO><REVISIONENVIO><REVISIONDTE><FOLIO>101</FOLIO><TIPODTE>33</TIPODTE><ESTADO>RCH - DTE Rechazado"
        "</ESTADO><DETALLE>(DTE-3-101) Folio ya fue recibido</DETALLE></REVISIONDTE></REVISIONENVIO>"
        "</RESULTADO_ENVIO>".encode("iso-8859-1"),
    ),
    "LibroGuia_v10.xsd": (
        _file(
            "LibroGuia",
            "EnvioLibro",
            f"{BOOK_HEADER}<ResumenSegmento>{NOTES}</ResumenSegmento><ResumenPeriodo>{NOTES}</ResumenPeriodo><Detalle>"
            "<Folio>2</Folio><Anulado>1</Anulado></Detalle><Detalle><Folio>3</Folio><TpoOper>5</TpoOper><MntTotal>7</MntTotal>"
            "</Detalle><Detalle><Folio>1</Folio><Operacion>1</Operacion><TpoOper>1</TpoOper><FchDoc>2026-11-24</FchDoc>"
            "<RUTDoc>77777777-7</RUTDoc><RznSoc>x</RznSoc><MntNeto>1000</MntNeto><TasaImp>19</TasaImp><IVA>190</IVA>"
            "<MntTotal>1190</MntTotal><MntModificado>1</MntModificado><TpoDocRef>33</TpoDocRef><FolioDocRef>1</FolioDocRef>"
            f"<FchDocRef>2026-11-24</FchDocRef></Detalle>{SIGNED_AT}",
        ),
    ),
    "LibroBOLETA_v10.xsd": (
        _file(
            "LibroBoleta",
            "EnvioLibro",
            f"{BOOK_HEADER}<ResumenSegmento><TotalesSegmento><TpoDoc>39</TpoDoc><TotAnulado>1</TotAnulado><TotalesServicio>"
            "<TpoServ>3</TpoServ><PeriodoDevengo>2026-11</PeriodoDevengo><TotDoc>1</TotDoc><TotMntExe>1</TotMntExe>"
            "<TotMntTotal>1</TotMntTotal><TotMntNoFact>1</TotMntNoFact><TotMntPeriodo>1</TotMntPeriodo><TotSaldoAnt>1"
            "</TotSaldoAnt><TotVlrPagar>1</TotVlrPagar><TotTicket>1</TotTicket></TotalesServicio></TotalesSegmento>"
            "</ResumenSegmento><ResumenPeriodo><TotalesPeriodo><TpoDoc>39</TpoDoc><TotAnulado>1</TotAnulado>"
            "<TotalesServicio><TpoServ>3</TpoServ><PeriodoDevengado>2026-11</PeriodoDevengado><TotDoc>1</TotDoc><TotMntExe>1"
            "</TotMntExe><TotMntNeto>0</TotMntNeto><TasaIVA>19</TasaIVA><TotMntIVA>0</TotMntIVA><TotMntTotal>1</TotMntTotal>"
            "<TotMntNoFact>1</TotMntNoFact><TotMntPeriodo>1</TotMntPeriodo><TotSaldoAnt>1</TotSaldoAnt><TotVlrPagar>1"
            "</TotVlrPagar><TotTicket>1</TotTicket></TotalesServicio></TotalesPeriodo></ResumenPeriodo><Detalle><TpoDoc>39"
            "</TpoDoc><FolioDoc>2</FolioDoc><Anulado>A</Anulado></Detalle><Detalle><TpoDoc>39</TpoDoc><FolioDoc>1</FolioDoc><TpoServ>3</TpoServ><FchEmiDoc>2026-11-24</FchEmiDoc>"
            "<FchVencDoc>2026-11-24</FchVencDoc><PeriodoDesde>2026-11-24</PeriodoDesde><PeriodoHasta>2026-11-24"
            "</PeriodoHasta><CdgSIISucur>1</CdgSIISucur><RUTCliente>77777777-7</RUTCliente><CodIntCli>x</CodIntCli><MntExe>1"
            "</MntExe><MntTotal>1</MntTotal><MntNoFact>1</MntNoFact><MntPeriodo>1</MntPeriodo><SaldoAnt>1</SaldoAnt>"
            f"<VlrPagar>1</VlrPagar><TotTicketBoleta>1</TotTicketBoleta></Detalle>{SIGNED_AT}",
        ),
    ),
}
"""By the file of the schema that judges them."""
