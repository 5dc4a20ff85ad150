"""Commands run inside the test process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from findingmodel.cli import cli

if TYPE_CHECKING:
    from click.testing import Result

SAMPLES = Path(__file__).parent.parent.parent / "samples" / "defs"
COUNT = len(list(SAMPLES.rglob("*.fm.json")))


def run(*arguments: object) -> Result:
    """Run one command; what is not an exit is a bug, and raised."""
    return CliRunner(catch_exceptions=False).invoke(cli, [str(argument) for argument in arguments])


def answer(*arguments: object, code: int = 0) -> Any:
    """The JSON document that a command prints, and nothing else."""
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
