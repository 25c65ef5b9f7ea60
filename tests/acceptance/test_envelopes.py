"""How documents share envelopes."""

from tests.acceptance.sales import invoice
from tests.acceptance.works import Works


def test_bulk_documents_of_several_chunks_share_an_envelope(works: Works) -> None:
    company = works.company((33,))
    chunks = 6
    several = works.settings.chunk_documents * chunks
    works.producer.enqueue_many([invoice(company, f"sale-{n}") for n in range(several)])
    works.await_states(company, {"accepted": several})
    # One, unless signing all of them takes longer than an envelope waits to be filled.
    assert len(works.uploads(company)) <= chunks // 2


def test_an_interactive_sale_waits_for_no_other(works: Works) -> None:
    company = works.company((33,), folios=40)
    works.producer.enqueue_many([invoice(company, f"backlog-{n}") for n in range(50)])  # ten find no folio and wait
    works.await_states(company, {"accepted": 40, "waiting": 10})
    sale = works.company((33,))
    works.producer.enqueue_many([invoice(sale, "sale", lane="interactive")])
    works.await_states(sale, {"accepted": 1})
    assert len(works.uploads(sale)) == 1
