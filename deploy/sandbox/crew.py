"""The worker processes of a sandbox, started as `fmgo worker KIND` starts them."""

import time
from typing import Final

from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.supervisor import Child, SandboxError
from workers.database import processes
from workers.database.engine import Ledger
from workers.launch import launch

KINDS: Final = ("threads", "interactive", "bulk")
READY_SECONDS: Final = 60.0
LOOK_EVERY_SECONDS: Final = 0.05


def start_crew(sandbox: Sandbox, ledger: Ledger, kinds: tuple[str, ...] = KINDS) -> dict[str, Child]:
    """Start a worker of each kind and wait until each is in the ledger; raises SandboxError with the log's name."""
    children = {}
    for kind in kinds:
        how = launch(kind)
        argv = ["nice", "-n", str(how.niceness), *how.argv] if how.niceness else how.argv
        children[kind] = sandbox.spawn(f"worker-{kind}", argv, env=how.environment)
    deadline = time.monotonic() + READY_SECONDS
    while True:
        for child in children.values():
            child.check()
        with ledger.transaction() as tx:
            alive = processes.alive(tx, 6)
        if set(kinds) <= set(alive):
            return children
        if time.monotonic() > deadline:
            missing = ", ".join(sorted(set(kinds) - set(alive)))
            raise SandboxError(f"these workers were not ready after {READY_SECONDS:.0f} s: {missing}; see their logs")
        time.sleep(LOOK_EVERY_SECONDS)
