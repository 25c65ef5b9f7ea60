"""``python -m deploy.sandbox.sii``: start the simulator."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from deploy.sandbox.sii.caf import IDK_OF_ENVIRONMENT
from deploy.sandbox.sii.server import Options, serve

_HOSTS = ("dte", "boleta_api", "boleta_up", "reclamo", "control")


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m deploy.sandbox.sii", description="A simulated SII.")
    parser.add_argument("--folder", type=Path, required=True, help="keys, fixtures and received files live here")
    parser.add_argument("--port-file", type=Path, help="write the addresses here, as JSON, when ready")
    parser.add_argument("--environment", choices=sorted(IDK_OF_ENVIRONMENT), default="certification")
    parser.add_argument("--seed", type=int, default=0, help="of everything that varies by chance")
    parser.add_argument("--profile", help="times from reception to verdict (see switches.py)")
    parser.add_argument("--schema-dir", type=Path, help="look here first for schemas")
    parser.add_argument("--checks", choices=("full", "light"), help="examine files, or only count and remember them")
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=JSON", help="set a switch; repeats")
    for name in _HOSTS:
        option = f"--{name.replace('_', '-')}-port"
        parser.add_argument(option, type=int, default=0, help="a fixed port instead of a free one")
    given = parser.parse_args()
    switches: dict[str, Any] = {"profile": given.profile} if given.profile else {}
    if given.checks:
        switches["checks"] = given.checks
    for text in given.switch:
        name, _, value = text.partition("=")
        switches[name] = json.loads(value)
    given.folder.mkdir(parents=True, exist_ok=True)
    options = Options(
        folder=given.folder,
        port_file=given.port_file,
        environment=given.environment,
        seed=given.seed,
        schema_dir=given.schema_dir,
        ports={name: getattr(given, f"{name}_port") for name in _HOSTS},
        switches=switches,
    )
    asyncio.run(serve(options))


if __name__ == "__main__":
    main()
