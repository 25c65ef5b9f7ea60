"""The documented producers in other languages: what they put on the list is what was given, byte for byte."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from domain.job import document_id, parse_job
from tests.integration.producer.jobs import ISSUER, body
from workers.cache.results import Result, Results

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "docs" / "examples"
REDIS_CLI = shutil.which("redis-cli")
NODE = shutil.which("node")
SALE = body("caja ñ-7 €")


def run(command: list[str], redis_url: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "FMGO_REDIS_URL": redis_url}
    return subprocess.run(command, input=given, env=environment, capture_output=True, timeout=60, check=False)


def test_the_shell_puts_a_job_on_the_list(redis_url: str) -> None:
    shell = [shutil.which("bash") or "bash", str(EXAMPLES / "producer.sh")]
    ended = run(shell, redis_url, SALE)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"1\n", b"")
    with redis.Redis.from_url(redis_url) as client:
        assert client.lrange("fmgo.jobs", 0, -1) == [SALE]


def test_the_shell_says_when_it_was_refused(redis_url: str) -> None:
    shell = [shutil.which("bash") or "bash", str(EXAMPLES / "producer.sh")]
    wrong = redis_url.replace(":", ":wrong", 2).replace(":wrong", ":", 1)
    ended = run(shell, wrong, SALE)
    assert ended.returncode == 1
    assert b"answered: -" in ended.stderr


def readme_line() -> str:
    """The README's line for redis-cli, whose boleta is the job."""
    (line,) = re.findall(r"^    (redis-cli .*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    return str(line)


@pytest.mark.skipif(REDIS_CLI is None, reason="needs redis-cli")
def test_the_readmes_line_puts_the_example_on_the_list_and_its_exit_code_says_so(redis_url: str) -> None:
    def said(url: str) -> int:
        environment = {**os.environ, "FMGO_REDIS_URL": url}
        line = [shutil.which("bash") or "bash", "-c", readme_line()]
        return subprocess.run(line, env=environment, cwd=ROOT, capture_output=True, timeout=60, check=False).returncode

    assert said(redis_url) == 0
    with redis.Redis.from_url(redis_url) as client:
        (given,) = [parse_job(taken) for taken in client.lrange("fmgo.jobs", 0, -1)]
    assert given == parse_job((EXAMPLES / "boleta.json").read_bytes())
    assert said(redis_url.replace("default:", "default:wrong-")) != 0
    assert said("redis://127.0.0.1:1/0") != 0


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_node_puts_jobs_on_the_list(redis_url: str) -> None:
    ended = run([str(NODE), str(EXAMPLES / "producer.mjs")], redis_url, SALE + b"\n\n" + body("b") + b"\n")
    assert (ended.returncode, json.loads(ended.stdout)) == (0, {"queued": 2, "length": 2})
    with redis.Redis.from_url(redis_url) as client:
        assert client.lrange("fmgo.jobs", 0, -1) == [body("b"), SALE]


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_node_waits_for_the_result_under_the_id_that_anybody_can_compute(redis_url: str) -> None:
    number = str(document_id(ISSUER, "certification", "caja ñ-7 €", 1))
    fields = {"state": "signed", "result": json.dumps({"folio": 7}), "xml": "<DTE>Ñ</DTE>", "ted": "<TED/>"}
    with redis.Redis.from_url(redis_url) as client:
        Results(client, ttl_seconds=60).publish(Result(number, 1, fields))
    ended = run([str(NODE), str(EXAMPLES / "producer.mjs"), "--wait", "30"], redis_url, SALE)
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[1])
    assert (told["id"], told["state"], told["folio"], told["xml"]) == (number, "signed", 7, "<DTE>Ñ</DTE>")


def test_a_celery_client_needs_nothing_of_fmgo(redis_url: str) -> None:
    ended = run([sys.executable, str(EXAMPLES / "producer_celery.py")], redis_url, SALE + b"\n" + body("b"))
    assert (ended.returncode, ended.stderr) == (0, b"")
    with redis.Redis.from_url(redis_url) as client:
        (message,) = [json.loads(raw) for raw in client.lrange("fmgo.enqueue", 0, -1)]
    assert (message["headers"]["task"], message["content-type"]) == ("fmgo.enqueue", "application/json")
    (jobs,), _, _ = json.loads(base64.b64decode(message["body"]))
    assert [job["idempotency_key"] for job in jobs] == ["caja ñ-7 €", "b"]


def test_the_documented_id_is_that_of_the_documented_job() -> None:
    text = (EXAMPLES.parent / "producers.md").read_text(encoding="utf-8")
    told = set(re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", text))
    job = parse_job((EXAMPLES / "boleta.json").read_bytes())
    assert told == {str(document_id(job.issuer, job.environment, job.idempotency_key, 1))}
