"""The code in the guides runs and prints the output shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.documents import ROOT, Block, blocks, home
from tests.docs.test_docs import comparable, resolve, run

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["home"]  # pytest finds fixtures by name

pytestmark = pytest.mark.slow

GUIDES = ["docs/howto/agents.md", "docs/howto/notebook.md"]


def guide(name: str) -> list[Block]:
    return blocks((ROOT / name).read_text(encoding="utf-8"))


def code_and_output(name: str) -> Iterator[tuple[str, str]]:
    """Yield each block of Python with its expected output: the text block after it, or nothing."""
    found = guide(name)
    for place, block in enumerate(found):
        if block.language == "python":
            following = found[place + 1] if place + 1 < len(found) else None
            yield block.text, following.text if following and following.language == "text" else ""


@pytest.mark.parametrize("name", GUIDES)
def test_the_code_of_a_guide_prints_what_it_shows(name: str, home: Path) -> None:
    run("findingmodel index update samples/defs --db findings.db")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shown = list(code_and_output(name))
    assert shown
    for code, expected in shown:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=home,
            env=os.environ | {"PATH": programs, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        assert without_scores(done.stdout) == without_scores(expected)


def without_scores(output: str) -> str:
    """Return *output* without scores."""
    return re.sub(r"\b\d\.\d+\b", "N.N", "\n".join(comparable(output)))


def test_the_configuration_for_agents_is_json_and_starts_a_command() -> None:
    (block,) = [block for block in guide("docs/howto/agents.md") if block.language == "json"]
    (server,) = json.loads(block.text)["mcpServers"].values()
    command, rest = resolve(server["args"])
    assert (server["command"], command.name) == ("findingmodel", "mcp")
    command.make_context(command.name, rest)
