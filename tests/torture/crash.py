"""Crashes: an update is killed, or asked to end, and the index is none the worse for it."""

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
from tests.torture.looks import held_in, judge_complete, judge_half_done, ledger_lines, told_in
from tests.torture.steps import Fault
from tests.torture.tally import Tally
from tests.torture.world import World
from tests.torture.zygote import Zygote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.torture.world import Held
    from tests.torture.zygote import Ended

__all__ = ["Siege", "kill_at_random", "kill_at_steps", "signal_at_random"]

_MODELS = 120
_EDITS = 40
_RECOVERED = (0, 1)  # 1: some files are broken, on purpose


class Siege(NamedTuple):
    """An index under attack, and what is known of it.

    Attributes:
        zygote: runs the commands.
        world: the directory.
        db: the index.
        ledger: its ledger.
        chance: decides.
        tally: of the attack.
        killed: the steps at which it was killed, before or after.
        last: what was found when it was whole the last time.
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
    def laid(cls, home: Path, db: str, seed: int) -> Iterator[Siege]:
        """Lend a siege of *db*, whose index is complete."""
        chance, ledger = random.Random(seed), home / "ledger.jsonl"
        environment = {
            "FINDINGMODEL_BATCH_SIZE": "25",
            "FINDINGMODEL_LEDGER": str(ledger),
            "FINDINGMODEL_LEDGER_MAX_BYTES": "20000",
            "FINDINGMODEL_LEDGER_KEEP": "1000",
            "FINDINGMODEL_LEASE_SECONDS": "3600",  # one that is not taken over is in everybody's way
        }
        with Zygote(home, **environment) as zygote:
            siege = cls(zygote, World(home / "defs", _MODELS, chance), db, ledger, chance, Tally(), set(), {})
            siege.recover("the first update")
            yield siege

    @property
    def update(self) -> tuple[object, ...]:
        """The command."""
        return "index", "update", self.world.root, "--db", self.db

    def recover(self, where: str) -> None:
        """Let an update do the rest, and see that it did."""
        ended = self.zygote.run(*self.update)
        self.tally.expect(ended.code in _RECOVERED, f"{where}: exit {ended.code}: {ended.stderr[-300:]}")
        self._hear(where, judge_complete(self.tally, self.world, self.db, where))
        self.tally.count("updates that did the rest")

    def _hear(self, where: str, found: Held) -> None:
        """See that contributors are those of the models, and that readers are told of each change."""
        generation, *contributors = told_in(self.db)
        named = self.world.contributors()
        self.tally.expect(tuple(contributors) == named, f"{where}: {contributors} contributed, not {named}")
        is_new = self.last.get("found") != found
        has_grown = generation > self.last.get("generation", 0)
        self.tally.expect(has_grown or not is_new, f"{where}: readers are not told of a change")
        self.last.update(found=found, generation=generation)

    def look_up_ledger(self, where: str, ended: Ended, *, has_changed: bool, lines_before: int) -> None:
        """See that the ledger tells of an update that has changed anything, whatever became of it."""
        notes, torn = ledger_lines(self.ledger)
        told = {note["outcome"] for note in notes[lines_before:]}
        self.tally.expect(told or not has_changed, f"{where}: the ledger tells nothing of a change")
        self.tally.expect(ended.code < 0 or "begun" not in told or len(told) > 1, f"{where}: no end is told")
        self.tally.counts["lines of the ledger cut short"] = torn


def kill_at_steps(siege: Siege, kinds: dict[str, str], times: int) -> Tally:
    """Kill an update before or after named steps: each in turn at its first call, then at later calls."""
    faults = [(name, step, when) for name, step in kinds.items() for when in ("before", "after")]
    faults.append(("write lines", steps.LEDGER["write lines"], "within"))
    siege.chance.shuffle(faults)
    for number, (name, step, when) in enumerate(islice(cycle(faults), times)):
        siege.world.edit(_EDITS)
        call = 1 if number < len(faults) else siege.chance.choice((1, 1, 2, 3, 6))
        _kill_at(siege, name, Fault(step, when, call))
    return siege.tally


def _kill_at(siege: Siege, name: str, fault: Fault) -> None:
    where = f"killed {fault.when} {name!r}, call {fault.call}"
    before, lines = _before(siege)
    needs_time = "hold" in name or "release" in name
    ended = siege.zygote.run(
        *siege.update, *(("--strict",) if needs_time and not siege.world.broken else ()), fault=fault
    )
    siege.tally.expect(
        ended.code in (-signal.SIGKILL, *_RECOVERED), f"{where}: {ended.code} {ended.stderr[-300:]}"
    )
    _judge(siege, where, ended, before, lines)
    if ended.code == -signal.SIGKILL:
        siege.tally.count("kills at a named step")
        siege.killed.add((name, fault.when))
        siege.tally.counts["different ones of these"] = len(siege.killed)
    siege.recover(where)


def kill_at_random(siege: Siege, times: int) -> Tally:
    """Kill updates at random moments; now and then the update that does the rest too."""
    longest = _duration(siege)
    is_whole = True
    for _ in range(times):
        if is_whole:  # else the index may hold what no directory has any more
            siege.world.edit(_EDITS)
        before, lines = _before(siege)
        ended = _signalled(siege, signal.SIGKILL, siege.chance.uniform(0, longest))
        _judge(siege, "killed at random", ended, before, lines)
        siege.tally.count("kills at a random moment" if ended.code < 0 else "updates that were faster")
        is_whole = siege.chance.random() < 0.7
        if is_whole:
            siege.recover("killed at random")
    siege.recover("killed at random")
    return siege.tally


def signal_at_random(siege: Siege, times: int) -> Tally:
    """Ask updates to end, by Ctrl-C or SIGTERM, at random moments."""
    longest = _duration(siege)
    for number in range(times):
        siege.world.edit(_EDITS)
        wanted = (signal.SIGINT, signal.SIGTERM)[number % 2]
        before, lines = _before(siege)
        is_deaf = wanted is signal.SIGTERM and siege.chance.random() < 0.5
        ended = _signalled(siege, wanted, siege.chance.uniform(0.01, longest), is_deaf=is_deaf)
        where = f"{wanted.name} at random"
        found = _judge(siege, where, ended, before, lines)
        code = {signal.SIGINT: 130, signal.SIGTERM: 143}[wanted]
        is_outside = (
            ended.code == -wanted and not ended.stderr
        )  # before the command began, or when it was over
        expected = is_outside or ended.code in (code, *_RECOVERED)
        siege.tally.expect(expected, f"{where}: {ended.code} {ended.stderr[-300:]}")
        if ended.code == code:
            siege.tally.count(f"ended by {wanted.name}")
            _check_summary(siege, where, ended, before, found)
        siege.recover(where)
    return siege.tally


def _check_summary(siege: Siege, where: str, ended: Ended, before: Held, found: Held) -> None:
    """See that what the command says it has written is what has changed."""
    lines = ended.stderr.strip().splitlines()
    siege.tally.expect(len(lines) == 1, f"{where}: it says {ended.stderr!r}")
    told = re.search(
        r"; models: ([\d,]+) written and ([\d,]+) removed; the next update does the rest$", lines[-1]
    )
    changed = sum(before.get(oifm_id) != state for oifm_id, state in found.items())
    if told is None:
        is_none = lines[-1].endswith(("interrupted", "terminated", "; nothing was written"))
        holds = is_none and found == before
        siege.tally.expect(holds, f"{where}: {changed} changed, and it says {lines!r}")
    else:
        siege.tally.expect(changed <= int(told[1].replace(",", "")), f"{where}: {changed}, and {lines[-1]!r}")
        siege.tally.count("with a summary of what was written")


def _before(siege: Siege) -> tuple[Held, int]:
    notes, _ = ledger_lines(siege.ledger)
    return held_in(siege.db)[0], len(notes)


def _judge(siege: Siege, where: str, ended: Ended, before: Held, lines: int) -> Held:
    found = judge_half_done(siege.tally, siege.world, siege.db, where, before)
    siege.look_up_ledger(where, ended, has_changed=found != before, lines_before=lines)
    siege.tally.expect(not ended.orphans, f"{where}: {ended.orphans} processes were left behind")
    siege.tally.expect("Traceback" not in ended.stderr, f"{where}: a traceback: {ended.stderr[-500:]}")
    return found


def _signalled(siege: Siege, wanted: signal.Signals, seconds: float, *, is_deaf: bool = False) -> Ended:
    pid = siege.zygote.begin(*siege.update, is_deaf=is_deaf)
    time.sleep(seconds)
    with suppress(ProcessLookupError):  # it was faster
        os.kill(pid, wanted)
    return siege.zygote.end(pid)


def _duration(siege: Siege) -> float:
    """Return how long an update takes that nothing befalls."""
    siege.world.edit(_EDITS)
    begun = time.monotonic()
    siege.zygote.run(*siege.update)
    seconds = time.monotonic() - begun
    siege.recover("undisturbed")
    return seconds
