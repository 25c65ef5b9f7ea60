"""Kinds of values that a tag can hold, and how each is read from JSON.

Reading is exact: a float counts as what it prints as, a text as the figure it spells, and nothing is rounded or guessed
at: a text whose point may separate thousands is refused (domain/money). A value that can't be read raises `Unreadable`
with a code and a sentence; one that was mended raises it with the mended value.
Facets come from SiiTypes_v10.xsd and EnvioBOLETA_v11.xsd.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from domain.money import EXACT, AmbiguousFigure, Number, read_figure
from domain.problems import Level, shown
from domain.rut import InvalidRut, normalise
from domain.text import Fault, clean, is_plain

Value = str | int | Decimal | date
"""What a tag holds once read."""

LONGEST_LINE = 3_800
"""Characters of one escaped value that still fit a line: the SII refuses lines of some 4,090 (CHR-00002)."""

_MOST_BITS = 128
"""Bits of a whole number that is still worth spelling."""

_HOUR = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Unreadable(Exception):  # noqa: N818  (a finding, not a failure of the program)
    """A value isn't what its tag holds; `value` is the mended one where the fault is only worth a warning."""

    def __init__(self, *faults: Fault, value: Value | None = None, level: Level = "error") -> None:
        super().__init__(*faults)
        self.faults, self.value, self.level = faults, value, level


class Kind(Protocol):
    """A kind of value."""

    def read(self, value: object) -> Value:
        """The value in its canonical form; an empty text means that nothing was stated. Raises Unreadable."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """Characters. `cut` marks free text that is shortened with a warning; anything else too long is refused."""

    longest: int
    cut: bool = False

    def read(self, value: object) -> Value:
        """See `Kind`; whole numbers are taken as their digits."""
        text = value if type(value) is str and is_plain(value) else self._cleaned(value)
        if len(text) > self.longest:
            return self._shortened(text, self.longest)
        if self.longest > LONGEST_LINE // 5 and _escaped_length(text) > LONGEST_LINE:
            return self._shortened(text, LONGEST_LINE // 5)
        return text

    @staticmethod
    def _cleaned(value: object) -> str:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            number = _number(value)
            if isinstance(number, int) and number.bit_length() > _MOST_BITS:
                raise Unreadable(("FMT-LENGTH", "Write fewer digits."))
            return str(number)
        if not isinstance(value, str):
            raise Unreadable(("FMT-KIND", f"Write a text here, not {_json_name(value)}."))
        text, faults = clean(value)
        if faults:
            raise Unreadable(*faults)
        return text

    def _shortened(self, text: str, longest: int) -> str:
        if not self.cut:
            sentence = f"Write at most {longest} characters; there are {len(text)}."
            raise Unreadable(("FMT-LENGTH", sentence))
        kept = text[:longest].rstrip()
        raise Unreadable(
            ("FMT-CUT", f"Cut to {longest} characters (there were {len(text)}): the document can't carry more."),
            value=kept,
            level="warning",
        )


@dataclass(frozen=True, slots=True)
class Rut:
    """A RUT, with or without dots, in canonical form once read."""

    def read(self, value: object) -> Value:
        """See `Kind`."""
        if not isinstance(value, str):
            raise Unreadable(("FMT-KIND", f"Write the RUT as a text like 12345678-9, not {_json_name(value)}."))
        if not value.strip():
            return ""
        try:
            return normalise(value)
        except InvalidRut as fault:
            raise Unreadable(("FMT-RUT", f"Correct the RUT {shown(value)}: {fault}.")) from None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two bounds, e.g. pesos."""

    least: int
    most: int

    def read(self, value: object) -> Value:
        """See `Kind`; `1190.0` is whole too."""
        number = value if type(value) is int else _number(value)
        if number == "":
            return ""
        if not isinstance(number, int):
            raise Unreadable(("FMT-DECIMALS", f"Write a whole number, not {shown(value)}."))
        if not self.least <= number <= self.most:
            raise Unreadable(_out_of_range(value, self.least, self.most))
        return number


@dataclass(frozen=True, slots=True)
class Figure:
    """A positive decimal number with at most so many integer and fraction digits; `zero` says whether 0 is readable."""

    integers: int
    decimals: int
    zero: bool = False
    most: int | None = None

    def read(self, value: object) -> Value:
        """See `Kind`."""
        number = value if type(value) is int else _number(value)
        if isinstance(number, str):
            return ""
        if isinstance(number, Decimal):
            exponent = number.as_tuple().exponent
            if isinstance(exponent, int) and -exponent > self.decimals:
                sentence = f"Write {shown(value)} with at most {self.decimals} decimals; FMgo doesn't round it for you."
                raise Unreadable(("FMT-DECIMALS", sentence))
        too_large = number >= 10**self.integers if self.most is None else number > self.most
        if too_large or number < 0 or (not number and not self.zero):
            most = f"{'9' * self.integers}.{'9' * self.decimals}" if self.most is None else self.most
            raise Unreadable(_out_of_range(value, 0 if self.zero else "more than 0", most))
        return number


