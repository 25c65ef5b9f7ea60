"""Log in, send, ask: the client against the simulator, a process of its own that truly checks what it receives."""

import time
from collections.abc import Iterator

import pytest

from domain.answers import UploadAnswer
from domain.issuing import SignedDocument
from tests.integration.sii.conftest import PERSON, Identity, settings_for
from tests.integration.sii.simulator import COMPANY, Shop, Simulator, running
from workers.sii import Channel, Deadline, Folio, Parcel, SiiClient, SiiLoginError

CHANNELS: tuple[tuple[Channel, int], ...] = (("soap", 33), ("rest", 39))


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running(tmp_path_factory.mktemp("sii")) as started:
        yield started


@pytest.fixture(scope="module")
def shop(simulator: Simulator, identity: Identity) -> Shop:
    return Shop(simulator, identity)


@pytest.fixture
def client(simulator: Simulator) -> Iterator[SiiClient]:
    with SiiClient(settings_for("http://unused.invalid", **simulator.hosts)) as made:
        yield made
    simulator.tell("/faults", method="DELETE")


def send(client: SiiClient, channel: Channel, token: str, data: bytes, name: str = "envio.xml") -> UploadAnswer:
    return client.upload(channel, token, Parcel(PERSON, COMPANY, name, data), Deadline(30, time.monotonic()))


def meaning(client: SiiClient, channel: Channel, token: str, document: SignedDocument, more: int = 0) -> str:
    asked = Folio(
        PERSON,
        COMPANY,
        document.receiver,
        document.document_type,
        document.folio,
        document.issued_on,
        int(document.total) + more,
    )
    return client.document_status(channel, token, asked).meaning


@pytest.mark.parametrize(("channel", "kind"), CHANNELS)
def test_documents_are_sent_and_accepted(client: SiiClient, shop: Shop, channel: Channel, kind: int) -> None:
    token = client.login(channel, shop.identity.signer).value
    first, second = shop.document(kind), shop.document(kind)
    assert meaning(client, channel, token, first) == "absent"
    answer = send(client, channel, token, shop.envelope(first, second))
    assert (answer.outcome, answer.detail) == ("received", "")
    assert answer.track_id is not None
    status = client.envelope_status(channel, token, COMPANY, answer.track_id)
    assert (status.phase, status.state, status.accepted, status.rejected, status.repaired) == (
        "processed",
        "EPR",
        2,
        0,
        0,
    )
    assert [meaning(client, channel, token, one) for one in (first, second)] == ["accepted", "accepted"]
    assert meaning(client, channel, token, first, more=1) == "mismatch"


@pytest.mark.parametrize(("channel", "kind"), CHANNELS)
def test_lost_answer_is_unknown_and_the_documents_are_held(
    client: SiiClient, shop: Shop, simulator: Simulator, channel: Channel, kind: int
) -> None:
    token = client.login(channel, shop.identity.signer).value
    document = shop.document(kind)
    simulator.tell("/faults", {"fault": "F-LOST-1", "when": {"operation": "upload"}})
    assert send(client, channel, token, shop.envelope(document)).outcome == "unknown"
    simulator.tell("/documents")
    assert meaning(client, channel, token, document) == "accepted"


def test_identical_bytes_bring_the_first_track_id(client: SiiClient, shop: Shop, simulator: Simulator) -> None:
    token = client.login("soap", shop.identity.signer).value
    data = shop.envelope(shop.document(33))
    simulator.tell("/faults", {"fault": "F-LOST-5", "when": {"operation": "upload"}})
    assert send(client, "soap", token, data).outcome == "unknown"
    again = send(client, "soap", token, data)
    assert (again.outcome, again.status) == ("duplicate", "99")
    assert again.track_id is not None
    assert client.envelope_status("soap", token, COMPANY, again.track_id).accepted == 1


@pytest.mark.parametrize(("channel", "kind"), CHANNELS)
def test_dead_token_is_told_everywhere(
    client: SiiClient, shop: Shop, simulator: Simulator, channel: Channel, kind: int
) -> None:
    token = client.login(channel, shop.identity.signer).value
    document = shop.document(kind)
    simulator.tell("/tokens/expire", {})
    answer = send(client, channel, token, shop.envelope(document))
    assert (answer.outcome, answer.retry) == ("not_received", "token")
    assert client.envelope_status(channel, token, COMPANY, "1").phase == "token"
    assert meaning(client, channel, token, document) == "token"
    fresh = client.login(channel, shop.identity.signer).value
    assert fresh != token
    assert meaning(client, channel, fresh, document) == "absent"


