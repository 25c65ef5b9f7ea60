"""How the official tables are written down, and how one type's share of a table is made ready for use.

A row is a `Leaf` (a tag with a value) or a `Group` (a tag with rows). Its obligation is the format's own string of
digits, one a type: 0 must not go, 1 mandatory, 2 conditional, 3 optional. Rows stand in the schema's order. A row may
belong to one profile of the format only (`PROFILES`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from domain.format.kinds import Kind

Profile = Literal["2019", "2026"]
"""Which edition of the format a document follows."""

PROFILES: tuple[Profile, ...] = ("2019", "2026")
"""2019 is the schema in circulation, which everyone has; 2026 adds what the SII published in February 2026 (Formato DTE
2.5) and what Formato Boletas 4.2 (2025-09) has, as far as both are known without the official files: unverified."""

NEWER_SINCE = date(2026, 11, 1)
"""Day of issue from which documents follow profile 2026, which alone can carry what the law asks of goods on the road
since then (SII, Resoluciones Exentas 154 of 2025 and 52 of 2026)."""

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
    """A tag with a value; `most` is how often it may stand, `profile` the only one that has it."""

    tag: str
    kind: Kind
    needed: str = OPTIONAL
    most: int = 1
    profile: Profile | None = None


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
    profile: Profile | None = None


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
    elsewhere: frozenset[str]
    """Tags that only another profile of the format has."""
    written: tuple[tuple[str, str, str, "TypeRow"], ...] = field(repr=False)
    """Children in official order: tag, opening, closing, row."""


def profile_on(day: date) -> Profile:
    """The edition of the format that a document of that day follows unless somebody pins another."""
    return "2026" if day >= NEWER_SINCE else "2019"


def for_type(row: Leaf | Group, document_type: int, columns: Sequence[int], profile: Profile = "2019") -> TypeRow:
    """One type's share of a table in one profile."""
    return _for_column(row, columns.index(document_type), profile)


def derived(group: Group, *swapped: Leaf | Group, without: Sequence[str] = (), needed: str | None = None) -> Group:
    """A group like another: some of its rows left out or swapped for rows of the same tag, none of a newer profile."""
    others = {row.tag: row for row in swapped}
    rows = tuple(
        others.get(row.tag, row) for row in group.rows if row.tag not in without and row.profile in (None, PROFILES[0])
    )
    if strange := (set(others) | set(without)) - {row.tag for row in group.rows}:
        raise ValueError(f"{group.tag} has no {strange}")
    return replace(group, rows=rows, needed=needed or group.needed)


def after(group: Group, tag: str, *added: Leaf | Group) -> Group:
    """A group with more rows behind one of its own."""
    place = next(index for index, row in enumerate(group.rows) if row.tag == tag) + 1
    return replace(group, rows=(*group.rows[:place], *added, *group.rows[place:]))


def in_profile(group: Group, profile: Profile) -> tuple[Leaf | Group, ...]:
    """The rows of a group that a profile has."""
    return tuple(row for row in group.rows if row.profile in (None, profile))


def _digit(needed: str, column: int) -> str:
    return needed if len(needed) == 1 else needed[column]


def _for_column(row: Leaf | Group, column: int, profile: Profile) -> TypeRow:
    forbidden = _digit(row.needed, column) == "0"
    if isinstance(row, Leaf):
        return TypeRow(row.tag, row.most, forbidden, row.kind, None, (), {}, frozenset(), frozenset(), ())
    own = in_profile(row, profile)
    children = {child.tag: _for_column(child, column, profile) for child in own}
    return TypeRow(
        tag=row.tag,
        most=row.most,
        forbidden=forbidden,
        kind=None,
        rows=children,
        required=tuple(child.tag for child in own if _digit(child.needed, column) == "1"),
        renamed=dict(row.renamed),
        left_out=row.left_out,
        elsewhere=frozenset(
            child.tag for child in row.rows if child.tag not in children and _digit(child.needed, column) != "0"
        ),
        written=tuple((tag, f"<{tag}>", f"</{tag}>", child) for tag, child in children.items()),
    )
