"""Attack every guarantee in docs/reliability.md, and report which did not hold.

    python scripts/torture.py --short          three minutes, as in CI
    python scripts/torture.py                  the long form: hours
    python scripts/torture.py --only fuzz      one attack
    python scripts/torture.py --json > x.json  counts and breaches as JSON

Updates are killed at every named step and at random moments, interrupted, run at the same time as others and
as readers, disconnected from their server, and given broken files; a soak test repeats daily use for a long
time. After each attack the index is compared with an independent model of its content. The script starts the
MongoDB servers; it needs the development dependencies, and Linux for /proc.

Attacks that are impossible on this machine are reported as "not made", with the reason.

Exit codes: 0 everything held; 1 something did not; 2 bad usage, or no attack was made.
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
from tests.torture.tally import NotMadeError, Tally  # noqa: E402
from tests.torture.target import Target  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["ATTACKS", "main"]


class Size(NamedTuple):
    """Amount of an attack in the short and in the long form."""

    short: int
    long: int


class Attack(NamedTuple):
    """One kind of attack.

    Attributes:
        guarantee: what must hold, as in the table of docs/reliability.md.
        kinds: "sqlite" and kinds of MongoDB servers to attack.
        size: rounds, times, cases or seconds.
        run: makes the attack; takes its target, a random seed, and the amount.
    """

    guarantee: str
    kinds: tuple[str, ...]
    size: Size
    run: Callable[[Target, int, int], Tally]


def _kill_at_steps(target: Target, seed: int, times: int) -> Tally:
    stores = steps.SQLITE if target.kind == "sqlite" else steps.MONGO
    with target.database() as db, crash.CrashTest.prepared(target.home, db, seed) as test:
        return crash.kill_at_steps(test, steps.UPDATE | stores | steps.LEDGER, times)


def _kill_at_random(target: Target, seed: int, times: int) -> Tally:
    with target.database() as db, crash.CrashTest.prepared(target.home, db, seed) as test:
        return crash.kill_at_random(test, times)


def _signal(target: Target, seed: int, times: int) -> Tally:
    with target.database() as db, crash.CrashTest.prepared(target.home, db, seed) as test:
        return crash.signal_at_random(test, times)


def _fill_disks(target: Target, seed: int, times: int) -> Tally:
    return disk.fill(target.home, seed, times)


def _crowd(target: Target, seed: int, rounds: int) -> Tally:
    with target.database() as db:
        return crowd.many_at_once(target.home, db, seed, rounds)


def _fail_the_network(target: Target, seed: int, times: int) -> Tally:
    return network.fail_the_network(target.home, target.kind, seed, times)


def _fail_over(target: Target, seed: int, times: int) -> Tally:
    return network.fail_over(target.home, seed, times)


def _fuzz(target: Target, seed: int, times: int) -> Tally:
    seeds = [path.read_bytes() for path in sorted((ROOT / "samples" / "defs").rglob("*.fm.json"))]
    return fuzz.fuzz(target.home, seeds, seed, times)


def _soak(target: Target, seed: int, seconds: int) -> Tally:
    with target.database() as db:
        return soak.soak(target.home, [db, f"sqlite:///{target.home}/beside.db"], seed, seconds)


_AT_ONCE = 2
_FILE = ("sqlite",)
_SERVERS = ("secantus", "nx")

ATTACKS = {
    "soak": Attack(
        "Daily use needs no more memory, files or threads over time",
        ("secantus",),
        Size(60, 600),
        _soak,
    ),
    "kill-steps": Attack(
        "A killed update leaves each model old or new, and the next update completes models, contributors "
        "and the generation",
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
        "Ctrl-C and SIGTERM end an update cleanly: exit 130 or 143, and one line that reports what was "
        "written",
        _FILE + _SERVERS,
        Size(4, 60),
        _signal,
    ),
    "disk": Attack(
        "A full or read-only disk damages nothing",
        _FILE,
        Size(2, 30),
        _fill_disks,
    ),
    "crowd": Attack(
        "Several writers and many readers at once: writers take turns, and readers miss no model",
        _FILE + _SERVERS,
        Size(2, 25),
        _crowd,
    ),
    "network": Attack(
        "A failing network ends a command in time, with exit code 3 and one sentence, and loses nothing",
        _SERVERS,
        Size(6, 60),
        _fail_the_network,
    ),
    "failover": Attack(
        "A server that dies and restarts loses nothing",
        ("secantus",),
        Size(2, 25),
        _fail_over,
    ),
    "fuzz": Attack(
        "No input crashes, hangs or exhausts memory; each failure is a problem with a pointer",
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
    breaches = sum(result["breaches"] for result in results)
    made = sum(result["not_made"] is None for result in results)
    verdict = f"{breaches or 'no'} breaches" if made else "no attack was made"
    print(f"seed {options.seed}: {verdict}", file=sys.stderr)
    return (1 if breaches else 0) if made else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--short", action="store_true", help="a small number of every attack, in three minutes"
    )
    parser.add_argument(
        "--only",
        metavar="NAME",
        action="append",
        choices=sorted(ATTACKS),
        default=[],
        help="run only this attack",
    )
    kinds = _FILE + _SERVERS
    parser.add_argument(
        "--on",
        metavar="KIND",
        action="append",
        choices=kinds,
        default=[],
        help=f"use only this database: {', '.join(kinds)}",
    )
    parser.add_argument("--times", type=_at_least_one, help="rounds, cases or seconds of each attack")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="random seed")
    parser.add_argument("--json", action="store_true", help="print counts and breaches as JSON")
    parser.add_argument("--one", metavar="KIND", help=argparse.SUPPRESS)  # the attack runs in this process
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _attack_all(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Make the selected attacks, in the short form two at once, and report each when it ends."""
    names = options.only or list(ATTACKS)
    kinds = options.on or _FILE + _SERVERS
    attacks = [(name, kind) for name in names for kind in ATTACKS[name].kinds if kind in kinds]
    with ThreadPoolExecutor(_AT_ONCE if options.short else 1) as pool:
        for result in pool.map(lambda attack: _attack(attack, options), attacks):
            _report(result)
            yield result


