"""The form of an upload, read strictly: parts between boundaries, line ends CRLF, the last boundary closed."""

import re
from dataclasses import dataclass

ORDER = ("rutSender", "dvSender", "rutCompany", "dvCompany", "archivo")
_NAME = re.compile(rb'[;\s]name="([^"]*)"')
_FILENAME = re.compile(rb'[;\s]filename="([^"]*)"')
_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?boundary="?([^";]+)"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of an upload: text fields, and the file with its name. `closed`: the final boundary was there."""

    fields: dict[str, str]
    filename: str
    file: bytes | None
    order: tuple[str, ...]
    closed: bool

    @property
    def missing(self) -> list[str]:
        """The text parts that aren't there."""
        return [name for name in ORDER[:-1] if name not in self.fields]


def read_form(content_type: str, body: bytes) -> Form | None:
    """The form in a body; None when the body is no multipart form."""
    match = _BOUNDARY.match(content_type.strip())
    if match is None:
        return None
    mark = b"--" + match.group(1).encode("latin-1")
    head, *rest = (b"\r\n" + body).split(b"\r\n" + mark)
    if head.strip() or not rest:
        return None
    closed = rest[-1].startswith(b"--")
    fields: dict[str, str] = {}
    filename, file, order = "", None, []
    for part in rest[:-1] if closed else rest:
        headers, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = _NAME.search(headers)
        if name is None:
            continue
        label = name.group(1).decode("latin-1")
        order.append(label)
        if label == "archivo":
            named = _FILENAME.search(headers)
            filename, file = named.group(1).decode("utf-8", "replace") if named else "", content
        else:
            fields[label] = content.decode("latin-1").strip()
    return Form(fields, filename, file, tuple(order), closed)
