"""How the official tables are written down, and how one type's share of a table is made ready for use.

A row is a `Leaf` (a tag with a value) or a `Group` (a tag with rows). Its obligation is the format's own string of
digits, one a type: 0 must not go, 1 mandatory, 2 conditional, 3 optional. Rows stand in the schema's order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.format.kinds import Kind

DTE_COLUMNS = (33, 34, 52, 61, 56, 46, 43, 110, 112, 111)
"""Order of the types in an obligation of Formato DTE 2.5 (note: 61 before 56, 112 before 111)."""
BOLETA_COLUMNS = (39, 41)
"""Order of the types in an obligation of Formato Boletas 4.2."""

ALWAYS = "1"
"""Obligation of a row that every type must carry (within its group)."""
OPTIONAL = "3"
"""Obligation of a row that any type may carry."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tag with a value; `most` is how often it may stand."""

    tag: str
    kind: Kind
    needed: str = OPTIONAL
    most: int = 1


@dataclass(frozen=True, slots=True)
class Group:
    """A tag with tags.

    `renamed` are names that producers use for one of its tags; `left_out` are tags of the other family that mean no
    harm here: they are dropped with a warning.
    """

    tag: str
    rows: tuple["Leaf | Group", ...]
    needed: str = OPTIONAL
    most: int = 1
    renamed: tuple[tuple[str, str], ...] = ()
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TypeRow:
    """A row as one type uses it: `rows` is None for a leaf, `kind` is None for a group."""

    tag: str
    most: int
    forbidden: bool
    kind: Kind | None
    rows: dict[str, "TypeRow"] | None
    required: tuple[str, ...]
    renamed: dict[str, str]
    left_out: frozenset[str]
    written: tuple[tuple[str, str, str, "TypeRow"], ...] = field(repr=False)
    """Children in official order: tag, opening, closing, row."""


def for_type(row: Leaf | Group, document_type: int, columns: Sequence[int]) -> TypeRow:
    """One type's share of a table."""
    column = columns.index(document_type)
    return _for_column(row, column)


def _digit(needed: str, column: int) -> str:
    return needed if len(needed) == 1 else needed[column]


def _for_column(row: Leaf | Group, column: int) -> TypeRow:
    forbidden = _digit(row.needed, column) == "0"
    if isinstance(row, Leaf):
        return TypeRow(row.tag, row.most, forbidden, row.kind, None, (), {}, frozenset(), ())
    children = {child.tag: _for_column(child, column) for child in row.rows}
    return TypeRow(
        tag=row.tag,
        most=row.most,
        forbidden=forbidden,
        kind=None,
        rows=children,
        required=tuple(child.tag for child in row.rows if _digit(child.needed, column) == "1"),
        renamed=dict(row.renamed),
        left_out=row.left_out,
        written=tuple((tag, f"<{tag}>", f"</{tag}>", child) for tag, child in children.items()),
    )
