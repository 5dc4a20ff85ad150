"""The variables that settings come from: of the environment, and of ``.env`` in the current directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

PREFIX = "FINDINGMODEL_"
_PREFIX_OF_TESTS = "FINDINGMODEL_TEST_"
_SIMILARITY = 0.5  # of two names without the prefix, from 0 to 1, as difflib measures it


class Variable(NamedTuple):
    """The text of a variable, or of an argument, and where it comes from."""

    text: str
    source: str


def read_variables() -> dict[str, Variable]:
    """Return all variables by name; one of the environment hides that of the same name in ``.env``.

    Raises:
        ConfigError: ``.env`` cannot be read.
    """
    environment = {name: Variable(text, f"environment {name}") for name, text in os.environ.items()}
    return {**_dotenv(), **environment}


def _dotenv() -> dict[str, Variable]:
    path = Path(".env")
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        values = dotenv_values(path, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the file .env in the current directory: {error}") from error
    return {name: Variable(text, f".env {name}") for name, text in values.items() if text is not None}


def misnamed(variables: Mapping[str, Variable], known: Collection[str]) -> Iterator[str]:
    """Yield a sentence for each of *variables* that is named like one of the *known* ones and is none.

    >>> list(misnamed({"FINDINGMODEL_BD": Variable("x.db", ".env FINDINGMODEL_BD")}, {"FINDINGMODEL_DB"}))
    ['.env FINDINGMODEL_BD sets nothing; did you mean FINDINGMODEL_DB?']
    """
    for name, variable in sorted(variables.items()):
        if not name.upper().startswith(PREFIX) or name in known or name.startswith(_PREFIX_OF_TESTS):
            continue
        from difflib import get_close_matches

        ends = [other.removeprefix(PREFIX) for other in known if other.startswith(PREFIX)]
        near = get_close_matches(name.upper().removeprefix(PREFIX), ends, n=1, cutoff=_SIMILARITY)
        hint = f"did you mean {PREFIX}{near[0]}?" if near else "findingmodel config lists the settings"
        yield f"{variable.source} sets nothing; {hint}"