@dataclass(frozen=True, slots=True)
class Day:
    """A date between two days, as AAAA-MM-DD."""

    first: date
    last: date

    def read(self, value: object) -> Value:
        """See `Kind`."""
        if value == "":
            return ""
        day = _day(value) if isinstance(value, str) else None
        if day is None:
            raise Unreadable(("FMT-DATE", f"Write a day that exists as AAAA-MM-DD, not {shown(value)}."))
        if not self.first <= day <= self.last:
            raise Unreadable(_out_of_range(value, self.first, self.last))
        return day


@dataclass(frozen=True, slots=True)
class Hour:
    """A time of day, HH:MM:SS; the seconds may be left out."""

    def read(self, value: object) -> Value:
        """See `Kind`."""
        if value == "":
            return ""
        written = value.strip() if isinstance(value, str) else ""
        if not _HOUR.fullmatch(written):
            raise Unreadable(("FMT-HOUR", f"Write a time of day as HH:MM:SS, not {shown(value)}."))
        return written if written.count(":") > 1 else f"{written}:00"


@dataclass(frozen=True, slots=True)
class Moment:
    """A day and a time of day, AAAA-MM-DDTHH:MM:SS, in Chile; the seconds may be left out."""

    first: date
    last: date

    def read(self, value: object) -> Value:
        """See `Kind`."""
        if value == "":
            return ""
        day_text, _, hour_text = value.strip().partition("T") if isinstance(value, str) else ("", "", "")
        day = _day(day_text)
        if day is None or not _HOUR.fullmatch(hour_text):
            raise Unreadable(("FMT-HOUR", f"Write day and time as AAAA-MM-DDTHH:MM:SS, not {shown(value)}."))
        if not self.first <= day <= self.last:
            raise Unreadable(_out_of_range(value, self.first, self.last))
        return f"{day_text}T{hour_text if hour_text.count(':') > 1 else f'{hour_text}:00'}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some codes, by what may be written for each."""

    codes: Mapping[str | None, Value]
    others: Mapping[str, str] = field(default_factory=dict)
    """Codes by what else they are called elsewhere, in capitals: named to who writes it, never taken."""

    def read(self, value: object) -> Value:
        """See `Kind`; numbers may come as texts and the other way round."""
        written = value.strip() if isinstance(value, str) else self._spelled(value)
        code = self.codes.get(written)
        if code is None:
            if written == "":
                return ""
            if meant := self._meant(written):
                raise Unreadable(("FMT-CHOICE", f"Write {meant}, not {shown(value)}: that is its name here."))
            allowed = dict.fromkeys(str(code) for code in self.codes.values())
            raise Unreadable(("FMT-CHOICE", f"Write one of {', '.join(allowed)}, not {shown(value)}."))
        return code

    def _meant(self, written: str | None) -> str | None:
        """The code of another name, or of the same in other letters."""
        called = " ".join((written or "").upper().replace("_", " ").split())
        return self.others.get(called) or next((str(code) for code in self.codes if code == called), None)

    @staticmethod
    def _spelled(value: object) -> str | None:
        number = _number(value)
        return str(number) if isinstance(number, int) and number.bit_length() <= _MOST_BITS else None


def choice(*codes: str | int) -> Choice:
    """A choice among codes that are written as they are."""
    return Choice({str(code): code for code in codes})


def _escaped_length(text: str) -> int:
    return len(text) + 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))


def _number(value: object) -> Number | str:
    """The exact number that was written, whole ones as int; an empty text is left as it is."""
    if isinstance(value, str):
        written = value.strip()
        if not written:
            return ""
        try:
            number = read_figure(written)
        except AmbiguousFigure as fault:
            raise Unreadable(("FMT-NUMBER", f"{fault}.")) from None
        except ValueError:
            sentence = f"Write {shown(value)} in digits with a decimal point, without thousands separators or exponent."
            raise Unreadable(("FMT-NUMBER", sentence)) from None
    elif isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise Unreadable(("FMT-KIND", f"Write a number here, not {_json_name(value)}."))
    elif isinstance(value, int):
        return value
    elif not math.isfinite(value):
        raise Unreadable(("FMT-NUMBER", "Write a finite number."))
    else:
        number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if number == number.to_integral_value():
        return int(number)
    return number.normalize(EXACT)


def _out_of_range(value: object, least: object, most: object) -> Fault:
    bounds = f"from {least} to {most}" if not isinstance(least, str) else f"of {least}, up to {most}"
    return "FMT-RANGE", f"Write a value {bounds}, not {shown(value)}."


@lru_cache(maxsize=4096)
def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _json_name(value: object) -> str:
    names = {
        bool: "true or false",
        dict: "an object",
        list: "a list",
        int: "a number",
        float: "a number",
        str: "a text",
    }
    return names.get(type(value), type(value).__name__)
