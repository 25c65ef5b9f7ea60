"""Clients that nobody here wrote, unmodified and with default switches: what they send is understood and accepted.

zeep is built from the served WSDLs. The package facturacion-electronica (in use by an ERP's Chilean users) issues,
stamps, signs, logs in, uploads and asks with its own code, under the real hosts' names and TLS, both mapped to the
simulator from outside. Programs that no package index has are in `test_forms_in_use.py`.
"""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import xmlsec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from lxml import etree

from deploy.sandbox.sii.extraction import pieces
from tests.foreign.doors import open_doors
from tests.foreign.environment import HERE, clients_python
from tests.foreign.node_environment import node_program
from tests.foreign.php_environment import php_program
from tests.integration.simulator.conftest import Taxpayer
from tests.integration.simulator.documents import ANONYMOUS, COMPANY, RECEIVER, Sale, today
from tests.integration.simulator.signing import C14N, DSIG, Person


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of the side environment."""
    return clients_python()


@pytest.fixture
def outside(hosts: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment in which the SII's names lead to the simulator, by TLS."""
    names = {"maullin": "dte", "apicert": "boleta_api", "pangal": "boleta_up"}
    with open_doors(tmp_path, {f"{name}.sii.cl": hosts[side] for name, side in names.items()}) as doors:
        yield {
            **os.environ,
            "PYTHONPATH": str(HERE / "hosts"),
            "FOREIGN_HOSTS": json.dumps(doors.ports),
            "SSL_CERT_FILE": str(doors.authority),
            "REQUESTS_CA_BUNDLE": str(doors.authority),
        }


def issue_and_send(python: Path, job: dict[str, Any], environment: dict[str, str]) -> Any:
    """What the package says of its upload, its state and its documents."""
    command = [python, HERE / "issue_and_send.py"]
    done = subprocess.run(
        command, input=json.dumps(job), capture_output=True, text=True, env=environment, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout[done.stdout.index('{"sent"') :])


