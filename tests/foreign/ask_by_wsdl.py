"""Runs in the side environment: zeep, built from the served WSDLs, logs in and asks.

Standard input holds the addresses and what to ask as JSON lines, a call each: service, operation, parameters. The
address is the one that the WSDL names. Standard output gets each result, a line each.
"""

import json
import sys

import zeep  # type: ignore[import-not-found]


def main() -> None:
    """Answer each line."""
    services = {}
    for line in sys.stdin:
        call = json.loads(line)
        base, path = call["base"], call["path"]
        if path not in services:
            services[path] = zeep.Client(f"{base}{path}?WSDL").service
        try:
            result = {"result": services[path][call["operation"]](*call["parameters"])}
        except zeep.exceptions.Fault as fault:
            result = {"fault": fault.message}
        except zeep.exceptions.TransportError as error:
            result = {"error": str(error)}
        print(json.dumps(result), flush=True)


main()
