"""What producers read of each rule: its case's problems, and those of its other faces, with path and figures.

    python -m tests.unit.domain.rule_sentences > tests/golden/rules/sentences.json

writes it anew after a rule was added or reworded; then read what changed.
"""

import json
from collections.abc import Iterator
from decimal import Decimal

from tests.unit.domain.rule_cases import CASES
from tests.unit.domain.samples import (
    RECEIVER,
    USUAL,
    Raw,
    World,
    boleta,
    credit_note,
    export_invoice,
    guide,
    guide_2026,
    invoice,
    line,
    problems_of,
    settlement,
    spoilt,
)

_CUSTOMS = "Encabezado__Transporte__Aduana"
_NEWER = World(profile="2026")
_DEAR = {"NmbItem": "Televisor de 85 pulgadas", "QtyItem": 1, "PrcItem": 5_265_075}

FACES: dict[str, tuple[Raw, World]] = {
    "BOL-UF-01 without a name": (
        spoilt(boleta(), Encabezado__Receptor={"RUTRecep": RECEIVER}, Detalle=[_DEAR]),
        World(uf=Decimal("39000.55")),
    ),
    "BOL-UF-02 nobody can be reached": (
        spoilt(
            boleta(),
            Encabezado__IdDoc__MedioPago=1,
            Encabezado__Receptor={"RUTRecep": RECEIVER, "RznSocRecep": "Ana Díaz"},
            Detalle=[_DEAR],
        ),
        World(uf=Decimal("39000.55"), profile="2026"),
    ),
    "DTE-REF-10 same total, other classes": (
        spoilt(credit_note(), Detalle=[line(PrcItem=11900, IndExe=1)]),
        USUAL,
    ),
    "DTE-TOT-13 without VAT": (
        spoilt(settlement(), Detalle=settlement()["Detalle"][1:], Encabezado__Totales__IVAProp=10),
        USUAL,
    ),
    "EXP-ADU-03 form of payment": (spoilt(export_invoice(), Encabezado__IdDoc__FmaPagExp=99), USUAL),
    "EXP-ADU-04 insurance": (
        spoilt(
            export_invoice(),
            DscRcgGlobal=[{"TpoMov": "R", "TpoValor": "$", "ValorDR": 10.5}],
            **{f"{_CUSTOMS}__MntSeguro": 10.51},
        ),
        USUAL,
    ),
    "GUI-TRA-04 motive of customs": (
        spoilt(guide(8), **{_CUSTOMS: export_invoice()["Encabezado"]["Transporte"]["Aduana"]}),
        USUAL,
    ),
    "GUI-TRP-02 leaves before it is issued": (
        spoilt(guide_2026(), Encabezado__Transporte__FchSalida="2026-11-23"),
        _NEWER,
    ),
    "TUR-FAC-01 every datum": (spoilt(invoice(), Encabezado__IdDoc__TipoFactEsp=1), _NEWER),
}
"""Documents that break a rule in another way than its case does, by the rule and what is different."""


def sentences() -> dict[str, list[str]]:
    """Code, level, path and sentence of every problem of each rule's case and of each face."""
    return {name: list(_told(raw, world)) for name, raw, world in _documents()}


def _documents() -> Iterator[tuple[str, Raw, World]]:
    for rule_id, case in CASES.items():
        yield rule_id, case.breaks, case.around
    for name, (raw, world) in FACES.items():
        yield name, raw, world


def _told(raw: Raw, world: World) -> Iterator[str]:
    for problem in problems_of(raw, world=world):
        yield f"{problem.code} ({problem.level}) {problem.path}: {problem.message}"


if __name__ == "__main__":
    print(json.dumps(sentences(), ensure_ascii=False, indent=1))
