"""How each recorded answer comes out of the simulator: a path for every sample, used by `test_samples.py`."""

import re
from collections.abc import Callable
from typing import Any

import httpx

from tests.integration.simulator import books
from tests.integration.simulator.cessions import FACTOR, Transfer, aec, ceded, cesion
from tests.integration.simulator.client import REST_AGENT, Answer, soap_body
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import COMPANY, RECEIVER, Cover, Sale, envelope, reference, today
from tests.integration.simulator.signing import make_authority, make_person, signed_get_token

Produced = bytes | str
Produce = Callable[[Taxpayer], Produced]
_ALWAYS = {
    "return_prefix": "none",
    "num_atencion": "full",
    "upstatus_form": "hdr",
    "single_type_without_tipo": "no",
    "omit_type_61": False,
}


def with_switches(taxpayer: Taxpayer, **switches: Any) -> Taxpayer:
    taxpayer.sii.control("POST", "/switches", _ALWAYS | switches)
    return taxpayer


def seed_envelope(taxpayer: Taxpayer) -> bytes:
    return with_switches(taxpayer, hdr_order="hdr_first").sii.raw_soap("CrSeed.jws", soap_body("getSeed", {})).content


def seed_document(taxpayer: Taxpayer) -> str:
    with_switches(taxpayer, hdr_order="body_first")
    return taxpayer.sii.soap("CrSeed.jws", "getSeed", {}).text


def seed_with_prefix(taxpayer: Taxpayer) -> bytes:
    with_switches(taxpayer, hdr_order="body_first", return_prefix="ns1")
    return taxpayer.sii.raw_soap("CrSeed.jws", soap_body("getSeed", {})).content


def token_envelope(taxpayer: Taxpayer) -> bytes:
    with_switches(taxpayer, hdr_order="hdr_first")
    document = signed_get_token(taxpayer.person, taxpayer.sii.seed())
    return taxpayer.sii.raw_soap("GetTokenFromSeed.jws", soap_body("getToken", {"pszXml": document})).content


def token_of_a_changed_document(taxpayer: Taxpayer) -> str:
    with_switches(taxpayer, error_namespace="manual")
    document = signed_get_token(taxpayer.person, taxpayer.sii.seed())
    return taxpayer.sii.get_token(re.sub("<Semilla>0", "<Semilla>1", document)).text


def token_of_an_old_seed(taxpayer: Taxpayer) -> str:
    with_switches(taxpayer, error_namespace="manual")
    document = signed_get_token(taxpayer.person, taxpayer.sii.seed())
    taxpayer.sii.control("POST", "/clock", {"advance": 121})
    return taxpayer.sii.get_token(document).text


def token_of_a_stranger(taxpayer: Taxpayer) -> str:
    with_switches(taxpayer, error_namespace="manual", charset="utf8")
    stranger = make_person(make_authority(), "11111111-1")
    return taxpayer.sii.get_token(signed_get_token(stranger, taxpayer.sii.seed())).text


def rest_seed(taxpayer: Taxpayer) -> bytes:
    with_switches(taxpayer, hdr_order="body_first", seed_state="0")
    return _rest(taxpayer, "GET", "boleta.electronica.semilla").content


def rest_token(taxpayer: Taxpayer) -> bytes:
    with_switches(taxpayer, hdr_order="hdr_first")
    seed = Answer(_rest(taxpayer, "GET", "boleta.electronica.semilla").text).get("SEMILLA")
    body = signed_get_token(taxpayer.person, seed).encode()
    return _rest(taxpayer, "POST", "boleta.electronica.token", body).content


def rest_upload_at_the_wrong_host(taxpayer: Taxpayer) -> bytes:
    return _rest(taxpayer, "POST", "boleta.electronica.envio", b"x").content


def _rest(taxpayer: Taxpayer, method: str, path: str, body: bytes = b"", host: str = "boleta_api") -> httpx.Response:
    return taxpayer.sii.http.request(method, f"{taxpayer.sii.hosts[host]}/recursos/v1/{path}", content=body)


def _boletas(taxpayer: Taxpayer, *sales: Sale) -> bytes:
    return taxpayer.envelope(*sales, root="EnvioBOLETA")


def _rest_upload(taxpayer: Taxpayer, *sales: Sale) -> httpx.Response:
    data = _boletas(taxpayer, *sales)
    return taxpayer.sii.upload(taxpayer.rest_token, data, sender=taxpayer.person.rut, rest=True)


def rest_upload(taxpayer: Taxpayer) -> bytes:
    return _rest_upload(taxpayer, Sale(1, 39)).content


