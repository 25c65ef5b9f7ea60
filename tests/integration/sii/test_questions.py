"""Questions may be asked twice, keep their connections, and never bring a verdict that the SII did not give."""

import threading
from datetime import UTC, datetime

import pytest

from tests.integration.sii.conftest import PERSON, MakeClient
from tests.integration.sii.scripted import COMPANY, Connection, Server, answering, hang_up, silence, status
from tests.unit.answers.wire import counters, fault
from workers.sii import Folio


def test_questions_keep_their_connection(make_client: MakeClient) -> None:
    with answering(status()) as server:
        client = make_client(server.host)
        for _ in range(3):
            client.envelope_status("soap", "t", COMPANY, "77")
    assert (len(server.requests), server.connections) == (3, 1)


def test_question_whose_connection_breaks_is_asked_once_more(make_client: MakeClient) -> None:
    def script(connection: Connection, _request: bytes) -> None:
        if len(server.requests) == 1:
            connection.close()
        else:
            connection.answer(status())

    with Server(script) as server:
        assert make_client(server.host).envelope_status("soap", "t", COMPANY, "77").phase == "processed"
    assert len(server.requests) == 2


def test_question_without_an_answer_is_no_verdict(make_client: MakeClient) -> None:
    day = datetime(2026, 3, 4, tzinfo=UTC).date()
    with Server(hang_up) as server:
        client = make_client(server.host)
        assert client.envelope_status("soap", "t", COMPANY, "77").phase == "unknown"
        assert client.document_status("soap", "t", Folio(PERSON, COMPANY, PERSON, 33, 1, day, 1)).meaning == "unknown"
        assert len(server.requests) == 4


def test_question_that_times_out_is_not_asked_again(make_client: MakeClient) -> None:
    with Server(silence) as server:
        status_ = make_client(server.host, sii_query_seconds=0.3).envelope_status("rest", "t", COMPANY, "77")
    assert status_.phase == "unknown"
    assert len(server.requests) == 1


@pytest.mark.parametrize("taken", ["http://DefaultNamespace", "/DTEWS/QueryEstUp.jws"])
def test_namespace_is_tried_once_and_remembered(make_client: MakeClient, taken: str) -> None:
    def script(connection: Connection, request: bytes) -> None:
        if f'{taken}"'.encode() in request.split(b"<m:getEstUp")[1]:
            connection.answer(status())
        else:
            connection.answer(fault("No such operation 'getEstUp'"), status="500 Internal Server Error")

    with Server(script) as server:
        client = make_client(server.host)
        phases = [client.envelope_status("soap", "t", COMPANY, "77").phase for _ in range(3)]
    assert phases == ["processed"] * 3
    assert len(server.requests) == (3 if taken.startswith("http") else 4)


def test_service_that_takes_neither_namespace_is_asked_twice_not_for_ever(make_client: MakeClient) -> None:
    with answering(fault("No such operation 'getEstUp'"), status_line="500 Internal Server Error") as server:
        assert make_client(server.host).envelope_status("soap", "t", COMPANY, "77").phase == "unknown"
    assert len(server.requests) == 2


def test_many_threads_share_a_client(make_client: MakeClient) -> None:
    def script(connection: Connection, request: bytes) -> None:
        track_id = request.split(b'<TrackId xsi:type="xsd:string">')[1].split(b"<")[0].decode()
        connection.answer(status(counters(33, int(track_id), 0, 0)))

    found: dict[int, int] = {}
    with Server(script) as server:
        client = make_client(server.host, sii_query_connections=4)

        def ask(number: int) -> None:
            for repeat in range(10):
                answer = client.envelope_status("soap", "t", COMPANY, str(number * 100 + repeat + 1))
                found[number * 100 + repeat + 1] = answer.accepted

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert len(found) == 160
    assert all(asked == accepted for asked, accepted in found.items())
    assert server.connections <= 8


def test_a_test_cannot_reach_the_real_sii(make_client: MakeClient) -> None:
    with pytest.raises(AssertionError, match="real maullin"):
        make_client("https://maullin.sii.cl").envelope_status("soap", "t", COMPANY, "77")
