"""Database faults: updates through a proxy that fails at random, and across a crash of the server."""

from __future__ import annotations

import random
import threading
import time
from typing import TYPE_CHECKING

from tests.proxy import Mode, Proxy
from tests.servers import ServerOptions, ServerProcess, running
from tests.torture.inspect_index import check_complete, check_interrupted, index_content
from tests.torture.tally import Tally
from tests.torture.world import World
from tests.torture.zygote import Zygote

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.torture.zygote import Ended

__all__ = ["fail_over", "fail_the_network"]

_MODELS = 80
_EDITS = 40
_PATIENCE = {
    "FINDINGMODEL_BATCH_SIZE": "10",
    "FINDINGMODEL_LEDGER": "off",
    "FINDINGMODEL_MONGODB_SERVER_SELECTION_TIMEOUT_MS": "500",
    "FINDINGMODEL_MONGODB_CONNECT_TIMEOUT_MS": "500",
    "FINDINGMODEL_MONGODB_SOCKET_TIMEOUT_MS": "500",
    "FINDINGMODEL_MONGODB_RETRY_SECONDS": "2",
}
_MOST_SECONDS = 20.0
"""Limit of an update whose server is unavailable: some operations, each limited by the settings above."""


def fail_the_network(home: Path, kind: str, seed: int, times: int) -> Tally:
    """Make the network fail during updates, at random moments, in every way that `tests.proxy` offers."""
    tally, chance = Tally(), random.Random(seed)
    with running(kind) as server, Proxy(server.uri) as proxy, Zygote(home, **_PATIENCE) as zygote:
        world = World(home / "defs", _MODELS, chance)
        direct = server.url("findings")
        through = proxy.uri.replace("/?", "/findings?")
        command = ("index", "update", world.root, "--db", through)
        tally.expect(zygote.run(*command).code == 0, "the first update")
        world.settle()
        for number in range(times):
            mode = list(Mode)[number % len(Mode)]
            world.edit(_EDITS)
            before = index_content(direct)[0]

            def fault(mode: Mode = mode) -> None:
                proxy.mode = mode

            ended, seconds = _during(zygote, command, fault, chance.uniform(0, 0.4))
            _judge(tally, ended, seconds, mode.name)
            proxy.mode = Mode.PASS
            check_interrupted(tally, world, direct, mode.name, before)
            _recover(tally, zygote, world, command, direct, mode.name)
    return tally


def fail_over(home: Path, seed: int, times: int) -> Tally:
    """Kill the server during updates, and restart it at once or after the update has failed."""
    tally, chance = Tally(), random.Random(seed)
    (home / "server").mkdir(parents=True)
    process = ServerProcess("secantus", home / "server", ServerOptions(storage=home / "server" / "data"))
    patient = _PATIENCE | {
        "FINDINGMODEL_MONGODB_RETRY_SECONDS": "30",
        "FINDINGMODEL_MONGODB_RETRY_ATTEMPTS": "10",
    }
    try:
        direct = f"{process.start().uri}/findings"
        with Zygote(home, **patient) as zygote:
            world = World(home / "defs", _MODELS, chance)
            command = ("index", "update", world.root, "--db", direct)
            tally.expect(zygote.run(*command).code == 0, "the first update")
            world.settle()
            for _ in range(times):
                world.edit(_EDITS)
                before = index_content(direct)[0]
                is_short = chance.random() < 0.5
                fault = process.kill if not is_short else lambda: (process.kill(), process.restart())
                quick = {} if is_short else {"FINDINGMODEL_MONGODB_RETRY_SECONDS": "1"}
                ended, seconds = _during(zygote, command, fault, chance.uniform(0, 0.3), **quick)
                _judge(tally, ended, seconds, "failover" if is_short else "server killed", most=60)
                if not is_short:
                    process.restart()
                check_interrupted(tally, world, direct, "server killed", before)
                _recover(tally, zygote, world, command, direct, "server killed")
    finally:
        process.kill()
    return tally


def _during(
    zygote: Zygote,
    command: tuple[object, ...],
    fault: Callable[[], object],
    delay: float,
    **environment: str,
) -> tuple[Ended, float]:
    """Run an update, and call *fault* after *delay* seconds."""
    begun = time.monotonic()
    pid = zygote.begin(*command, **environment)
    timer = threading.Timer(delay, fault)
    timer.start()
    ended = zygote.end(pid)
    timer.join()
    return ended, time.monotonic() - begun


def _judge(tally: Tally, ended: Ended, seconds: float, where: str, *, most: float = _MOST_SECONDS) -> None:
    outcome = {0: "came to their end", 1: "came to their end", 3: "ended with exit code 3"}.get(ended.code)
    tally.expect(outcome, f"{where}: exit {ended.code}: {ended.stderr[-300:]}")
    tally.count(f"{where}: updates that {outcome}")
    if ended.code == 3:
        is_one = len(ended.stderr.splitlines()) == 1 and ended.stderr.startswith("Error: cannot ")
        tally.expect(is_one, f"{where}: the message is {ended.stderr!r}")
    tally.expect(seconds < most, f"{where}: it took {seconds:.0f} s")


def _recover(
    tally: Tally, zygote: Zygote, world: World, command: tuple[object, ...], db: str, where: str
) -> None:
    ended = zygote.run(*command)
    if where == "server killed":
        # Writes that the server acknowledged but had not yet flushed are lost, with their manifest rows.
        ended = zygote.run(*command)
    tally.expect(ended.code in (0, 1), f"{where}: then exit {ended.code}: {ended.stderr[-300:]}")
    check_complete(tally, world, db, where)
    tally.count("updates that did the rest")
