"""Every recorded or published sample: answers come out of the simulator in the same form, requests are understood.

The form: elements, order, prefixes, blank lines, words. Figures may differ. Where an answer's form is drawn by chance
it is asked for until that form comes, `_TRIES` times at most. A sample of the folder that isn't named here fails.
"""

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from tests.integration.simulator import sample_paths as path
from tests.integration.simulator.client import AGENT, Answer, form, inner, soap_body
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import COMPANY, RECEIVER, Cover, Sale, envelope
from tests.integration.simulator.outlines import http_answers, keys, masked, outline, words
from tests.integration.simulator.signing import signed_get_token

_TRIES = 80
Compare = Callable[[Any], Any]

ANSWERS: dict[str, tuple[path.Produce, Compare]] = {
    "auth-getseed-inner-manual-cap8.xml": (path.seed_document, outline),
    "auth-getseed-response-manual2007.xml": (path.seed_envelope, outline),
    "auth-gettoken-inner-error-05-firma.xml": (path.token_of_a_changed_document, outline),
    "auth-gettoken-inner-error-08-timeout.xml": (path.token_of_an_old_seed, outline),
    "auth-gettoken-inner-error-menos3.xml": (path.token_of_a_stranger, outline),
    "auth-gettoken-response-ok.xml": (path.token_envelope, outline),
    "boleta-envio-response-200-2026.http": (path.rest_upload_with_its_headers, http_answers),
    "boleta-envio-response-200-openapi.json": (path.rest_upload, keys),
    "boleta-errores-texto-plano.http": (path.rest_errors, http_answers),
    "boleta-estado-documento-200-openapi.json": (path.rest_document_state, json.loads),
    "boleta-estado-envio-200-openapi.json": (path.rest_upload_state, keys),
    "boleta-estado-envio-en-proceso-construido.json": (path.rest_upload_in_process, keys),
    "correo-reenvio-inner-construido.xml": (path.mail_asked_for_again, outline),
    "correo-resultado-envio-construido.xml": (path.result_mail, outline),
    "html-error-en-el-upload-construido.html": (path.upload_under({"fault": "F-HTML-UP"}), words),
    "html-mantencion-construido.html": (path.upload_under({"fault": "F-HTTP-503"}), words),
    "portal-alert-maximo-sesiones.html": (
        path.upload_under({"fault": "F-HTML-UP", "args": {"page": "sessions"}}),
        words,
    ),
    "queryestdte-inner-dok-construido.xml": (path.document_known, outline),
    "queryestdteav-inner-dok-construido.xml": (path.document_known_by_its_signature, outline),
    "queryestup-inner-epr-live-2026-06-14.xml": (path.upload_state(Sale(1), Sale(2, pretty_stamp=True)), outline),
    "queryestup-inner-epr-rechazado.xml": (
        path.upload_state(Sale(1, acteco=1), single_type_without_tipo="yes"),
        outline,
    ),
    "queryestup-inner-estado0-en-hdr.xml": (path.upload_state_without_counters, outline),
    "queryestup-inner-libro-lso.xml": (path.state_of_a_book, outline),
    "queryestup-inner-menos11-construido.xml": (path.upload_state(Sale(1), visibility_delay=60), outline),
    "queryestup-inner-multitipo-construido.xml": (
        path.upload_state(Sale(1), Sale(2, 61), num_atencion="full"),
        outline,
    ),
    "queryestup-inner-token-003-construido.xml": (path.upload_state_without_a_session, outline),
    "queryestup-response-epr-soap.xml": (path.upload_state_in_its_envelope, outline),
    "reclamo-fault-token.xml": (path.claim_without_a_session, outline),
    "reclamo-fecharecepcion-response.xml": (path.moment_of_reception, outline),
    "reclamo-ingresar-response-ok.xml": (path.claim_made, outline),
    "reclamo-listareventos-response.xml": (path.claims_listed, outline),
    "rest-semilla-response-openapi.xml": (path.rest_seed, outline),
    "rest-token-response-openapi.xml": (path.rest_token, outline),
    "rest-wrong-host-soap-fault.xml": (path.rest_upload_at_the_wrong_host, words),
    "rpetc-getestcesion-inner-detalle.xml": (path.particulars_of_a_cession, outline),
    "rpetc-getestcesion-inner-general.xml": (path.holder_of_a_ceded_document, outline),
    "rpetc-getestenvio-inner-eok.xml": (path.state_of_a_cession, outline),
    "rtc-upload-response-ok.xml": (path.cession_taken, masked),
    "rtc-upload-response-status1.xml": (path.cession_without_permission, masked),
    "rtc-upload-response-status5.xml": (path.cession_without_a_session, masked),
    "soap-fault-no-such-operation.xml": (path.call_of_no_operation, masked),
    "upload-error-500-literal.txt": (path.upload_under({"fault": "F-500-LIT"}), words),
    "upload-response-status0-2026.xml": (path.upload_taken, masked),
    "upload-response-status5-minimo.xml": (path.upload_without_a_session, masked),
    "upload-response-status7-detalle-2026.xml": (path.upload_refused_in_full, outline),
    "upload-response-status7-sch00001.xml": (path.upload_of_no_schema, masked),
    "upload-response-status7-texto-suelto.xml": (path.upload_refused_in_loose_words, outline),
    "upload-response-status99-duplicado-2026.xml": (path.upload_again, masked),
}

