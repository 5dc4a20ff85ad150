"""``findingmodel completion``, and what a shell completes from the index."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, get_completion_class

from findingmodel.cli.options import screen_options
from findingmodel.cli.screen import counted, one_line, visible
from findingmodel.errors import FindingModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Iterator

    from findingmodel.cli.screen import Screen
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store

    Items = list[CompletionItem[str]]

__all__ = ["branches", "completion", "database_files", "models", "organizations", "register_bash", "tags"]

T = TypeVar("T")

_MONGODB_MS = 800
_WORD = re.compile(r"[\w.+-]+")
_SPECIAL = re.compile(r"([^\w@%+=:,./-])")
_ACTS_IN_QUOTES = re.compile(r"""[$`"'\\!]""")
_TWO_BACKSLASHES = r"\\\\\1"  # the script of click reads each line with `read`, which takes one away


def models(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Return the models whose slug, id or one-word synonym begins like *incomplete*, with their names.

    A slug means the same as the name, and needs no quotes in any shell.
    """
    from findingmodel.text.normalize import fold, slug

    async def question(store: Store) -> Items:
        wanted, folded = slug(incomplete), fold(incomplete)
        found: dict[str, str] = {}
        async for rows in store.iter_labels():
            for row in rows:
                keys = [slug(row.name)]
                if wanted:
                    keys += [row.oifm_id, *filter(_WORD.fullmatch, row.synonyms)]
                for key in keys:
                    if slug(key).startswith(wanted) or fold(key).startswith(folded):
                        found.setdefault(key, row.name)
        return [CompletionItem(key, help=found[key]) for key in sorted(found, key=fold)]

    return _asked(context, question)


def tags(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Return the tags that begin like *incomplete*, the most frequent first, with their numbers of models."""
    from findingmodel.search.facets import count_tags
    from findingmodel.text.normalize import fold

    async def question(store: Store) -> Items:
        return [
            CompletionItem(count.tag, help=counted(count.models, "model"))
            for count in await count_tags(store)
            if fold(count.tag).startswith(fold(incomplete))
        ]

    return _asked(context, question)


def organizations(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Return the codes of organizations that begin like *incomplete*, with their names."""

    async def question(store: Store) -> Items:
        return [
            CompletionItem(credit.key, help=str(credit.fields.get("name", "")))
            for credit in await store.contributors("organization")
            if credit.key.startswith(incomplete.upper())
        ]

    return _asked(context, question)


def branches(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Return the branches of the database that begin like *incomplete*."""
    from findingmodel.stores import branches_of

    return _items(incomplete, _or_nothing(lambda: branches_of(_settings(context))))


def database_files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Let the shell complete the path of a SQLite file; a URL is for the user to know."""
    return [] if "://" in incomplete else [CompletionItem(incomplete, type="file")]


def register_bash() -> None:
    """Make click use `Bash` for bash."""
    add_completion_class(Bash)


class Bash(BashComplete):
    """As click's, but a tag of several words arrives as one argument, and none as a command."""

    def get_completions(self, args: list[str], incomplete: str) -> Items:
        items = super().get_completions(args, incomplete)
        return [item for item in items if not (self._is_quoted() and _ACTS_IN_QUOTES.search(item.value))]

    def format_completion(self, item: CompletionItem[Any]) -> str:
        if item.type != "plain" or self._is_quoted():
            return super().format_completion(item)
        escaped = _SPECIAL.sub(_TWO_BACKSLASHES, item.value)
        return f"{item.type},{escaped}"

    def _is_quoted(self) -> bool:
        """Whether the user has begun the word with a quotation mark."""
        words = os.environ.get("COMP_WORDS", "").split("\n")
        return any(word.startswith(("'", '"')) for word in words[-1:])


def _items(incomplete: str, names: Iterable[str]) -> Items:
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def _asked(context: click.Context, question: Callable[[Store], Coroutine[Any, Any, Items]]) -> Items:
    from findingmodel.cli.session import ask

    return list(_harmless(_or_nothing(lambda: ask(_settings(context), question))))


def _harmless(items: Items) -> Iterator[CompletionItem[str]]:
    """Yield what can be typed; what steers a terminal, or is several lines to a shell, can only be found."""
    for item in items:
        if visible(item.value) == item.value:
            yield CompletionItem(item.value, help=one_line(item.help) if item.help else None)


def _or_nothing(answer: Callable[[], list[T]]) -> list[T]:
    """Return what *answer* does, or nothing where it fails: nobody asked for a message."""
    try:
        return answer()
    except (FindingModelError, OSError):
        return []


def _settings(context: click.Context) -> Settings:
    """Return the settings that the command line so far names, impatient ones."""
    from dataclasses import replace

    from findingmodel.settings import Settings

    given = {name: context.params.get(name) for name in ("db", "branch")}
    return replace(
        Settings.load(**given),
        mongodb_server_selection_timeout_ms=_MONGODB_MS,
        mongodb_connect_timeout_ms=_MONGODB_MS,
        mongodb_socket_timeout_ms=_MONGODB_MS,
        mongodb_retry_attempts=1,
    )


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
    from findingmodel.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None, shell  # noqa: S101  # the choices are those that click knows
    script = kind(cli, {}, _PROGRAM, _VARIABLE).source()
    # click's script for fish splits at every comma, and loses what stands behind a second one.
    click.echo(
        script.replace('(string split ","', '(string split --max 1 ","') if shell == "fish" else script
    )
    return 0
