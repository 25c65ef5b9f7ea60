"""Proofs about connections, slowness, rates, clocks, and answers made to hurt their reader."""

import datetime as dt
import ssl
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from lxml import etree

from tests.integration.simulator.catalogue.case import Case, Proof
from tests.integration.simulator.client import soap_body
from tests.integration.simulator.conftest import enrol
from tests.integration.simulator.documents import Sale

_SANTIAGO = ZoneInfo("America/Santiago")


def _slow(case: Case) -> None:
    token = case.taxpayer.token
    case.fault("F-SLOW", args={"seconds": 20})
    with httpx.Client(timeout=0.5) as hasty:
        patient, case.sii.http = case.sii.http, hasty
        with pytest.raises(httpx.ReadTimeout):
            case.raw_state()
        case.sii.http = patient
    assert case.taxpayer.token == token
    case.fault("F-SLOW", args={"bytes_per_second": 4000})
    address = case.sii.hosts["dte"] + "/DTEWS/CrSeed.jws"
    headers = {"SOAPAction": '""', "Content-Type": "text/xml"}
    with case.sii.http.stream("POST", address, content=soap_body("getSeed", {}), headers=headers) as answer:
        pieces = list(answer.iter_raw())
    assert len(pieces) > 1
    assert b"SEMILLA" in b"".join(pieces)


def _rate(case: Case) -> None:
    token = case.taxpayer.rest_token
    headers = {}
    for status in (429, 405, 503):
        for header in ("x-retry-after", "retry-after", "retry-after-date", "none"):
            case.fault("F-RATE", args={"status": status, "header": header, "seconds": 30}, when={"host": "boleta_up"})
            answer = case.send_boleta(case.boleta(), token=token)
            assert answer.status_code == status
            headers[header] = answer.headers
    assert headers["x-retry-after"]["X-Retry-After"] == headers["retry-after"]["Retry-After"] == "30"
    named = parsedate_to_datetime(headers["retry-after-date"]["Retry-After"])
    assert (named - parsedate_to_datetime(headers["retry-after-date"]["Date"])).total_seconds() in {30, 31}
    assert not {"X-Retry-After", "Retry-After"} & set(headers["none"])
    assert case.stored() == []
    # By itself: two a minute, and the oracle notices who calls too early.
    case.sii.control("POST", "/reset", {})
    case.taxpayer = enrol(case.sii, case.taxpayer.authority, case.taxpayer.person)
    token = case.taxpayer.rest_token
    case.switch(rate_per_minute=2, retry_grace=0.0)
    case.advance(61)
    statuses = [case.send_boleta(case.boleta(n), token=token).status_code for n in (1, 2, 3)]
    assert statuses == [200, 200, 429]
    assert case.sii.control("GET", "/invariants")["early_requests"] == 0
    case.send_boleta(case.boleta(4), token=token)
    facts = case.sii.control("GET", "/invariants")
    assert (facts["early_requests"], facts["ok"]) == (1, False)
    case.advance(61)
    assert case.send_boleta(case.boleta(5), token=token).status_code == 200
    assert case.sii.control("GET", "/invariants")["early_requests"] == 1


def _clock_ahead(case: Case) -> None:
    for seconds in (600, -600, 86_400, -86_400):
        case.fault("F-SKEW-1", args={"seconds": seconds})
        answer = case.sii.http.get(case.sii.hosts["dte"] + "/nada")
        ahead = parsedate_to_datetime(answer.headers["Date"]) - dt.datetime.now(dt.UTC)
        assert abs(ahead.total_seconds() - seconds) < 60
        assert case.login().state == "00"
        case.lift()
    now = dt.datetime.fromisoformat(case.sii.control("GET", "/clock")["now"])
    assert abs((now - dt.datetime.now(dt.UTC)).total_seconds()) < 60


def _folios_expire(case: Case) -> None:
    assert case.taxpayer.findings(case.taxpayer.send(case.invoice())) == [[]]
    case.fault("F-SKEW-2")
    case.taxpayer.tokens.clear()
    now = dt.datetime.fromisoformat(case.sii.control("GET", "/clock")["now"]).astimezone(_SANTIAGO)
    written = now.strftime("%Y-%m-%dT%H:%M:%S")
    sale = Sale(2, issued_on=now.date().isoformat(), signed_at=written, stamped_at=written)
    assert case.taxpayer.findings(case.taxpayer.send(case.taxpayer.envelope(sale))) == [["CAF-3-517"]]


