"""Whether the wheel works where nothing but the wheel is installed.

The wheel is built and installed by pip into an empty environment, without development tools and without the extra
`embedded`, at the versions and hashes of requirements.lock. Everything that FMgo needs must come with it: every module
is imported, every command tells its help, `fmgo doctor` finds nothing to mend, a worker of each kind starts, and a
sale handed in by `Producer.enqueue` is accepted. PostgreSQL, Valkey and the simulated SII are run by the environment
that runs this. Exit 0 when all of it holds; else 1, and the last line says what doesn't.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy.sandbox.companies import FERRETERIA
from deploy.sandbox.control import SiiControl
from deploy.sandbox.enrol import SandboxEnrolment
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.supervisor import Child
from tests.wheel.installing import Installed, WheelError, build, install
from workers.database.engine import Ledger
from workers.settings import read_settings

HERE: Final = Path(__file__).resolve().parent
KINDS: Final = ("threads", "interactive", "bulk")
_PATIENCE: Final = 300.0
_QUICK: Final = {"FMGO_POLL_FIRST_SECONDS_SOAP": "1", "FMGO_POLL_FIRST_SECONDS_REST": "1"}


def main() -> int:
    """Check it; returns the exit code."""
    try:
        with tempfile.TemporaryDirectory(prefix="fmgo-wheel-") as folder:
            wheel = build(Path(folder) / "dist")
            say(f"{wheel.name}: every file of the packages is in it, and no other")
            alone = install(wheel, Path(folder) / "alone")
            say(f"installed alone, {len(alone.versions)} packages at the lock's versions and hashes")
            with Sandbox(ephemeral=True, say=lambda _: None) as sandbox:
                check(alone, sandbox)
    except WheelError as fault:
        say(f"the wheel doesn't work alone: {fault}")
        return 1
    say("the wheel works alone")
    return 0


def check(alone: Installed, sandbox: Sandbox) -> None:
    """Do FMgo's work with the installed wheel, from the first import to an accepted sale."""
    enrol(sandbox)
    say(run("modules and helps", [alone.python, "-I", HERE / "inside.py"], sandbox.environment))
    for refused in ("sandbox", "simulator"):
        without_servers(alone, refused)
    workers = [
        sandbox.spawn(f"worker-{kind}", [str(alone.fmgo), "worker", kind], env=scrubbed(sandbox.environment))
        for kind in KINDS
    ]
    try:
        say(run("a sale", [alone.python, "-I", HERE / "sale.py", FERRETERIA.rut], sandbox.environment))
        say("fmgo doctor: " + run("fmgo doctor", [alone.fmgo, "doctor"], sandbox.environment).rpartition("\n")[2])
    except WheelError as fault:
        raise WheelError(f"{fault}\n{logs(workers)}") from None


def enrol(sandbox: Sandbox) -> None:
    """Start the SII and enrol a company, with the code of this environment."""
    control = sandbox.start_sii()["control"]
    sandbox.environment.update(_QUICK)
    os.environ.update(sandbox.environment)
    ledger = Ledger(sandbox.database_url)
    try:
        SandboxEnrolment(ledger, SiiControl(control), read_settings()).enrol(FERRETERIA, (33, 39), folios=1000)
    finally:
        ledger.dispose()


def without_servers(alone: Installed, command: str) -> None:
    """What needs the extra `embedded` says so in a sentence and ends with 2."""
    empty = {name: value for name, value in os.environ.items() if not name.startswith(("FMGO_", "PYTHON"))}
    done = subprocess.run(
        [alone.fmgo, command], capture_output=True, text=True, check=False, timeout=_PATIENCE, env=empty, cwd="/"
    )
    if done.returncode != 2 or "embedded" not in done.stderr or "Traceback" in done.stderr:
        raise WheelError(f"`fmgo {command}` without its extra ended with {done.returncode}: {done.stderr[-600:]}")


def run(what: str, argv: Sequence[str | Path], environment: Mapping[str, str]) -> str:
    """Run a program of the wheel's environment; its standard output, or WheelError with what it said."""
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=_PATIENCE, env=scrubbed(environment), cwd="/"
        )
    except subprocess.TimeoutExpired:
        raise WheelError(f"{what}: not done after {_PATIENCE:.0f} s") from None
    if done.returncode:
        raise WheelError(f"{what}: ended with {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout.strip()


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """This process's environment and the sandbox's, with nothing in it that leads to another checkout's code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, **environment, "PYTHONSAFEPATH": "1", "PYTHONPATH": ""}


def logs(workers: Sequence[Child]) -> str:
    """The end of each worker's log."""
    return "\n".join(f"-- {worker.name}\n{worker.log_tail()}" for worker in workers)


def say(line: str) -> None:
    """Tell whoever waits."""
    print(f"wheel: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
