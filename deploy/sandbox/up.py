"""`make up`: a sandbox that stays until ctrl-C, for trying things by hand.

Servers, workers, Flower and a simulated SII with the demo's invented companies; what it holds is there again the next
time. Verdicts come within seconds, because here the SII is asked early.
"""

import argparse
import json
import os
import shlex
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
from workers.settings import Settings, read_settings

# Nobody wants to wait ten minutes for a boleta's verdict while trying things.
QUICK: Final = {
    "FMGO_POLL_FIRST_SECONDS_SOAP": "1",
    "FMGO_POLL_FIRST_SECONDS_REST": "1",
    "FMGO_RESEND_AFTER_SECONDS": "5",
    "FMGO_LOG_FORMAT": "console",
}
FLOWER_SECONDS: Final = 30.0
EXAMPLE: Final = {
    "version": 1,
    "idempotency_key": "caja-3-000123",
    "issuer": COMPANIES[0].rut,
    "till": "caja 3",
    "lane": "interactive",
    "document": {
        "Encabezado": {"IdDoc": {"TipoDTE": 39}},
        "Detalle": [{"NmbItem": "Café molido 250 g", "QtyItem": 2, "PrcItem": 4590}],
    },
}


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
            sii = SiiControl(urls["control"])
            sandbox.tell(_settings_of_this_shell() | _what_the_sii_is(sandbox.folder, sii, urls["control"]))
            os.environ.update(sandbox.environment)
            ledger = Ledger(sandbox.database_url)
            sii.switch({"format_profile": read_settings().format_profile or "date"})
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


def _settings_of_this_shell() -> dict[str, str]:
    """FMgo's settings that were given to this process, and what makes a sandbox quick unless they say otherwise."""
    given = {f"FMGO_{name.upper()}" for name in Settings.model_fields} & os.environ.keys()
    return QUICK | {name: os.environ[name] for name in given}


def _what_the_sii_is(folder: Path, sii: SiiControl, control: str) -> dict[str, str]:
    """Where `fmgo simulator` finds the simulated SII, and the key that its CAFs are signed with."""
    key = folder / "sii-caf-key.pem"
    key.write_bytes(sii.caf_key())
    others = os.environ.get("FMGO_TRUST_CAF_KEYS")
    keys = ",".join(part for part in (others, f"100={key}") if part)
    return {"FMGO_SIMULATOR_URL": control, "FMGO_TRUST_CAF_KEYS": keys}


def _enrol(ledger: Ledger, sii: SiiControl) -> None:
    """Enrol the invented companies, the first time only."""
    with ledger.transaction() as tx:
        known = issuer_list(tx)
    if not known:
        enrolment = SandboxEnrolment(ledger, sii, read_settings())
        for company in COMPANIES:
            enrolment.enrol(company, company.types, folios=100_000)


def _example(folder: Path) -> Path:
    """A job to begin with: that of the documentation, or a copy of it where FMgo is installed without."""
    shipped = Path(__file__).resolve().parents[2] / "docs" / "examples" / "boleta.json"
    if shipped.exists():
        return shipped
    written = folder / "boleta.json"
    written.write_text(json.dumps(EXAMPLE, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return written


def _show(console: Console, sandbox: Sandbox, control: str, flower: FlowerWindow) -> None:
    address = flower.wait(FLOWER_SECONDS)
    console.print()
    console.print(f"  Flower    {address}   user {flower.user}, password {flower.password}")
    console.print(f"  the SII   {control}   (its page; its documents under /documents)")
    console.print(f"  issuers   {', '.join(company.rut for company in COMPANIES)}")
    console.print(f"  logs      {sandbox.logs}")
    console.print("\n  In another shell:")
    console.print(f"    . {shlex.quote(str(sandbox.folder / 'environment'))}")
    console.print(f"    fmgo enqueue {shlex.quote(str(_example(sandbox.folder)))} && fmgo document list")
    console.print("\n  ctrl-C stops everything.")


if __name__ == "__main__":
    raise SystemExit(main())