def rest_upload_with_its_headers(taxpayer: Taxpayer) -> str:
    return as_http(_rest_upload(taxpayer, Sale(1, 39)))


def as_http(answer: httpx.Response) -> str:
    """A response as the samples write it down: status line, the headers that matter, body."""
    kept = ("Content-Type", "X-Location", "X-Retry-After")
    lines = [f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}"]
    lines += [f"{name}: {answer.headers[name]}" for name in kept if name in answer.headers]
    return "\n".join(lines) + f"\n\n{answer.text.strip()}\n"


def rest_errors(taxpayer: Taxpayer) -> str:
    sii, data = taxpayer.sii, _boletas(taxpayer, Sale(1, 39))
    parameters = {"dv_receptor": "6", "monto": "1", "fechaEmision": "01-11-2026"}
    answers = (
        sii.upload(taxpayer.rest_token, data, sender=taxpayer.person.rut, rest=True, agent="curl/8"),
        sii.upload("", data, sender=taxpayer.person.rut, rest=True, agent=REST_AGENT),
        sii.rest(f"boleta.electronica.envio/{COMPANY}-123", taxpayer.rest_token),
        sii.rest(f"boleta.electronica/{COMPANY}-39-1/estado", taxpayer.rest_token, **parameters),
    )
    return "\n########\n".join(map(as_http, answers))


def rest_document_state(taxpayer: Taxpayer) -> bytes:
    _rest_upload(taxpayer, Sale(1, 39))
    parameters = {"rut_receptor": "66666666", "dv_receptor": "6", "monto": "1", "fechaEmision": "01-11-2026"}
    path = f"boleta.electronica/{COMPANY}-39-1/estado"
    return taxpayer.sii.rest(path, taxpayer.rest_token, **parameters).content


def rest_upload_state(taxpayer: Taxpayer) -> bytes:
    wrong = [Sale(n, 39, acteco=1, total=(5000 if n % 2 else None)) for n in range(1, 41)]
    track = _rest_upload(taxpayer, *wrong, *(Sale(n, 39, pretty_stamp=True) for n in range(41, 81))).json()["trackid"]
    return taxpayer.sii.rest(f"boleta.electronica.envio/{COMPANY}-{track}", taxpayer.rest_token).content


def rest_upload_in_process(taxpayer: Taxpayer) -> bytes:
    with_switches(taxpayer, rest_steps={"SOK": [50, 60], "EPR": [900, 901]})
    track = _rest_upload(taxpayer, Sale(1, 39)).json()["trackid"]
    return taxpayer.sii.rest(f"boleta.electronica.envio/{COMPANY}-{track}", taxpayer.rest_token).content


def _upload(taxpayer: Taxpayer, data: bytes, token: str | None = None) -> bytes:
    used = taxpayer.token if token is None else token
    return taxpayer.sii.upload(used, data, sender=taxpayer.person.rut).content


def upload_taken(taxpayer: Taxpayer) -> bytes:
    return _upload(taxpayer, taxpayer.envelope(Sale(1)))


def upload_without_a_session(taxpayer: Taxpayer) -> bytes:
    return _upload(taxpayer, taxpayer.envelope(Sale(1)), "XXXXXXXXXXXXX")


def upload_of_no_schema(taxpayer: Taxpayer) -> bytes:
    return _upload(taxpayer, taxpayer.envelope(Sale(1)).replace(b"EnvioDTE_v10.xsd", b"Otro.xsd"))


def upload_refused_in_full(taxpayer: Taxpayer) -> bytes:
    with_switches(taxpayer, status_form="full")
    return upload_of_no_schema(taxpayer)


def upload_refused_in_loose_words(taxpayer: Taxpayer) -> bytes:
    with_switches(taxpayer, status_form="full")
    return _upload(taxpayer, taxpayer.envelope(Sale(1)).replace(b'encoding="ISO-8859-1"', b'encoding="UTF-8"'))


def upload_again(taxpayer: Taxpayer) -> bytes:
    data = taxpayer.envelope(Sale(1))
    _upload(taxpayer, data)
    return _upload(taxpayer, data)


def upload_under(fault: dict[str, Any]) -> Produce:
    def produce(taxpayer: Taxpayer) -> bytes:
        token = taxpayer.token
        taxpayer.sii.control("POST", "/faults", fault)
        return _upload(taxpayer, taxpayer.envelope(Sale(1)), token)

    return produce


