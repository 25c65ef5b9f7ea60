"""What the documents say is what the code does: states, examples, names of files."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from domain.completion import IssuerData
from domain.job import job_schema, parse_job
from domain.preparing import prepare
from domain.states import DOCUMENT_STATES, DOCUMENT_TRANSITIONS, ENVELOPE_STATES, ENVELOPE_TRANSITIONS

ROOT = Path(__file__).parents[2]
ISSUER = IssuerData(
    rut="76900101-8",
    environment="certification",
    razon_social="FERRETERÍA EL ÑANDÚ LTDA.",
    giro="Ferretería",
    acteco=(475201,),
    dir_origen="Av. O'Higgins 1234",
    cmna_origen="Chillán",
    ciudad_origen=None,
    telefono=None,
    correo=None,
    sucursal=None,
    cdg_sii_sucur=None,
)


def told_steps(heading: str) -> set[tuple[str, str]]:
    text = (ROOT / "docs/states.md").read_text(encoding="utf-8").split(f"## {heading}")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([a-z_()]+) \| ([a-z_]+) \|", text, re.MULTILINE)
    return {("" if before == "(new)" else before, after) for before, after in rows if before != "from"}


def test_the_states_page_tells_every_step_and_no_other() -> None:
    assert told_steps("Documents") == DOCUMENT_TRANSITIONS
    assert told_steps("Envelopes") == ENVELOPE_TRANSITIONS


def test_every_state_can_be_reached() -> None:
    assert {after for _, after in DOCUMENT_TRANSITIONS} == set(DOCUMENT_STATES)
    assert {after for _, after in ENVELOPE_TRANSITIONS} == set(ENVELOPE_STATES)


def test_the_readme_fits_one_screen_and_names_real_places() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 80
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert (ROOT / link).exists(), link
    for path in re.findall(r"`([a-z]+/[a-z/]*)`", text):
        assert (ROOT / path).exists(), path


def test_the_readme_s_job_and_the_example_are_good_jobs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"producer\.enqueue\((\{.*?\n\})\)", readme, re.DOTALL)
    assert shown is not None
    bodies = [json.dumps(json.loads(re.sub(r",(\s*\})", r"\1", shown[1]))).encode()]
    examples = set((ROOT / "docs/examples").glob("*.json")) - {ROOT / "docs/examples/registry.json"}  # the simulator's
    bodies += [path.read_bytes() for path in sorted(examples)]
    for body in bodies:
        job = parse_job(body)
        prepared = prepare(job.document, issuer=ISSUER, today=dt.date(2026, 11, 24), referenced={})
        assert prepared.document_type in {33, 39, 61}


def test_the_job_s_json_schema_is_the_model_s() -> None:
    assert json.loads((ROOT / "docs/job.schema.json").read_text(encoding="utf-8")) == job_schema()


@pytest.mark.parametrize("package", ["workers", "domain", "tasks", "deploy", "migrations", "monitoring"])
def test_no_module_is_named_for_nothing(package: str) -> None:
    names = {path.stem for path in (ROOT / package).rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc"}
