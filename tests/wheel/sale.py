"""Run by the wheel's own Python, by path: hands in a boleta of the company named and waits for the SII's verdict."""

import sys

from workers.producer import Producer

SECONDS = 180.0


def main(issuer: str) -> int:
    """Hand it in; returns the exit code."""
    with Producer() as producer:
        receipt = producer.enqueue(
            {
                "version": 1,
                "idempotency_key": "wheel-1",
                "issuer": issuer,
                "document": {
                    "Encabezado": {"IdDoc": {"TipoDTE": 39}},
                    "Detalle": [{"NmbItem": 'Clavos 2"', "QtyItem": 2, "PrcItem": 1190}],
                },
            }
        )
        issued = producer.wait(receipt, until="issued", timeout=SECONDS)
        decided = producer.wait(receipt, until="decided", timeout=SECONDS)
    print(f"Producer.enqueue: {receipt.outcome}, folio {issued.folio}, {decided.state}")
    return 0 if decided.state == "accepted" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
