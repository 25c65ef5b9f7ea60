"""The demo as a newcomer runs it: its exit code, its closing line, and every envelope judged by others.

Judges: the official schemas (EnvioDTE_v10 of the cl-sii package; EnvioBOLETA as written anew), xmlsec for every
signature (each document taken out of its envelope as text), cryptography for stamps and CAFs, and the reference
folder's own verifier where that folder is.
"""

import base64
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from deploy.sandbox.report import NEWER
from domain.codes.document_types import DOCUMENT_TYPES
from domain.schema import own_folder, validate_envelope
from domain.stamp import chile
from tests.acceptance.trades import SALES, sale
from tests.unit.domain.referee import document_holds, documents_of, envelope_holds, parsed

ROOT = Path(__file__).parents[2]
SECONDS = 200
GUIDE = 52
ROWS_OF_A_SCREEN = 30


def run_demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FMGO_")}
    return subprocess.run(
        [sys.executable, "-m", "deploy.sandbox.demo", "--folder", str(folder), *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def official_schema() -> etree.XMLSchema:
    found = importlib.util.find_spec("cl_sii")
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "data/ref/factura_electronica/schemas-xml"
    return etree.XMLSchema(etree.parse(folder / "EnvioDTE_v10.xsd"))


def stamp_holds(document: bytes, sii_key: rsa.RSAPublicKey) -> bool:
    """FRMT by the CAF's key over DD, FRMA by the SII's key over DA, both as they are written, without namespaces."""
    data = re.search(rb"<DD>.*</DD>", document, re.DOTALL)
    frmt = re.search(rb"<FRMT[^>]*>([^<]+)</FRMT>", document)
    da = re.search(rb"<DA>.*</DA>", document, re.DOTALL)
    frma = re.search(rb"<FRMA[^>]*>([^<]+)</FRMA>", document)
    modulus = re.search(rb"<RSAPK><M>([^<]+)</M><E>([^<]+)</E>", document)
    assert data is not None
    assert frmt is not None
    assert da is not None
    assert frma is not None
    assert modulus is not None
    n, e = (int.from_bytes(base64.b64decode(part), "big") for part in modulus.groups())
    key = rsa.RSAPublicNumbers(e, n).public_key()
    key.verify(base64.b64decode(frmt[1]), data[0], padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - what the SII prescribes
    sii_key.verify(base64.b64decode(frma[1]), da[0], padding.PKCS1v15(), hashes.SHA1())  # noqa: S303 - the same
    return True


@pytest.fixture(scope="module")
def room() -> Iterator[Path]:
    """A folder that PostgreSQL's own account may pass through when root runs the tests (pytest's are closed)."""
    with tempfile.TemporaryDirectory(prefix="fmgo-demo-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def demo(room: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    return room / "first", run_demo(room / "first")


def test_every_valid_sale_is_accepted_once(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, ended = demo
    assert ended.returncode == 0, ended.stdout + ended.stderr
    line = ended.stdout.strip().splitlines()[-1]
    assert re.fullmatch(r"valid=(\d{3}) accepted=\1 invalid=\d{2} lost=0 doubled=0", line), line
    assert "unknown → duplicate (STATUS 99)" in ended.stdout
    assert "refused RCT" in ended.stdout


def test_every_envelope_satisfies_other_people_s_tools(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _ = demo
    schema = official_schema()
    sii_key = serialization.load_pem_public_key((folder / "envelopes/sandbox-caf-key.pem").read_bytes())
    assert isinstance(sii_key, rsa.RSAPublicKey)
    assert (own_folder() / "EnvioBOLETA_v11.xsd").exists()
    types: set[str] = set()
    for path in sorted((folder / "envelopes").rglob("*.xml")):
        data = path.read_bytes()
        root = parsed(data)
        if etree.QName(root).localname == "EnvioBOLETA":
            assert validate_envelope(data) == ()
        elif path.parent.name == NEWER:
            assert not schema.validate(root), "only what the schema in circulation refuses lies apart"
            assert validate_envelope(data, "2026") == ()
        else:
            assert schema.validate(root), schema.error_log
        assert envelope_holds(data), path
        for document in documents_of(data):
            assert document_holds(document), path
            assert stamp_holds(document, sii_key)
            types |= {found.decode() for found in re.findall(rb"<TipoDTE>(\d+)</TipoDTE>", document)}
    assert types == set(map(str, DOCUMENT_TYPES))


def test_the_last_table_has_a_row_for_each_type(demo: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _, ended = demo
    rows = {
        int(cells[0].split()[0]): cells[1:]
        for cells in (
            [cell.strip() for cell in line.strip("│ \n").split("│")]
            for line in ended.stdout.partition("What became of each type")[2].splitlines()
            if re.match(r"│ {1,2}\d{2,3} [a-z]", line)
        )
    }
    assert set(rows) == set(DOCUMENT_TYPES)
    for issued, accepted, repaired, rejected, *_ in rows.values():
        assert int(issued) == sum(int(figure or 0) for figure in (accepted, repaired, rejected))
        assert int(accepted) > 0
    assert int(rows[34][2]) > 0, "the late ones have a repair"
    assert [rows[number][-1].startswith("US$ ") for number in (33, 110, 111, 112)] == [False, True, True, True]
    last = ended.stdout.splitlines()[-ROWS_OF_A_SCREEN:]
    assert any("What became of each type" in line for line in last)


@pytest.mark.needs_shared
def test_every_envelope_passes_the_independent_verifier(
    demo: tuple[Path, subprocess.CompletedProcess[str]], shared: Path
) -> None:
    folder, _ = demo
    envelopes = sorted((folder / "envelopes").rglob("*.xml"))
    key = f"100={folder / 'envelopes/sandbox-caf-key.pem'}"
    judged = subprocess.run(
        [sys.executable, str(shared / "check/referee"), "--caf-key", key, *map(str, envelopes)],
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = [json.loads(line) for line in judged.stdout.splitlines()]
    assert len(verdicts) == len(envelopes)
    for path, verdict in zip(envelopes, verdicts, strict=True):
        facts = {name: value for name, value in verdict.items() if isinstance(value, bool | None)}
        if path.parent.name == NEWER:  # it only knows the schema in circulation
            assert not facts.pop("schema_valid")
        assert set(facts.values()) == {True}, verdict


@pytest.mark.needs_shared
def test_envelopes_of_the_new_format_satisfy_a_reconstruction_of_its_schema(
    demo: tuple[Path, subprocess.CompletedProcess[str]], shared: Path
) -> None:
    folder, _ = demo
    schema = etree.XMLSchema(etree.parse(shared / "reference/xsd/reconstructed-2026/EnvioDTE_v10.xsd"))
    newer = sorted((folder / "envelopes" / NEWER).glob("*.xml"))
    assert newer
    for path in newer:
        assert schema.validate(parsed(path.read_bytes())), schema.error_log


def test_any_file_of_jobs_enrols_its_issuers_and_ends_well(room: Path) -> None:
    jobs = room / "jobs.jsonl"
    line = {"NmbItem": 'Tornillo 3/8" & <tuerca> ñ', "QtyItem": 3, "PrcItem": 1190}
    receiver = {
        "RUTRecep": "60803000-K",
        "RznSocRecep": "SERVICIO DE IMPUESTOS INTERNOS",
        "GiroRecep": "Gobierno",
        "DirRecep": "Teatinos 120",
        "CmnaRecep": "Santiago",
    }
    made = [
        {
            "version": 1,
            "idempotency_key": f"k{n}",
            "issuer": issuer,
            "document": {
                "Encabezado": {"IdDoc": {"TipoDTE": kind}, **({"Receptor": receiver} if kind == 33 else {})},
                "Detalle": [line],
            },
        }
        for n, (issuer, kind) in enumerate([("76192083-9", 33), ("76192083-9", 39), ("96790240-3", 33)] * 4)
    ]
    sales = {number: sale(number, form="-2026" if number == GUIDE else "") for number in SALES}
    sales[GUIDE]["Encabezado"]["Transporte"]["FchSalida"] = datetime.now(chile()).date().isoformat()
    made += [
        {"version": 1, "idempotency_key": f"type-{number}", "issuer": "77654321-7", "document": document}
        for number, document in sales.items()
    ]
    text = "\n".join([json.dumps(job, ensure_ascii=False) for job in made] + ["not json", json.dumps(made[0])])
    jobs.write_text(text, encoding="utf-8")
    ended = run_demo(room / "second", "--jobs", str(jobs))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.strip().splitlines()[-1] == "valid=20 accepted=20 invalid=1 lost=0 doubled=0"
