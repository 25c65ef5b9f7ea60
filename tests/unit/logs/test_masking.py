"""No secret leaks, whatever shape it comes in; and what is no secret stays legible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.masking import Masker, passwords_of

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"
SECRET = "S3cr3tV4lu3"


@pytest.mark.parametrize(
    "text",
    [
        f"redis://:{SECRET}@127.0.0.1:6379/0",
        f"redis://user:{SECRET}@host/0 was refused",
        f"redis://{SECRET}@host",
        f"postgresql://fmgo:{SECRET}@db/fmgo?sslmode=require",
        f"postgresql://fmgo@db/fmgo?password={SECRET}&x=1",
        f"rediss://u:p@{SECRET}@host/0",
        f"host=db password={SECRET} dbname=fmgo",
        f"host=db password='{SECRET} and more' dbname=fmgo",
        f"Cookie: TOKEN={SECRET}",
        f"cookie TOKEN = {SECRET}; path=/",
        f'{{"token": "{SECRET}", "ok": 1}}',
        f"{{'token': '{SECRET}'}}",
        f"<SII:RESP_BODY><TOKEN>{SECRET}</TOKEN>",
        f'<Token xsi:type="xsd:string">{SECRET}</Token>',
        f"&lt;TOKEN&gt;{SECRET}&lt;/TOKEN&gt;",
        f"Authorization: Bearer {SECRET}",
        f"Authorization: Basic {SECRET}==",
        f"FMGO_VAULT_KEYS={SECRET}",
        f"--password {SECRET}".replace(" ", "="),
        f"api_key: {SECRET}",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
        f"-----BEGIN ENCRYPTED PRIVATE KEY-----\\n{SECRET}",
        f"<RSASK>{SECRET}\n{SECRET}</RSASK>",
        f"&lt;RSASK&gt;{SECRET}",
    ],
)
def test_secret_of_a_known_shape_is_masked(text: str) -> None:
    masked = Masker().text(f"before {text} after")
    assert SECRET not in masked
    assert "***" in masked
    assert masked.startswith("before ")


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "token",
        "TOKEN",
        "db_password",
        "set-cookie",
        "Cookie",
        "private_key",
        "private_key_der",
        "vault_keys",
    ],
)
def test_secret_under_a_telling_name_is_masked(name: str) -> None:
    event = Masker().event({name: SECRET, "nested": {"deep": [{name: SECRET}]}, "ok": 1})
    assert SECRET not in repr(event)
    assert event["ok"] == 1


def test_secret_told_beforehand_is_masked_anywhere() -> None:
    masker = Masker([SECRET, "short", ""])
    assert masker.text(f"x{SECRET}y") == "x***y"
    assert masker.text("short") == "short"


def test_secret_inside_bytes_and_objects_is_masked() -> None:
    class Shown:
        def __str__(self) -> str:
            return f"token={SECRET}"

    event = Masker().event({"body": f"TOKEN={SECRET}".encode(), "thing": Shown(), "error": ValueError(KEY)})
    assert SECRET not in repr(event)
    assert "MIIEow" not in repr(event)


def test_what_is_no_secret_stays() -> None:
    event = {
        "event": "recorded",
        "idempotency_key": "caja-1-77",
        "key_id": "k1",
        "folio": 12,
        "ratio": 1.5,
        "ok": True,
        "none": None,
        "url": "https://maullin.sii.cl/DTEWS/CrSeed.jws?WSDL",
        "text": "Señal de ñandú, 14:30: la clave de acceso",
        "items": ["a", 1],
    }
    assert Masker().event(event) == event


def test_control_characters_do_not_reach_a_terminal() -> None:
    assert Masker().text("a\x1b[31mb\x00\x9b2Jc\td\ne") == "a�[31mb��2Jc\td\ne"


def test_object_that_cannot_show_itself_is_named() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError(SECRET)

    assert Masker().event({"x": Broken()})["x"] == "<Broken that can't be shown: RuntimeError>"


def test_very_long_and_very_deep_values_are_cut() -> None:
    deep: object = SECRET
    for _ in range(50):
        deep = [deep]
    event = Masker().event({"long": "x" * 100_000, "deep": deep})
    assert len(str(event["long"])) < 21_000
    assert "deeper" in repr(event["deep"])


def test_key_cut_by_the_limit_is_masked() -> None:
    text = "x" * 19_900 + "-----BEGIN PRIVATE KEY-----\n" + SECRET * 500
    assert SECRET not in Masker().text(text)


@given(
    st.recursive(
        st.none() | st.text() | st.binary() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_masking_never_raises(value: object) -> None:
    Masker(["secret1"]).event({"value": value})


def test_passwords_of_urls_are_found_as_written_and_decoded() -> None:
    assert passwords_of(["redis://:p%40ss@h", None, "no url", "postgresql://u@h", "http://[broken"]) == (
        "p%40ss",
        "p@ss",
    )
