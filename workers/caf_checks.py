"""What stands against loading a CAF: the rules, the ledger, and the numbers that a person gave along with it."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from domain.caf import Authorisation, Caf, check_caf, other_name
from domain.problems import Problem
from workers.clock import santiago
from workers.database import enrolment as rows
from workers.database.engine import business_time
from workers.database.enrolment import KnownCaf
from workers.folio_ranges import Range, without, written

CafKeys = Mapping[int, Sequence[bytes]]
"""Public keys (PEM) that sign CAFs, by IDK."""
Company = tuple[str, str]
"""RUT and environment."""


def company_name(rut: str, environment: str) -> str:
    """A company as sentences and audit rows name it."""
    return f"{rut}@{environment}"


def unknown_company(company: Company) -> Problem:
    """A company isn't enrolled."""
    sentence = f"{company_name(*company)} is no company of this ledger: add it first (`fmgo issuer add`)."
    return Problem("ISSUER-UNKNOWN", "issuer", sentence)


def standing_against(tx: Connection, caf: Authorisation, issuer: str, environment: str, keys: CafKeys) -> list[Problem]:
    """What the rules and the ledger say against loading a CAF today, warnings included."""
    today = santiago(business_time(tx)).date()
    found = list(check_caf(caf, issuer=issuer, environment=environment, today=today, keys=keys))
    named = rows.name_of(tx, issuer, environment)
    if named is not None and (differs := other_name(caf.razon_social, named, "DA/RS")):
        found.append(differs)
    return found + [unknown_company(company) for company in rows.unknown_issuers(tx, [(issuer, environment)])]


def badly_opened(caf: Caf, following: int, used: Sequence[Range], reserve: int) -> list[Problem]:
    """What is wrong with the numbers that a person gave along with a CAF."""
    found = []
    if not caf.first <= following <= caf.last:
        sentence = f"The first free folio must lie in the CAF's range, {caf.first} to {caf.last}; {following} does not."
        found.append(Problem("CAF-NEXT", "next", sentence))
    if outside := without(used, [(caf.first, caf.last)]):
        sentence = f"Used folios must lie in the CAF's range, {caf.first} to {caf.last}; {written(outside)} do not."
        found.append(Problem("CAF-USED", "used", sentence))
    if not 0 <= reserve <= caf.last - caf.first + 1:
        sentence = f"The reserve must be 0 to {caf.last - caf.first + 1}, the number of folios in the range."
        found.append(Problem("CAF-RESERVE", "reserve", sentence))
    return found


def overlap(caf: Caf, known: KnownCaf) -> Problem:
    """A range has folios in common with one that is loaded."""
    both = max(caf.first, known.first), min(caf.last, known.last)
    return Problem(
        "CAF-OVERLAP",
        "DA/RNG",
        f"Folios {both[0]} to {both[1]} of type {caf.document_type} are in the ledger already, by a CAF of"
        f" {known.authorised_on} for {known.first} to {known.last}; a folio is never opened twice.",
    )


def already_open(still_free: Sequence[Range]) -> Problem:
    """A CAF comes again with other numbers said to be gone than those that are."""
    sentence = (
        f"This CAF is in the ledger already, and {written(still_free)} may still be given by it;"
        " say that they are gone with `fmgo folio annul` or `fmgo folio import-used`."
    )
    return Problem("CAF-ALREADY-LOADED", "next", sentence)
