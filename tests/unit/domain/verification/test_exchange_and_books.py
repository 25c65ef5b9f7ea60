"""Answers, receipts, folio reports and books: signed as a whole in place, receipts one by one besides."""

import pytest

from domain.signature import RsaSigner, canonical_signed_info, digest_of, signature_element
from tests.unit.domain import material
from tests.unit.domain.verification.exchanged import FILES, SIGNATURE
from tests.unit.domain.verification.forgery import Forge, codes

_SII = ' xmlns="http://www.sii.cl/SiiDte"'
CASES = {
    "RespuestaEnvioDTE_v10.xsd": ("Resultado", "respuesta"),
    "EnvioRecibos_v10.xsd": ("SetRecibos", "recibos"),
    "ConsumoFolio_v10.xsd": ("DocumentoConsumoFolios", "consumo_folios"),
    "LibroGuia_v10.xsd": ("EnvioLibro", "libro"),
}


def _signature(text: str, name: str, identifier: str, signer: RsaSigner) -> str:
    """The signature over the only element of that name, whose text is canonical but for its namespace."""
    element = text[text.index(f"<{name} ID=") : text.index(f"</{name}>") + len(f"</{name}>")]
    canonical = element.replace(f"<{name} ", f"<{name}{_SII} ", 1).encode()
    digest, uri = digest_of(canonical), f"#{identifier}"
    return signature_element(
        uri=uri, digest=digest, value=signer.sign(canonical_signed_info(uri=uri, digest=digest)), signer=signer
    )


def signed_file(data: bytes, name: str, signer: RsaSigner) -> bytes:
    """The file with real signatures in the places of the invented ones, the inner one first."""
    text = data.decode("iso-8859-1")
    if name == "SetRecibos":
        text = text.replace(SIGNATURE, _signature(text, "DocumentoRecibo", "B", signer), 1)
        # within the set its empty tags are written as pairs when it is digested
        inner = text[text.index("<Signature") : text.index("</Signature>")]
        pairs = inner
        for tag in ("CanonicalizationMethod", "SignatureMethod", "Transform", "DigestMethod"):
            start = pairs.index(f"<{tag} ")
            end = pairs.index("/>", start)
            pairs = f"{pairs[:end]}></{tag}>{pairs[end + 2 :]}"
        text = text.replace(inner, pairs)
    return text.replace(SIGNATURE, _signature(text, name, "A", signer)).encode("iso-8859-1")


@pytest.mark.parametrize("schema", CASES)
def test_signed_files_of_the_exchange_are_accepted(forge: Forge, schema: str) -> None:
    name, kind = CASES[schema]
    for data in FILES[schema]:
        verdict = forge.judge(signed_file(data, name, forge.signer))
        assert (verdict.kind, verdict.verdict) == (kind, "accept"), verdict.problems
        assert verdict.facts["env_signature_valid"]
        assert verdict.facts.get("doc_signature_valid", True)


@pytest.mark.parametrize("schema", CASES)
def test_unsigned_and_changed_ones_are_refused(forge: Forge, schema: str) -> None:
    name, _ = CASES[schema]
    for data in FILES[schema]:
        assert forge.judge(data).verdict == "reject"
        bare = data.replace(SIGNATURE.encode(), b"")
        assert codes(forge.judge(bare)) & {"SIG-MISSING", "SIG-STRUCTURE"}
        assert not forge.judge(bare).facts["env_signature_valid"]
        changed = signed_file(data, name, forge.signer).replace(b"2026-11-24T10:00:00", b"2026-11-24T10:00:01")
        verdict = forge.judge(changed)
        assert "SIG-DIGEST" in codes(verdict)
        assert not verdict.facts["env_signature_valid"]


@pytest.mark.parametrize(
    ("schema", "good", "bad", "code"),
    [
        ("RespuestaEnvioDTE_v10.xsd", "<NroDetalles>1<", "<NroDetalles>2<", "HEADER-COUNT"),
        ("RespuestaEnvioDTE_v10.xsd", "<NroDTE>1<", "<NroDTE>2<", "HEADER-COUNT"),
        ("EnvioRecibos_v10.xsd", "<RutFirma>11111111-1<", "<RutFirma>12222222-5<", "HEADER-SIGNER"),
        ("ConsumoFolio_v10.xsd", "<RutEnvia>11111111-1<", "<RutEnvia>12222222-5<", "HEADER-SENDER"),
        ("LibroGuia_v10.xsd", "<RutEnvia>11111111-1<", "<RutEnvia>x<", "HEADER-SENDER"),
    ],
)
def test_what_a_file_says_of_itself_is_checked(forge: Forge, schema: str, good: str, bad: str, code: str) -> None:
    data = FILES[schema][0]
    assert good.encode() in data
    verdict = forge.judge(signed_file(data.replace(good.encode(), bad.encode()), CASES[schema][0], forge.signer))
    assert code in codes(verdict)
    assert verdict.facts["header_ok"] is False
    assert forge.signer.rut == material.PERSON
