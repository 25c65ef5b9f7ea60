"""What the SII's schemas say of a file, and whether it lacks nothing but the namespace that portals cut off.

A document that is taken out of its envelope loses `xmlns="http://www.sii.cl/SiiDte"`, which the envelope declares for
it: suppliers and portals hand genuine documents out so. The schema doesn't hold for such a file; what else it would
have said is found on a copy with the namespace.
"""

import copy
from typing import NamedTuple

from lxml import etree

from domain.problems import Problem, shown
from domain.schema import judge, official_schema_2026, schema_file, simplified_book_schema, tags_of_2026
from domain.signature import SII_NAMESPACE
from domain.verification.boletas import received_schema
from domain.verification.kinds import Kind
from domain.verification.reading import local_name
from domain.verification.verdict import NAMESPACE

_SPACE = f"{{{SII_NAMESPACE}"
_SII = f"{_SPACE}}}"
_OF_2026 = ("DTE", "EnvioDTE", "AEC")
"""Roots whose files may follow the format of 2026, which is unverified, when they don't hold by the one before."""
_WITHOUT = "RESULTADO_ENVIO"
"""The root that the SII's schema declares without a namespace."""


class Judgement(NamedTuple):
    """What the schema says of a file."""

    valid: bool
    problems: tuple[Problem, ...]
    values: dict[str, object]
    """Which schema judged; which edition of the format holds; whether it is a simplified book."""


def judge_schema(root: etree._Element, kind: Kind, *, boleta: bool) -> Judgement:
    """What the schema of the root says; `boleta` has it judged by that of boletas.

    Codes: those of `domain.schema`; SCHEMA-NAMESPACE, a warning, where the namespace is missing.
    """
    space, _, name = str(root.tag).rpartition("}")
    if space == _SPACE or name == _WITHOUT:
        return _judged(root, name, kind, boleta=boleta)
    if space:
        sentence = f"{name} stands in the namespace {shown(space[1:])}; the SII's is {SII_NAMESPACE}."
        return Judgement(valid=False, problems=(Problem("SCHEMA-ROOT", "", sentence),), values=_unjudged(kind))
    found = _judged(_with_namespace(root), name, kind, boleta=boleta)
    return Judgement(valid=False, problems=(lost_namespace(name), *found.problems), values=found.values)


def lost_namespace(name: str) -> Problem:
    """The warning that a file of that root lacks the SII's namespace."""
    sentence = (
        f'The file lacks xmlns="{SII_NAMESPACE}", as a document that was cut out of its envelope does. '
        "What was signed is whole; the SII takes the file only with it."
    )
    return Problem(NAMESPACE, name, sentence, "warning")


def _unjudged(kind: Kind) -> dict[str, object]:
    return {"schema": kind.schema}


def _with_namespace(root: etree._Element) -> etree._Element:
    whole = copy.deepcopy(root)
    for element in whole.iter(etree.Element):
        if not str(element.tag).startswith("{"):
            element.tag = f"{_SII}{local_name(element)}"
    return whole


def _judged(root: etree._Element, name: str, kind: Kind, *, boleta: bool) -> Judgement:
    if boleta:
        found = judge(root, received_schema())
        newer = judge(root, received_schema("2026")) if found else ()
        return _by_either(found, newer, {"schema": "EnvioBOLETA_v11.xsd"})
    values: dict[str, object] = {"schema": kind.schema}
    found = judge(root, schema_file(kind.schema))
    if name == "LibroCompraVenta":
        values["simplified_book"] = bool(found) and not judge(root, simplified_book_schema())
    if name not in _OF_2026:
        return Judgement(valid=not found, problems=found, values=values)
    return _by_either(found, judge(root, official_schema_2026(kind.schema)) if found else (), values)


def _by_either(found: tuple[Problem, ...], newer: tuple[Problem, ...], values: dict[str, object]) -> Judgement:
    """What is wrong by the edition of the format that the file follows: the older one unless the newer fits better.

    `found` is what the older edition finds, `newer` what the newer one does where the older found something.
    """
    taken = bool(found) and (not newer or any(tag in each.message for each in found for tag in tags_of_2026()))
    found = newer if taken else found
    profile = None if found else "2026" if taken else "2019"
    return Judgement(valid=not found, problems=found, values=values | {"profile": profile})
