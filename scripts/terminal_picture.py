"""Draw the terminal session at the top of README: run its commands and write what they print as an SVG file.

The commands run in a pseudo-terminal, on the samples, in a temporary directory. The picture loads nothing: no
font, no script, no other file.

    .venv/bin/python scripts/terminal_picture.py docs/terminal.svg
"""

from __future__ import annotations

import argparse
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from html import escape
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).parent.parent
COMMANDS = (
    "findingmodel index update samples/defs",
    'findingmodel search "clot in lung artery" --limit 2',
    "findingmodel search pneumothroax --limit 1 --explain",
    "findingmodel index get pneumothorax",
)
COLUMNS = 96
CHARACTER_WIDTH = 8.4
LINE_HEIGHT = 20
MARGIN = 18
TOP = 58
CONTROL = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|(\r*\n)|(\r)|([^\x1b\r\n]+)")
STYLE = """\
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d6deeb;
  white-space: pre }
.prompt { fill: #7fdbca }
.command, .s1 { fill: #fff; font-weight: 600 }
.s2 { fill: #8aa0b8 }
.s31, .s91 { fill: #ff7b8a }
.s32, .s92 { fill: #7fdb9a }
.s33, .s93 { fill: #ecc48d }
.s34, .s94 { fill: #82aaff }
.s35, .s95 { fill: #c792ea }
.s36, .s96 { fill: #7fdbca }"""

Line = list[tuple[str, str]]
"""The characters of a line, each with its CSS classes."""


class Step(NamedTuple):
    """A command, and the lines that it left on the screen."""

    command: str
    lines: list[Line]


def record(commands: Iterable[str] = COMMANDS) -> list[Step]:
    """Run *commands* as a new user does: on the samples, without an index and without settings."""
    with tempfile.TemporaryDirectory() as home:
        shutil.copytree(ROOT / "samples", Path(home) / "samples")
        kept = ("PATH", "PYTHONPATH", "LANG", "LC_ALL")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        environment |= {"HOME": home, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
        return [Step(command, screen_lines(_run(command, home, environment))) for command in commands]


def _run(command: str, directory: str, environment: Mapping[str, str]) -> str:
    """Run *command* in a pseudo-terminal, and return everything that it writes."""
    program, *arguments = shlex.split(command)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [Path(sys.executable).parent / program, *arguments],
        cwd=directory,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        written = b""
        while data := _read(ours):
            written += data
    os.close(ours)
    if process.returncode:
        raise SystemExit(f"{command}: exit code {process.returncode}\n{written.decode(errors='replace')}")
    return written.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux reports the end of a pseudo-terminal as an error
        return b""


def screen_lines(text: str) -> list[Line]:
    """Return the lines that *text* leaves on the screen, without erased progress bars."""
    lines: list[Line] = [[]]
    row = 0
    classes = ""
    for numbers, letter, newline, _, characters in CONTROL.findall(text):
        if newline:
            row += 1
            if row == len(lines):
                lines.append([])
        elif letter == "A":
            row -= int(numbers or 1)
        elif letter == "K":
            lines[row] = []
        elif letter == "m":
            classes = " ".join(f"s{number}" for number in numbers.split(";") if number not in ("", "0"))
        else:
            lines[row].extend((character, classes) for character in characters)
    return lines if lines[-1] else lines[:-1]


def draw(steps: Sequence[Step]) -> str:
    """Return the picture of a session as SVG."""
    lines: list[Line] = []
    for step in steps:
        lines.append([*((sign, "prompt") for sign in "$ "), *((sign, "command") for sign in step.command)])
        lines.extend(step.lines)
    width = round(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN)
    height = TOP + (len(lines) - 1) * LINE_HEIGHT + MARGIN
    size = f'width="{width}" height="{height}"'
    frame = f'width="{width - 2}" height="{height - 2}" rx="10" fill="#0f1b2d" stroke="#5b6b80"'
    colours = enumerate(("#ff5f57", "#febc2e", "#28c840"))
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} role="img">',
            f"<title>{escape('; '.join(step.command for step in steps))}</title>",
            f"<style>\n{STYLE}\n</style>",
            f'<rect x="1" y="1" {frame}/>',
            *(
                f'<circle cx="{24 + 20 * number}" cy="20" r="6" fill="{colour}"/>'
                for number, colour in colours
            ),
            *(_text(line, TOP + number * LINE_HEIGHT) for number, line in enumerate(lines)),
            "</svg>\n",
        )
    )


def _text(line: Line, y: int) -> str:
    length = len("".join(character for character, _ in line).rstrip())
    spans = []
    for classes, run in groupby(line[:length], key=lambda pair: pair[1]):
        part = escape("".join(character for character, _ in run), quote=False)
        spans.append(f'<tspan class="{classes}">{part}</tspan>' if classes else part)
    place = f'x="{MARGIN}" y="{y}" textLength="{length * CHARACTER_WIDTH:.1f}" xml:space="preserve"'
    return f"<text {place}>{''.join(spans)}</text>"


def main() -> None:
    """Run the commands and write the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, help="the SVG file to write")
    parser.parse_args().file.write_text(draw(record()), encoding="utf-8")


if __name__ == "__main__":
    main()
