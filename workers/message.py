"""The content type of FMgo's own messages on Celery's queues, with its version.

A bell carries nothing but a phase and a lane; `fmgo.enqueue` carries jobs. Both are JSON under a content type of
their own, so that a later version (sealed bodies, say) can stand beside this one and an old worker refuses what it
can't read instead of misreading it. Plain `application/json` is accepted too: that is what other Celery clients send.
"""

import json
from typing import Any, Final

from kombu.serialization import register

CONTENT_TYPE: Final = "application/vnd.fmgo.v1+json"
NAME: Final = "fmgo"


def _encode(message: Any) -> str:
    return json.dumps(message, ensure_ascii=True, separators=(",", ":"))


def register_content_type() -> None:
    """Make kombu know the content type; safe to call again."""
    register(NAME, _encode, json.loads, content_type=CONTENT_TYPE, content_encoding="utf-8")
