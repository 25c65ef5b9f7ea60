"""The stamp (timbre, TED): its two signatures over texts rebuilt from what was parsed.

FRMT signs DD with the key of the CAF inside it, FRMA signs DA with a key of the SII; both over the element without the
white space between tags, without namespace, ISO-8859-1, with `&`, `<` and `>` as entities and nothing else (SII,
Instructivo técnico; the quotation marks follow from the SII rebuilding the text from its parser).
"""

from deploy.sandbox.sii.caf import escape
from deploy.sandbox.sii.reading import Element, children, local


def flat(element: Element) -> bytes:
    """The bytes that a stamp or a CAF signs for `element`."""
    return _text(element).encode("iso-8859-1", "replace")


def _text(element: Element) -> str:
    name = local(element)
    attributes = "".join(f' {key}="{escape(str(value))}"' for key, value in element.attrib.items())
    if len(element) == 0:  # the usual leaf, without a comment inside
        return f"<{name}{attributes}>{escape(element.text or '')}</{name}>"
    inner = children(element)
    body = "".join(_text(child) for child in inner) if inner else escape("".join(element.itertext()))
    return f"<{name}{attributes}>{body}</{name}>"
