"""Invented cession files (AEC), with their three layers of signatures."""

import re
from dataclasses import dataclass, field

from tests.integration.simulator.documents import COMPANY, RECEIVER, Sale, now, today
from tests.integration.simulator.signing import SII, XSI, Person, canonical, sha1, signature, with_namespaces

FACTOR = "76901000-9"
SECOND_FACTOR = "76902000-4"
_SCOPE = f'xmlns="{SII}" xmlns:xsi="{XSI}"'


@dataclass(frozen=True)
class Transfer:
    """What one Cesion says."""

    sequence: int = 1
    cedente: str = COMPANY
    cesionario: str = FACTOR
    amount: int | None = None
    total: int | None = None
    due: str = field(default_factory=today)
    at: str = field(default_factory=now)
    sworn: bool = True
    authorised: tuple[str, ...] = ()  # RUTAutorizado; by default those who sign


def element(name: str, body: str, signers: tuple[Person, ...], *, namespace: bool = True) -> str:
    """An inner element signed as it stands alone: `name` around `body` and a Signature of each signer."""
    scope = f'xmlns="{SII}"' if namespace else ""
    digest = sha1(canonical(with_namespaces(body, scope) if scope else body))
    found = re.search(r'ID="([^"]+)"', body)
    assert found is not None
    signatures = "".join(signature(signer, digest, f"#{found.group(1)}") for signer in signers)
    opening = f"<{name} {scope}" if scope else f"<{name}"
    return f'{opening} version="1.0">{body}\n{signatures}</{name}>'


def ceded(dte: str, person: Person) -> str:
    """The DTECedido around a DTE as it was sent."""
    body = f'<DocumentoDTECedido ID="DteCedido">{dte}<TmstFirma>{now()}</TmstFirma></DocumentoDTECedido>'
    return element("DTECedido", body, (person,), namespace=False)


def cesion(sale: Sale, transfer: Transfer, *signers: Person) -> str:
    """A Cesion of a sale."""
    total = sale.stated_total if transfer.total is None else transfer.total
    authorised = "".join(
        f"<RUTAutorizado><RUT>{rut}</RUT><Nombre>Persona</Nombre></RUTAutorizado>"
        for rut in transfer.authorised or tuple(signer.rut for signer in signers)
    )
    sworn = "<DeclaracionJurada>Se declara bajo juramento</DeclaracionJurada>" if transfer.sworn else ""
    amount = total if transfer.amount is None else transfer.amount
    body = (
        f'<DocumentoCesion ID="Cesion{transfer.sequence}"><SeqCesion>{transfer.sequence}</SeqCesion>'
        f"<IdDTE><TipoDTE>{sale.document_type}</TipoDTE><RUTEmisor>{COMPANY}</RUTEmisor>"
        f"<RUTReceptor>{RECEIVER}</RUTReceptor><Folio>{sale.folio}</Folio><FchEmis>{sale.issued_on}</FchEmis>"
        f"<MntTotal>{total}</MntTotal></IdDTE>"
        f"<Cedente><RUT>{transfer.cedente}</RUT><RazonSocial>CEDENTE</RazonSocial><Direccion>Calle 1</Direccion>"
        f"<eMail>cedente@empresa.example</eMail>{authorised}{sworn}</Cedente>"
        f"<Cesionario><RUT>{transfer.cesionario}</RUT><RazonSocial>FACTORING ÑUÑOA</RazonSocial>"
        "<Direccion>Calle 2</Direccion><eMail>factoring@empresa.example</eMail></Cesionario>"
        f"<MontoCesion>{amount}</MontoCesion><UltimoVencimiento>{transfer.due}</UltimoVencimiento>"
        f"<TmstCesion>{transfer.at}</TmstCesion></DocumentoCesion>"
    )
    return element("Cesion", body, signers)


def aec(ceded_dte: str, cesiones: list[str], person: Person, cedente: str = COMPANY, cesionario: str = FACTOR) -> bytes:
    """A cession file signed in context."""
    body = (
        '<DocumentoAEC ID="Aec"><Caratula version="1.0">'
        f"<RutCedente>{cedente}</RutCedente><RutCesionario>{cesionario}</RutCesionario>"
        f"<TmstFirmaEnvio>{now()}</TmstFirmaEnvio></Caratula><Cesiones>{ceded_dte}\n"
        + "\n".join(cesiones)
        + "</Cesiones></DocumentoAEC>"
    )
    around = f' xmlns:xsi="{XSI}"'
    digest = sha1(canonical(with_namespaces(body, f'xmlns="{SII}"{around}')))
    signed = signature(person, digest, "#Aec", around)
    text = (
        f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<AEC {_SCOPE} xsi:schemaLocation="{SII} AEC_v10.xsd"'
        f' version="1.0">{body}\n{signed}</AEC>\n'
    )
    return text.encode("iso-8859-1")
