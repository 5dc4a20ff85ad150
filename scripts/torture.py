"""Attack every promise of docs/reliability.md, and tell what did not hold.

    python scripts/torture.py --short          three minutes, as CI does
    python scripts/torture.py                  the long form: hours
    python scripts/torture.py --only fuzz      one attack
    python scripts/torture.py --json > x.json  counts and breaches, for another program

Updates are killed at every named step and at random moments, asked to end, run many at once beside readers,
cut off from their server, and fed with spoiled files; a soak does all that people do, for long. After each
attack the index is compared with an independent account of what it must hold. MongoDB servers are started by
the script; it needs the development dependencies, and Linux for /proc.

What cannot be attacked here is told as "not made", with the reason.

Exit codes: 0 everything held; 1 something did not; 2 bad usage, or nothing was attacked.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.servers import HAS_SECANTUS  # noqa: E402
from tests.torture import crash, crowd, disk, fuzz, network, soak, steps  # noqa: E402
from tests.torture.ground import Ground  # noqa: E402
from tests.torture.tally import NotMadeError, Tally  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["ATTACKS", "main"]


class Size(NamedTuple):
    """How much of an attack is made, in the short and in the long form."""

    short: int
    long: int


class Attack(NamedTuple):
    """One way to attack.

    Attributes:
        promise: what must hold, in the words of the table in docs/reliability.md.
        kinds: "sqlite", and kinds of MongoDB servers; each is attacked.
        size: rounds, times, cases or seconds.
        run: makes the attack, with its ground, the seed of chance, and how much.
    """

    promise: str
    kinds: tuple[str, ...]
    size: Size
    run: Callable[[Ground, int, int], Tally]


def _kill_at_steps(ground: Ground, seed: int, times: int) -> Tally:
    stores = steps.SQLITE if ground.kind == "sqlite" else steps.MONGO
    with ground.database() as db, crash.Siege.laid(ground.home, db, seed) as siege:
        return crash.kill_at_steps(siege, steps.SYNC | stores | steps.LEDGER, times)


def _kill_at_random(ground: Ground, seed: int, times: int) -> Tally:
    with ground.database() as db, crash.Siege.laid(ground.home, db, seed) as siege:
        return crash.kill_at_random(siege, times)


def _signal(ground: Ground, seed: int, times: int) -> Tally:
    with ground.database() as db, crash.Siege.laid(ground.home, db, seed) as siege:
        return crash.signal_at_random(siege, times)


def _fill_disks(ground: Ground, seed: int, times: int) -> Tally:
    return disk.fill(ground.home, seed, times)


def _crowd(ground: Ground, seed: int, rounds: int) -> Tally:
    with ground.database() as db:
        return crowd.many_at_once(ground.home, db, seed, rounds)


def _fail_the_network(ground: Ground, seed: int, times: int) -> Tally:
    return network.fail_the_network(ground.home, ground.kind, seed, times)


def _fail_over(ground: Ground, seed: int, times: int) -> Tally:
    return network.fail_over(ground.home, seed, times)


def _fuzz(ground: Ground, seed: int, times: int) -> Tally:
    seeds = [path.read_bytes() for path in sorted((ROOT / "samples" / "defs").rglob("*.fm.json"))]
    return fuzz.fuzz(ground.home, seeds, seed, times)


def _soak(ground: Ground, seed: int, seconds: int) -> Tally:
    with ground.database() as db:
        return soak.soak(ground.home, [db, f"sqlite:///{ground.home}/beside.db"], seed, seconds)


_AT_ONCE = 2
_FILE = ("sqlite",)
_SERVERS = ("secantus", "nx")

ATTACKS = {
    "soak": Attack(
        "What people do all day takes no more room with time",
        ("secantus",),
        Size(60, 600),
        _soak,
    ),
    "kill-steps": Attack(
        "A killed update leaves each model old or new, and the next does the rest: models, contributors, "
        "what readers are told",
        _FILE + _SERVERS,
        Size(12, 250),
        _kill_at_steps,
    ),
    "kill-random": Attack(
        "A kill at any other moment does no more harm than one at a step",
        _FILE + _SERVERS,
        Size(8, 200),
        _kill_at_random,
    ),
    "signals": Attack(
        "Ctrl-C and SIGTERM end an update cleanly: exit 130 or 143, one line, which says what was written",
        _FILE + _SERVERS,
        Size(4, 60),
        _signal,
    ),
    "disk": Attack(
        "A full disk, or one that cannot be written, spoils nothing",
        _FILE,
        Size(2, 30),
        _fill_disks,
    ),
    "crowd": Attack(
        "Several writers and many readers at once: one after the other, no holes",
        _FILE + _SERVERS,
        Size(2, 25),
        _crowd,
    ),
    "network": Attack(
        "A network that fails ends in time, with exit code 3 and one sentence, and loses nothing",
        _SERVERS,
        Size(6, 60),
        _fail_the_network,
    ),
    "failover": Attack(
        "A server that dies and comes back loses nothing",
        ("secantus",),
        Size(2, 25),
        _fail_over,
    ),
    "fuzz": Attack(
        "No input crashes, hangs or fills the memory; each failure is a problem with a pointer",
        _FILE,
        Size(5_000, 220_000),
        _fuzz,
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script and return its exit code."""
    options = _parser().parse_args(arguments)
    if options.one:
        return _attack_here(options)
    results = list(_attack_all(options))
    if options.json:
        print(json.dumps(results, indent=1))
    broken = sum(result["breaches"] for result in results)
    made = sum(result["not_made"] is None for result in results)
    verdict = f"{broken or 'no'} breaches" if made else "nothing was attacked"
    print(f"seed {options.seed}: {verdict}", file=sys.stderr)
    return (1 if broken else 0) if made else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--short", action="store_true", help="a little of everything, in three minutes")
    parser.add_argument("--only", metavar="NAME", action="append", choices=sorted(ATTACKS), default=[])
    kinds = _FILE + _SERVERS
    parser.add_argument(
        "--on", metavar="KIND", action="append", choices=kinds, default=[], help=f"alone: {', '.join(kinds)}"
    )
    parser.add_argument(
        "--times", type=_at_least_one, help="how much of each attack, instead of what its form has"
    )
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of chance")
    parser.add_argument("--json", action="store_true", help="print counts and breaches as JSON")
    parser.add_argument(
        "--one", metavar="KIND", help=argparse.SUPPRESS
    )  # this process makes the attack itself
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _attack_all(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Make each attack that is asked for, in the short form two at once, and tell of it as it ends."""
    names = options.only or list(ATTACKS)
    kinds = options.on or _FILE + _SERVERS
    attacks = [(name, kind) for name in names for kind in ATTACKS[name].kinds if kind in kinds]
    with ThreadPoolExecutor(_AT_ONCE if options.short else 1) as pool:
        for result in pool.map(lambda attack: _attack(attack, options), attacks):
            _tell(result)
            yield result


def _attack(attack: tuple[str, str], options: argparse.Namespace) -> dict[str, Any]:
    """Make an attack, a name and a kind, in a process of its own, if it can be made."""
    name, kind = attack
    begun = time.monotonic()
    result = _not_made(why) if (why := _why_not(kind, options)) else _made(name, kind, options)
    return {"attack": name, "on": kind, "seconds": round(time.monotonic() - begun)} | result


def _why_not(kind: str, options: argparse.Namespace) -> str | None:
    """Return why *kind* is not attacked; the short form attacks one server, the one that there is."""
    if kind == "secantus" and not HAS_SECANTUS:
        return "SecantusDB has no build for this version of Python"
    if kind == "nx" and options.short and HAS_SECANTUS and not options.on:
        return "the short form attacks one kind of server"
    return None


def _not_made(why: str) -> dict[str, Any]:
    return Tally().as_dict() | {"not_made": why}


def _made(name: str, kind: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--only", name, "--one", kind, "--seed", str(options.seed)]
    command += ["--short"] * options.short + (["--times", str(options.times)] if options.times else [])
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return _result(done)


def _result(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    try:
        result: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        why = f"the attack itself failed: {done.stdout[-500:]}{done.stderr[-2_000:]}"
        return {"counts": {}, "broken": [why], "breaches": 1, "not_made": None}
    return result


def _tell(result: dict[str, Any]) -> None:
    name, kind = result["attack"], result["on"]
    if result["not_made"] is not None:
        print(f"{name} on {kind}: not made: {result['not_made']}", file=sys.stderr)
        return
    counts = ", ".join(f"{count:,} {what}" for what, count in result["counts"].items())
    verdict = f"{result['breaches']} BREACHES" if result["breaches"] else "held"
    print(f"{name} on {kind}, {result['seconds']} s: {verdict}; {counts}", file=sys.stderr)
    print(f"  promised: {ATTACKS[name].promise}", file=sys.stderr)
    for breach in result["broken"]:
        print(f"  {breach}", file=sys.stderr)


def _attack_here(options: argparse.Namespace) -> int:
    attack, kind = ATTACKS[options.only[0]], options.one
    size = options.times or (attack.size.short if options.short else attack.size.long)
    with tempfile.TemporaryDirectory(prefix="torture-", ignore_cleanup_errors=True) as top:
        try:
            result = attack.run(Ground(Path(top), kind), options.seed, size).as_dict() | {"not_made": None}
        except NotMadeError as error:
            result = _not_made(str(error))
    print(json.dumps(result))
    return 1 if result["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
