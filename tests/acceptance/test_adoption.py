"""Taking over a company's partly used folios: the SII is asked, and no folio is given that it holds."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from deploy.sandbox.enrol import ENVIRONMENT
from tests.acceptance.commands import elsewhere, fmgo
from tests.acceptance.sales import boleta, invoice
from tests.acceptance.works import Works

SALES = 7
GIVEN = 60


@pytest.mark.parametrize(("document_type", "sale"), [(33, invoice), (39, boleta)])
def test_a_partly_used_caf_is_adopted_where_the_sii_holds_nothing(
    works: Works, document_type: int, sale: Any, tmp_path: Path
) -> None:
    company = works.company(())
    today = works.scalar("SELECT fmgo_now()::date")
    caf = {"company": company.rut, "type": document_type, "from": 1, "to": GIVEN}
    (made,) = works.sii.register({"cafs": [{**caf, "date": (today - dt.timedelta(days=9)).isoformat()}]})
    works.enrolment.operator.add_caf(made.data, environment=ENVIRONMENT)
    works.producer.enqueue_many([sale(company, f"sale-{n}") for n in range(SALES)])
    works.await_states(company, {"accepted": SALES})
    file, key = tmp_path / "caf.xml", tmp_path / "sii.pem"
    file.write_bytes(made.data)
    key.write_bytes(works.sii.caf_key())
    with elsewhere(works) as other:
        other.enrolment.enrol(company, (), folios=0)
        adopt = ("issuer", "adopt", company.rut, "--caf", file, "--trust-caf-key", f"100={key}", "--json")
        for arguments in ((), ("--next", SALES)):
            refused = fmgo(other.environment, *adopt, *arguments)
            assert refused.code == 1, refused
            (told,) = refused.objects
            assert told["error"]["code"] == "FOLIO-USED"
            assert told["free"] == SALES + 1
            assert told["asked"][str(SALES)] == "DNK"
        assert other.rows("SELECT 1 FROM cafs") == []
        adopted = fmgo(other.environment, *adopt, "--next", SALES + 1)
        assert adopted.code == 0, adopted
        (told,) = adopted.objects
        assert (told["next"], told["last"], told["new"]) == (SALES + 1, GIVEN, True)
        assert set(told["asked"].values()) == {"FAU"}
        assert other.rows("SELECT next FROM folio_counters") == [(SALES + 1,)]
        assert other.rows("SELECT first, last FROM folio_voids") == [(1, SALES)]
        audited = other.rows("SELECT action FROM audit_log WHERE action LIKE 'issuer.adopt%%' ORDER BY id")
        assert [action for (action,) in audited] == ["issuer.adopt-refused", "issuer.adopt-refused", "issuer.adopt"]
        asked = other.rows("SELECT DISTINCT folio FROM sii_exchanges WHERE folio IS NOT NULL ORDER BY folio")
        assert [folio for (folio,) in asked][-5:] == [8, 9, 10, 11, 12]
        assert other.rows("SELECT count(*) FROM workers WHERE stopped_at IS NULL") == [(0,)]


def test_where_the_sii_does_not_answer_nothing_is_adopted(works: Works, tmp_path: Path) -> None:
    company = works.company(())
    (made,) = works.sii.register({"cafs": [{"company": company.rut, "type": 33, "from": 1, "to": GIVEN}]})
    file, key = tmp_path / "caf.xml", tmp_path / "sii.pem"
    file.write_bytes(made.data)
    key.write_bytes(works.sii.caf_key())
    works.fault("F-UNK", company, "getEstDte")
    adopt = ("issuer", "adopt", company.rut, "--caf", file, "--trust-caf-key", f"100={key}", "--json")
    told = fmgo(works.sandbox.environment, *adopt)
    assert told.code == 1, told
    assert told.objects[0]["error"]["code"] == "SII-FOLIO-UNANSWERED"
    assert works.scalar("SELECT count(*) FROM cafs WHERE issuer = %s", company.rut) == 0
    stranger = fmgo(works.sandbox.environment, "issuer", "adopt", "76900101-8", "--caf", file, "--json")
    assert (stranger.code, stranger.objects[0]["problems"][0]["code"]) == (2, "CAF-ISSUER")
