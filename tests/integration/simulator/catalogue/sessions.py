"""Proofs about seeds, tokens, User-Agents and permissions."""

from tests.integration.simulator.catalogue.case import Case, Proof, is_lost, status
from tests.integration.simulator.client import AGENT
from tests.integration.simulator.documents import COMPANY


def _token_expires(case: Case) -> None:
    case.fault("F-TOK-1", when={"operation": "envelope_status"})
    assert case.state("1").state == "001"
    case.taxpayer.tokens.clear()
    assert status(case.upload(case.invoice())) == "0"
    case.advance(3601)
    assert status(case.upload(case.invoice(2))) == "5"
    assert case.state("1").state == "001"
    # Over REST the same looks otherwise.
    rest = case.taxpayer.rest_token
    case.fault("F-TOK-1", when={"host": "boleta_up"})
    refused = case.send_boleta(case.boleta(), token=rest)
    assert (refused.status_code, refused.text) == (401, "NO ESTA AUTENTICADO\n")


def _token_dies_early(case: Case) -> None:
    case.fault("F-TOK-2")
    token = case.taxpayer.token
    case.advance(31)
    assert case.state("1").state == "001"
    case.lift()
    case.taxpayer.tokens.clear()
    assert case.taxpayer.token != token
    case.advance(31)
    assert case.state("1").state == "-11"


def _no_token_is_good_enough(case: Case) -> None:
    case.fault("F-TOK-3")
    for _ in range(3):
        case.taxpayer.tokens.clear()
        assert status(case.upload(case.invoice())) == "5"
    assert case.sii.control("GET", "/invariants")["logins"] == {f"{case.taxpayer.person.rut} soap": 3}
    assert case.stored() == []


def _token_of_the_other_channel(case: Case) -> None:
    soap, rest = case.taxpayer.token, case.taxpayer.rest_token
    assert case.send_boleta(case.boleta(), token=soap).status_code == 401
    assert status(case.upload(case.invoice(), token=rest)) == "5"
    case.fault("F-TOK-4", when={"operation": "envelope_status"})
    assert [case.state("1").state for _ in range(2)] == ["003", "-11"]


def _user_agent(case: Case) -> None:
    browser = "Mozilla/5.0 (X11; Linux x86_64)"
    assert "HA OCURRIDO UN ERROR EN EL UPLOAD" in case.upload(case.invoice(), agent=browser).text
    assert case.send_boleta(case.boleta(), agent=browser).status_code == 401
    case.fault("F-UA-1", times=2)
    assert "HA OCURRIDO UN ERROR EN EL UPLOAD" in case.upload(case.invoice(), agent=AGENT).text
    refused = case.send_boleta(case.boleta())
    assert (refused.status_code, refused.text) == (401, "NO ESTA AUTENTICADO\n")
    assert case.stored() == []


def _seed_is_too_old(case: Case) -> None:
    seed = case.sii.seed()
    case.advance(121)
    answers = [case.login(seed)]
    case.fault("F-SEED-1")
    answers.append(case.login())
    assert {(a.state, a.get("GLOSA"), a.get("TOKEN")) for a in answers} == {("08", "TIME-OUT DEL SEED", "")}
    assert case.login().state == "00"


def _seed_is_used_twice(case: Case) -> None:
    seed = case.sii.seed()
    assert case.login(seed).state == "00"
    answers = [case.login(seed)]
    case.fault("F-SEED-2")
    answers.append(case.login())
    assert {(a.state, a.get("GLOSA")) for a in answers} == {("08", "NO Existe SEED")}


def _seed_of_the_other_environment(case: Case) -> None:
    with case.another("--environment", "production", "--seed", "99") as production:
        assert case.login(production.sii.seed()).get("GLOSA") == "NO Existe SEED"
        assert production.login(case.sii.seed()).get("GLOSA") == "NO Existe SEED"
        assert production.login().state == "00"
    case.fault("F-SEED-3")
    assert case.login().state == "08"


def _internal_errors_of_the_login(case: Case) -> None:
    for estado in ("-1", "-2"):
        case.fault("F-SEED-4", when={"operation": "seed"}, args={"estado": estado})
        answer = case.sii.soap("CrSeed.jws", "getSeed", {})
        assert (answer.state, answer.all("SEMILLA")) == (estado, [])
    for estado in ("07", "09", "10", "12"):
        case.fault("F-SEED-4", when={"operation": "get_token"}, args={"estado": estado})
        answer = case.login()
        assert (answer.state, answer.all("TOKEN")) == (estado, [])
    case.fault("F-SEED-4", when={"host": "boleta_api"}, args={"estado": "-1"})
    rest = case.sii.http.get(case.sii.hosts["boleta_api"] + "/recursos/v1/boleta.electronica.semilla")
    assert "<ESTADO>-1</ESTADO>" in rest.text
    assert case.login().state == "00"


def _order_of_header_and_body(case: Case) -> None:
    case.switch(hdr_order="hdr_first")
    case.fault("F-SEED-5", times=1)
    first, second = (case.sii.soap("CrSeed.jws", "getSeed", {}).text for _ in range(2))
    assert first.index("RESP_BODY") < first.index("RESP_HDR")
    assert second.index("RESP_HDR") < second.index("RESP_BODY")
    assert "RESP_BODY" not in case.login("1").text


def _no_permission(case: Case) -> None:
    track = case.taxpayer.send(case.invoice())
    case.fault("F-106")
    assert [case.state(track).state for _ in range(2)] == ["106", "EPR"]
    boleta = case.track_of_boleta()
    case.fault("F-106")
    assert [case.boleta_state(boleta).status_code for _ in range(2)] == [401, 200]
    case.sii.control("POST", "/permissions/revoke", {"person": case.taxpayer.person.rut, "company": COMPANY})
    assert case.state(track).state == "106"
    case.switch(missing_permission="gateway")
    assert status(case.upload(case.invoice(2))) == "1"


def _wrong_host(case: Case) -> None:
    token = case.taxpayer.rest_token
    hosts = case.sii.hosts
    case.sii.hosts = hosts | {"boleta_up": hosts["boleta_api"]}
    wrong = case.send_boleta(case.boleta(), token=token)
    case.sii.hosts = hosts
    assert (wrong.status_code, "Acceso Denegado (from client)" in wrong.text) == (500, True)
    case.fault("F-HOST", when={"operation": "upload"})
    assert "Acceso Denegado" in case.send_boleta(case.boleta(), token=token).text
    case.switch(wsdl_address="internal")
    described = case.sii.http.get(case.sii.hosts["dte"] + "/DTEWS/QueryEstUp.jws?WSDL").text
    assert "https://nogal.sii.cl/" in described
    assert not is_lost(lambda: case.send_boleta(case.boleta(), token=token))


PROOFS: dict[str, Proof] = {
    "F-TOK-1": _token_expires,
    "F-TOK-2": _token_dies_early,
    "F-TOK-3": _no_token_is_good_enough,
    "F-TOK-4": _token_of_the_other_channel,
    "F-UA-1": _user_agent,
    "F-SEED-1": _seed_is_too_old,
    "F-SEED-2": _seed_is_used_twice,
    "F-SEED-3": _seed_of_the_other_environment,
    "F-SEED-4": _internal_errors_of_the_login,
    "F-SEED-5": _order_of_header_and_body,
    "F-106": _no_permission,
    "F-HOST": _wrong_host,
}