# Cut off or simplified by those who kept them: what is left must be part of the answer, in its order.
CUT: dict[str, path.Produce] = {
    "auth-getseed-response-maullin2026.xml": path.seed_with_prefix,
    "queryestdte-inner-fau.xml": path.document_unknown,
}


def _sample(shared: Path, name: str) -> bytes:
    return (shared / "reference/sii-samples" / name).read_bytes()


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_answer_is_reproduced(shared: Path, taxpayer: Taxpayer, name: str) -> None:
    produce, compare = ANSWERS[name]
    sample = _sample(shared, name)
    wanted = compare(sample.decode("iso-8859-1") if name.endswith(".html") else sample)
    found: Any = None
    for seed in range(_TRIES):
        answer = produce(taxpayer)
        found = compare(answer.decode("iso-8859-1") if name.endswith(".html") and isinstance(answer, bytes) else answer)
        if found == wanted:
            return
        taxpayer.sii.control("POST", "/reset", {"keep_fixtures": True, "seed": seed})
        taxpayer.tokens.clear()
    assert found == wanted


@pytest.mark.parametrize("name", sorted(CUT))
def test_what_is_left_of_an_answer_is_part_of_ours(shared: Path, taxpayer: Taxpayer, name: str) -> None:
    wanted = iter(outline(CUT[name](taxpayer)))
    assert all(any(line == ours for ours in wanted) for line in outline(_sample(shared, name)))


# --- requests: the sample as it is, with only the values that must be somebody's replaced ---


def _send_soap(taxpayer: Taxpayer, service: str, body: str) -> Answer:
    answer = taxpayer.sii.raw_soap(service, body)
    assert answer.status_code == 200, answer.text
    return Answer(inner(answer.content))


def _with(text: str, **values: str) -> str:
    """A SOAP request with some of its parameters' texts replaced."""
    for name, value in values.items():
        text, count = re.subn(rf"(<{name}[^>]*>)[^<]*", lambda m, v=value: m.group(1) + html.escape(v), text)  # type: ignore[misc]
        assert count == 1, name
    return text


def understands_seed_request(taxpayer: Taxpayer, text: str) -> None:
    path.with_switches(taxpayer, soap_namespace="jws")
    assert re.fullmatch(r"\d{12}", _send_soap(taxpayer, "CrSeed.jws", text).get("SEMILLA"))


def understands_token_request(taxpayer: Taxpayer, text: str) -> None:
    path.with_switches(taxpayer, soap_namespace="both")
    document = signed_get_token(taxpayer.person, taxpayer.sii.seed())
    assert _send_soap(taxpayer, "GetTokenFromSeed.jws", _with(text, pszXml=document)).get("GLOSA") == "Token Creado"


def understands_signed_seed(taxpayer: Taxpayer, text: str) -> None:
    """The manual's own figure: it gets as far as its signature, which the line breaks of the print spoil."""
    assert taxpayer.sii.get_token(text).state == "05"
    ours = signed_get_token(taxpayer.person, taxpayer.sii.seed())
    shapes = [[etree.QName(e).localname for e in etree.fromstring(t.encode()).iter()] for t in (text, ours)]
    assert shapes[0] == shapes[1]


def understands_unsigned_seed(taxpayer: Taxpayer, text: str) -> None:
    """The body before it is signed: signed as it stands, it is let in."""
    seed = Answer(
        taxpayer.sii.http.get(f"{taxpayer.sii.hosts['boleta_api']}/recursos/v1/boleta.electronica.semilla").text
    )
    prolog, _, plain = text.partition("\n")
    signed = signed_get_token(taxpayer.person, "030530912644")
    assert re.sub(r"<Signature.*</Signature>", "", signed, flags=re.DOTALL) == plain.strip()
    body = prolog + "\n" + signed_get_token(taxpayer.person, seed.get("SEMILLA"))
    answer = taxpayer.sii.http.post(
        f"{taxpayer.sii.hosts['boleta_api']}/recursos/v1/boleta.electronica.token", content=body.encode()
    )
    assert Answer(answer.text).get("GLOSA") == "Token Creado"


