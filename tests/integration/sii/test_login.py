"""Login: a seed is used once, a passing refusal gets one more, everything else is raised."""

import pytest

from tests.integration.sii.conftest import PERSON, Identity, MakeClient
from tests.integration.sii.scripted import Connection, Server, answering
from tests.unit.answers.wire import respuesta, soap
from workers.sii import SiiLoginError


def scripted_login(*tokens: bytes) -> Server:
    """Seeds 1, 2, 3 … and these answers to getToken in turn (an empty one: the connection breaks)."""
    left = list(tokens)

    def script(connection: Connection, request: bytes) -> None:
        if b"getToken" not in request.split(b"\r\n\r\n", 1)[1]:
            connection.answer(soap(respuesta("<ESTADO>00</ESTADO>", f"<SEMILLA>{len(server.requests):012}</SEMILLA>")))
        elif answer := left.pop(0):
            connection.answer(answer)
        else:
            connection.close()

    server = Server(script)
    return server


def refusal(state: str) -> bytes:
    return soap(respuesta(f"<ESTADO>{state}</ESTADO><GLOSA>algo</GLOSA>"), operation="getToken")


GIVEN = soap(respuesta("<ESTADO>00</ESTADO>", "<TOKEN>XAuSbYXiNh9Ik</TOKEN>"), operation="getToken")


def test_login_signs_the_seed_and_returns_the_token(make_client: MakeClient, identity: Identity) -> None:
    with scripted_login(GIVEN) as server:
        token = make_client(server.host).login("soap", identity.signer)
    assert (token.value, token.channel, token.person) == ("XAuSbYXiNh9Ik", "soap", PERSON)
    assert "XAuSb" not in repr(token)
    assert b"&lt;Semilla&gt;000000000001&lt;/Semilla&gt;" in server.requests[1]


def test_passing_refusal_gets_one_new_seed(make_client: MakeClient, identity: Identity) -> None:
    with scripted_login(refusal("08"), GIVEN) as server:
        assert make_client(server.host).login("soap", identity.signer).value == "XAuSbYXiNh9Ik"
    assert b"000000000003" in server.requests[3]


def test_refusal_that_stays_is_raised_and_may_pass_later(make_client: MakeClient, identity: Identity) -> None:
    with scripted_login(refusal("08"), refusal("07")) as server, pytest.raises(SiiLoginError) as caught:
        make_client(server.host).login("soap", identity.signer)
    assert (caught.value.retry, caught.value.retry_helps, caught.value.state) == ("later", True, "07")
    assert caught.value.code == "SII-LOGIN-UNAVAILABLE"


def test_refusal_for_a_person_to_mend_is_raised_at_once(make_client: MakeClient, identity: Identity) -> None:
    with scripted_login(refusal("-3")) as server, pytest.raises(SiiLoginError, match="certificate") as caught:
        make_client(server.host).login("soap", identity.signer)
    assert (caught.value.retry, caught.value.retry_helps) == ("never", False)
    assert caught.value.code == "SII-LOGIN-REFUSED"
    assert len(server.requests) == 2


def test_seed_is_never_used_twice(make_client: MakeClient, identity: Identity) -> None:
    with scripted_login(b"", GIVEN) as server, pytest.raises(SiiLoginError) as caught:
        make_client(server.host).login("soap", identity.signer)
    assert caught.value.retry == "later"
    assert len([request for request in server.requests if b"getToken" in request]) == 1


def test_no_seed_is_no_login(make_client: MakeClient, identity: Identity) -> None:
    with answering(b"<html></html>", status_line="503 Service Unavailable") as server:
        client = make_client(server.host)
        with pytest.raises(SiiLoginError, match="no seed"):
            client.login("soap", identity.signer)
        with pytest.raises(SiiLoginError, match="no seed"):
            client.login("rest", identity.signer)


def test_addresses_are_those_of_the_settings(make_client: MakeClient) -> None:
    client = make_client("http://127.0.0.1:1", sii_rest_upload_url="http://127.0.0.1:2")
    assert client.upload_address("soap") == "http://127.0.0.1:1/cgi_dte/UPL/DTEUpload"
    assert client.upload_address("rest") == "http://127.0.0.1:2/recursos/v1/boleta.electronica.envio"
    with client as same:
        assert same is client


def test_sii_that_asks_to_wait_is_not_asked_again(make_client: MakeClient, identity: Identity) -> None:
    busy = answering(b"", status_line="503 Service Unavailable", headers="Retry-After: 120\r\n")
    with busy as server, pytest.raises(SiiLoginError) as caught:
        make_client(server.host).login("soap", identity.signer)
    assert (caught.value.retry, caught.value.retry_after) == ("later", 120)
    assert len(server.requests) == 1
