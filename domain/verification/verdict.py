"""The verdict on a file: facts said separately, in the words of the conformance corpus, and what follows from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from domain.problems import Problem

FACTS = (
    "schema_valid",
    "doc_signature_valid",
    "env_signature_valid",
    "ted_valid",
    "caf_valid",
    "coherent",
    "header_ok",
    "certificate_ok",
    "totals_consistent",
    "all_signatures_valid",
    "frma_valid",
    "has_private_key",
    "private_key_readable",
    "key_pair_matches",
)
"""Facts by name; what a kind of file does not have is None."""


class Judged(Protocol):
    """What was found of one document."""

    def as_dict(self) -> Mapping[str, object]:
        """The document as members of a JSON object."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of a file."""

    kind: str
    """dte, envio, aec, respuesta, recibos, libro, consumo_folios, resultado, getToken, ted, caf, or unknown."""
    root: str | None
    """The name of the file's root element; None when it could not be read."""
    facts: Mapping[str, bool | None]
    problems: tuple[Problem, ...]
    needed: tuple[str, ...]
    """Facts without which a file of this kind is not accepted."""
    judged: Sequence[Judged] = ()
    """The documents of the file, in order."""
    values: Mapping[str, object] | None = None
    """What else is said of the file, e.g. the range of a CAF, or the schema by which it was judged."""

    @property
    def documents(self) -> list[Mapping[str, object]]:
        """What was found of each document, in their order."""
        return [each.as_dict() for each in self.judged]

    @property
    def verdict(self) -> Literal["accept", "reject"]:
        """Accept when every fact that the kind needs is proven and no problem is an error."""
        proven = set(map(self.facts.get, self.needed)) == {True}
        refuted = False in [value for name, value in self.facts.items() if name != "has_private_key"]
        errors = any(each.level == "error" for each in self.problems)
        return "accept" if proven and not refuted and not errors else "reject"

    def as_dict(self) -> dict[str, object]:
        """The verdict as members of a JSON object."""
        names = FACTS if self.kind == "caf" else FACTS[:10]
        return {
            "kind": self.kind,
            "root": self.root,
            "verdict": self.verdict,
            **{name: self.facts.get(name) for name in names},
            **(self.values or {}),
            "documents": self.documents,
            "problems": [each.as_dict() for each in self.problems],
        }
