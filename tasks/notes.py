"""Notes get their folios one after the other on each document that they change.

Two partial notes may each be less than what is left of an invoice, and together more. So whoever gives folios holds
what his notes change, reads the ledger again, and lets those notes go on for which nothing has changed since they were
judged; of several in one chunk on the same document the first. The others are judged again, at once.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from domain.changes import Key
from domain.completion import ReferencedDocument
from domain.rules.references import DEAD
from tasks.judging import Judgement
from workers.database.references import KnownReference, Reference, hold, references


def in_turn(tx: Connection, judgements: Sequence[Judgement]) -> tuple[list[Judgement], list[Judgement]]:
    """Of documents that may get folios, those whose turn it is and those that must be judged again."""
    wanted = {name for judgement in judgements for name in judgement.touches}
    if not wanted:
        return list(judgements), []
    hold(tx, wanted)
    book = references(tx, wanted)
    taken: set[Reference] = set()
    going, overtaken = [], []
    for judgement in judgements:
        company = (judgement.claimed.issuer, judgement.claimed.environment)
        now = book.known(company, judgement.changed)
        if taken.isdisjoint(judgement.touches) and _facts(now) == _facts(judgement.known):
            going.append(judgement)
        else:
            overtaken.append(judgement)
        taken.update(judgement.touches)
    return going, overtaken


def _facts(known: Mapping[Key, KnownReference]) -> dict[Key, tuple[object, ...]]:
    """What the rules go by that may change from one moment to the next."""
    return {key: _moving(reference.facts) for key, reference in known.items()}


def _moving(facts: ReferencedDocument) -> tuple[object, ...]:
    return facts.credited, facts.debited, facts.annulled, facts.state in DEAD