def a_job(taxpayer: Taxpayer, document_type: int, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """A job in that package's own format."""
    (caf,) = taxpayer.sii.control(
        "POST", "/fixtures", {"cafs": [{"company": COMPANY, "type": document_type, "from": 201, "to": 300}]}
    )["cafs"]
    person = taxpayer.person
    pfx = pkcs12.serialize_key_and_certificates(
        b"person", person.key, person.certificate, None, BestAvailableEncryption(b"clave")
    )
    return {
        "Emisor": {
            "RUTEmisor": COMPANY,
            "RznSoc": "FERRETERIA",
            "GiroEmis": "Ferreteria",
            "Actecos": ["475201"],
            "DirOrigen": "Calle 1",
            "CmnaOrigen": "Chillan",
            "CiudadOrigen": "Chillan",
            "Modo": "certificacion",
            "NroResol": 0,
            "FchResol": "2014-08-22",
            "ValorIva": 19,
        },
        "firma_electronica": {
            "priv_key": False,
            "cert": False,
            "rut_firmante": person.rut,
            "string_firma": base64.b64encode(pfx).decode(),
            "string_password": "clave",
            "init_signature": True,
        },
        "Documento": [{"TipoDTE": document_type, "caf_file": [caf["xml_base64"]], "documentos": documents}],
        "boletas": document_type in {39, 41},
    }


def a_document(number: int, item: str, price: int, **id_doc: Any) -> dict[str, Any]:
    receiver = {"RUTRecep": RECEIVER, "RznSocRecep": "Señor Cliente", "GiroRecep": "Obras", "DirRecep": "Calle 2"}
    receiver |= {"CmnaRecep": "Ñuñoa", "CiudadRecep": "Santiago"}
    if "IndServicio" in id_doc:
        receiver = {"RUTRecep": ANONYMOUS, "RznSocRecep": "Anonimo"}
    line = {"NroLinDet": 1, "NmbItem": item, "QtyItem": 2, "PrcItem": price}
    tax = {"CodImp": 14, "TasaImp": 19} | ({"mepco": False, "price_include": True} if "IndServicio" in id_doc else {})
    head = {"IdDoc": {"Folio": 200 + number, "FchEmis": today()} | id_doc, "Receptor": receiver}
    return {"NroDTE": number, "Encabezado": head, "Detalle": [line | {"Impuesto": [tax]}]}


def test_a_package_of_others_issues_signs_and_uploads_invoices_that_are_accepted(
    taxpayer: Taxpayer, python: Path, outside: dict[str, str]
) -> None:
    documents = [a_document(1, "Martillo & cincel", 5000, FmaPago=1), a_document(2, 'Clavos de 2"', 199, FmaPago=2)]
    told = issue_and_send(python, a_job(taxpayer, 33, documents), outside)
    assert told["sent"]["status"] == "Enviado", told
    assert told["upload"]["status"] == "Aceptado", told
    assert [row["glosa"] for row in told["documents"].values()] == ["DTE Recibido"] * 2
    (upload,) = taxpayer.sii.control("GET", "/uploads")
    assert (upload["verdict"], upload["findings"]) == ("EPR", [])
    assert upload["counters"] == {"33": {"informados": 2, "aceptados": 2, "rechazados": 0, "reparos": 0}}
    # What was received is what the package says it made, byte for byte, and nobody else signed it.
    file = taxpayer.sii.http.get(f"{taxpayer.sii.hosts['control']}/uploads/{upload['track_id']}/file")
    assert file.content == told["sent"]["sii_xml_request"].encode("iso-8859-1")


def test_a_package_of_others_annuls_its_own_invoice_with_a_note(
    taxpayer: Taxpayer, python: Path, outside: dict[str, str]
) -> None:
    document = a_document(1, "Martillo", 5000, FmaPago=1)
    assert issue_and_send(python, a_job(taxpayer, 33, [document]), outside)["sent"]["status"] == "Enviado"
    note = a_document(1, "Martillo", 5000)
    reference = {"NroLinRef": 1, "TpoDocRef": "33", "FolioRef": 201, "FchRef": today(), "CodRef": 1}
    note["Referencia"] = [reference | {"RazonRef": "Anula factura"}]
    told = issue_and_send(python, a_job(taxpayer, 61, [note]), outside)
    assert told["sent"]["status"] == "Enviado", told
    invoice, credit = taxpayer.sii.control("GET", "/documents")
    assert (credit["type"], credit["state"], credit["findings"]) == (61, "accepted", [])
    assert invoice["notes"] == [[61, 1]]


def test_a_package_of_others_issues_signs_and_uploads_boletas_that_are_accepted(
    taxpayer: Taxpayer, python: Path, outside: dict[str, str]
) -> None:
    told = issue_and_send(python, a_job(taxpayer, 39, [a_document(1, "Pan amasado", 1190, IndServicio=3)]), outside)
    assert told["sent"]["sii_send_ident"], told
    (upload,) = taxpayer.sii.control("GET", "/uploads")
    assert (upload["channel"], upload["verdict"], upload["findings"]) == ("rest", "EPR", [])
    assert upload["counters"] == {"39": {"informados": 1, "aceptados": 1, "rechazados": 0, "reparos": 0}}


def test_one_changed_figure_of_theirs_is_refused(taxpayer: Taxpayer, python: Path, outside: dict[str, str]) -> None:
    told = issue_and_send(python, a_job(taxpayer, 33, [a_document(1, "Martillo", 5000, FmaPago=1)]), outside)
    data = told["sent"]["sii_xml_request"].encode("iso-8859-1")
    assert b"<PrcItem>5000" in data
    taxpayer.sii.control("POST", "/reset", {"keep_fixtures": True})
    taxpayer.tokens.clear()
    track = taxpayer.send(data.replace(b"<PrcItem>5000", b"<PrcItem>6000"))
    assert taxpayer.state(track) == "RFR"


def test_its_login_departs_from_the_manual_and_strict_refuses_it(
    taxpayer: Taxpayer, python: Path, outside: dict[str, str]
) -> None:
    """By the manual its getToken is wrong: no item, SHA-256 under the name of rsa-sha1, a C14N transform."""
    job = a_job(taxpayer, 33, [a_document(1, "Martillo", 5000, FmaPago=1)])
    assert issue_and_send(python, job, outside)["sent"]["status"] == "Enviado"
    login, *_ = [e for e in taxpayer.sii.control("GET", "/ledger") if e["operation"] == "getToken"]
    assert login["outcome"] == "00"
    assert "seed: getToken without item" in login["warnings"]
    assert "seed: RSA-SHA256 under the name of rsa-sha1" in login["warnings"]
    taxpayer.sii.control("POST", "/reset", {"keep_fixtures": True, "switches": {"seed_signature": "strict"}})
    assert issue_and_send(python, job, outside)["sent"]["status"] != "Enviado"
    logins = [e["outcome"] for e in taxpayer.sii.control("GET", "/ledger") if e["operation"] == "getToken"]
    assert set(logins) == {"06"}
    assert taxpayer.sii.control("GET", "/uploads") == []


def test_what_a_package_of_others_had_accepted_is_read_by_another(
    taxpayer: Taxpayer, python: Path, outside: dict[str, str]
) -> None:
    """cl-sii, the MIT-licensed library of another company, takes the accepted bytes apart and finds them in order."""
    job = a_job(taxpayer, 33, [a_document(1, "Martillo", 5000, FmaPago=1)])
    data = issue_and_send(python, job, outside)["sent"]["sii_xml_request"].encode("iso-8859-1")
    (document,) = taxpayer.sii.control("GET", "/documents")
    assert (document["state"], document["findings"]) == ("accepted", [])
    (piece,) = pieces(data, 1)
    command = [sys.executable, "-W", "ignore", str(HERE / "read_accepted.py")]
    text = piece.data.decode("iso-8859-1").encode()
    done = subprocess.run(command, input=text, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    read = json.loads(done.stdout)
    assert read == {name: document[name] for name in read}
    assert (read["issuer"], read["type"], read["receiver"]) == (COMPANY, 33, RECEIVER)


def ask(python: Path, base: str, *calls: tuple[str, str, list[str]]) -> list[dict[str, Any]]:
    """What zeep gets for calls (path, operation, parameters)."""
    lines = [json.dumps({"base": base, "path": p, "operation": o, "parameters": a}) for p, o, a in calls]
    done = subprocess.run(
        [python, HERE / "ask_by_wsdl.py"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def inner(answer: dict[str, Any], name: str) -> str:
    """An element of the document in an answer, whatever its place; ESTADO of a HDR that only says 0 is the body's."""
    root = etree.fromstring(answer["result"].encode())
    found = [e.text or "" for e in root.iter() if etree.QName(e).localname == name]
    return next((text for text in found if text != "0" or len(found) == 1), "")


def signed_by_xmlsec(person: Person, seed: str) -> str:
    """The getToken document as the library xmlsec signs it; KeyValue, which it leaves empty, is filled in."""
    root = etree.fromstring(f"<getToken><item><Semilla>{seed}</Semilla></item></getToken>")
    element = xmlsec.template.create(root, xmlsec.constants.TransformInclC14N, xmlsec.constants.TransformRsaSha1)
    root.append(element)
    signed = xmlsec.template.add_reference(element, xmlsec.constants.TransformSha1, uri="")
    xmlsec.template.add_transform(signed, xmlsec.constants.TransformEnveloped)
    info = xmlsec.template.ensure_key_info(element)
    xmlsec.template.add_key_value(info)
    xmlsec.template.x509_data_add_certificate(xmlsec.template.add_x509_data(info))
    pem = person.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem)
    context.key.load_cert_from_memory(person.certificate.public_bytes(Encoding.PEM), xmlsec.constants.KeyDataFormatPem)
    context.sign(element)
    key_value = re.findall("<KeyValue>.*</KeyValue>", person.key_info(), re.DOTALL)[0]
    return etree.tostring(root, encoding="unicode").replace("<KeyValue/>", key_value)


@pytest.mark.parametrize("prefix", ["none", "ns1"])
def test_zeep_logs_in_and_asks_by_the_served_descriptions(taxpayer: Taxpayer, python: Path, prefix: str) -> None:
    sii, person = taxpayer.sii, taxpayer.person
    sii.control("POST", "/switches", {"return_prefix": prefix, "charset": "utf8"})
    sale = Sale(1)
    track = taxpayer.send(taxpayer.envelope(sale))
    base, company, body = sii.hosts["dte"], COMPANY.split("-"), person.rut.split("-")
    (seed,) = ask(python, base, ("/DTEWS/CrSeed.jws", "getSeed", []))
    document = signed_by_xmlsec(person, inner(seed, "SEMILLA"))
    (answer,) = ask(python, base, ("/DTEWS/GetTokenFromSeed.jws", "getToken", [document]))
    assert inner(answer, "GLOSA") == "Token Creado"
    token = inner(answer, "TOKEN")
    year, month, day = sale.issued_on.split("-")
    about = [*body, *company, *RECEIVER.split("-"), "33", "1", day + month + year, str(sale.stated_total), token]
    upload, dte, stranger, version = ask(
        python,
        base,
        ("/DTEWS/QueryEstUp.jws", "getEstUp", [*company, track, token]),
        ("/DTEWS/QueryEstDte.jws", "getEstDte", about),
        ("/DTEWS/QueryEstUp.jws", "getEstUp", [*company, track, "XXXXXXXXXXXXX"]),
        ("/DTEWS/QueryEstUp.jws", "getVersion", []),
    )
    assert inner(upload, "ESTADO") == "EPR"
    assert inner(upload, "ACEPTADOS") == "1"
    assert inner(dte, "ESTADO") == "DOK"
    assert inner(stranger, "ESTADO") == "003"
    assert "result" in version


def _signers_job(taxpayer: Taxpayer, agent: str) -> dict[str, Any]:
    """What a program that signs for itself is given: its key, unsigned documents, the head of an envelope."""
    person = taxpayer.person
    whole = taxpayer.envelope(Sale(1), Sale(2)).decode("iso-8859-1")
    return {
        "dte": taxpayer.sii.hosts["dte"],
        "key": person.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "sender": person.rut,
        "company": COMPANY,
        "agent": agent,
        "documents": [Sale(n).body(taxpayer.cafs[33]) for n in (1, 2)],
        "head": whole.partition("\n")[2].partition("<DTE ")[0],
    }


def _is_accepted(taxpayer: Taxpayer, command: list[str], job: dict[str, Any]) -> None:
    """Run a program; it logs in, its two documents are accepted without a finding, and it learns so itself."""
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout)
    assert told["login"] == "00", told
    assert told["state"] == "EPR", told
    (upload,) = taxpayer.sii.control("GET", "/uploads")
    assert upload["counters"] == {"33": {"informados": 2, "aceptados": 2, "rechazados": 0, "reparos": 0}}
    assert taxpayer.findings(str(upload["track_id"])) == [[], []]


@pytest.mark.parametrize("transform", [C14N, f"{DSIG}enveloped-signature"])
def test_node_libraries_log_in_sign_and_upload_documents_that_are_accepted(taxpayer: Taxpayer, transform: str) -> None:
    """`soap` of npm on the served descriptions and their addresses, `xml-crypto` for signatures, `form-data`."""
    job = _signers_job(taxpayer, "Mozilla/4.0 (compatible; PROG 1.0; Node)") | {"transform": transform}
    job["certificate"] = base64.b64encode(taxpayer.person.certificate.public_bytes(Encoding.DER)).decode()
    _is_accepted(taxpayer, node_program(), job)


def test_php_with_its_own_soap_and_dom_logs_in_signs_and_uploads_documents_that_are_accepted(
    taxpayer: Taxpayer,
) -> None:
    """SoapClient on the served descriptions, C14N of DOM, documents signed alone and pasted, as LibreDTE does."""
    job = _signers_job(taxpayer, "Mozilla/5.0 (compatible; PROG 1.0; +https://www.libredte.cl)")
    job["certificate"] = taxpayer.person.certificate.public_bytes(Encoding.PEM).decode()
    _is_accepted(taxpayer, php_program(), job)