def understands_upload_query(taxpayer: Taxpayer, text: str) -> None:
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    company, digit = COMPANY.split("-")
    asked = _with(text, RutCompania=company, DvCompania=digit, TrackId=track, Token=taxpayer.token)
    assert _send_soap(taxpayer, "QueryEstUp.jws", asked).state == "EPR"


def understands_document_query(taxpayer: Taxpayer, text: str) -> None:
    sale = Sale(1)
    taxpayer.send(taxpayer.envelope(sale))
    year, month, day = sale.issued_on.split("-")
    values = {"FolioDte": "1", "FechaEmisionDte": day + month + year, "MontoDte": str(sale.stated_total)}
    for name, rut in (("Consultante", taxpayer.person.rut), ("Compania", COMPANY), ("Receptor", RECEIVER)):
        values[f"Rut{name}"], values[f"Dv{name}"] = rut.split("-")
    assert _send_soap(taxpayer, "QueryEstDte.jws", _with(text, Token=taxpayer.token, **values)).state == "DOK"


def understands_mail_request(taxpayer: Taxpayer, text: str) -> None:
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    taxpayer.state(track)
    company, digit = COMPANY.split("-")
    asked = _with(text, RutEmpresa=company, DvEmpresa=digit, TrackId=track, Token=taxpayer.token)
    assert _send_soap(taxpayer, "services/wsDTECorreo", asked).state == "0"


def understands_claim(taxpayer: Taxpayer, text: str) -> None:
    token = path._receiver(taxpayer)
    company, digit = COMPANY.split("-")
    answer = taxpayer.sii.http.post(
        f"{taxpayer.sii.hosts['reclamo']}/WSREGISTRORECLAMODTECERT/registroreclamodteservice",
        content=_with(text, rutEmisor=company, dvEmisor=digit, folio="1").encode(),
        headers={"Content-Type": "text/xml", "SOAPAction": '""', "Cookie": f"TOKEN={token}"},
    )
    code = re.search(r"<codResp>(-?\d+)<", answer.text)
    assert code is not None, answer.text
    assert code.group(1) == ("0" if "accionDoc" in text else "16")


def understands_cession_query(taxpayer: Taxpayer, text: str) -> None:
    found = re.search(r"<TRACKID>0*(\d+)<", path.cession_taken(taxpayer).decode())
    assert found is not None
    taxpayer.sii.control("GET", "/cessions")
    company, digit = COMPANY.split("-")

    values = {"Token": taxpayer.token, "TrackId": found.group(1), "RutEmisor": company, "DVEmisor": digit}
    values |= {"TipoDoc": "33", "FolioDoc": "1", "IdCesion": found.group(1), "RutEmpresa": company, "DVEmpresa": digit}

    asked = _with(text, **{name: value for name, value in values.items() if f"<{name} " in text})
    answer = _send_soap(taxpayer, "services/wsRPETCConsulta", asked)
    assert answer.get("ESTADO") == "0", answer.text


def _as_sent(taxpayer: Taxpayer, text: str, values: dict[str, str], file: bytes, token: str) -> Any:
    """A sample of a whole HTTP request sent with our values in its parts."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    request, *lines = head.splitlines()
    headers = dict(line.split(": ", 1) for line in lines)
    boundary = "---------------------------7d23e2a11301c4"
    for name, value in values.items():
        body, count = re.subn(rf'(name="{name}"\n\n)[^\n]*', lambda m, v=value: m.group(1) + v, body)  # type: ignore[misc]
        assert count == 1, name
    before, _, rest = body.partition("Content-Type: text/xml\n\n")
    closing = rest[rest.index("-----------------------------7d23") :].rstrip()
    sent = before.replace("\n", "\r\n").encode() + b"Content-Type: text/xml\r\n\r\n" + file
    sent += b"\r\n" + closing.encode() + b"\r\n"
    kept = {name: headers[name] for name in ("Accept", "Accept-Language", "User-Agent", "Cache-Control")}
    kept |= {"Content-Type": f"multipart/form-data; boundary={boundary}", "Cookie": f"TOKEN={token}"}
    return taxpayer.sii.http.post(taxpayer.sii.hosts["dte"] + request.split()[1], content=sent, headers=kept)


def understands_upload(taxpayer: Taxpayer, text: str) -> None:
    sender, company = taxpayer.person.rut.split("-"), COMPANY.split("-")
    values = dict(zip(("rutSender", "dvSender", "rutCompany", "dvCompany"), (*sender, *company), strict=True))
    answer = _as_sent(taxpayer, text, values, taxpayer.envelope(Sale(1)), taxpayer.token)
    assert "<STATUS>0</STATUS>" in answer.text
    assert "<FILE>78416626-0_envio.xml</FILE>" in answer.text


def understands_cession_upload(taxpayer: Taxpayer, text: str) -> None:
    company, digit = COMPANY.split("-")
    values = {"rutCompany": company, "dvCompany": digit}
    answer = _as_sent(taxpayer, text, values, path._cession(taxpayer), taxpayer.token)
    assert "<STATUS>0</STATUS>" in answer.text
    assert "<FILE>EnvioEjemploAEC.xml</FILE>" in answer.text


def understands_boleta_upload(taxpayer: Taxpayer, text: str) -> None:
    """The OpenAPI's curl line: its headers and parts, in its order."""
    headers = dict(re.findall(r"-H '([\w-]+): ([^']*)'", text))
    assert re.findall(r"-F '(\w+)=", text) == ["rutSender", "dvSender", "rutCompany", "dvCompany", "archivo"]
    data = envelope([taxpayer.dte(Sale(1, 39))], [39], Cover(taxpayer.person.rut, root="EnvioBOLETA"), taxpayer.person)
    headers |= {"Cookie": f"TOKEN={taxpayer.rest_token}", "Content-Type": "multipart/form-data; boundary=limite"}
    answer = taxpayer.sii.http.post(
        f"{taxpayer.sii.hosts['boleta_up']}/recursos/v1/boleta.electronica.envio",
        content=form("limite", taxpayer.person.rut, COMPANY, data),
        headers=headers,
    )
    assert answer.json()["estado"] == "REC"


