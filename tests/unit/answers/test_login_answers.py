"""Seed and token: a string or a reason, and whether a new seed may help."""

import pytest

from domain.answers import read_seed, read_token
from tests.unit.answers.wire import UNAVAILABLE, fault, respuesta, soap

SEED = respuesta("<ESTADO>00</ESTADO>", "<SEMILLA>000002360958</SEMILLA>")


def token_answer(state: str, gloss: str = "") -> bytes:
    return soap(respuesta(f"<ESTADO>{state}</ESTADO><GLOSA>{gloss}</GLOSA>"), operation="getToken")


def test_seed_keeps_its_leading_zeros() -> None:
    assert read_seed(200, soap(SEED, operation="getSeed")).seed == "000002360958"


def test_rest_seed_is_the_inner_document_alone() -> None:
    assert read_seed(200, SEED.replace("<ESTADO>00", "<ESTADO>0").encode()).seed == "000002360958"


def test_seed_without_a_state_is_a_seed() -> None:
    document = SEED.replace("<ESTADO>00</ESTADO>", "").replace("000002360958", "043871953686")
    assert read_seed(200, soap(document, operation="getSeed")).seed == "043871953686"


def test_state_is_never_taken_for_a_seed() -> None:
    answer = read_seed(200, soap(respuesta("<ESTADO>-2</ESTADO><GLOSA>ERROR RETORNO</GLOSA>"), operation="getSeed"))
    assert (answer.seed, answer.state, answer.gloss) == (None, "-2", "ERROR RETORNO")


def test_seed_of_a_failed_answer_is_not_used() -> None:
    assert read_seed(200, soap(respuesta("<ESTADO>-1</ESTADO>", "<SEMILLA>1</SEMILLA>"))).seed is None


@pytest.mark.parametrize("body", [UNAVAILABLE, b"", fault("No such operation 'getSeed'")])
def test_no_answer_is_no_seed(body: bytes) -> None:
    assert read_seed(503, body).seed is None


def test_token_is_taken_with_state_00() -> None:
    answer = read_token(
        200, soap(respuesta("<ESTADO>00</ESTADO>", "<TOKEN>XAuSbYXiNh9Ik</TOKEN>"), operation="getToken")
    )
    assert (answer.token, answer.retry) == ("XAuSbYXiNh9Ik", None)


def test_token_shows_in_no_repr() -> None:
    answer = read_token(
        200, soap(respuesta("<ESTADO>00</ESTADO>", "<TOKEN>XAuSbYXiNh9Ik</TOKEN>"), operation="getToken")
    )
    assert "XAuSb" not in repr(answer)


@pytest.mark.parametrize("token", ["", "dos palabras", "x;y", "ñ", "a\nb"])
def test_token_that_a_cookie_cannot_carry_is_none(token: str) -> None:
    assert read_token(200, soap(respuesta("<ESTADO>00</ESTADO>", f"<TOKEN>{token}</TOKEN>"))).token is None


@pytest.mark.parametrize("state", ["01", "02", "03", "04", "05", "06", "11", "21", "-3", "-07"])
def test_refusals_that_only_a_person_can_mend(state: str) -> None:
    answer = read_token(200, token_answer(state, "algo"))
    assert (answer.token, answer.state, answer.retry) == (None, state, "never")
    assert answer.gloss.startswith("algo (")


@pytest.mark.parametrize("state", ["07", "08", "09", "10", "12", "-1", "-2", "77", ""])
def test_refusals_that_a_new_seed_may_mend_and_unknown_ones(state: str) -> None:
    answer = read_token(200, token_answer(state, "TIME-OUT DEL SEED"))
    assert (answer.token, answer.state, answer.retry) == (None, state, "later")


@pytest.mark.parametrize("body", [UNAVAILABLE, b"", fault("java.net.SocketException")])
def test_no_answer_is_no_token_and_passes(body: bytes) -> None:
    assert (read_token(503, body).token, read_token(503, body).retry) == (None, "later")
