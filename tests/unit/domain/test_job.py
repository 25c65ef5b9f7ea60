"""A body is a job whose key is sure, or refused with every reason; nothing else happens."""

import hashlib
import json
import uuid
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.job import DEEPEST, Job, NotAJob, body_hash, document_id, job_schema, parse_job
from domain.preparing import prepare
from domain.problems import InvalidDocument, Problem
from tests.unit.domain.samples import ISSUER, TODAY, invoice

JOB = {"version": 1, "idempotency_key": "venta-1", "issuer": "76.900.101-8", "document": {"Encabezado": {}}}


def _body(**changes: Any) -> bytes:
    return json.dumps({**JOB, **changes}).encode()


def _codes(body: bytes) -> list[str]:
    with pytest.raises(NotAJob) as refused:
        parse_job(body)
    return sorted(problem.code for problem in refused.value.problems)


def test_least_job_has_defaults() -> None:
    job = parse_job(_body())
    assert job == Job(
        version=1,
        idempotency_key="venta-1",
        issuer="76900101-8",
        environment="certification",
        lane="interactive",
        document={"Encabezado": {}},
    )


def test_whole_job() -> None:
    batch = uuid.uuid4()
    job = parse_job(
        _body(
            environment="production",
            branch="Arica",
            till="Caja 3",
            lane="bulk",
            batch=str(batch),
            replaces="venta-0",
        )
    )
    assert (job.environment, job.branch, job.till, job.lane) == ("production", "Arica", "Caja 3", "bulk")
    assert (job.batch, job.replaces) == (batch, "venta-0")


@pytest.mark.parametrize(
    ("issuer", "why"),
    [
        ("76900101-9", "the check digit of 76900101 is 8, not 9"),
        ("76.900.101-K", "the check digit of 76900101 is 8, not K"),
        ("99999-7", "the body of a RUT is 100,000 or more"),
        ("100000000-0", "the body of a RUT has up to eight digits"),
        ("66666666-6", "66666666-6 stands for receivers without a RUT and issues nothing"),
        ("55.555.555-5", "55555555-5 stands for receivers without a RUT and issues nothing"),
    ],
)
def test_an_issuer_that_can_never_exist_is_refused_with_the_reason(issuer: str, why: str) -> None:
    with pytest.raises(NotAJob) as refused:
        parse_job(_body(issuer=issuer))
    (problem,) = refused.value.problems
    assert (problem.code, problem.path) == ("JOB-ISSUER", "issuer")
    assert problem.message == f"Write the issuer's RUT as 12345678-9: {why}."


def test_an_issuer_written_with_dots_and_a_small_k_is_the_same_company() -> None:
    assert parse_job(_body(issuer="60.803.000-k")).issuer == "60803000-K"


