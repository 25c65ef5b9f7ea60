"""`make up`: a sandbox that stays until ctrl-C, for trying things by hand.

Servers, workers, Flower and a simulated SII with the demo's invented companies; what it holds is there again the next
time. Verdicts come within seconds, because here the SII is asked early.
"""

import argparse
import os
import threading
from pathlib import Path
from typing import Final

from rich.console import Console

from deploy.sandbox.companies import COMPANIES
from deploy.sandbox.control import SiiControl
from deploy.sandbox.crew import start_crew
from deploy.sandbox.enrol import SandboxEnrolment
from deploy.sandbox.flower import FlowerWindow, start_flower
from deploy.sandbox.sandbox import Sandbox, default_folder
from deploy.sandbox.supervisor import SandboxError
from workers.database.engine import Ledger
from workers.database.enrolment import issuer_list
from workers.settings import read_settings

# Nobody wants to wait ten minutes for a boleta's verdict while trying things.
QUICK: Final = {
    "FMGO_POLL_FIRST_SECONDS_SOAP": "1",
    "FMGO_POLL_FIRST_SECONDS_REST": "1",
    "FMGO_RESEND_AFTER_SECONDS": "5",
    "FMGO_LOG_FORMAT": "console",
}
FLOWER_SECONDS: Final = 30.0


def main() -> int:
    """Run until ctrl-C."""
    parser = argparse.ArgumentParser(prog="fmgo sandbox", description="a sandbox that stays until ctrl-C")
    parser.add_argument("--folder", type=Path, help="its folder; by default .sandbox/up in the checkout")
    options = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    folder = options.folder or default_folder() / "up"
    try:
        with Sandbox(folder, say=lambda line: console.print(f"  [dim]{line}[/dim]")) as sandbox:
            urls = sandbox.start_sii()
            sandbox.environment.update({name: os.environ.get(name, value) for name, value in QUICK.items()})
            os.environ.update(sandbox.environment)
            ledger = Ledger(sandbox.database_url)
            sii = SiiControl(urls["control"])
            sii.switch({"format_profile": read_settings().format_profile or "2026"})
            flower = start_flower(sandbox)
            _enrol(ledger, sii)
            start_crew(sandbox, ledger)
            _show(console, sandbox, urls["control"], flower)
            threading.Event().wait()
    except SandboxError as error:
        console.print(f"fmgo: {error}", markup=False)
        return 2
    except KeyboardInterrupt:
        console.print("\n  stopped; its data is kept")
    return 0


def _enrol(ledger: Ledger, sii: SiiControl) -> None:
    """Enrol the invented companies, the first time only."""
    with ledger.transaction() as tx:
        known = issuer_list(tx)
    if not known:
        enrolment = SandboxEnrolment(ledger, sii, read_settings())
        for company in COMPANIES:
            enrolment.enrol(company, company.types, folios=100_000)


def _show(console: Console, sandbox: Sandbox, control: str, flower: FlowerWindow) -> None:
    address = flower.wait(FLOWER_SECONDS)
    console.print()
    console.print(f"  Flower    {address}   user {flower.user}, password {flower.password}")
    console.print(f"  the SII   {control}   (its page; its documents under /documents)")
    console.print(f"  issuers   {', '.join(company.rut for company in COMPANIES)}")
    console.print(f"  logs      {sandbox.logs}")
    console.print("\n  In another shell:")
    console.print(f"    . {sandbox.folder / 'environment'}")
    console.print("    .venv/bin/fmgo enqueue docs/examples/boleta.json && .venv/bin/fmgo document list")
    console.print("\n  ctrl-C stops everything.")


if __name__ == "__main__":
    raise SystemExit(main())
