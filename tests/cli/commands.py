"""Commands run inside the test process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.testing import CliRunner

from findingmodel.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

SAMPLES = Path(__file__).parent.parent.parent / "samples" / "defs"
COUNT = len(list(SAMPLES.rglob("*.fm.json")))


def run(*arguments: object) -> Result:
    """Run one command; exceptions other than exits are raised."""
    return CliRunner(catch_exceptions=False).invoke(cli, [str(argument) for argument in arguments])


def answer(*arguments: object, code: int = 0) -> Any:
    """Run a command with --json and return the JSON document it prints."""
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def commands(
    group: click.Command = cli, words: tuple[str, ...] = (), *, groups: bool = False
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words that call it; groups of commands only with *groups*."""
    if groups or not isinstance(group, click.Group):
        yield words, group
    if isinstance(group, click.Group):
        with click.Context(group) as context:
            for name in group.list_commands(context):
                found = group.resolve_command(context, [name])[1]
                assert found is not None
                yield from commands(found, (*words, name), groups=groups)


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