def _attack(attack: tuple[str, str], options: argparse.Namespace) -> dict[str, Any]:
    """Make an attack, given by name and kind, in a separate process, if it is possible."""
    name, kind = attack
    begun = time.monotonic()
    result = _not_made(why) if (why := _why_not(kind, options)) else _made(name, kind, options)
    return {"attack": name, "on": kind, "seconds": round(time.monotonic() - begun)} | result


def _why_not(kind: str, options: argparse.Namespace) -> str | None:
    """Return why *kind* is not attacked; the short form attacks only one kind of server."""
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


def _report(result: dict[str, Any]) -> None:
    name, kind = result["attack"], result["on"]
    if result["not_made"] is not None:
        print(f"{name} on {kind}: not made: {result['not_made']}", file=sys.stderr)
        return
    counts = ", ".join(f"{count:,} {what}" for what, count in result["counts"].items())
    verdict = f"{result['breaches']} BREACHES" if result["breaches"] else "held"
    print(f"{name} on {kind}, {result['seconds']} s: {verdict}; {counts}", file=sys.stderr)
    print(f"  guarantee: {ATTACKS[name].guarantee}", file=sys.stderr)
    for breach in result["broken"]:
        print(f"  {breach}", file=sys.stderr)


def _attack_here(options: argparse.Namespace) -> int:
    attack, kind = ATTACKS[options.only[0]], options.one
    size = options.times or (attack.size.short if options.short else attack.size.long)
    with tempfile.TemporaryDirectory(prefix="torture-", ignore_cleanup_errors=True) as top:
        try:
            result = attack.run(Target(Path(top), kind), options.seed, size).as_dict() | {"not_made": None}
        except NotMadeError as error:
            result = _not_made(str(error))
    print(json.dumps(result))
    return 1 if result["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
