"""``findingmodel completion``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen

from findingmodel.cli.options import screen_options

__all__ = ["completion"]

_PROGRAM = "findingmodel"
_VARIABLE = "_FINDINGMODEL_COMPLETE"


@click.command()
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@screen_options
@click.pass_obj
def completion(_screen: Screen, shell: str) -> int:
    """Print what makes SHELL (bash, zsh or fish) complete.

    It completes commands and options, and from the index names, tags, branches and organizations. Names are
    completed in the form of their slugs, which mean the same and need no quotes.

    The file that your shell reads when it starts is the place for one of these lines.

    \b
    Examples:
      eval "$(findingmodel completion bash)"      ~/.bashrc
      eval "$(findingmodel completion zsh)"       ~/.zshrc, behind compinit
      findingmodel completion fish | source       ~/.config/fish/config.fish
    """
    from findingmodel.cli import cli

    kind = get_completion_class(shell)
    assert kind is not None, shell  # noqa: S101  # the choices are those that click knows
    script = kind(cli, {}, _PROGRAM, _VARIABLE).source()
    # click's script for fish splits at every comma, and loses what stands behind a second one.
    click.echo(
        script.replace('(string split ","', '(string split --max 1 ","') if shell == "fish" else script
    )
    return 0
