"""Benchmark cases of a peer, run by the Python of its environment; prints the measurements as JSON.

python peer_program.py parse DIR            parse every model
python peer_program.py updates DIR URI      a cold and an unchanged update on a MongoDB server (0.3.2)
"""

# the peers have no types here
# mypy: ignore-errors

import asyncio
import contextlib
import gc
import importlib.machinery
import json
import sys
import time
import types
from pathlib import Path
from urllib.parse import urlsplit


def load_package():
    """Import the package without its ``__init__``, which imports optional parts that may fail."""
    spec = importlib.machinery.PathFinder.find_spec("findingmodel")
    package = types.ModuleType("findingmodel")
    package.__path__ = spec.submodule_search_locations
    from loguru import logger

    logger.disable("findingmodel")
    package.logger = logger
    sys.modules["findingmodel"] = package


def parse(directory):
    from findingmodel.finding_model import FindingModelFull

    contents = [path.read_bytes() for path in sorted(Path(directory).rglob("*.fm.json"))]
    for content in contents[:20]:
        FindingModelFull.model_validate_json(content)
    gc.freeze()  # as in benchmarks.child
    facts = {}
    with Measured(facts, "parse"):
        for content in contents:
            with contextlib.suppress(ValueError):
                FindingModelFull.model_validate_json(content)
    return facts


async def updates(directory, uri):
    from motor.motor_asyncio import AsyncIOMotorClient
    from pymongo import monitoring

    from findingmodel.index import Index

    class Commands(monitoring.CommandListener):
        count = 0

        def started(self, event):
            self.count += event.command_name not in {"hello", "ismaster", "ping", "endSessions"}

        def succeeded(self, event):
            pass

        failed = succeeded

    commands = Commands()
    client = AsyncIOMotorClient(uri, event_listeners=[commands])
    database = urlsplit(uri).path.strip("/")
    index = Index(client=client, db_name=database)
    facts = {}
    try:
        await index.setup_indexes()
        for step in ("update: cold", "update: no change"):
            commands.count = 0
            with Measured(facts, step):
                await index.update_from_directory(Path(directory))
            facts[step]["commands"] = commands.count
    finally:
        await client.drop_database(database)
        client.close()
    return facts


class Measured:
    """As in benchmarks.child."""

    def __init__(self, facts, step):
        self.facts, self.step = facts, step

    def __enter__(self):
        self.cpu, self.started = cpu(), time.perf_counter()

    def __exit__(self, *error):
        self.facts[self.step] = {"seconds": time.perf_counter() - self.started, "cpu": cpu() - self.cpu}


def cpu():
    return time.process_time()


if __name__ == "__main__":
    load_package()
    case, *arguments = sys.argv[1:]
    print(json.dumps(parse(*arguments) if case == "parse" else asyncio.run(updates(*arguments))))
