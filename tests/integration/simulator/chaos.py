"""A bad day in thousands of uploads, the same again whenever it is wanted: every chance in it has its seed."""

import asyncio
import datetime as dt
import random
from pathlib import Path
from typing import Any

import time_machine

from tests.integration.simulator.documents import COMPANY, SANTIAGO, Cover, Sale, envelope, reference
from tests.integration.simulator.signing import Authority, Person
from tests.integration.simulator.workbench import Workbench

CHAOS: list[dict[str, Any]] = [
    {"fault": "F-HTTP-503", "probability": 0.02, "times": -1, "seed": 1},
    {"fault": "F-500-LIT", "probability": 0.01, "times": -1, "seed": 2},
    {"fault": "F-9", "probability": 0.02, "times": -1, "seed": 3},
    {"fault": "F-STATUS-7", "probability": 0.01, "times": -1, "seed": 4, "args": {"form": "loose"}},
    {"fault": "F-TOK-1", "probability": 0.005, "times": -1, "seed": 5},
    {"fault": "F-LOST-1", "probability": 0.04, "times": -1, "seed": 6},
    {"fault": "F-LOST-4", "probability": 0.02, "times": -1, "seed": 7},
    {"fault": "F-LOST-5", "probability": 0.02, "times": -1, "seed": 8},
    {"fault": "F-CUT-XML", "probability": 0.02, "times": -1, "seed": 9, "when": {"operation": "getEstUp"}},
    {"fault": "F-HALF", "probability": 0.03, "times": -1, "seed": 10},
    {"fault": "F-RFR", "probability": 0.01, "times": -1, "seed": 11},
    {"fault": "F-RSC", "probability": 0.01, "times": -1, "seed": 12},
    {"fault": "F-STUCK-1", "probability": 0.01, "times": -1, "seed": 13},
    {"fault": "F-EPR-0", "probability": 0.05, "times": -1, "seed": 14},
]


def models_of(bench: Workbench) -> list[tuple[bytes, bool]]:
    """Envelopes of several makes whose folios, of five digits, are 10000 and 10001; whether they go over REST."""
    makes = [([33], "EnvioDTE"), ([33, 33, 61], "EnvioDTE"), ([39, 39], "EnvioBOLETA")]
    found = []
    for types, root in makes:
        dtes = [
            bench.dte(Sale(10_000 + place, t, references=reference(33, 1, 1) if t == 61 else ""))
            for place, t in enumerate(types)
        ]
        found.append((envelope(dtes, types, Cover(bench.person.rut, root=root), bench.person), root == "EnvioBOLETA"))
    return found


async def send_all(bench: Workbench, models: list[tuple[bytes, bool]], uploads: int, seed: int) -> None:
    """So many uploads as a bad day brings them: new, repeated, with other bytes, broken, with questions in between."""
    world, chance = bench.world, random.Random(seed)
    world.switches.change({"checks": "light", "timings": "fast"})
    for rule in CHAOS:
        world.faults.add(rule)
    tokens = {rest: bench.session("rest" if rest else "soap") for rest in (False, True)}
    sent: list[tuple[bytes, bool]] = []
    for number in range(uploads):
        kind = chance.random()
        if kind < 0.75 or not sent:
            data, rest = chance.choice(models)
            data = data.replace(b"<Folio>1000", b"<Folio>%04d" % (1000 + number % 9000))
        else:
            data, rest = chance.choice(sent[-50:])
        if kind > 0.97:
            data = data.replace(b"<MntTotal>1", b"<MntTotal>2")
        if 0.75 < kind < 0.77:
            data = data[: len(data) // 2].replace(b"Envio", b"Otro")
        await bench.upload(tokens[rest], data, rest=rest, agent="curl" if 0.77 < kind < 0.775 else "")
        sent.append((data, rest))
        if number % 7 == 0:
            tracks = list(world.registry.uploads)
            parameters = {
                "RutCompania": COMPANY[:-2],
                "DvCompania": COMPANY[-1],
                "TrackId": str(tracks[-1] if tracks else 1),
                "Token": tokens[False],
            }
            await bench.ask("QueryEstUp.jws", "getEstUp", parameters)
        if number % 100 == 0:
            world.clock.advance(chance.choice((1.0, 60.0, 901.0)))
            tokens = {rest: bench.session("rest" if rest else "soap") for rest in (False, True)}
    for upload in list(world.registry.uploads.values()):
        await world.pipeline.done(upload)


def run_of(
    folder: Path, authority: Authority, person: Person, models: list[tuple[bytes, bool]], uploads: int, seed: int
) -> Workbench:
    with time_machine.travel(dt.datetime(2026, 11, 24, 12, tzinfo=SANTIAGO), tick=False):
        bench = Workbench.at(folder, authority, person, seed)
        asyncio.run(send_all(bench, models, uploads, seed))
    return bench
