"""Attacks detect the faults they look for, and name existing steps."""

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
from tests.torture.inspect_index import (
    check_complete,
    check_interrupted,
    differences,
    index_content,
    partial_faults,
    sqlite_faults,
)
from tests.torture.steps import Fault
from tests.torture.tally import Tally
from tests.torture.world import World
from tests.torture.zygote import Zygote

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

ALL_STEPS = steps.UPDATE | steps.SQLITE | steps.MONGO | steps.LEDGER


@pytest.mark.parametrize("step", ALL_STEPS.values())
def test_every_step_exists(step: str) -> None:
    module, _, path = step.partition(":")
    found: Any = importlib.import_module(module)
    for name in path.split("."):
        found = getattr(found, name)
    assert callable(found)


def test_missing_and_unexpected_models_are_breaches() -> None:
    before = {"A": ("a", b"1"), "B": ("b", b"1")}
    after = {"A": ("a", b"2"), "B": ("b", b"1"), "C": ("c", b"1")}
    assert list(partial_faults(before, after, before)) == list(partial_faults(before, after, after)) == []
    (missing,) = partial_faults(before, after, {"A": ("a", b"2")})
    assert missing.startswith("B is missing")
    (strange,) = partial_faults(before, after, before | {"A": ("a", b"3")})
    assert strange.startswith("A is neither")


def test_wrong_content_is_recorded_and_expected_content_is_settled(tmp_path: Path) -> None:
    world, tally = World(tmp_path / "defs", 5, random.Random(3)), Tally()
    db = f"sqlite:///{tmp_path}/x.db"
    with Zygote(tmp_path / "home", FINDINGMODEL_LEDGER="off") as zygote:
        assert zygote.run("index", "update", world.root, "--db", db).code == 0
    assert check_interrupted(tally, world, db, "there", {}) == check_complete(tally, world, db, "there")
    assert tally.broken == []
    assert len(world.indexed) == 5
    world.add()
    check_interrupted(tally, world, db, "there", world.indexed)
    assert tally.broken == []
    check_complete(tally, world, db, "there")
    (breach,) = tally.broken
    assert breach.startswith("there: OIFM_")
    assert len(world.indexed) == 6


def test_an_update_dies_at_the_chosen_step_and_the_next_completes_it(tmp_path: Path) -> None:
    world = World(tmp_path / "defs", 30, random.Random(1))
    db = f"sqlite:///{tmp_path}/x.db"
    with Zygote(tmp_path / "home") as zygote:
        command = ("index", "update", world.root, "--db", db)
        fault = Fault(steps.SQLITE["put models"], "after", 1)
        assert zygote.run(*command, fault=fault).code == -signal.SIGKILL
        assert index_content(db) == ({}, [])
        assert zygote.run(*command).code == 0
        assert list(sqlite_faults(db)) == []
        found, wrong = index_content(db)
        expected = world.expected()
        assert (len(found), wrong, list(differences(expected, found))) == (30, [], [])
        assert list(differences(expected, {})) != []


def test_the_world_follows_every_edit(tmp_path: Path) -> None:
    world = World(tmp_path / "defs", 40, random.Random(2))
    for _ in range(20):
        world.edit(20)
        before = world.indexed.copy()
        expected = world.expected()
        assert world.indexed == before
        held = world.settle()
        assert world.indexed == held == expected == world.expected()
        paths = {path for path, _ in held.values()}
        assert len(paths) == len(held)
        assert all((world.root / path).exists() for path in paths)
        assert len(held) <= len(world)


def test_mutations_depend_on_the_seed_and_change_the_data() -> None:
    seeds = [b'{"name": "pulmonary nodule", "tags": ["CT"]}']
    one, other = (
        [mutated(seeds[0], chance, seeds) for _ in range(50)] for chance in map(random.Random, (1, 1))
    )
    assert one == other
    assert len(set(one)) > 30


def test_every_attack_has_a_short_and_a_long_form() -> None:
    assert all(0 < attack.size.short < attack.size.long for attack in ATTACKS.values())


@pytest.mark.parametrize("name", ATTACKS)
def test_the_guarantee_of_an_attack_is_documented(name: str) -> None:
    rows = (ROOT / "docs" / "reliability.md").read_text().splitlines()
    assert [row for row in rows if row.startswith(f"| {ATTACKS[name].guarantee} | ")]


def test_an_attack_runs_and_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "fuzz", "--times", "30", "--seed", "1", "--json"]) == 0
    captured = capsys.readouterr()
    (result,) = json.loads(captured.out)
    assert (result["attack"], result["on"], result["not_made"]) == ("fuzz", "sqlite", None)
    assert sum(result["counts"].values()) >= 30
    assert "fuzz on sqlite" in captured.err
    assert ATTACKS["fuzz"].guarantee in captured.err
    assert "no breaches" in captured.err


@pytest.mark.parametrize("wrong", [("--on", "bogus"), ("--only", "bogus"), ("--times", "0")])
def test_unknown_options_are_usage_errors(wrong: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*wrong, "--short"])
    assert ended.value.code == 2


def test_a_run_without_attacks_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "fuzz", "--on", "nx"]) == 2
    assert "no attack was made" in capsys.readouterr().err


def test_an_unavailable_server_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torture, "HAS_SECANTUS", False)
    assert main(["--short", "--only", "failover", "--only", "soak"]) == 2
    messages = capsys.readouterr().err
    assert "failover on secantus: not made: SecantusDB has no build" in messages
    assert "soak on secantus: not made: SecantusDB has no build" in messages


def test_a_disk_that_may_not_be_mounted_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusing = tmp_path / "mount"
    refusing.write_text("#!/bin/sh\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert main(["--short", "--only", "disk"]) == 2
    assert "disk on sqlite: not made: this user may not mount a disk" in capsys.readouterr().err
