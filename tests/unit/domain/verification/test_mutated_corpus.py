"""Real files that were damaged get a verdict, and whatever is signed in them is never changed unnoticed."""

from pathlib import Path
from random import Random

import pytest

from domain.verification import verify
from tests.unit.domain.damage import damaged
from tests.unit.domain.verification import corpus

MUTATIONS = 40


@pytest.mark.needs_shared
def test_damaged_real_files_get_a_verdict(shared: Path) -> None:
    random = Random(20261124)
    for item in corpus.items(shared):
        for _ in range(MUTATIONS):
            verdict = verify(damaged(item.data, random), trust=item.trust, at=corpus.AT)
            assert verdict.as_dict()["verdict"] in ("accept", "reject")


@pytest.mark.needs_shared
def test_every_figure_of_a_signed_document_is_under_its_signature(shared: Path) -> None:
    item = next(item for item in corpus.items(shared) if item.identifier == "v-control-envio-33")
    assert verify(item.data, trust=item.trust, at=corpus.AT).verdict == "accept"
    begin, end = item.data.index(b"<Encabezado>"), item.data.index(b"<TmstFirma>")
    figures = [at for at in range(begin, end) if chr(item.data[at]).isdigit()]
    assert len(figures) > 100
    for at in figures:
        digit = b"1" if item.data[at : at + 1] != b"1" else b"2"
        changed = item.data[:at] + digit + item.data[at + 1 :]
        verdict = verify(changed, trust=item.trust, at=corpus.AT)
        assert verdict.verdict == "reject", changed[at - 30 : at + 10]
        assert not verdict.facts.get("doc_signature_valid")
