"""docs/howto/curating.md: the morning that it shows, lived through."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import yaml
from click.testing import CliRunner

from findingmodel.cli import cli
from findingmodel.cli.screen import Screen
from tests.test_docs import ROOT, blocks, comparable, newcomer, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

__all__ = ["newcomer"]  # fixtures are found by their names here

GUIDE = (ROOT / "docs/howto/curating.md").read_text(encoding="utf-8")


def steps() -> Iterator[tuple[str, str]]:
    """Every command of the guide, and what it shows of the output."""
    for block in blocks(GUIDE):
        if block.language == "console":
            for part in block.text.removeprefix("$ ").split("\n$ "):
                command, _, output = part.partition("\n")
                yield command, output


def told(output: str) -> str:
    """*output* without what differs each time: durations, scores, and the ids of the new model."""
    known = re.sub(r"OIFM_SMPL_(?!0000)\d{6}", "OIFM_SMPL_NEW", output)
    return comparable(known).strip()


def test_each_step_prints_what_the_guide_shows(newcomer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Screen, "is_terminal", True)
    for command, shown in steps():
        if command.startswith("findingmodel"):
            result = CliRunner(catch_exceptions=False).invoke(cli, shlex.split(command)[1:])
            assert told(result.output) == told(shown), command
        else:
            subprocess.run(shlex.split(command), cwd=newcomer, check=True)
            assert shown.strip() == ""
    assert (newcomer / "text/pleural_plaque.md").is_file()


def test_the_commands_for_scripts_exist() -> None:
    lines = [line for block in blocks(GUIDE) if block.language == "sh" for line in block.text.splitlines()]
    for line in lines:
        words = shlex.split(line.split("|")[0].replace("$(", " ").replace(")", ""))
        command, rest = resolve(words[1:4])
        assert command.name in {"diff", "list", "jsonl", "check"}, rest
    assert len(lines) == 4


def test_the_hooks_that_it_names_are_published() -> None:
    (config,) = (yaml.safe_load(block.text) for block in blocks(GUIDE) if block.language == "yaml")
    named = {hook["id"] for repository in config["repos"] for hook in repository["hooks"]}
    assert named == {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
