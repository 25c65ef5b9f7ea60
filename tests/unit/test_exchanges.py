"""Tokens are masked in what is kept of the SII's answers, however they are written."""

import pytest

from tests.unit.answers.wire import respuesta, soap
from workers.exchanges import without_token

TOKEN = "XAuSbYXiNh9Ik"


@pytest.mark.parametrize(
    "answer",
    [
        soap(respuesta("<ESTADO>00</ESTADO>", f"<TOKEN>{TOKEN}</TOKEN>"), operation="getToken"),
        respuesta("<ESTADO>00</ESTADO>", f"<SII:TOKEN>{TOKEN}</SII:TOKEN>").encode(),
        respuesta("", f"<TOKEN >\r\n{TOKEN}</TOKEN>").encode(),
        respuesta("", f'<token a="b"><![CDATA[{TOKEN}]]></token>').encode(),
        f"<TOKEN>{TOKEN}".encode(),
        f"&lt;TOKEN&gt;{TOKEN}".encode(),
    ],
)
def test_a_token_is_masked(answer: bytes) -> None:
    kept = without_token(answer)
    assert TOKEN.encode() not in kept
    assert b"***" in kept
    assert kept.startswith(answer[:6])


def test_what_holds_no_token_is_kept_as_it_came() -> None:
    answer = soap(respuesta("<ESTADO>08</ESTADO><GLOSA>NO GENERA TOKEN func:CreaToken</GLOSA>"), operation="getToken")
    assert without_token(answer) == answer