def understands_official_envelope(taxpayer: Taxpayer, text: str) -> None:
    """The SII's example of 2003: taken, read, and refused for what has changed since: it is another company's."""
    fields = {
        "rut": "97975000-5",
        "razon_social": "EMPRESA DEL EJEMPLO",
        "resolution": {"number": 0, "date": "2003-09-02"},
    }
    granted = {"person": taxpayer.person.rut, "company": "97975000-5", "can": ["send"]}
    taxpayer.sii.control("POST", "/fixtures", {"companies": [fields], "permissions": [granted]})
    answer = taxpayer.sii.upload(
        taxpayer.token, text.encode("iso-8859-1"), sender=taxpayer.person.rut, company="97975000-5", agent=AGENT
    )
    assert "<STATUS>0</STATUS>" in answer.text, answer.text
    (upload,) = taxpayer.sii.control("GET", "/uploads")
    assert (upload["documents"], upload["verdict"]) == (1, "RCT")


REQUESTS: dict[str, Callable[[Taxpayer, str], None]] = {
    "auth-getseed-request.xml": understands_seed_request,
    "auth-gettoken-request-envelope.xml": understands_token_request,
    "auth-gettoken-signed-manual-fig1-11.xml": understands_signed_seed,
    "boleta-envio-request-openapi.curl.txt": understands_boleta_upload,
    "correo-reenvio-request.xml": understands_mail_request,
    "envio-dte-f60t33-oficial-2003.xml": understands_official_envelope,
    "queryestdte-request.xml": understands_document_query,
    "queryestup-request-maullin2026.xml": understands_upload_query,
    "reclamo-ingresar-request.xml": understands_claim,
    "reclamo-listareventos-request.xml": understands_claim,
    "rest-token-unsigned-body-openapi.xml": understands_unsigned_seed,
    "rpetc-getestcesion-request.xml": understands_cession_query,
    "rpetc-getestcesionrelac-request.xml": understands_cession_query,
    "rpetc-getestenvio-request.xml": understands_cession_query,
    "rtc-upload-request-manual2007.http": understands_cession_upload,
    "upload-request-reconstruido.http": understands_upload,
}


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_request_is_understood(shared: Path, taxpayer: Taxpayer, name: str) -> None:
    REQUESTS[name](taxpayer, _sample(shared, name).decode("iso-8859-1"))


def test_every_sample_has_its_place(shared: Path) -> None:
    folder = shared / "reference/sii-samples"
    samples = {file.name for file in folder.iterdir() if file.is_file() and file.name != "README.md"}
    assert samples == set(ANSWERS) | set(CUT) | set(REQUESTS)


@pytest.mark.parametrize("hdr_order", ["hdr_first", "body_first"])
def test_every_answer_of_xml_parses(taxpayer: Taxpayer, hdr_order: str) -> None:
    path.with_switches(taxpayer, hdr_order=hdr_order, charset="utf8")
    for service, operation in (("CrSeed.jws", "getSeed"), ("QueryEstUp.jws", "getState"), ("CrSeed.jws", "getVersion")):
        for _ in range(5):
            assert outline(taxpayer.sii.raw_soap(service, soap_body(operation, {})).content)
