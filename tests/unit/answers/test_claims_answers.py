"""What the registry of acceptance and claims answers, and what it makes of a document."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.answers.claims import ClaimEvent, claim_state, read_claims
from tests.unit.answers.wire import fault

HEAD = (
    '<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><ns2:listarEventosHistDocResponse'
    ' xmlns:ns2="http://ws.registroreclamodte.diii.sdi.sii.cl"><return>'
)
TAIL = "</return></ns2:listarEventosHistDocResponse></S:Body></S:Envelope>"


def answer(code: str, *events: str) -> bytes:
    listed = "".join(
        f"<listaEventosDoc><codEvento>{event}</codEvento><descEvento>Acción</descEvento><rutResponsable>76543210"
        "</rutResponsable><dvResponsable>k</dvResponsable><fechaEvento>29-09-2026 12:05:36</fechaEvento>"
        "</listaEventosDoc>"
        for event in events
    )
    return f"{HEAD}<codResp>{code}</codResp><descResp>Acción</descResp>{listed}{TAIL}".encode()


def event(code: str) -> ClaimEvent:
    return ClaimEvent(code, "", "76543210-3", "29-09-2026 12:05:36")


def test_events_are_kept_verbatim_with_their_moment() -> None:
    told = read_claims(200, answer("15", "ACD", "ZZZ"))
    assert (told.meaning, told.code, told.is_about_events) == ("listed", "15", True)
    assert [(one.code, one.text, one.by) for one in told.events] == [
        ("ACD", "Acción", "76543210-K"),
        ("ZZZ", "Acción", "76543210-K"),
    ]
    # Chile's summer time had begun on 6 September 2026.
    assert told.events[0].moment == datetime(2026, 9, 29, 15, 5, 36, tzinfo=UTC)
    assert ClaimEvent("ACD", "", "", "ayer").moment is None
    assert ClaimEvent("ACD", "", "", "31-02-2026 12:00:00").moment is None


@pytest.mark.parametrize("code", ["-1", "1", "14", "18", "27", "999"])
def test_other_codes_say_nothing_of_events(code: str) -> None:
    told = read_claims(200, answer(code))
    assert (told.code, told.is_about_events) == (code, False)


@pytest.mark.parametrize(
    "body", [b"", b"<html>mantenci\xf3n</html>", b"Error 500", answer("15")[:90], fault("algo"), HEAD.encode()]
)
def test_what_is_no_answer_of_the_service_is_unknown(body: bytes) -> None:
    assert not read_claims(200, body).is_about_events


def test_a_refused_token_is_told_apart() -> None:
    assert read_claims(500, fault("Error de Autenticacion: TOKEN invalido")).meaning == "token"
    assert read_claims(401, b"no").meaning == "token"


@pytest.mark.parametrize(
    ("codes", "during", "after"),
    [
        ([], None, "deemed_accepted"),
        (["NCA", "ENC", "ZZZ"], None, "deemed_accepted"),
        (["ERM"], "goods_received", "goods_received"),
        (["ERM", "ACD"], "accepted", "accepted"),
        (["ACD"], "accepted", "accepted"),
        (["RCD"], "claimed", "claimed"),
        (["ERM", "RFP"], "claimed", "claimed"),
        (["RFT", "RCD"], "claimed", "claimed"),
    ],
)
def test_what_events_make_of_a_document(codes: list[str], during: str | None, after: str) -> None:
    events = [event(code) for code in codes]
    assert (claim_state(events, over=False), claim_state(events, over=True)) == (during, after)


@given(st.binary(max_size=300))
def test_no_bytes_raise(noise: bytes) -> None:
    assert not read_claims(200, noise).is_about_events
    read_claims(200, answer("15", "ACD")[:150] + noise)


def test_recorded_answers(shared: Path) -> None:
    samples = shared / "reference" / "sii-samples"
    listed = read_claims(200, (samples / "reclamo-listareventos-response.xml").read_bytes())
    assert [one.code for one in listed.events] == ["ACD"]
    assert read_claims(500, (samples / "reclamo-fault-token.xml").read_bytes()).meaning == "token"
