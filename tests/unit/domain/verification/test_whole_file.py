"""Signatures over a whole file (URI="", enveloped), as some programs sign answers and books: all is covered."""

import re

import pytest
from lxml import etree

from domain.signature import (
    C14N,
    ENVELOPED,
    RsaSigner,
    canonical_signed_info,
    digest_of,
    sign_get_token,
    signature_element,
)
from domain.verification.readers import readings
from tests.unit.domain.verification.exchanged import FILES
from tests.unit.domain.verification.forgery import Forge, codes
from tests.unit.domain.verification.test_exchange_and_books import signed_file

_SIGNATURE = re.compile(rb"<Signature[ >].*</Signature>", re.DOTALL)


def whole(data: bytes, signer: RsaSigner, *, transform: str = ENVELOPED) -> bytes:
    """The file with a signature over all of it in the place of its last one."""
    text = data.decode("iso-8859-1")
    begin = text.rindex("<Signature xmlns")
    end = text.index("</Signature>", begin) + len("</Signature>")
    bare = etree.fromstring(f"{text[:begin]}{text[end:]}".encode())
    digest = digest_of(etree.tostring(bare, method="c14n"))
    value = signer.sign(canonical_signed_info(uri="", digest=digest, transform=transform))
    made = signature_element(uri="", digest=digest, value=value, signer=signer, transform=transform)
    return f"{text[:begin]}{made}{text[end:]}".encode("iso-8859-1")


def _files(forge: Forge) -> dict[str, bytes]:
    """Files of each kind that is signed as a whole."""
    answer, result = FILES["RespuestaEnvioDTE_v10.xsd"]
    return {
        "answer": answer,
        "result": result,
        "receipts": signed_file(FILES["EnvioRecibos_v10.xsd"][0], "SetRecibos", forge.signer),
        "folios": FILES["ConsumoFolio_v10.xsd"][0],
        "guides": FILES["LibroGuia_v10.xsd"][0],
        "document": forge.document(),
    }


@pytest.mark.parametrize("name", ["answer", "result", "receipts", "folios", "guides", "document"])
def test_a_signature_over_the_whole_file_holds_with_a_warning(forge: Forge, name: str) -> None:
    data = whole(_files(forge)[name], forge.signer)
    verdict = forge.judge(data)
    assert (verdict.verdict, verdict.facts["all_signatures_valid"]) == ("accept", True), verdict.problems
    assert [(each.code, each.level) for each in verdict.problems] == [("SIG-WHOLE-FILE", "warning")]
    assert readings(verdict).receiver.holds
    assert readings(verdict).sii.holds is None, "the SII describes no such form"
    at = data.index(b"<", data.index(b">", data.index(b"ID=")))
    for changed in (
        data[:at] + b"<!-- x --> " + data[at:],
        data.replace(b"76900101-8", b"76900102-6", 1),
        data.replace(b' version="1.0"', b' version="1.1"', 1),
    ):
        assert changed != data
        found = forge.judge(changed)
        assert (found.verdict, "SIG-DIGEST" in codes(found)) == ("reject", True), found.problems


def test_nothing_is_wrapped_around_or_into_such_a_file(forge: Forge) -> None:
    data = whole(FILES["RespuestaEnvioDTE_v10.xsd"][0], forge.signer)
    content = data[data.index(b"<Resultado ") : data.index(b"</Resultado>") + len(b"</Resultado>")]
    forged = content.replace(b'ID="A"', b'ID="Z"').replace(b"<MntTotal>1190<", b"<MntTotal>1<")
    found = _SIGNATURE.search(data)
    assert found is not None
    signature = found[0]
    for wrapped in (
        data.replace(content, forged + content),
        data.replace(content, content + forged),
        data.replace(content, forged),
        data.replace(content, forged).replace(b"</Signature>", b"<Object>%b</Object></Signature>" % content),
        data.replace(b"</KeyInfo>", b"%b</KeyInfo>" % forged),
        data.replace(content, forged).replace(b"</RespuestaDTE>", b"<Extra>%b</Extra></RespuestaDTE>" % data),
        data.replace(signature, b""),
        data.replace(signature, signature + signature),
        data.replace(signature, b"").replace(b"</Resultado>", b"%b</Resultado>" % signature),
        b'<RespuestaDTE xmlns="http://www.sii.cl/SiiDte" version="1.0">%b%b</RespuestaDTE>' % (forged, data),
        data.replace(b'URI=""', b'URI="#A"'),
        data.replace(b'URI=""', b""),
    ):
        assert wrapped != data
        verdict = forge.judge(wrapped)
        assert verdict.verdict == "reject", wrapped
        assert any(each.level == "error" for each in verdict.problems)


def test_a_signature_that_does_not_leave_itself_out_covers_nothing(forge: Forge) -> None:
    verdict = forge.judge(whole(FILES["RespuestaEnvioDTE_v10.xsd"][0], forge.signer, transform=C14N))
    assert (verdict.verdict, "SIG-REFERENCE" in codes(verdict)) == ("reject", True)


def test_inside_an_envelope_a_document_is_signed_by_itself(forge: Forge) -> None:
    """URI="" would mean the envelope, which the signature of a document isn't over."""
    first = forge.document(1)
    data = forge.envelope_of([first, forge.document(2)]).replace(first, whole(first, forge.signer))
    verdict = forge.judge(data)
    assert (verdict.verdict, "SIG-REFERENCE" in codes(verdict)) == ("reject", True)
    assert not verdict.facts["doc_signature_valid"]


def test_a_seed_is_signed_so_by_rule(forge: Forge) -> None:
    data = sign_get_token("012345", forge.signer)
    assert codes(forge.judge(data)) == set(), "no warning: the SII describes it"
    assert "SIG-REFERENCE" in codes(forge.judge(data.replace(ENVELOPED.encode(), C14N.encode())))