def _summer_time(case: Case) -> None:
    case.fault("F-SKEW-3")
    before = dt.datetime.fromisoformat(case.sii.control("GET", "/clock")["now"])
    case.advance(60)
    after = dt.datetime.fromisoformat(case.sii.control("GET", "/clock")["now"])
    assert before.utcoffset() != after.utcoffset()
    case.lift()
    case.fault("F-SKEW-3", args={"set": "2027-03-01T00:00:00"})
    now = case.sii.control("GET", "/clock")["now"]
    assert now.startswith("2027-02-28T23:59:3")


def _tls(case: Case) -> None:
    with case.another("--tls") as secured:
        address = secured.sii.hosts["dte"] + "/nada"
        assert address.startswith("https://")
        trusting = ssl.create_default_context(cafile=secured.sii.hosts["ca"])
        trusting.verify_flags |= ssl.VERIFY_X509_STRICT
        assert httpx.get(address, verify=trusting).status_code == 404
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(address)
        for form, words in (("expired", "expired"), ("wrong_ca", "VERIFY_FAILED"), ("reset", r"reset|alert|EOF")):
            secured.fault("F-TLS", args={"form": form}, when={"host": "dte"}, times=1)
            with pytest.raises(httpx.ConnectError, match=words):
                httpx.get(address, verify=trusting)
            assert httpx.get(address, verify=trusting).status_code == 404
        secured.fault("F-TLS", times=-1, when={"host": "boleta_up"})
        assert httpx.get(address, verify=trusting).status_code == 404


def _closed(case: Case) -> None:
    address = case.sii.hosts["dte"] + "/nada"
    case.fault("F-DNS", when={"host": "dte"})
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)
    assert case.sii.rest("nada", "").status_code == 500
    case.lift()
    assert httpx.get(address).status_code == 404
    case.fault("F-DNS", args={"form": "timeout"}, when={"host": "dte"})
    with pytest.raises(httpx.ConnectTimeout):
        httpx.get(address, timeout=0.5)
    case.lift()
    assert httpx.get(address).status_code == 404


def _hostile(case: Case) -> None:
    track = case.taxpayer.send(case.invoice())
    bodies = {}
    for form in ("entities", "external", "inner", "deep"):
        case.fault("F-XXE", when={"operation": "getEstUp"}, args={"form": form})
        bodies[form] = case.raw_state(track).content
    assert b"<!DOCTYPE r [<!ENTITY x0" in bodies["entities"]
    assert b"&x;" in bodies["entities"]
    assert b'SYSTEM "file:///etc/hostname"' in bodies["external"]
    assert b"&lt;!DOCTYPE SII:RESPUESTA [" in bodies["inner"]
    root = etree.fromstring(bodies["external"], etree.XMLParser(resolve_entities=False, no_network=True))
    assert root.getroottree().docinfo.internalDTD is not None
    with pytest.raises(etree.XMLSyntaxError, match="amplification"):
        etree.fromstring(bodies["entities"])
    with pytest.raises(etree.XMLSyntaxError, match="depth"):
        etree.fromstring(bodies["deep"])
    boleta = case.track_of_boleta()
    case.fault("F-XXE", when={"operation": "estado_envio"}, args={"form": "deep"})
    with pytest.raises(RecursionError):
        case.boleta_state(boleta).json()
    case.fault("F-XXE", when={"operation": "getEstUp"}, args={"form": "huge", "megabytes": 200})
    request = case.sii.http.build_request(
        "POST", case.sii.hosts["dte"] + "/DTEWS/QueryEstUp.jws", content=b"x", headers={"SOAPAction": '""'}
    )
    # What is no call of getEstUp isn't touched.
    assert case.sii.http.send(request).status_code == 500
    size = 0
    with case.sii.http.stream("POST", str(request.url), content=_query(case, track), headers=_SOAP) as answer:
        assert int(answer.headers["Content-Length"]) > 200 * 1024 * 1024
        for piece in answer.iter_raw():
            size += len(piece)
            if size > 3 * 1024 * 1024:
                break
    assert case.state(track).state == "EPR"


_SOAP = {"SOAPAction": '""', "Content-Type": "text/xml"}


def _query(case: Case, track: str) -> bytes:
    given = {"RutCompania": "76900101", "DvCompania": "8", "TrackId": track, "Token": case.taxpayer.token}
    return soap_body("getEstUp", given)


PROOFS: dict[str, Proof] = {
    "F-SLOW": _slow,
    "F-RATE": _rate,
    "F-SKEW-1": _clock_ahead,
    "F-SKEW-2": _folios_expire,
    "F-SKEW-3": _summer_time,
    "F-TLS": _tls,
    "F-DNS": _closed,
    "F-XXE": _hostile,
}
