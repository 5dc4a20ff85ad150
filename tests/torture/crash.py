"""Crashes: kill or interrupt updates, and check that the next update completes the index."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from contextlib import contextmanager, suppress
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.torture import steps
from tests.torture.inspect_index import (
    check_complete,
    check_interrupted,
    generation_and_contributors,
    index_content,
    ledger_lines,
)
from tests.torture.steps import Fault
from tests.torture.tally import Tally
from tests.torture.world import World
from tests.torture.zygote import Zygote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.torture.world import Content
    from tests.torture.zygote import Ended

__all__ = ["CrashTest", "kill_at_random", "kill_at_steps", "signal_at_random"]

_MODELS = 120
_EDITS = 40
_RECOVERED = (0, 1)  # 1: some files are broken on purpose


class CrashTest(NamedTuple):
    """An index under attack, with its expected state.

    Attributes:
        zygote: runs the commands.
        world: the directory.
        db: the index.
        ledger: its ledger.
        chance: the random source.
        tally: counts and breaches of the attack.
        killed: the steps at which updates were killed, before or after.
        last: the content and the generation when the index was last complete.
    """

    zygote: Zygote
    world: World
    db: str
    ledger: Path
    chance: random.Random
    tally: Tally
    killed: set[tuple[str, str]]
    last: dict[str, Any]

    @classmethod
    @contextmanager
    def prepared(cls, home: Path, db: str, seed: int) -> Iterator[CrashTest]:
        """Yield a test of *db* after a first complete update."""
        chance, ledger = random.Random(seed), home / "ledger.jsonl"
        environment = {
            "FINDINGMODEL_BATCH_SIZE": "25",
            "FINDINGMODEL_LEDGER": str(ledger),
            "FINDINGMODEL_LEDGER_MAX_BYTES": "20000",
            "FINDINGMODEL_LEDGER_KEEP": "1000",
            "FINDINGMODEL_LEASE_SECONDS": "3600",  # a lease that is not taken over blocks every other update
        }
        with Zygote(home, **environment) as zygote:
            test = cls(zygote, World(home / "defs", _MODELS, chance), db, ledger, chance, Tally(), set(), {})
            test.recover("the first update")
            yield test

    @property
    def update(self) -> tuple[object, ...]:
        """The arguments of the command."""
        return "index", "update", self.world.root, "--db", self.db

    def recover(self, where: str) -> None:
        """Run an update, and check that the index is complete."""
        ended = self.zygote.run(*self.update)
        self.tally.expect(ended.code in _RECOVERED, f"{where}: exit {ended.code}: {ended.stderr[-300:]}")
        self._check_readers(where, check_complete(self.tally, self.world, self.db, where))
        self.tally.count("updates that completed the rest")

    def _check_readers(self, where: str, found: Content) -> None:
        """Check that the contributors match the models, and that the generation grew with each change."""
        generation, *contributors = generation_and_contributors(self.db)
        named = self.world.contributors()
        self.tally.expect(
            tuple(contributors) == named, f"{where}: the contributors are {contributors}, not {named}"
        )
        is_new = self.last.get("found") != found
        has_grown = generation > self.last.get("generation", 0)
        self.tally.expect(has_grown or not is_new, f"{where}: the generation did not grow")
        self.last.update(found=found, generation=generation)

    def check_ledger(self, where: str, ended: Ended, *, has_changed: bool, lines_before: int) -> None:
        """Check that the ledger has an entry for every update that changed anything."""
        entries, torn = ledger_lines(self.ledger)
        outcomes = {entry["outcome"] for entry in entries[lines_before:]}
        self.tally.expect(outcomes or not has_changed, f"{where}: the ledger does not mention a change")
        self.tally.expect(
            ended.code < 0 or "begun" not in outcomes or len(outcomes) > 1, f"{where}: the ledger has no end"
        )
        self.tally.counts["lines of the ledger cut short"] = torn


def kill_at_steps(test: CrashTest, kinds: dict[str, str], times: int) -> Tally:
    """Kill an update before or after named steps: each in turn at its first call, then at later calls."""
    faults = [(name, step, when) for name, step in kinds.items() for when in ("before", "after")]
    faults.append(("write lines", steps.LEDGER["write lines"], "within"))
    test.chance.shuffle(faults)
    for number, (name, step, when) in enumerate(islice(cycle(faults), times)):
        test.world.edit(_EDITS)
        call = 1 if number < len(faults) else test.chance.choice((1, 1, 2, 3, 6))
        _kill_at(test, name, Fault(step, when, call))
    return test.tally


def _kill_at(test: CrashTest, name: str, fault: Fault) -> None:
    where = f"killed {fault.when} {name!r}, call {fault.call}"
    before, lines = _before(test)
    needs_time = "hold" in name or "release" in name
    ended = test.zygote.run(
        *test.update, *(("--strict",) if needs_time and not test.world.broken else ()), fault=fault
    )
    test.tally.expect(
        ended.code in (-signal.SIGKILL, *_RECOVERED), f"{where}: {ended.code} {ended.stderr[-300:]}"
    )
    _judge(test, where, ended, before, lines)
    if ended.code == -signal.SIGKILL:
        test.tally.count("kills at a named step")
        test.killed.add((name, fault.when))
        test.tally.counts["different steps"] = len(test.killed)
    test.recover(where)


def kill_at_random(test: CrashTest, times: int) -> Tally:
    """Kill updates at random moments, and sometimes the update that completes the rest too."""
    longest = _duration(test)
    is_whole = True
    for _ in range(times):
        if is_whole:  # otherwise the index may hold models of an earlier state
            test.world.edit(_EDITS)
        before, lines = _before(test)
        ended = _signalled(test, signal.SIGKILL, test.chance.uniform(0, longest))
        _judge(test, "killed at random", ended, before, lines)
        test.tally.count("kills at a random moment" if ended.code < 0 else "updates that were faster")
        is_whole = test.chance.random() < 0.7
        if is_whole:
            test.recover("killed at random")
    test.recover("killed at random")
    return test.tally


def signal_at_random(test: CrashTest, times: int) -> Tally:
    """Interrupt updates with SIGINT or SIGTERM at random moments."""
    longest = _duration(test)
    for round_number in range(times):
        test.world.edit(_EDITS)
        number = (signal.SIGINT, signal.SIGTERM)[round_number % 2]
        before, lines = _before(test)
        ignores_sigint = number is signal.SIGTERM and test.chance.random() < 0.5
        ended = _signalled(test, number, test.chance.uniform(0.01, longest), ignores_sigint=ignores_sigint)
        where = f"{number.name} at random"
        found = _judge(test, where, ended, before, lines)
        code = {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
        is_outside = (
            ended.code == -number and not ended.stderr
        )  # before the command started, or after it ended
        expected = is_outside or ended.code in (code, *_RECOVERED)
        test.tally.expect(expected, f"{where}: {ended.code} {ended.stderr[-300:]}")
        if ended.code == code:
            test.tally.count(f"ended by {number.name}")
            _check_summary(test, where, ended, before, found)
        test.recover(where)
    return test.tally


def _check_summary(test: CrashTest, where: str, ended: Ended, before: Content, found: Content) -> None:
    """Check that the message of the command agrees with the changes in the index."""
    lines = ended.stderr.strip().splitlines()
    test.tally.expect(len(lines) == 1, f"{where}: the message is {ended.stderr!r}")
    counts = re.search(
        r"; models: ([\d,]+) written and ([\d,]+) removed; the next update does the rest$", lines[-1]
    )
    changed = sum(before.get(oifm_id) != state for oifm_id, state in found.items())
    if counts is None:
        says_nothing = lines[-1].endswith(("interrupted", "terminated", "; nothing was written"))
        holds = says_nothing and found == before
        test.tally.expect(holds, f"{where}: {changed} changed, and the message is {lines!r}")
    else:
        test.tally.expect(
            changed <= int(counts[1].replace(",", "")), f"{where}: {changed}, and {lines[-1]!r}"
        )
        test.tally.count("with counts of what was written")


def _before(test: CrashTest) -> tuple[Content, int]:
    entries, _ = ledger_lines(test.ledger)
    return index_content(test.db)[0], len(entries)


def _judge(test: CrashTest, where: str, ended: Ended, before: Content, lines: int) -> Content:
    found = check_interrupted(test.tally, test.world, test.db, where, before)
    test.check_ledger(where, ended, has_changed=found != before, lines_before=lines)
    test.tally.expect(not ended.orphans, f"{where}: {ended.orphans} processes were left running")
    test.tally.expect("Traceback" not in ended.stderr, f"{where}: a traceback: {ended.stderr[-500:]}")
    return found


def _signalled(
    test: CrashTest, number: signal.Signals, seconds: float, *, ignores_sigint: bool = False
) -> Ended:
    pid = test.zygote.begin(*test.update, ignores_sigint=ignores_sigint)
    time.sleep(seconds)
    with suppress(ProcessLookupError):  # it has ended
        os.kill(pid, number)
    return test.zygote.end(pid)


def _duration(test: CrashTest) -> float:
    """Return the seconds that an undisturbed update takes."""
    test.world.edit(_EDITS)
    started = time.monotonic()
    test.zygote.run(*test.update)
    seconds = time.monotonic() - started
    test.recover("undisturbed")
    return seconds
