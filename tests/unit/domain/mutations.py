"""Envelopes that differ from a sound one in one place."""

from collections.abc import Callable, Iterator

from lxml import etree

from tests.unit.domain import referee

WORDS = (
    "",
    "x",
    "0",
    "-1",
    "01",
    "2",
    "3",
    "7",
    "39",
    "33",
    "61",
    "99",
    "100",
    "0.0010",
    "0.001",
    "100.01",
    "1.123456",
    "1.1234567",
)
LENGTHS = tuple("x" * length for length in (4, 5, 9, 11, 19, 21, 36, 41, 46, 71, 81, 91, 101, 1001))
FIGURES = (
    "9" * 10,
    "9" * 11,
    "9" * 18,
    "9" * 19,
    "2026-11-31",
    "2026-11-24",
    "2026-11-24T10:00:00",
    "1-9",
    "123456789-K",
)


def _leave_out(element: etree._Element, parent: etree._Element) -> None:
    parent.remove(element)


def _double(element: etree._Element, parent: etree._Element) -> None:
    parent.insert(parent.index(element), etree.fromstring(etree.tostring(element, with_tail=False)))


def _put_first(element: etree._Element, parent: etree._Element) -> None:
    parent.insert(0, element)


def _rename(element: etree._Element, _parent: etree._Element) -> None:
    element.tag = f"{referee.SII}Otro"


SHAPES: dict[str, Callable[[etree._Element, etree._Element], None]] = {
    "left out": _leave_out,
    "doubled": _double,
    "put first": _put_first,
    "renamed": _rename,
}


def mutations(
    envelope: bytes, words: tuple[str, ...] = (*WORDS, *LENGTHS, *FIGURES)
) -> Iterator[tuple[str, etree._Element]]:
    """Each element of the root's namespace misplaced or with another value, each attribute left out or changed."""
    for index, element in enumerate(_elements(referee.parsed(envelope))):
        name = etree.QName(element).localname
        for change in SHAPES if element.getparent() is not None else ():
            root, copy = _copy(envelope, index)
            parent = copy.getparent()
            assert parent is not None
            SHAPES[change](copy, parent)
            yield f"{name} {change}", root
        for value in () if len(element) else words:
            root, copy = _copy(envelope, index)
            copy.text = value
            yield f"{name} {value}", root
        for attribute in map(str, element.attrib):
            for value in ("2.0", "1.00", "1x"):
                root, copy = _copy(envelope, index)
                copy.set(attribute, value)
                yield f"{name}@{attribute} {value}", root
            root, copy = _copy(envelope, index)
            del copy.attrib[attribute]
            yield f"{name}@{attribute} left out", root


def _copy(envelope: bytes, index: int) -> tuple[etree._Element, etree._Element]:
    """The envelope parsed anew and the element in that place."""
    root = referee.parsed(envelope)
    return root, _elements(root)[index]


def _elements(root: etree._Element) -> list[etree._Element]:
    """The elements of the root's own namespace."""
    space = etree.QName(root).namespace
    return [each for each in root.iter(etree.Element) if etree.QName(each).namespace == space]
