"""The form of what three programs in use send: written anew from their public source, none of their code.

No package index has these programs (LibreDTE's PHP library comes from Packagist; devlas' Node program and dte-chile
only from their repositories), so they can't be run here. What is theirs is the form: namespaces and names of SOAP
calls, how a seed, a document and an envelope are signed, headers, multipart, names of files, clocks. Each field says
where it was read. What they do otherwise alike is the SII's own form and comes from the tests' own library.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from tests.integration.simulator.documents import Caf, Cover, Sale, now
from tests.integration.simulator.signing import C14N, DSIG, SII, XSI, Person, b64, canonical, number, sha1
from tests.integration.simulator.signing import with_namespaces as declared

ENVELOPED = f"{DSIG}enveloped-signature"
_BOTH = f'xmlns="{SII}" xmlns:xsi="{XSI}"'
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


@dataclass(frozen=True)
class Program:
    """How one program writes what it sends.

    `namespace`: of SOAP operations; ``{path}`` stands for the service's own URL. `typed`: parameters say xsi:type.
    `company`: what it calls the first two parameters of getEstUp. `apart`: what it puts between the elements of a seed
    and of its signature. `dte`: declarations on its <DTE>, and with them the scope of its signature. `utc`: its clock.
    """

    name: str
    source: str
    namespace: str
    typed: bool
    company: tuple[str, str]
    agent: str
    rest_agent: str
    file_name: str
    file_type: str
    apart: str
    dte: str
    transform: str
    set_id: str
    document_id: str
    bare_seed: bool = False
    utc: bool = False

    def soap(self, path: str, operation: str, parameters: Mapping[str, str]) -> bytes:
        """The body of a SOAP call."""
        space = self.namespace.format(path=path)
        kind = ' xsi:type="xsd:string"' if self.typed else ""
        inside = "".join(f"<{name}{kind}>{escape(text)}</{name}>" for name, text in parameters.items())
        prefix, says = ("ns1:", f' xmlns:ns1="{space}"') if space else ("", "")
        return (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<e:Envelope xmlns:e="{_SOAP}" xmlns:xsi="{XSI}"{says}'
            f' xmlns:xsd="http://www.w3.org/2001/XMLSchema"><e:Body><{prefix}{operation}>{inside}'
            f"</{prefix}{operation}></e:Body></e:Envelope>"
        ).encode()

    def signed_seed(self, person: Person, seed: str) -> str:
        """The getToken document."""
        shown, sep = (seed.lstrip("0") if self.bare_seed else seed), self.apart
        plain = f"<getToken>{sep}<item>{sep}<Semilla>{shown}</Semilla>{sep}</item>{sep}</getToken>"
        element = self._signature(person, sha1(canonical(plain)), "", ENVELOPED)
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + plain.replace("</getToken>", f"{element}</getToken>")

    def document(self, sale: Sale, caf: Caf, person: Person) -> str:
        """A signed DTE."""
        text = sale.body(caf)
        identifier = self.document_id.format(type=sale.document_type, folio=sale.folio)
        body = re.sub(r'(?<=<Documento ID=")[^"]+', identifier, text, count=1)
        digest = sha1(canonical(declared(body, self.dte) if self.dte else body))
        around = f' xmlns:xsi="{XSI}"' if "xsi" in self.dte else ""
        element = self._signature(person, digest, f"#{identifier}", self.transform, around)
        opening = f"<DTE {self.dte} version" if self.dte else "<DTE version"
        return f'{opening}="1.0">{body}{element}</DTE>'

    def envelope(self, dtes: list[str], types: list[int], cover: Cover, person: Person) -> bytes:
        """A signed envelope."""
        counted = {kind: types.count(kind) for kind in types}
        totals = "".join(
            f"<SubTotDTE><TpoDTE>{kind}</TpoDTE><NroDTE>{count}</NroDTE></SubTotDTE>" for kind, count in counted.items()
        )
        head = (
            f'<SetDTE ID="{self.set_id}"><Caratula version="1.0"><RutEmisor>{cover.company}</RutEmisor>'
            f"<RutEnvia>{cover.sender}</RutEnvia><RutReceptor>{cover.receiver}</RutReceptor>"
            f"<FchResol>{cover.resolution_date}</FchResol><NroResol>{cover.resolution_number}</NroResol>"
            f"<TmstFirmaEnv>{self.moment()}</TmstFirmaEnv>{totals}</Caratula>"
        )
        whole = head + "\n".join(dtes) + "</SetDTE>"
        digest = sha1(canonical(declared(whole, _BOTH)))
        element = self._signature(person, digest, f"#{self.set_id}", self.transform, f' xmlns:xsi="{XSI}"')
        schema = {"EnvioDTE": "EnvioDTE_v10.xsd", "EnvioBOLETA": "EnvioBOLETA_v11.xsd"}[cover.root]
        text = (
            f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<{cover.root} {_BOTH} xsi:schemaLocation="{SII} {schema}"'
            f' version="1.0">{whole}{element}</{cover.root}>'
        )
        return text.encode("iso-8859-1")

    def moment(self) -> str:
        """What its clock says: some write UTC where the SII means Chile's time."""
        return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S") if self.utc else now()

    def sale(self, folio: int, document_type: int = 33, **changed: object) -> Sale:
        """What is sold, stamped and signed by its clock."""
        moment = self.moment()
        day = {"issued_on": now()[:10], "stamped_at": moment, "signed_at": moment}
        return Sale(folio, document_type, **(day | changed))  # type: ignore[arg-type]

    def _signature(self, person: Person, digest: bytes, uri: str, transform: str, around: str = "") -> str:
        """A Signature whose SignedInfo declares its own namespaces, as all three write it."""
        sep = self.apart
        methods = f'Algorithm="{DSIG}rsa-sha1"/>{sep}<Reference URI="{uri}">{sep}'
        info = (
            f'<SignedInfo xmlns="{DSIG}"{around}>{sep}<CanonicalizationMethod Algorithm="{C14N}"/>{sep}'
            f'<SignatureMethod {methods}<Transforms>{sep}<Transform Algorithm="{transform}"/>{sep}</Transforms>{sep}'
            f'<DigestMethod Algorithm="{DSIG}sha1"/>{sep}<DigestValue>{b64(digest)}</DigestValue>{sep}</Reference>{sep}'
            "</SignedInfo>"
        )
        value = _wrapped(person.sign(canonical(info)))
        return (
            f'<Signature xmlns="{DSIG}">{sep}{info}{sep}<SignatureValue>{value}</SignatureValue>{sep}'
            f"{_key_info(person, sep)}{sep}</Signature>"
        )