def test_a_reply_is_answered_and_never_dropped_in_silence() -> None:
    with pytest.raises(NotAJob) as refused:
        parse_job(_body(reply={"queue": "tienda"}))
    (problem,) = refused.value.problems
    assert (problem.code, problem.path) == ("JOB-REPLY", "reply")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "JOB-JSON"),
        (b"{", "JOB-JSON"),
        (b'{"version": NaN}', "JOB-JSON"),
        (b"\xff\xfe{}", "JOB-ENCODING"),
        ("{}".encode("utf-16"), "JOB-ENCODING"),
        (b"[]", "JOB-OBJECT"),
        (b"null", "JOB-OBJECT"),
        (b"7", "JOB-OBJECT"),
        (b"[" * 100_000, "JOB-DEPTH"),
        (b'{"a":' * 200_000, "JOB-DEPTH"),
        (_body(document={"a": json.loads("[" * DEEPEST + "]" * DEEPEST)}), "JOB-DEPTH"),
        (b'{"version":1,"version":1}', "JOB-DUPLICATE"),
        (_body()[:-2] + b',"x":1,"x":1}}', "JOB-DUPLICATE"),
        (_body(version=2), "JOB-VERSION"),
        (_body(version="1"), "JOB-VERSION"),
        (_body(version=None), "JOB-VERSION"),
        (_body(idempotency_key=""), "JOB-KEY"),
        (_body(idempotency_key="  "), "JOB-KEY"),
        (_body(idempotency_key=5), "JOB-KEY"),
        (_body(idempotency_key="a\x00"), "JOB-KEY"),
        (_body(idempotency_key="a\ud800"), "JOB-KEY"),
        (_body(idempotency_key="a\nb"), "JOB-KEY"),
        (_body(idempotency_key="x" * 201), "JOB-KEY"),
        (_body(issuer="ACME"), "JOB-ISSUER"),
        (_body(issuer=76900101), "JOB-ISSUER"),
        (_body(issuer="1234567890-1"), "JOB-ISSUER"),
        (_body(environment="prod"), "JOB-ENVIRONMENT"),
        (_body(lane="fast"), "JOB-LANE"),
        (_body(branch=3), "JOB-BRANCH"),
        (_body(till=""), "JOB-TILL"),
        (_body(batch="7"), "JOB-BATCH"),
        (_body(batch=7), "JOB-BATCH"),
        (_body(replaces="\x07"), "JOB-REPLACES"),
        (_body(document=[]), "JOB-DOCUMENT"),
        (_body(document=None), "JOB-DOCUMENT"),
        (_body(reply="x"), "JOB-REPLY"),
        (_body(**{"prioridad\ud800\x00": 1}), "JOB-MEMBER"),
        (_body(isuer="x"), "JOB-MEMBER"),
    ],
    ids=range(38),
)
def test_what_is_no_job_is_refused_with_its_code(body: bytes, code: str) -> None:
    assert _codes(body) == [code]


@pytest.mark.parametrize("member", ["version", "idempotency_key", "issuer", "document"])
def test_missing_member_is_named(member: str) -> None:
    body = json.dumps({name: value for name, value in JOB.items() if name != member}).encode()
    assert len(_codes(body)) == 1


def test_every_reason_is_told_at_once() -> None:
    assert _codes(_body(version=3, issuer="x", lane="y", extra=1)) == [
        "JOB-ISSUER",
        "JOB-LANE",
        "JOB-MEMBER",
        "JOB-VERSION",
    ]


def test_longest_key_and_a_byte_order_mark_are_taken() -> None:
    assert parse_job(b"\xef\xbb\xbf" + _body(idempotency_key="ñ" * 200)).idempotency_key == "ñ" * 200


def test_figures_keep_every_decimal() -> None:
    body = _body()[:-2] + b',"a":123456789012.123456,"b":0.1,"c":1e3,"d":1e999,"e":1e-99999999999999999999,"f":%s}}' % (
        b"9" * 5000
    )
    figures = parse_job(body).document
    assert figures == {
        "Encabezado": {},
        "a": "123456789012.123456",
        "b": 0.1,
        "c": 1000.0,
        "d": "1e999",
        "e": "1e-99999999999999999999",
        "f": "9" * 5000,
    }


def test_hash_is_of_issuer_and_document_however_they_are_written() -> None:
    first = parse_job(
        b'{"version":1,"idempotency_key":"a","issuer":"76.900.101-8","document":{"x":1.50,"y":"\\u00f1"}}'
    )
    other = '{"document": {"y": "ñ", "x": 1.5}, "issuer": "76900101-8", "idempotency_key": "b", "version": 1}'
    second = parse_job(other.encode())
    assert body_hash(first) == body_hash(second)
    canonical = b'{"document":{"x":1.5,"y":"\\u00f1"},"issuer":"76900101-8"}'
    assert body_hash(first) == hashlib.sha256(canonical).digest()
    third = parse_job(b'{"version":1,"idempotency_key":"a","issuer":"76900101-8","document":{"x":1.51,"y":"\\u00f1"}}')
    assert body_hash(first) != body_hash(third)


