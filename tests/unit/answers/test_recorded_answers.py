"""Answers recorded in the field or printed in the SII's manuals, from the folder of reference material."""

from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from domain.answers import (
    TypeCounters,
    is_no_such_operation,
    read_document_proof,
    read_document_status,
    read_envelope_status,
    read_rest_document_status,
    read_rest_envelope_status,
    read_rest_upload,
    read_seed,
    read_token,
    read_upload,
)


@pytest.fixture
def samples(shared: Path) -> Path:
    return shared / "reference" / "sii-samples"


def wrapped(inner: Path) -> bytes:
    text = escape(inner.read_text(encoding="utf-8"))
    return f"<e:Envelope xmlns:e='urn:e'><e:Body><r><xReturn>{text}</xReturn></r></e:Body></e:Envelope>".encode()


@pytest.mark.needs_shared
def test_seeds(samples: Path) -> None:
    for name, seed in (
        ("auth-getseed-response-manual2007.xml", "000000000078"),
        ("auth-getseed-response-maullin2026.xml", "043871953686"),
        ("auth-getseed-inner-manual-cap8.xml", "000002360958"),
        ("rest-semilla-response-openapi.xml", "030530912644"),
    ):
        assert read_seed(200, (samples / name).read_bytes()).seed == seed


@pytest.mark.needs_shared
def test_tokens(samples: Path) -> None:
    for name in ("auth-gettoken-response-ok.xml", "rest-token-response-openapi.xml"):
        assert read_token(200, (samples / name).read_bytes()).token == "XAuSbYXiNh9Ik"
    for name, state, retry in (
        ("auth-gettoken-inner-error-05-firma.xml", "05", "never"),
        ("auth-gettoken-inner-error-08-timeout.xml", "08", "later"),
        ("auth-gettoken-inner-error-menos3.xml", "-3", "never"),
    ):
        answer = read_token(200, wrapped(samples / name))
        assert (answer.token, answer.state, answer.retry) == (None, state, retry)


@pytest.mark.needs_shared
def test_uploads(samples: Path) -> None:
    for name, outcome, retry, track_id in (
        ("upload-response-status0-2026.xml", "received", None, "251552460"),
        ("upload-response-status5-minimo.xml", "not_received", "token", None),
        ("upload-response-status7-detalle-2026.xml", "not_received", "never", None),
        ("upload-response-status7-sch00001.xml", "not_received", "never", None),
        ("upload-response-status7-texto-suelto.xml", "not_received", "never", None),
        ("upload-response-status99-duplicado-2026.xml", "duplicate", None, "251550580"),
        ("upload-error-500-literal.txt", "unknown", None, None),
        ("html-error-en-el-upload-construido.html", "unknown", None, None),
        ("html-mantencion-construido.html", "unknown", None, None),
        ("portal-alert-maximo-sesiones.html", "not_received", "token", None),
    ):
        answer = read_upload(200, (samples / name).read_bytes())
        assert (name, answer.outcome, answer.retry, answer.track_id) == (name, outcome, retry, track_id)


@pytest.mark.needs_shared
def test_uploads_of_boletas(samples: Path) -> None:
    body = (samples / "boleta-envio-response-200-2026.http").read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    assert read_rest_upload(200, body).track_id == "12288340531"
    assert read_rest_upload(200, (samples / "boleta-envio-response-200-openapi.json").read_bytes()).track_id == "1014"
    assert read_rest_upload(500, (samples / "rest-wrong-host-soap-fault.xml").read_bytes()).outcome == "not_received"


@pytest.mark.needs_shared
def test_states_of_uploads(samples: Path) -> None:
    for name, phase, state, counters in (
        ("queryestup-inner-epr-live-2026-06-14.xml", "processed", "EPR", (TypeCounters(33, 4, 3, 0, 1),)),
        ("queryestup-inner-epr-rechazado.xml", "processed", "EPR", (TypeCounters(None, None, 0, 1, 0),)),
        ("queryestup-inner-estado0-en-hdr.xml", "pending", "EPR", ()),
        ("queryestup-inner-libro-lso.xml", "unknown", "LSO", ()),
        ("queryestup-inner-menos11-construido.xml", "pending", "-11", ()),
        (
            "queryestup-inner-multitipo-construido.xml",
            "processed",
            "EPR",
            (TypeCounters(33, 2, 2, 0, 0), TypeCounters(56, 1, 0, 1, 0)),
        ),
        ("queryestup-inner-token-003-construido.xml", "token", "003", ()),
    ):
        answer = read_envelope_status(200, wrapped(samples / name))
        assert (name, answer.phase, answer.state, answer.counters) == (name, phase, state, counters)
    soap = read_envelope_status(200, (samples / "queryestup-response-epr-soap.xml").read_bytes())
    assert (soap.phase, soap.accepted, soap.repaired) == ("processed", 3, 1)