def call_of_no_operation(taxpayer: Taxpayer) -> bytes:
    return taxpayer.sii.raw_soap("QueryEstUp.jws", soap_body("getEstUp", {"TrackId": "1"})).content


def upload_state(*sales: Sale, tracked: bool = True, **switches: Any) -> Produce:
    def produce(taxpayer: Taxpayer) -> str:
        with_switches(taxpayer, **{"hdr_order": "body_first", "num_atencion": "absent"} | switches)
        track = taxpayer.send(taxpayer.envelope(*sales)) if tracked else "123"
        return taxpayer.sii.envelope_state(taxpayer.token, track).text

    return produce


def upload_state_in_its_envelope(taxpayer: Taxpayer) -> bytes:
    with_switches(taxpayer, hdr_order="body_first", num_atencion="absent", return_prefix="ns1", inner_form="plain")
    track = taxpayer.send(taxpayer.envelope(Sale(1), Sale(2, pretty_stamp=True)))
    company, digit = COMPANY.split("-")
    parameters = {"RutCompania": company, "DvCompania": digit, "TrackId": track, "Token": taxpayer.token}
    return taxpayer.sii.raw_soap("QueryEstUp.jws", soap_body("getEstUp", parameters)).content


def upload_state_without_a_session(taxpayer: Taxpayer) -> str:
    return taxpayer.sii.envelope_state("XXXXXXXXXXXXX", "1").text


def upload_state_without_counters(taxpayer: Taxpayer) -> Produced:
    taxpayer.sii.control("POST", "/faults", {"fault": "F-EPR-0"})
    return upload_state(Sale(1), upstatus_form="estado0_in_hdr", hdr_order="hdr_first")(taxpayer)


def state_of_a_book(taxpayer: Taxpayer) -> str:
    with_switches(taxpayer, num_atencion="absent", steps={"SOK": [0, 0], "EPR": [900, 901]})
    track = taxpayer.send(books.sales(taxpayer.person))
    return taxpayer.sii.envelope_state(taxpayer.token, track).text


def document_known(taxpayer: Taxpayer) -> str:
    with_switches(taxpayer)
    sale = Sale(1)
    taxpayer.send(taxpayer.envelope(sale))
    ask = taxpayer.token, taxpayer.person, 33, 1, sale.issued_on, sale.stated_total
    return taxpayer.sii.document_state(*ask).text


def document_unknown(taxpayer: Taxpayer) -> str:
    with_switches(taxpayer, num_atencion="absent")
    return taxpayer.sii.document_state(taxpayer.token, taxpayer.person, 33, 1, today(), 1).text


def document_known_by_its_signature(taxpayer: Taxpayer) -> str:
    with_switches(taxpayer, hdr_order="hdr_first", document_av_form="plain")
    sale = Sale(1)
    data = taxpayer.envelope(sale)
    taxpayer.send(data)
    value = re.search(rb"<SignatureValue>([^<]+)</SignatureValue>", data)
    assert value is not None
    parameters = dict(zip(("RutEmpresa", "DvEmpresa"), COMPANY.split("-"), strict=True))
    parameters |= dict(zip(("RutReceptor", "DvReceptor"), RECEIVER.split("-"), strict=True))
    year, month, day = sale.issued_on.split("-")
    parameters |= {"TipoDte": "33", "FolioDte": "1", "FechaEmisionDte": day + month + year}
    parameters |= {"MontoDte": str(sale.stated_total), "FirmaDte": "".join(value.group(1).decode().split())}
    asked = parameters | {"Token": taxpayer.token}
    return taxpayer.sii.soap("services/QueryEstDteAv", "getEstDteAv", asked).text


def mail_asked_for_again(taxpayer: Taxpayer) -> str:
    with_switches(taxpayer, hdr_order="hdr_first")
    company, digit = COMPANY.split("-")
    track = taxpayer.send(taxpayer.envelope(Sale(1)))
    taxpayer.state(track)
    parameters = {"Token": taxpayer.token, "RutEmpresa": company, "DvEmpresa": digit, "TrackId": track}
    return taxpayer.sii.soap("services/wsDTECorreo", "reenvioCorreo", parameters).text


def result_mail(taxpayer: Taxpayer) -> bytes:
    taxpayer.send(taxpayer.envelope(Sale(1)))
    known = taxpayer.send(taxpayer.envelope(Sale(1, amount=7), Sale(2), Sale(1, 61, references=reference(33, 1, 1))))
    number = next(row["number"] for row in taxpayer.sii.control("GET", "/mails") if str(row["track_id"]) == known)
    (part,) = taxpayer.sii.mail(number).iter_attachments()
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload


def _receiver(taxpayer: Taxpayer) -> str:
    """The token of somebody who acts for the receiver of an accepted sale."""
    taxpayer.state(taxpayer.send(taxpayer.envelope(Sale(1))))
    person = make_person(taxpayer.authority, "12222222-5")
    granted = {"person": person.rut, "company": RECEIVER, "can": ["query"]}
    taxpayer.sii.control("POST", "/fixtures", {"permissions": [granted]})
    return taxpayer.sii.login(person)


def _claim(taxpayer: Taxpayer, operation: str, token: str, **more: str) -> bytes:
    number, digit = COMPANY.split("-")
    parameters = {"rutEmisor": number, "dvEmisor": digit, "tipoDoc": "33", "folio": "1"} | more
    return taxpayer.sii.claim(operation, token, parameters).content


def claim_without_a_session(taxpayer: Taxpayer) -> bytes:
    return _claim(taxpayer, "listarEventosHistDoc", "XXXXXXXXXXXXX")


def claim_made(taxpayer: Taxpayer) -> bytes:
    return _claim(taxpayer, "ingresarAceptacionReclamoDoc", _receiver(taxpayer), accionDoc="ACD")


def claims_listed(taxpayer: Taxpayer) -> bytes:
    token = _receiver(taxpayer)
    _claim(taxpayer, "ingresarAceptacionReclamoDoc", token, accionDoc="ACD")
    return _claim(taxpayer, "listarEventosHistDoc", token)


def moment_of_reception(taxpayer: Taxpayer) -> bytes:
    return _claim(taxpayer, "consultarFechaRecepcionSii", _receiver(taxpayer))


def _cession(taxpayer: Taxpayer) -> bytes:
    """A cession of an accepted sale."""
    sale = Sale(1)
    dte = taxpayer.dte(sale)
    person = taxpayer.person
    taxpayer.state(taxpayer.send(envelope([dte], [33], Cover(person.rut), person)))
    resolution = {"number": 0, "date": "2014-08-22"}
    factor = {"rut": FACTOR, "razon_social": "FACTORING", "resolution": resolution}
    taxpayer.sii.control("POST", "/fixtures", {"companies": [factor]})
    return aec(ceded(dte, person), [cesion(sale, Transfer(), person)], person)


def cession_taken(taxpayer: Taxpayer) -> bytes:
    return taxpayer.sii.cede(taxpayer.token, _cession(taxpayer)).content


def cession_without_permission(taxpayer: Taxpayer) -> bytes:
    return taxpayer.sii.cede(taxpayer.token, _cession(taxpayer), company=RECEIVER).content


def cession_without_a_session(taxpayer: Taxpayer) -> bytes:
    return taxpayer.sii.cede("XXXXXXXXXXXXX", b"x").content


def _about_cession(taxpayer: Taxpayer, operation: str, *, order: str = "hdr_first", **more: str) -> str:
    with_switches(taxpayer, hdr_order=order)
    found = re.search(r"<TRACKID>0*(\d+)<", cession_taken(taxpayer).decode())
    assert found is not None
    taxpayer.sii.control("GET", "/cessions")
    number, digit = COMPANY.split("-")
    if operation == "getEstEnvio":
        asked = {"Token": taxpayer.token, "TrackId": found.group(1)}
    else:
        asked = {"Token": taxpayer.token, "RutEmisor": number, "DVEmisor": digit, "TipoDoc": "33", "FolioDoc": "1"}
    return taxpayer.sii.soap("services/wsRPETCConsulta", operation, asked | more).text


def state_of_a_cession(taxpayer: Taxpayer) -> str:
    return _about_cession(taxpayer, "getEstEnvio")


def holder_of_a_ceded_document(taxpayer: Taxpayer) -> str:
    return _about_cession(taxpayer, "getEstCesion")


def particulars_of_a_cession(taxpayer: Taxpayer) -> str:
    with_switches(taxpayer, hdr_order="hdr_first")
    found = re.search(r"<TRACKID>0*(\d+)<", cession_taken(taxpayer).decode())
    assert found is not None
    taxpayer.sii.control("GET", "/cessions")
    number, digit = COMPANY.split("-")
    asked = {"Token": taxpayer.token, "RutEmisor": number, "DVEmisor": digit, "TipoDoc": "33", "FolioDoc": "1"}
    asked["IdCesion"] = found.group(1)
    return taxpayer.sii.soap("services/wsRPETCConsulta", "getEstCesion", asked).text