def test_hash_of_what_no_database_takes_is_still_a_hash() -> None:
    assert len(body_hash(parse_job(_body(document={"a\x00": "\ud800"})))) == 32


def test_document_id_is_fixed() -> None:
    expected = uuid.UUID(bytes=hashlib.sha256("certification\n76900101-8\n1\nventa-ñ".encode()).digest()[:16])
    assert document_id("76900101-8", "certification", "venta-ñ", 1) == expected
    assert document_id("76900101-8", "certification", "venta-ñ", 2) != expected


def test_schema_names_every_member() -> None:
    schema = job_schema()
    assert set(schema["properties"]) == set(Job.model_fields)
    assert schema["required"] == ["version", "idempotency_key", "issuer", "document"]
    assert schema["properties"]["document"]["type"] == "object"
    json.dumps(schema)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_do_anything_else(body: bytes) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        parse_job(body)
    except NotAJob as refused:
        problems = refused.problems
    for problem in problems:
        f"{problem.path}{problem.message}".encode()


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=12,
    ),
    st.sampled_from([*JOB, "lane", "batch", "reply", "otro"]),
)
def test_no_json_does_anything_else(value: Any, member: str) -> None:
    body = json.dumps({**JOB, "document": invoice(), member: value}).encode()
    try:
        job = parse_job(body)
    except NotAJob:
        return
    assert len(body_hash(job)) == 32
    with suppress(InvalidDocument):
        prepare(job.document, issuer=ISSUER, today=TODAY, referenced={})


@pytest.mark.parametrize(
    ("changes", "code", "path", "words"),
    [
        ({"version": "1"}, "JOB-VERSION", "version", "without quotes"),
        ({"version": 1.5}, "JOB-VERSION", "version", "whole number, not 1.5"),
        ({"version": True}, "JOB-VERSION", "version", "whole number, not true"),
        ({"idempotency_key": 123}, "JOB-KEY", "idempotency_key", "in quotes: 123 is no text"),
        ({"till": 4}, "JOB-TILL", "till", "in quotes: 4 is no text"),
        ({"issuer": 769001018}, "JOB-ISSUER", "issuer", "in quotes"),
        ({"idempotencyKey": "x"}, "JOB-MEMBER", "idempotencyKey", "Did you mean idempotency_key?"),
        ({"Sucursal": "x"}, "JOB-MEMBER", "Sucursal", "Did you mean branch?"),
        ({"Encabezado": {}}, "JOB-DOCUMENT", "document", "Put Encabezado into document"),
    ],
)
def test_wrong_kinds_and_names_are_told_with_what_was_meant(
    changes: dict[str, Any], code: str, path: str, words: str
) -> None:
    with pytest.raises(NotAJob) as refused:
        parse_job(_body(**changes))
    (problem,) = refused.value.problems
    assert (problem.code, problem.path) == (code, path)
    assert words in problem.message


_DOCUMENT = {"Encabezado": {"IdDoc": {"TipoDTE": 33}}, "Detalle": [{"NmbItem": "Taladro", "PrcItem": 1000}]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (_DOCUMENT, "Put Encabezado, Detalle under a member called document"),
        ({"encabezado": {}, "detalle": []}, "Put encabezado, detalle under a member called document"),
        ({"dte": _DOCUMENT}, "Rename dte to document"),
        ({"Documento": _DOCUMENT}, "Rename Documento to document"),
        ({"DTE": {"Documento": _DOCUMENT}}, "Rename DTE to document"),
    ],
)
def test_documents_of_other_programs_are_told_where_they_belong(body: dict[str, Any], words: str) -> None:
    job = {name: value for name, value in JOB.items() if name != "document"}
    with pytest.raises(NotAJob) as refused:
        parse_job(json.dumps({**job, **body}).encode())
    (problem,) = refused.value.problems
    assert (problem.code, problem.path) == ("JOB-DOCUMENT", "document")
    assert problem.message.startswith(words)
