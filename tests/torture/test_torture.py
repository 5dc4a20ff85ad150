"""The attacks themselves: they find what they look for, and name steps that there are."""

from __future__ import annotations

import importlib
import json
import os
import random
import signal
from typing import TYPE_CHECKING, Any

import pytest

from scripts import torture
from scripts.torture import ATTACKS, ROOT, main
from tests.torture import steps
from tests.torture.fuzz import mutated
from tests.torture.looks import complete, half_done, held_in, is_sound, judge_complete, judge_half_done
from tests.torture.steps import Fault
from tests.torture.tally import Tally
from tests.torture.world import World
from tests.torture.zygote import Zygote

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

ALL_STEPS = steps.SYNC | steps.SQLITE | steps.MONGO | steps.LEDGER


@pytest.mark.parametrize("step", ALL_STEPS.values())
def test_every_step_is_there_to_be_killed_at(step: str) -> None:
    module, _, path = step.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    assert callable(found)


def test_a_missing_model_and_a_strange_one_are_breaches() -> None:
    before = {"A": ("a", b"1"), "B": ("b", b"1")}
    after = {"A": ("a", b"2"), "B": ("b", b"1"), "C": ("c", b"1")}
    assert list(half_done(before, after, before)) == list(half_done(before, after, after)) == []
    (missing,) = half_done(before, after, {"A": ("a", b"2")})
    assert missing.startswith("B is missing")
    (strange,) = half_done(before, after, before | {"A": ("a", b"3")})
    assert strange.startswith("A is neither")


def test_what_an_index_must_not_hold_is_noted_and_what_it_must_is_settled(tmp_path: Path) -> None:
    world, tally = World(tmp_path / "defs", 5, random.Random(3)), Tally()
    db = f"sqlite:///{tmp_path}/x.db"
    with Zygote(tmp_path / "home", FINDINGMODEL_LEDGER="off") as zygote:
        assert zygote.run("index", "update", world.root, "--db", db).code == 0
    assert judge_half_done(tally, world, db, "there", {}) == judge_complete(tally, world, db, "there")
    assert tally.broken == []
    assert len(world.held) == 5
    world.add()
    judge_half_done(tally, world, db, "there", world.held)
    assert tally.broken == []
    judge_complete(tally, world, db, "there")
    (told,) = tally.broken
    assert told.startswith("there: OIFM_")
    assert len(world.held) == 6


def test_an_update_dies_where_it_is_told_to_and_the_next_completes_it(tmp_path: Path) -> None:
    world = World(tmp_path / "defs", 30, random.Random(1))
    db = f"sqlite:///{tmp_path}/x.db"
    with Zygote(tmp_path / "home") as zygote:
        command = ("index", "update", world.root, "--db", db)
        fault = Fault(steps.SQLITE["put models"], "after", 1)
        assert zygote.run(*command, fault=fault).code == -signal.SIGKILL
        assert held_in(db) == ({}, [])
        assert zygote.run(*command).code == 0
        assert list(is_sound(db)) == []
        found, wrong = held_in(db)
        wanted = world.expected()
        assert (len(found), wrong, list(complete(wanted, found))) == (30, [], [])
        assert list(complete(wanted, {})) != []


def test_the_account_follows_every_edit(tmp_path: Path) -> None:
    world = World(tmp_path / "defs", 40, random.Random(2))
    for _ in range(20):
        world.edit(20)
        before = world.held.copy()
        expected = world.expected()
        assert world.held == before
        held = world.settle()
        assert world.held == held == expected == world.expected()
        paths = {path for path, _ in held.values()}
        assert len(paths) == len(held)
        assert all((world.root / path).exists() for path in paths)
        assert len(held) <= len(world)


def test_mutations_follow_from_the_seed_and_change_something() -> None:
    seeds = [b'{"name": "pulmonary nodule", "tags": ["CT"]}']
    one, other = (
        [mutated(seeds[0], chance, seeds) for _ in range(50)] for chance in map(random.Random, (1, 1))
    )
    assert one == other
    assert len(set(one)) > 30


def test_every_attack_has_a_short_and_a_long_form() -> None:
    assert all(0 < attack.size.short < attack.size.long for attack in ATTACKS.values())


@pytest.mark.parametrize("name", ATTACKS)
def test_what_an_attack_tries_is_promised(name: str) -> None:
    rows = (ROOT / "docs" / "reliability.md").read_text().splitlines()
    assert [row for row in rows if row.startswith(f"| {ATTACKS[name].promise} | ")]


def test_an_attack_is_made_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "fuzz", "--times", "30", "--seed", "1", "--json"]) == 0
    told = capsys.readouterr()
    (result,) = json.loads(told.out)
    assert (result["attack"], result["on"], result["not_made"]) == ("fuzz", "sqlite", None)
    assert sum(result["counts"].values()) >= 30
    assert "fuzz on sqlite" in told.err
    assert ATTACKS["fuzz"].promise in told.err
    assert "no breaches" in told.err


@pytest.mark.parametrize("wrong", [("--on", "bogus"), ("--only", "bogus"), ("--times", "0")])
def test_what_cannot_be_asked_for_is_bad_usage(wrong: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*wrong, "--short"])
    assert ended.value.code == 2


def test_to_attack_nothing_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "fuzz", "--on", "nx"]) == 2
    assert "nothing was attacked" in capsys.readouterr().err


def test_a_server_that_cannot_be_had_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torture, "HAS_SECANTUS", False)
    assert main(["--short", "--only", "failover", "--only", "soak"]) == 2
    told = capsys.readouterr().err
    assert "failover on secantus: not made: SecantusDB has no build" in told
    assert "soak on secantus: not made: SecantusDB has no build" in told


def test_a_disk_that_may_not_be_mounted_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusing = tmp_path / "mount"
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert main(["--short", "--only", "disk"]) == 2
    assert "disk on sqlite: not made: this user may not mount a disk" in capsys.readouterr().err
