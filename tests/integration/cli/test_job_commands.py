"""Handing in by command: files of every shape, bad lines between good ones, imports that carry on."""

import io
import json
import uuid
from pathlib import Path

import pytest
import redis

from domain.job import LARGEST
from tests.integration.cli.conftest import Fmgo
from tests.integration.producer.jobs import body, job, refuse_big_bodies, rows, scalar
from workers.batch import BatchImporter
from workers.cli.jobs import bodies_in
from workers.database.engine import Ledger
from workers.outside_bells import OutsideBells


def lines(*bodies: bytes) -> bytes:
    return b"\n".join(bodies) + b"\n"


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (body("a"), 1),
        (json.dumps(job("a"), indent=2).encode(), 1),
        (json.dumps([job("a"), job("b")], indent=2).encode(), 2),
        (b"\xef\xbb\xbf" + lines(body("a"), b"", body("b")), 2),
        (json.dumps(job("a"), indent=2).encode() * 2, 2),
        (lines(body("a"), b"garbage", body("b")), 3),
        (lines(body("a"), b"\xff\xfe", body("b")), 3),
        (json.dumps(job("a"), indent=2).encode()[:-3], 1),
        (b"[1, 2", 1),
        (b"[1 2]", 1),
        (b"[" * 5000, 1),
        (b"", 0),
    ],
)
def test_jobs_are_found_in_files_of_any_shape(data: bytes, count: int) -> None:
    assert len(list(bodies_in(data))) == count


def test_enqueue_answers_for_each_job_in_order(fmgo: Fmgo, tmp_path: Path, database: str) -> None:
    path = tmp_path / "jobs.jsonl"
    path.write_bytes(lines(body("a"), body("b"), body("a")))
    answer = fmgo("enqueue", path, "--json")
    assert (answer.code, [one["outcome"] for one in answer.objects]) == (0, ["recorded", "recorded", "known"])
    assert scalar(database, "SELECT count(*) FROM documents") == 2
    path.write_bytes(body("a", price=3))
    conflict = fmgo("enqueue", path)
    assert (conflict.code, "JOB-KEY-CONFLICT" in conflict.err) == (1, True)
    path.write_bytes(lines(body("c"), b"{}", body("a", price=3)))
    refused = fmgo("enqueue", path, "--json")
    assert (refused.code, [one["outcome"] for one in refused.objects]) == (2, ["recorded", "refused", "conflict"])


@pytest.mark.parametrize("command", [("enqueue",), ("enqueue", "--queue"), ("batch", "import")])
def test_an_issuer_that_can_never_exist_is_refused_by_every_command(
    fmgo: Fmgo, tmp_path: Path, database: str, command: tuple[str, ...]
) -> None:
    path = tmp_path / "jobs.jsonl"
    path.write_bytes(lines(body("a", issuer="76900101-9")))
    answer = fmgo(*command, path, "--json")
    assert answer.code == 2
    assert answer.objects[0]["problems"][0]["code"] == "JOB-ISSUER"
    assert scalar(database, "SELECT count(*) FROM documents") == 0


def test_enqueue_puts_jobs_on_the_list(fmgo: Fmgo, tmp_path: Path, redis_url: str) -> None:
    path = tmp_path / "job.json"
    path.write_bytes(body("ñandú"))
    assert fmgo("enqueue", "--queue", path, "--json").objects[0]["outcome"] == "queued"
    with redis.Redis.from_url(redis_url) as client:
        assert client.lrange("fmgo.jobs", 0, -1) == [body("ñandú")]


def test_a_batch_goes_on_past_bad_lines_and_keeps_them_with_their_reason(
    fmgo: Fmgo, tmp_path: Path, database: str, redis_url: str
) -> None:
    path = tmp_path / "facturas.jsonl"
    good = [body(f"f-{number}", lane="interactive") for number in range(5)]
    too_long = b'{"x":"' + b"x" * LARGEST + b'"}'
    nul = body("f-nul").replace(b"Martillo", b"\\u0000")
    path.write_bytes(lines(*good, b"no job", too_long, b"", nul, body("f-0", price=9), b'{"a":"\xff"}', body("f-end")))
    answer = fmgo("batch", "import", path, "--json")
    assert answer.code == 2
    *bad, whole = answer.objects
    assert [(one["line"], one["problems"][0]["code"]) for one in bad] == [
        (6, "JOB-JSON"),
        (7, "JOB-TOO-LARGE"),
        (10, "JOB-KEY-CONFLICT"),
        (11, "JOB-ENCODING"),
    ]
    assert [whole[name] for name in ("recorded", "known", "conflict", "refused")] == [7, 0, 1, 3]
    assert rows(database, "SELECT lane, count(*), min(batch::text) FROM documents GROUP BY lane") == [
        ("bulk", 7, whole["batch"])
    ]
    kept = rows(database, "SELECT code, left(reason, 7) FROM refused_messages ORDER BY id")
    assert ("JOB-JSON", "Line 6:") in kept
    assert len(kept) == 4
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("fmgo.issue.bulk") == 1

    again = fmgo("batch", "import", path)
    assert again.code == 2
    assert "error JOB-JSON line 6" in again.err
    assert rows(database, "SELECT count(*), sum(total) FROM batches") == [(1, 11)]
    (batch,) = fmgo("batch", "list", "--json").objects
    assert (batch["states"], batch["refused"]) == ({"received": 7}, 4)
    assert "facturas.jsonl" in fmgo("batch", "list").out


