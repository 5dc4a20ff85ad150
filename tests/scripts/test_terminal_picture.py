"""The picture at the top of README shows commands of README, and their current output."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from terminal_picture import COMMANDS, draw, record, screen_lines

from tests.docs.documents import blocks, sessions

ROOT = Path(__file__).parent.parent.parent
PICTURE = ROOT / "docs/terminal.svg"
TEXT = "{http://www.w3.org/2000/svg}text"


def shown(svg: str) -> list[str]:
    """The lines of a picture, without durations."""
    lines = ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(TEXT)]
    return [re.sub(r"\b\d+ ms\b|\b\d+\.\d s\b", "N ms", line) for line in lines]


@pytest.mark.slow
def test_the_picture_shows_the_current_output_of_its_commands() -> None:
    assert shown(PICTURE.read_text(encoding="utf-8")) == shown(draw(record()))


def test_readme_shows_the_picture_and_runs_its_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "](docs/terminal.svg)" in readme
    run = {
        command for block in blocks(readme) if block.language == "console" for command, _ in sessions(block)
    }
    assert set(COMMANDS) <= run


def test_the_picture_is_small_and_loads_nothing() -> None:
    svg = PICTURE.read_text(encoding="utf-8")
    assert len(svg) < 60_000
    assert re.findall(r"(?:https?:)?//[^\s\"'<)]+", svg) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@import|@font-face|url\(|href|<script", svg)


def test_erased_lines_are_not_drawn() -> None:
    bar = "\x1b[?25lbar 0/?\r\x1b[2Kbar \x1b[32m5/5\x1b[0m\r\n"
    text = f"{bar}\x1b[?25h\r\x1b[1A\x1b[2Kadded \x1b[1m5\x1b[0m\r\n"
    (line,) = screen_lines(text)
    assert "".join(character for character, _ in line) == "added 5"
    assert line[-1] == ("5", "s1")
