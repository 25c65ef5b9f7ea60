"""What DTEUpload says of a file that isn't schema-valid, in the words of Xerces: ``cvc-…``.

Every recorded STATUS 7 about a schema is of that wording (12 of 12 about books, 2026-08; about a 33 by one source),
while an envelope refused later, by the examination, speaks Oracle's (``LSX-…``). The rules and their sentences are
those of XML Schema 1.0 (appendix C, "Validation Rules") as Xerces-J prints them, but for the names of types, which
libxml2 doesn't tell: they are made here from its faults.
"""

import re
from collections.abc import Callable

from lxml import etree

from deploy.sandbox.sii.reading import Element

_ENTRY = re.compile(r"Element '(?:\{[^}]*\})?([^']+)'(?:, attribute '([^']+)')?: (.*)", re.DOTALL)
_NAMED = re.compile(r"\{([^}]*)\}([\w.-]+)")
_Words = Callable[[re.Match[str], str, str], str]


def xerces_words(entry: etree._LogEntry, root: Element) -> list[str]:
    """The sentences of Xerces for one fault that libxml2 found in a file: the rule's, and that of the element."""
    read = _ENTRY.match(entry.message)
    if read is None:
        return [f"cvc-elt.1: {entry.message}"]
    name, attribute, rest = read.group(1), read.group(2) or "", read.group(3)
    value = _value(entry.path, attribute, root)
    for pattern, words in _RULES:
        found = pattern.match(rest)
        if found is not None:
            said = words(found, name, value)
            return [said, *_of_the_element(said, name, attribute, value)]
    return [f"cvc-elt.1: {rest}"]


def _of_the_element(said: str, name: str, attribute: str, value: str) -> list[str]:
    """What Xerces adds to a value that breaks its type."""
    if not said.startswith(_OF_VALUES):
        return []
    if attribute:
        text = f"cvc-attribute.3: The value '{value}' of attribute '{attribute}' on element '{name}' is not valid"
        return [f"{text} with respect to its type."]
    return [f"cvc-type.3.1.3: The value '{value}' of element '{name}' is not valid."]


def _value(path: str | None, attribute: str, root: Element) -> str:
    found = root.getroottree().xpath(path) if path else []
    if not isinstance(found, list) or not found or not isinstance(found[0], etree._Element):  # noqa: SLF001
        return ""
    return str(found[0].get(attribute, "")) if attribute else (found[0].text or "")


def _expected(text: str) -> str:
    """Names as Xerces lists them: ``{"namespace":name, …}``."""
    named = [f'"{space}":{name}' for space, name in _NAMED.findall(text)]
    return "{" + (", ".join(named) if named else text.strip()) + "}"


def _not_expected(found: re.Match[str], name: str, _value: str) -> str:
    start = f"Invalid content was found starting with element '{name}'."
    if not found.group(1):
        return f"cvc-complex-type.2.4.d: {start} No child element is expected at this point."
    return f"cvc-complex-type.2.4.a: {start} One of '{_expected(found.group(1))}' is expected."


def _incomplete(found: re.Match[str], name: str, _value: str) -> str:
    wanted = _expected(found.group(1))
    return f"cvc-complex-type.2.4.b: The content of element '{name}' is not complete. One of '{wanted}' is expected."


def _facet(rule: str, text: str) -> _Words:
    return lambda found, _name, value: f"cvc-{rule}-valid: " + text.format(*found.groups(), value=value)


def _fixed(text: str) -> _Words:
    return lambda found, name, value: text.format(*found.groups(), name=name, value=value)


def _enumerated(found: re.Match[str], _name: str, value: str) -> str:
    listed = ", ".join(re.findall(r"'([^']*)'", found.group(1)))
    return (
        f"cvc-enumeration-valid: Value '{value}' is not facet-valid with respect to enumeration '[{listed}]'. "
        "It must be a value from the enumeration."
    )


def _too_many(kind: str) -> _Words:
    def words(found: re.Match[str], _name: str, value: str) -> str:
        whole, _, fraction = value.strip().lstrip("+-").partition(".")
        count = len(fraction) + (len(whole.lstrip("0")) if kind == "total" else 0)
        limit = f"but the number of {kind} digits has been limited to {found.group(1)}"
        return f"cvc-{kind}Digits-valid: Value '{value}' has {count} {kind} digits, {limit}."

    return words


