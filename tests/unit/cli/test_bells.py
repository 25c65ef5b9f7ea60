"""Bells from outside and from within are the same bells."""

import json
import os
import subprocess
import sys

from workers.outside_bells import ENOUGH

SAY = """
import json
from workers import bells, queues
lanes = {queues.queue_of("fmgo.issue", lane): enough for lane, enough in bells.ENOUGH_PER_LANE.items()}
print(json.dumps({**lanes, "fmgo.sweep": bells.ENOUGH["fmgo.sweep"]}))
"""


def test_as_many_bells_are_enough_from_outside_as_from_within() -> None:
    settings = {
        "FMGO_DATABASE_URL": "postgresql://localhost/fmgo",
        "FMGO_REDIS_URL": "redis://localhost/0",
        "FMGO_EVIDENCE_DIR": "/nowhere",
    }
    # In a process of its own: that module reads the settings when it is imported, and keeps them.
    told = subprocess.run(
        [sys.executable, "-c", SAY], env={**os.environ, **settings}, capture_output=True, timeout=60, check=True
    )
    assert json.loads(told.stdout) == ENOUGH