def _wrapped(data: bytes, width: int = 64) -> str:
    text = b64(data)
    return "\n".join(text[i : i + width] for i in range(0, len(text), width))


def _key_info(person: Person, sep: str) -> str:
    numbers = person.key.public_key().public_numbers()
    certificate = re.findall(r"<X509Certificate>(.*)</X509Certificate>", person.key_info(), re.DOTALL)[0].strip()
    return (
        f"<KeyInfo>{sep}<KeyValue>{sep}<RSAKeyValue>{sep}<Modulus>{_wrapped(number(numbers.n))}</Modulus>{sep}"
        f"<Exponent>{b64(number(numbers.e))}</Exponent>{sep}</RSAKeyValue>{sep}</KeyValue>{sep}<X509Data>{sep}"
        f"<X509Certificate>{certificate}</X509Certificate>{sep}</X509Data>{sep}</KeyInfo>"
    )


LIBREDTE = Program(
    name="LibreDTE",
    # SiiLazy/Job/{Authenticate,ConsumeWebservice}Job.php, SiiDte/Job/SendXmlDocumentJob.php; lib/FirmaElectronica.php
    source="LibreDTE/libredte-lib-core 07be6f6, 4c74e21 and 02a8a56",
    namespace="http://DefaultNamespace",  # as PHP's SoapClient takes it from the WSDL
    typed=True,
    company=("RutCompania", "DvCompania"),
    agent="Mozilla/5.0 (compatible; PROG 1.0; +https://www.libredte.cl)",
    rest_agent="Mozilla/5.0 (compatible; PROG 1.0; +https://www.libredte.cl)",
    file_name="76900101-8_xml_document_for_upload_to_sii_a1.xml",
    file_type="application/xml",
    apart="\n",
    dte="",  # signed alone, without a namespace, and pasted so
    transform=ENVELOPED,
    set_id="LibreDTE_SetDoc",
    document_id="LibreDTE_T{type}F{folio}",
    bare_seed=True,  # cast to a number
)
LIBREDTE_OF_OLD = Program(
    **{
        **{f: getattr(LIBREDTE, f) for f in Program.__dataclass_fields__},
        "name": "LibreDTE with the WSDLs of 2015",
        "namespace": "https://maullin.sii.cl{path}",
    }
)
DEVLAS = Program(
    name="devlas dte-sii",
    source="devlas-cl/dte-sii 10f308d and 0d2d55d: EnviadorSII.js, DTE.js, Envio.js, Signer.js, utils/c14n.js",
    namespace="",
    typed=False,
    company=("RutEmpresa", "DvEmpresa"),
    agent="Mozilla/4.0 ( compatible; PROG 1.0; Windows NT)",
    rest_agent="Mozilla/4.0 ( compatible; PROG 1.0; Windows NT)",
    file_name="EnvioDTE.xml",
    file_type="text/xml",
    apart="",
    dte=_BOTH,  # writes both on every DTE and signs them
    transform=ENVELOPED,
    set_id="DTE_SetDoc_28_11_2026_10_00_00",
    document_id="DTE_T{type}F{folio}",
    utc=True,
)
DTE_CHILE = Program(
    name="dte-chile",
    source="SebastianMoyano/dte-chile 207fb3d: core/{sii,sii_boleta,crypto,sobre}.py",
    namespace="",
    typed=False,
    company=("Rut", "Dv"),
    agent="Mozilla/5.0 (compatible; DTE-Chile/1.0)",
    rest_agent="Mozilla/5.0 (compatible; DTE-Chile/1.0)",
    file_name="76900101-8_envio.xml",
    file_type="application/xml",
    apart="\n",
    dte=f'xmlns="{SII}"',
    transform=C14N,
    set_id="SetDoc",
    document_id="T{type}F{folio}",
)
PROGRAMS = (LIBREDTE, LIBREDTE_OF_OLD, DEVLAS, DTE_CHILE)