_OF_VALUES = (
    "cvc-pattern-valid",
    "cvc-enumeration-valid",
    "cvc-maxLength-valid",
    "cvc-minLength-valid",
    "cvc-length-valid",
    "cvc-maxInclusive-valid",
    "cvc-minInclusive-valid",
    "cvc-totalDigits-valid",
    "cvc-fractionDigits-valid",
    "cvc-datatype-valid",
)
_NOT_VALID = "Value '{value}' is not facet-valid with respect to "
_LONG = "Value '{value}' with length = '{0}' is not facet-valid with respect to "
_TABLE: tuple[tuple[str, _Words], ...] = (
    (r"This element is not expected\.(?: Expected is (?:one of )?\( (.*) \)\.)?", _not_expected),
    (r"Missing child element\(s\)\. Expected is (?:one of )?\( (.*) \)\.", _incomplete),
    (
        r"\[facet 'pattern'\] .* is not accepted by the pattern '(.*)'\.",
        _facet("pattern", _NOT_VALID + "pattern '{0}'."),
    ),
    (r"\[facet 'enumeration'\] .* is not an element of the set \{(.*)\}\.", _enumerated),
    (r"\[facet 'maxLength'\] .*length of '(\d+)'.*'(\d+)'\.", _facet("maxLength", _LONG + "maxLength '{1}'.")),
    (r"\[facet 'minLength'\] .*length of '(\d+)'.*'(\d+)'\.", _facet("minLength", _LONG + "minLength '{1}'.")),
    (r"\[facet 'length'\] .*length of '(\d+)'.*'(\d+)'\.", _facet("length", _LONG + "length '{1}'.")),
    (r"\[facet 'maxInclusive'\] .*\('([^']*)'\)\.", _facet("maxInclusive", _NOT_VALID + "maxInclusive '{0}'.")),
    (r"\[facet 'minInclusive'\] .*\('([^']*)'\)\.", _facet("minInclusive", _NOT_VALID + "minInclusive '{0}'.")),
    (r"\[facet 'totalDigits'\] .*\('(\d+)'\)\.", _too_many("total")),
    (r"\[facet 'fractionDigits'\] .*\('(\d+)'\)\.", _too_many("fraction")),
    (
        r"'.*' is not a valid value of the (?:atomic|local atomic|list|union) type(?: '(?:xs:|\{[^}]*\})?([^']*)')?\.",
        lambda found, _name, value: f"cvc-datatype-valid.1.2.1: '{value}' is not a valid value for '{found.group(1)}'.",
    ),
    (
        r"The attribute '([^']+)' is required but missing\.",
        _fixed("cvc-complex-type.4: Attribute '{0}' must appear on element '{name}'."),
    ),
    (
        r"The attribute '(?:\{[^}]*\})?([^']+)' is not allowed\.",
        _fixed("cvc-complex-type.3.2.2: Attribute '{0}' is not allowed to appear in element '{name}'."),
    ),
    (
        r"(No matching global) declaration available",
        _fixed("cvc-elt.1: Cannot find the declaration of element '{name}'."),
    ),
    (
        r"(Character content) other than whitespace is not allowed",
        _fixed(
            "cvc-complex-type.2.3: Element '{name}' cannot have character [children], because the type's content type "
            "is element-only."
        ),
    ),
    (
        r"(Element content) is not allowed",
        _fixed(
            "cvc-type.3.1.2: Element '{name}' is a simple type, so it must have no element information item [children]."
        ),
    ),
    (
        r"The value '.*' does not match the fixed value constraint '(.*)'\.",
        _fixed(
            "cvc-attribute.4: The value '{value}' of attribute on element '{name}' is not valid with respect to its "
            "fixed '{{value constraint}}'. The attribute must have a value of '{0}'."
        ),
    ),
)
_RULES = tuple((re.compile(pattern, re.DOTALL), words) for pattern, words in _TABLE)
