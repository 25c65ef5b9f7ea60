"""``python -m deploy.sandbox.sii``: start the simulator.

By hand it takes the documented ports (18443 to 18446, 18498 for all hosts, 18499 for control); with a port file, free
ones, which the file then names.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from deploy.sandbox.sii.caf import IDK_OF_ENVIRONMENT
from deploy.sandbox.sii.hosts import HOSTS, SHARED, SHARED_PORT
from deploy.sandbox.sii.profiles import PROFILES, TIMINGS
from deploy.sandbox.sii.server import Options, serve

_USAGE = 2


def main() -> int:
    """Read the command line and serve; answers the exit code."""
    parser = _parser()
    given = parser.parse_args()
    switches: dict[str, Any] = {n: getattr(given, n) for n in ("profile", "timings", "checks") if getattr(given, n)}
    try:
        for text in given.switch:
            name, equals, value = text.partition("=")
            switches[name] = _value(value) if equals else True
        given.folder.mkdir(parents=True, exist_ok=True)
        options = Options(
            folder=given.folder,
            port_file=given.port_file,
            environment=given.environment,
            seed=given.seed,
            schema_dir=given.schema_dir,
            address=given.address,
            ports=_ports(given),
            switches=switches,
            registry=given.registry,
            tls=given.tls,
            fresh=given.fresh,
        )
        asyncio.run(serve(options))
    except (ValueError, OSError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return _USAGE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fmgo simulator", description="A simulated SII, for anybody's integration tests. See docs/simulator.md."
    )
    add = parser.add_argument
    add("--folder", type=Path, default=Path(".simulator"), help="keys, registry and what was received (.simulator)")
    add("--registry", type=Path, help="companies, persons, permissions, CAFs, trusted certificates: a JSON file")
    add("--environment", choices=sorted(IDK_OF_ENVIRONMENT), default="certification", help="one instance for each")
    add("--profile", choices=PROFILES, help="a named set of switches and faults")
    add("--timings", choices=TIMINGS, help="named times from reception to verdict")
    add("--checks", choices=("full", "light"), help="examine files, or only count and remember them")
    add("--switch", action="append", default=[], metavar="NAME=VALUE", help="set a switch; repeats")
    add("--seed", type=int, default=0, help="of everything that varies by chance")
    add("--tls", action="store_true", help="serve TLS; trust FOLDER/tls/ca.pem")
    add("--fresh", action="store_true", help="forget what was received before")
    add("--address", default="127.0.0.1", help="listen at this address (127.0.0.1)")
    add("--port-file", type=Path, help="take free ports, and write the addresses here, as JSON, when ready")
    add("--port-shift", type=int, default=0, help="add so much to every documented port (for a second instance)")
    add("--schema-dir", type=Path, help="look here first for schemas")
    for host in HOSTS:
        option = f"--{host.name.replace('_', '-')}-port"
        add(option, type=int, help=f"port of {host.stands_for} ({host.port})")
    add("--shared-port", type=int, help=f"port of all hosts, told apart by the Host header ({SHARED_PORT})")
    return parser


def _ports(given: argparse.Namespace) -> dict[str, int]:
    documented = {host.name: host.port for host in HOSTS} | {SHARED: SHARED_PORT}
    if given.port_file is not None:
        defaults = dict.fromkeys(documented, 0)
    else:
        defaults = {name: port + given.port_shift for name, port in documented.items()}
    named = {name: getattr(given, f"{name}_port") for name in documented}
    return defaults | {name: port for name, port in named.items() if port is not None}


def _value(text: str) -> Any:
    """A switch's value: JSON where it is JSON, text where not."""
    try:
        return json.loads(text)
    except ValueError:
        return text


if __name__ == "__main__":
    sys.exit(main())
