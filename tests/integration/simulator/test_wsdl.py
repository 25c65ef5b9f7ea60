"""The descriptions that the services serve: complete, strict, and with an address that nobody must trust."""

from pathlib import Path

import httpx
import pytest
from lxml import etree

from tests.integration.simulator.client import Sii, inner, soap_body

_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
_CLAIMS = "/WSREGISTRORECLAMODTECERT/registroreclamodteservice"
_PLACES = {
    "CrSeed": ("dte", "/DTEWS/CrSeed.jws"),
    "GetTokenFromSeed": ("dte", "/DTEWS/GetTokenFromSeed.jws"),
    "QueryEstUp": ("dte", "/DTEWS/QueryEstUp.jws"),
    "QueryEstDte": ("dte", "/DTEWS/QueryEstDte.jws"),
    "QueryEstDteAv": ("dte", "/DTEWS/services/QueryEstDteAv"),
    "wsDTECorreo": ("dte", "/DTEWS/services/wsDTECorreo"),
    "wsRPETCConsulta": ("dte", "/DTEWS/services/wsRPETCConsulta"),
    "registroreclamodteservice": ("reclamo", _CLAIMS),
}


def _served(sii: Sii, name: str) -> bytes:
    host, path = _PLACES[name]
    answer = httpx.get(f"{sii.hosts[host]}{path}?wsdl")
    assert answer.status_code == 200
    return answer.content


def _described(data: bytes) -> dict[str, object]:
    """What a client takes from a WSDL: names, parts in order, types, styles."""
    root = etree.fromstring(data)
    bodies = {
        (operation.get("name"), kind): (body.get("use"), body.get("namespace"), body.get("encodingStyle"))
        for operation in root.iterfind(f"{_WSDL}binding/{_WSDL}operation")
        for kind in ("input", "output")
        for body in operation.iterfind(f"{_WSDL}{kind}/{_SOAP}body")
    }
    return {
        "namespace": root.get("targetNamespace"),
        "parts": {
            message.get("name"): [(p.get("name"), str(p.get("type")).rpartition(":")[2]) for p in message]
            for message in root.iterfind(f"{_WSDL}message")
        },
        "operations": {
            o.get("name"): [str(m.get("message")).rpartition(":")[2] for m in o]
            for o in root.iterfind(f"{_WSDL}portType/{_WSDL}operation")
        },
        "bodies": bodies,
        "names": [
            e.get("name")
            for tag in ("portType", "binding", "service", "service/{*}port")
            for e in root.iterfind(f"{{*}}{tag}")
        ],
        "actions": {e.get("soapAction") for e in root.iter(f"{_SOAP}operation")},
        "fields": [(e.get("name"), e.get("minOccurs"), e.get("maxOccurs")) for e in root.iter("{*}element")],
    }


@pytest.mark.parametrize("name", sorted(_PLACES))
def test_address_is_the_host_that_was_asked_or_the_internal_one(sii: Sii, name: str) -> None:
    host, path = _PLACES[name]
    assert _address(sii, name) == sii.hosts[host] + path
    sii.control("POST", "/switches", {"wsdl_address": "internal"})
    assert _address(sii, name) == f"https://nogal.sii.cl{path}"


def _address(sii: Sii, name: str) -> str | None:
    address = etree.fromstring(_served(sii, name)).find(f".//{_SOAP}address")
    assert address is not None
    return address.get("location")


def test_address_under_a_name_of_the_sii_is_of_tls(sii: Sii) -> None:
    answer = sii.http.get(sii.hosts["dte"] + "/DTEWS/CrSeed.jws?WSDL", headers={"Host": "maullin.sii.cl"})
    assert 'location="https://maullin.sii.cl/DTEWS/CrSeed.jws"' in answer.text


@pytest.mark.parametrize("name", sorted(_PLACES))
def test_description_says_what_the_recorded_ones_say(shared: Path, sii: Sii, name: str) -> None:
    recorded = (shared / f"reference/sii-samples/wsdl/{name}.wsdl").read_bytes()
    assert _described(_served(sii, name)) == _described(recorded)


@pytest.mark.parametrize("name", sorted(set(_PLACES) - {"registroreclamodteservice"}))
def test_every_service_tells_its_state_without_a_token(sii: Sii, name: str) -> None:
    path = _PLACES[name][1].removeprefix("/DTEWS/")
    for operation in ("getState", "getVersion", "getVersionMayor", "getVersionMenor", "getVersionPatch"):
        answer = sii.raw_soap(path, soap_body(operation, {}))
        assert answer.status_code == 200
        assert inner(answer.content)


def test_mail_service_names_its_environment(sii: Sii) -> None:
    assert sii.soap("services/wsDTECorreo", "getEnv", {}).get("ENTORNO") == "certification"


def test_optional_parameter_may_only_be_missing_at_the_end(sii: Sii) -> None:
    asked = {"Token": "X", "RutEmisor": "76900101", "DVEmisor": "8", "TipoDoc": "33", "FolioDoc": "1"}
    assert sii.raw_soap("services/wsRPETCConsulta", soap_body("getEstCesion", asked)).status_code == 200
    assert (
        sii.raw_soap("services/wsRPETCConsulta", soap_body("getEstCesion", asked | {"IdCesion": ""})).status_code == 200
    )
    sii.control("POST", "/switches", {"soap_bind": "name"})
    for wrong in ({"IdCesion": ""} | asked, {"Token": "X"}):
        answer = sii.raw_soap("services/wsRPETCConsulta", soap_body("getEstCesion", wrong))
        assert answer.status_code == 500
        assert "No such operation &apos;getEstCesion&apos;" in answer.text
