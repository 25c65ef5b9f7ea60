# ruff: noqa: INP001 - its folder goes on a path, it is no package
"""Host names of the SII as a hosts file would map them, for a process that knows nothing of it.

``FOREIGN_HOSTS`` holds JSON: a name and the port of this machine where it is served. Put this folder on PYTHONPATH.
"""

import json
import os
import socket
from typing import Any

_PORTS: dict[str, int] = json.loads(os.environ.get("FOREIGN_HOSTS", "{}"))
_resolve = socket.getaddrinfo


def _mapped(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
    if host in _PORTS:
        return _resolve("127.0.0.1", _PORTS[host], *rest, **named)
    return _resolve(host, port, *rest, **named)


socket.getaddrinfo = _mapped