@pytest.mark.parametrize(("channel", "other"), [("soap", "rest"), ("rest", "soap")])
def test_token_of_the_other_channel_is_no_token(
    client: SiiClient, shop: Shop, channel: Channel, other: Channel
) -> None:
    token = client.login(other, shop.identity.signer).value
    assert client.envelope_status(channel, token, COMPANY, "1").phase == "token"


@pytest.mark.parametrize(("channel", "kind"), CHANNELS)
def test_refused_caratula_is_a_refused_envelope(client: SiiClient, shop: Shop, channel: Channel, kind: int) -> None:
    token = client.login(channel, shop.identity.signer).value
    document = shop.document(kind)
    answer = send(client, channel, token, shop.envelope(document, resolution=document.issued_on))
    assert answer.track_id is not None
    status = client.envelope_status(channel, token, COMPANY, answer.track_id)
    assert (status.phase, status.state) == ("refused", "RCT")
    assert meaning(client, channel, token, document) == "absent"


@pytest.mark.parametrize(("channel", "kind"), CHANNELS)
def test_half_of_an_envelope_rejected_is_processed_with_both_counters(
    client: SiiClient, shop: Shop, simulator: Simulator, channel: Channel, kind: int
) -> None:
    token = client.login(channel, shop.identity.signer).value
    simulator.tell("/faults", {"fault": "F-HALF", "times": 1})
    documents = [shop.document(kind) for _ in range(4)]
    answer = send(client, channel, token, shop.envelope(*documents))
    assert answer.track_id is not None
    status = client.envelope_status(channel, token, COMPANY, answer.track_id)
    assert (status.phase, status.accepted, status.rejected) == ("processed", 2, 2)
    assert sorted(meaning(client, channel, token, one) for one in documents) == ["absent"] * 2 + ["accepted"] * 2
    if channel == "rest":
        refused = [finding for finding in status.findings if finding.state == "RCH"]
        assert len(refused) == 2
        assert all(error.code.count("-") == 2 for finding in refused for error in finding.errors)


def test_unknown_track_id_is_no_verdict(client: SiiClient, shop: Shop) -> None:
    for channel, _ in CHANNELS:
        token = client.login(channel, shop.identity.signer).value
        assert client.envelope_status(channel, token, COMPANY, "999999999").phase in ("pending", "unknown")


def test_file_that_is_no_envelope_is_refused_for_ever(client: SiiClient, shop: Shop) -> None:
    token = client.login("soap", shop.identity.signer).value
    answer = send(client, "soap", token, b'<?xml version="1.0" encoding="ISO-8859-1"?>\n<Otro/>')
    assert (answer.outcome, answer.retry, answer.status) == ("not_received", "never", "7")


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("F-500-LIT", "unknown"),
        ("F-HTTP-503", "unknown"),
        ("F-HTML-UP", "unknown"),
        ("F-UNK", "unknown"),
        ("F-LOST-4", "unknown"),
        ("F-9", "not_received"),
    ],
)
def test_misbehaviour_of_the_gateway_is_never_a_verdict(
    client: SiiClient, shop: Shop, simulator: Simulator, fault: str, outcome: str
) -> None:
    token = client.login("soap", shop.identity.signer).value
    simulator.tell("/faults", {"fault": fault, "when": {"operation": "upload"}})
    answer = send(client, "soap", token, shop.envelope(shop.document(33)))
    assert (answer.outcome, answer.track_id) == (outcome, None)


@pytest.mark.parametrize(("channel", "fault"), [("soap", "F-CUT-XML"), ("rest", "F-CUT-JSON")])
def test_cut_answer_to_a_question_is_no_verdict(
    client: SiiClient, shop: Shop, simulator: Simulator, channel: Channel, fault: str
) -> None:
    token = client.login(channel, shop.identity.signer).value
    answer = send(client, channel, token, shop.envelope(shop.document(33 if channel == "soap" else 39)))
    assert answer.track_id is not None
    simulator.tell("/faults", {"fault": fault, "when": {"operation": "envelope_status"}, "times": 2})
    assert client.envelope_status(channel, token, COMPANY, answer.track_id).phase == "unknown"


def test_nobody_known_gets_no_token(client: SiiClient, shop: Shop) -> None:
    assert shop is not None
    stranger = Identity()
    for channel, _ in CHANNELS:
        with pytest.raises(SiiLoginError) as caught:
            client.login(channel, stranger.signer)
        assert caught.value.retry == "never"


def test_what_was_held_was_held_once(simulator: Simulator) -> None:
    invariants = simulator.tell("/invariants")
    assert invariants["doubled"] == 0