@pytest.mark.needs_shared
def test_states_of_uploads_of_boletas(samples: Path) -> None:
    processed = read_rest_envelope_status(200, (samples / "boleta-estado-envio-200-openapi.json").read_bytes())
    assert (processed.phase, processed.accepted, processed.rejected, processed.repaired) == ("processed", 2, 1, 1)
    assert [error.code for finding in processed.findings for error in finding.errors] == [
        "CRT-3-11",
        "HED-3-100",
        "DET-1-200",
    ]
    pending = read_rest_envelope_status(200, (samples / "boleta-estado-envio-en-proceso-construido.json").read_bytes())
    assert pending.phase == "pending"


@pytest.mark.needs_shared
def test_states_of_documents(samples: Path) -> None:
    for name, meaning in (
        ("queryestdte-inner-dok-construido.xml", "accepted"),
        ("queryestdte-inner-fau.xml", "absent"),
    ):
        assert (name, read_document_status(200, wrapped(samples / name)).meaning) == (name, meaning)
    proof = read_document_proof(200, wrapped(samples / "queryestdteav-inner-dok-construido.xml"))
    assert (proof.meaning, proof.code, proof.by_signature) == ("accepted", "DOK", True)
    boleta = read_rest_document_status(200, (samples / "boleta-estado-documento-200-openapi.json").read_bytes())
    assert boleta.meaning == "mismatch"


@pytest.mark.needs_shared
def test_faults(samples: Path) -> None:
    assert is_no_such_operation((samples / "soap-fault-no-such-operation.xml").read_bytes())
    assert read_envelope_status(500, (samples / "reclamo-fault-token.xml").read_bytes()).phase == "token"


@pytest.mark.needs_shared
def test_texts_of_the_boletas_services(samples: Path) -> None:
    text = (samples / "boleta-errores-texto-plano.http").read_text(encoding="utf-8").replace("\r\n", "\n")
    answers = {}
    for part in text.split("########"):
        head, _, body = part.strip().partition("\n\n")
        answers[body.strip()] = int(head.split()[1]), body.encode()
    assert set(answers) >= {"NO ESTA AUTENTICADO", "No trae TOKEN", "No existe recurso", "falta rut_receptor"}
    for words, upload, envelope, document in (
        ("NO ESTA AUTENTICADO", "token", "token", "token"),
        ("No trae TOKEN", "token", "token", "token"),
        ("No existe recurso", None, "pending", "unknown"),
        ("falta rut_receptor", None, "unknown", "unknown"),
    ):
        answer = answers[words]
        assert (words, read_rest_upload(*answer).retry) == (words, upload)
        assert (words, read_rest_envelope_status(*answer).phase) == (words, envelope)
        assert (words, read_rest_document_status(*answer).meaning) == (words, document)


# Services that this client doesn't ask: cessions, claims, the mail with the result.
OF_OTHER_SERVICES = ("rtc-", "rpetc-", "reclamo-", "correo-")
NO_ANSWERS = ("README.md", "wsdl", "envio-dte-f60t33-oficial-2003.xml", "auth-gettoken-signed-manual-fig1-11.xml")


@pytest.mark.needs_shared
def test_every_recorded_answer_is_in_a_test(samples: Path) -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    answers = [
        path.name
        for path in samples.iterdir()
        if path.name not in NO_ANSWERS and "request" not in path.name and "-body-" not in path.name
    ]
    missing = [name for name in answers if name not in tested and not name.startswith(OF_OTHER_SERVICES)]
    assert not missing
    assert len(answers) > 30


@pytest.mark.needs_shared
def test_answers_of_other_services_are_read_as_far_as_they_go(samples: Path) -> None:
    for path in samples.iterdir():
        if path.name.startswith(OF_OTHER_SERVICES) and path.suffix == ".xml" and "request" not in path.name:
            body = wrapped(path) if "-inner-" in path.name else path.read_bytes()
            assert read_envelope_status(200, body).phase not in ("processed", "refused")
            assert read_document_status(200, body).meaning in ("unknown", "token")
            assert read_upload(200, body).outcome != "duplicate"
