"""Invented documents and envelopes, stamped with the simulator's CAFs and signed as the SII expects."""

import base64
import datetime as dt
import re
from collections import Counter
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.integration.simulator.signing import C14N, SII, XSI, Person, canonical, sha1, signature, with_namespaces

COMPANY = "76900101-8"
RECEIVER = "77900202-0"
ANONYMOUS = "66666666-6"
SANTIAGO = ZoneInfo("America/Santiago")
_SCOPE = f'xmlns="{SII}" xmlns:xsi="{XSI}"'


def today() -> str:
    return dt.datetime.now(SANTIAGO).date().isoformat()


def now() -> str:
    return dt.datetime.now(SANTIAGO).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True)
class Caf:
    """A CAF file as the taxpayer reads it."""

    element: str
    key: rsa.RSAPrivateKey

    @classmethod
    def read(cls, data: bytes) -> "Caf":
        text = data.decode("iso-8859-1")
        found = re.search(r"<CAF .*</CAF>", text, re.DOTALL)
        pem = re.search(r"-----BEGIN RSA.*?-----END RSA PRIVATE KEY-----", text, re.DOTALL)
        assert found is not None
        assert pem is not None
        key = serialization.load_pem_private_key(pem.group(0).encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return cls(re.sub(r">\s+<", "><", found.group(0)), key)

    def stamp(self, dd: str) -> str:
        value = self.key.sign(dd.encode("iso-8859-1"), padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - the SII's
        frmt = base64.b64encode(value).decode()
        return f'<TED version="1.0">{dd}<FRMT algoritmo="SHA1withRSA">{frmt}</FRMT></TED>'


@dataclass(frozen=True)
class Sale:
    """What a document says; net in pesos for 33 and 61, gross for 39."""

    folio: int
    document_type: int = 33
    amount: int = 10000
    company: str = COMPANY
    receiver: str = RECEIVER
    item: str = "Martillo & cincel ñandú"
    issued_on: str = field(default_factory=today)
    signed_at: str = field(default_factory=now)
    stamped_at: str = field(default_factory=now)
    references: str = ""
    vat: int | None = None
    total: int | None = None
    acteco: int = 475201
    pretty_stamp: bool = False

    @property
    def net(self) -> int:
        return round(self.amount / 1.19) if self.document_type == 39 else self.amount

    @property
    def stated_vat(self) -> int:
        if self.vat is not None:
            return self.vat
        return self.amount - self.net if self.document_type == 39 else int(self.net * 0.19 + 0.5)

    @property
    def stated_total(self) -> int:
        return self.net + self.stated_vat if self.total is None else self.total

    def body(self, caf: Caf) -> str:
        boleta = self.document_type == 39
        item = self.item.replace("&", "&amp;").replace("<", "&lt;")
        receiver = ANONYMOUS if boleta else self.receiver
        name = "RznSocEmisor" if boleta else "RznSoc"
        giro = "GiroEmisor" if boleta else "GiroEmis"
        acteco = "" if boleta else f"<Acteco>{self.acteco}</Acteco>"
        way = "<IndServicio>3</IndServicio>" if boleta else "<FmaPago>1</FmaPago>" if self.document_type == 33 else ""
        rate = "" if boleta else "<TasaIVA>19</TasaIVA>"
        place = "" if boleta else "<GiroRecep>Obras</GiroRecep><DirRecep>Calle 2</DirRecep><CmnaRecep>Ñuñoa</CmnaRecep>"
        dd = (
            f"<DD><RE>{self.company}</RE><TD>{self.document_type}</TD><F>{self.folio}</F><FE>{self.issued_on}</FE>"
            f"<RR>{receiver}</RR><RSR>Señor Cliente</RSR><MNT>{self.stated_total}</MNT><IT1>{item[:40]}</IT1>"
            f"{caf.element}<TSTED>{self.stamped_at}</TSTED></DD>"
        )
        ted = caf.stamp(dd.replace("><", ">\n<") if self.pretty_stamp else dd)
        line_amount = self.stated_total if boleta else self.amount
        return (
            f'<Documento ID="F{self.folio}T{self.document_type}"><Encabezado><IdDoc>'
            f"<TipoDTE>{self.document_type}</TipoDTE>"
            f"<Folio>{self.folio}</Folio><FchEmis>{self.issued_on}</FchEmis>{way}</IdDoc>"
            f"<Emisor><RUTEmisor>{self.company}</RUTEmisor><{name}>FERRETERÍA</{name}><{giro}>Ferretería</{giro}>"
            f"{acteco}<DirOrigen>Calle 1</DirOrigen><CmnaOrigen>Chillán</CmnaOrigen></Emisor>"
            f"<Receptor><RUTRecep>{receiver}</RUTRecep><RznSocRecep>Señor Cliente</RznSocRecep>{place}</Receptor>"
            f"<Totales><MntNeto>{self.net}</MntNeto>{rate}<IVA>{self.stated_vat}</IVA>"
            f"<MntTotal>{self.stated_total}</MntTotal></Totales></Encabezado>\n"
            f"<Detalle><NroLinDet>1</NroLinDet><NmbItem>{item}</NmbItem><QtyItem>1</QtyItem>"
            f"<PrcItem>{line_amount}</PrcItem>"
            f"<MontoItem>{line_amount}</MontoItem></Detalle>\n{self.references}{ted}"
            f"<TmstFirma>{self.signed_at}</TmstFirma></Documento>"
        )


def reference(document_type: int, folio: int, code: int | None, day: str | None = None) -> str:
    cod = "" if code is None else f"<CodRef>{code}</CodRef>"
    return (
        f"<Referencia><NroLinRef>1</NroLinRef><TpoDocRef>{document_type}</TpoDocRef><FolioRef>{folio}</FolioRef>"
        f"<FchRef>{day or today()}</FchRef>{cod}<RazonRef>Devuelve</RazonRef></Referencia>\n"
    )


def signed_dte(body: str, person: Person, form: str = "sii", digest: bytes | None = None, transform: str = C14N) -> str:
    """A DTE; `form` says which namespaces its signature covers: sii, none, or sii_xsi (which the SII refuses)."""
    scope = {"sii": f'xmlns="{SII}"', "none": "", "sii_xsi": _SCOPE}[form]
    own = digest or sha1(canonical(with_namespaces(body, scope) if scope else body))
    identifier = re.search(r'ID="([^"]+)"', body)
    assert identifier is not None
    around = f' xmlns:xsi="{XSI}"' if form == "sii_xsi" else ""
    element = signature(person, own, f"#{identifier.group(1)}", around, transform)
    opening = '<DTE version="1.0">' if form == "none" else f'<DTE xmlns="{SII}" version="1.0">'
    return f"{opening}{body}\n{element}</DTE>"


@dataclass(frozen=True)
class Cover:
    """The Carátula, and how the envelope is signed."""

    sender: str
    company: str = COMPANY
    resolution_number: int = 0
    resolution_date: str = "2014-08-22"
    receiver: str = "60803000-K"
    counts: dict[int, int] | None = None
    root: str = "EnvioDTE"
    in_context: bool = True
    transform: str = C14N


def envelope(dtes: list[str], types: list[int], cover: Cover, person: Person) -> bytes:
    """An envelope of signed DTEs, itself signed in context."""
    counts = Counter(types) if cover.counts is None else cover.counts
    subtotals = "".join(
        f"<SubTotDTE><TpoDTE>{t}</TpoDTE><NroDTE>{n}</NroDTE></SubTotDTE>" for t, n in sorted(counts.items())
    )
    set_dte = (
        f'<SetDTE ID="SetDoc"><Caratula version="1.0"><RutEmisor>{cover.company}</RutEmisor><RutEnvia>{cover.sender}'
        f"</RutEnvia><RutReceptor>{cover.receiver}</RutReceptor><FchResol>{cover.resolution_date}</FchResol>"
        f"<NroResol>{cover.resolution_number}</NroResol><TmstFirmaEnv>{now()}</TmstFirmaEnv>{subtotals}</Caratula>\n"
        + "\n".join(dtes)
        + "</SetDTE>"
    )
    around = f' xmlns:xsi="{XSI}"' if cover.in_context else ""
    digest = sha1(canonical(with_namespaces(set_dte, f'xmlns="{SII}"{around}')))
    element = signature(person, digest, "#SetDoc", around, cover.transform)
    schema = {"EnvioDTE": "EnvioDTE_v10.xsd", "EnvioBOLETA": "EnvioBOLETA_v11.xsd"}[cover.root]
    text = (
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<{cover.root} {_SCOPE} xsi:schemaLocation="{SII} {schema}"'
        f' version="1.0">{set_dte}\n{element}</{cover.root}>\n'
    )
    return text.encode("iso-8859-1")
