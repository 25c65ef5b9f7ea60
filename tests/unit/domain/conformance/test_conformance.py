"""One test over every item of the corpus that others made: the score by kind, and no difference without a reason."""

import json
from collections import Counter
from pathlib import Path

import pytest

from domain.caf import expires_on
from domain.caf_file import read_caf
from domain.certificate import CertificateError, open_pfx
from domain.verification import verify
from tests.unit.domain.conformance.judges import IN_PART, JUDGES, NOT_READ, built_sets, differences
from tests.unit.domain.conformance.kit import AT, TODAY, kits
from tests.unit.domain.verification import corpus

REASONS: dict[str, str] = {}
"""Why FMgo differs, by the name of an item that its makers marked `policy`; there is none."""
LEAST = 170
"""Items of the corpus."""


@pytest.mark.needs_shared
def test_every_item_of_the_corpus_is_judged_as_its_makers_say(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = [json.loads(line) for line in (shared / "corpus" / "manifest.jsonl").read_text("utf-8").splitlines()]
    kinds = Counter(item["kind"] for item in items)
    assert set(kinds) <= {*JUDGES, *NOT_READ}, "a kind that nobody judges"
    found = differences(items, shared)
    wrong = Counter(item["kind"] for item in items if item["id"] in found)
    with capsys.disabled():
        print(f"\n{'kind':<16}{'agree':>6}{'of':>5}")
        for kind, count in sorted(kinds.items()):
            score = "-" if kind in NOT_READ else str(count - wrong[kind])
            said = NOT_READ.get(kind) or IN_PART.get(kind, "")
            print(f"{kind:<16}{score:>6}{count:>5}  {said}".rstrip())
        judged = sum(count for kind, count in kinds.items() if kind not in NOT_READ)
        print(f"{'all judged':<16}{judged - sum(wrong.values()):>6}{judged:>5}")
    policy = {item["id"] for item in items if item.get("policy")}
    assert REASONS.keys() <= policy, "only items marked policy may differ"
    assert {name: told for name, told in found.items() if name not in REASONS} == {}
    assert len(items) >= LEAST


@pytest.mark.needs_shared
def test_official_sets_are_built_and_accepted(shared: Path) -> None:
    built = built_sets(shared)
    assert len(built) == 47
    assert {name: told for name, told in built.items() if told} == {}


@pytest.mark.needs_shared
def test_keys_of_the_kit_open_and_bad_ones_are_refused(shared: Path) -> None:
    trust = corpus.trusts(shared)["kit"]
    for kit in kits(shared):
        assert kit.signer().rut == kit.facts["signer_rut"]
        for path in kit.facts["caf"].values():
            verdict = verify((kit.folder / path).read_bytes(), trust=trust, at=AT)
            assert verdict.verdict == "accept", path
    bad = shared / "corpus" / "kit" / "bad"
    for name, code in (
        ("expired", "CERT-EXPIRED"),
        ("not-yet-valid", "CERT-NOT-YET-VALID"),
        ("without-rut", "CERT-WITHOUT-RUT"),
    ):
        with pytest.raises(CertificateError) as refused:
            open_pfx((bad / f"{name}.pfx").read_bytes(), kits(shared)[0].password, at=AT)
        assert refused.value.problems[0].code == code
    impostor = verify((bad / "CAF-33-impostor.xml").read_bytes(), trust=trust, at=AT)
    assert (impostor.verdict, impostor.facts["frma_valid"]) == ("reject", False)
    expired = read_caf((bad / "CAF-33-expired.xml").read_bytes())
    last_day = expires_on(expired.document_type, expired.authorised_on)
    assert last_day is not None
    assert last_day < TODAY
