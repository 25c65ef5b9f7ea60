"""The verdict on a file: facts said separately, in the words of the conformance corpus, and what follows from them.

There is one way to a verdict: a file is rejected when one of its problems is an error. A fact that its kind needs and
that isn't proven becomes such a problem when the file is told of (`Verdict`), unless a warning says why it is no
matter. So no file is rejected without its problem named, and none is accepted with a fact open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from domain.problems import Problem

UNPROVEN: Final = "NOT-PROVEN"
"""The code of a fact that is open though nothing else was found."""
NAMESPACE: Final = "SCHEMA-NAMESPACE"
"""The warning that a file lacks the SII's namespace and nothing else that its schema asks for."""

_OPEN: Final[Mapping[str, str]] = {
    "schema_valid": "The file doesn't follow the SII's schema.",
    "doc_signature_valid": "No signature of what the file holds was found to hold.",
    "env_signature_valid": "No signature of the whole file was found to hold.",
    "ted_valid": "No stamp was found to hold.",
    "caf_valid": "It isn't proven that the SII gave out its folios: no CAF, or none that could be judged.",
    "coherent": "Stamp, CAF and document weren't found to belong together.",
    "header_ok": "What the file says of itself (its Carátula) could not be judged.",
    "certificate_ok": "There is no certificate of a signer that could be judged.",
    "totals_consistent": "It could not be told whether the amounts add up.",
    "all_signatures_valid": "Not every signature in the file holds.",
    "frma_valid": "It isn't proven that the SII signed the CAF.",
    "has_private_key": "The file has no private key.",
    "private_key_readable": "The private key can't be read.",
    "key_pair_matches": "The private key isn't that of the CAF.",
}
"""What an open fact means, by its name."""
FACTS: Final = tuple(_OPEN)
"""Facts by name; what a kind of file does not have is None."""
_OF_CAFS: Final = 4
_HARMLESS: Final = frozenset({"has_private_key"})
"""Facts that may be refuted: a CAF without its key shows all the same who may use the folios."""


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

    def __post_init__(self) -> None:
        """Name what is open, so that whatever leads to a rejection is a problem."""
        sound = not self.problems and False not in self.facts.values()
        if sound and set(map(self.facts.get, self.needed)) == {True}:
            return  # the usual case, told quickly
        if not any(each.level == "error" for each in self.problems):
            object.__setattr__(self, "problems", (*self.problems, *self._unnamed()))

    def _unnamed(self) -> Iterator[Problem]:
        if not self.needed:
            yield Problem("KIND-UNKNOWN", "", "The file is none that is verified here.")
        told = {each.code for each in self.problems}
        for name, sentence in _OPEN.items():
            value = self.facts.get(name)
            if value is True or (value is None and name not in self.needed) or name in _HARMLESS:
                continue
            if not _excused(name, told):
                yield Problem(UNPROVEN, name, sentence)

    @property
    def documents(self) -> list[Mapping[str, object]]:
        """What was found of each document, in their order."""
        return [each.as_dict() for each in self.judged]

    @property
    def verdict(self) -> Literal["accept", "reject"]:
        """Reject when a problem is an error; every fact that the kind needs and that isn't proven is one."""
        return "reject" if any(each.level == "error" for each in self.problems) else "accept"

    def as_dict(self) -> dict[str, object]:
        """The verdict as members of a JSON object."""
        names = FACTS if self.kind == "caf" else FACTS[:-_OF_CAFS]
        return {
            "kind": self.kind,
            "root": self.root,
            "verdict": self.verdict,
            **{name: self.facts.get(name) for name in names},
            **(self.values or {}),
            "documents": self.documents,
            "problems": [each.as_dict() for each in self.problems],
        }


def _excused(fact: str, told: set[str]) -> bool:
    """Whether a warning says why a fact is refuted and that it is no matter for the verdict."""
    if fact == "schema_valid":
        return NAMESPACE in told
    return fact == "totals_consistent" and any(code.startswith("SUM-") for code in told)