class Torn(io.BytesIO):
    """A file whose disk goes away after so many lines."""

    left = 4

    def readline(self, size: int | None = -1, /) -> bytes:
        if not self.left:
            raise OSError(5, "Input/output error")
        self.left -= 1
        return super().readline(size)


def test_an_import_that_was_cut_off_is_told_from_a_whole_one(fmgo: Fmgo, database: str, redis_url: str) -> None:
    ledger, bells = Ledger(database), OutsideBells(redis_url)
    data, batch = lines(*(body(f"c-{number}") for number in range(6))), uuid.uuid4()
    importer = BatchImporter(ledger, bells, chunk=2)
    with pytest.raises(OSError, match="Input/output"):
        importer.run(Torn(data), batch, name="torn", total=6)
    (cut,) = fmgo("batch", "list", "--json").objects
    assert (cut["finished_at"], cut["states"]) == (None, {"received": 4})
    assert "not finished" in fmgo("batch", "list").out
    assert importer.run(io.BytesIO(data), batch, name="torn", total=6).counts == {"known": 4, "recorded": 2}
    (whole,) = fmgo("batch", "list", "--json").objects
    assert whole["finished_at"] is not None
    assert "not finished" not in fmgo("batch", "list").out
    bells.close()
    ledger.dispose()


@pytest.mark.parametrize("command", [("enqueue",), ("batch", "import"), ("calculate",)])
def test_a_file_of_nothing_is_told(fmgo: Fmgo, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "empty.json").write_bytes(b"\n \n")
    answer = fmgo(*command, tmp_path / "empty.json")
    assert (answer.code, answer.out) == (2, "")
    assert "empty.json" in answer.err


@pytest.mark.parametrize("command", [("enqueue",), ("batch", "import"), ("calculate",)])
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"tipo;folio;total\r\n33;1;1190\r\n", "CSV"),
        (b"\xef\xbb\xbfrut,monto\n76900101-8,10\n", "CSV"),
        (b"a\tb\n1\t2\n", "CSV"),
        (b"<?xml version='1.0'?><DTE/>", "XML"),
    ],
)
def test_a_file_of_another_kind_is_called_what_it_is(
    fmgo: Fmgo, tmp_path: Path, command: tuple[str, ...], content: bytes, kind: str
) -> None:
    (tmp_path / "sales").write_bytes(content)
    answer = fmgo(*command, tmp_path / "sales")
    assert (answer.code, answer.out, len(answer.err.splitlines())) == (2, "", 1)
    assert f"is {kind}" in answer.err
    assert fmgo("batch", "list", "--json").objects == []


def test_a_batch_of_many_chunks_is_recorded_whole(database: str, redis_url: str) -> None:
    ledger, bells = Ledger(database), OutsideBells(redis_url)
    told: list[int] = []
    data = lines(*(body(f"f-{number}") for number in range(25)), b"bad", *(b"bad" for _ in range(4)))
    importer = BatchImporter(ledger, bells, chunk=10, most_told=3)
    outcome = importer.run(io.BytesIO(data), uuid.uuid4(), name="many", progress=told.append)
    assert outcome.counts == {"recorded": 25, "refused": 5}
    assert [line.number for line in outcome.bad] == [26, 27, 28]
    assert told == [10, 10, 10]
    assert scalar(database, "SELECT count(*) FROM documents") == 25
    bells.close()
    ledger.dispose()


def test_what_postgresql_refuses_stands_alone(database: str, redis_url: str) -> None:
    refuse_big_bodies(database)
    ledger, bells = Ledger(database), OutsideBells(redis_url)
    big = body("big").replace(b"Martillo", b"M" * 6000)
    data = lines(body("a"), body("b"), big, body("c"))
    outcome = BatchImporter(ledger, bells).run(io.BytesIO(data), uuid.uuid4(), name="x")
    assert outcome.counts == {"recorded": 3, "refused": 1}
    assert [(line.number, line.problems[0].code) for line in outcome.bad] == [(3, "JOB-NOT-STORABLE")]
    assert rows(database, "SELECT key FROM documents ORDER BY key") == [("a",), ("b",), ("c",)]
    bells.close()
    ledger.dispose()


def test_a_file_that_is_not_there_is_bad_input(fmgo: Fmgo) -> None:
    for command in (("enqueue",), ("batch", "import")):
        assert fmgo(*command, "/nowhere.jsonl").code == 2
