"""``findingmodel completion``, and the completions that shells take from the index."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, get_completion_class

from findingmodel.cli.options import screen_options
from findingmodel.cli.screen import Screen, counted, one_line, visible
from findingmodel.errors import FindingModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store

    Items = list[CompletionItem[str]]

T = TypeVar("T")

_TIMEOUT_MS = 800
_WORD = re.compile(r"[\w.+-]+")
_SPECIAL = re.compile(r"([^\w@%+=:,./-])")
_ACTIVE_IN_QUOTES = re.compile(r"""[$`"'\\!]""")
_TWO_BACKSLASHES = r"\\\\\1"  # click's script reads each line with `read`, which removes one


def models(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Return the models whose slug, id or one-word synonym starts with *incomplete*, with their names.

    Slugs stand for names, because they need no quotes in any shell.
    """
    from findingmodel.text.normalize import fold, slug

    async def question(store: Store) -> Items:
        slug_prefix, folded_prefix = slug(incomplete), fold(incomplete)
        names: dict[str, str] = {}
        async for rows in store.terms.iter_labels():
            for row in rows:
                keys = [slug(row.name)]
                if slug_prefix:
                    keys += [row.oifm_id, *filter(_WORD.fullmatch, row.synonyms)]
                for key in keys:
                    if slug(key).startswith(slug_prefix) or fold(key).startswith(folded_prefix):
                        names.setdefault(key, row.name)
        return [CompletionItem(key, help=names[key]) for key in sorted(names, key=fold)]

    return _from_index(context, question)


def tags(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Return the tags that start with *incomplete*, the most frequent first, with their counts."""
    from findingmodel.search.facets import count_tags
    from findingmodel.text.normalize import fold

    async def question(store: Store) -> Items:
        return [
            CompletionItem(tag, help=counted(models, "model"))
            for tag, models in (await count_tags(store)).items()
            if fold(tag).startswith(fold(incomplete))
        ]

    return _from_index(context, question)


def organizations(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Return the codes of organizations that start with *incomplete*, with their names."""

    async def question(store: Store) -> Items:
        return [
            CompletionItem(credit.key, help=str(credit.fields.get("name", "")))
            for credit in await store.contributors("organization")
            if credit.key.startswith(incomplete.upper())
        ]

    return _from_index(context, question)


def branches(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Return the branches of the database that start with *incomplete*."""
    from findingmodel.cli.session import ask_database
    from findingmodel.stores import branches_of

    names = _empty_on_error(lambda: ask_database(_settings(context), branches_of))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def database_files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> Items:
    """Let the shell complete the path of a SQLite file; URLs are not completed."""
    return [] if "://" in incomplete else [CompletionItem(incomplete, type="file")]


def register_bash() -> None:
    """Make click use `Bash` for bash."""
    add_completion_class(Bash)


class Bash(BashComplete):
    """click's completion for bash, with values quoted so that each is one argument and never a command."""

    def get_completions(self, args: list[str], incomplete: str) -> Items:
        items = super().get_completions(args, incomplete)
        return [item for item in items if not (self._is_quoted() and _ACTIVE_IN_QUOTES.search(item.value))]

    def format_completion(self, item: CompletionItem[Any]) -> str:
        if item.type != "plain" or self._is_quoted():
            return super().format_completion(item)
        escaped = _SPECIAL.sub(_TWO_BACKSLASHES, item.value)
        return f"{item.type},{escaped}"

    def _is_quoted(self) -> bool:
        """Return whether the word to complete starts with a quotation mark."""
        words = os.environ.get("COMP_WORDS", "").split("\n")
        return any(word.startswith(("'", '"')) for word in words[-1:])


def _from_index(context: click.Context, question: Callable[[Store], Coroutine[Any, Any, Items]]) -> Items:
    """Return the items that *question* finds, without those that would act on a terminal or split a line."""
    from findingmodel.cli.session import ask

    return [
        CompletionItem(item.value, help=one_line(item.help) if item.help else None)
        for item in _empty_on_error(lambda: ask(_settings(context), question))
        if visible(item.value) == item.value
    ]


def _empty_on_error(find: Callable[[], list[T]]) -> list[T]:
    """Return what *find* returns, or an empty list if it fails: a shell shows no messages."""
    try:
        return find()
    except (FindingModelError, OSError):
        return []


def _settings(context: click.Context) -> Settings:
    """Return the settings named by the command line so far, with short timeouts."""
    from dataclasses import replace

    from findingmodel.settings import Settings

    options = {name: context.params.get(name) for name in ("db", "branch")}
    return replace(
        Settings.load(**options),
        mongodb_server_selection_timeout_ms=_TIMEOUT_MS,
        mongodb_connect_timeout_ms=_TIMEOUT_MS,
        mongodb_socket_timeout_ms=_TIMEOUT_MS,
        mongodb_retry_attempts=1,
    )


@click.command()
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@screen_options
def completion(_screen: Screen, shell: str) -> None:
    """Print a completion script for SHELL: bash, zsh or fish.

    The script completes commands and options, and names, tags, branches and organizations from the index.
    Names are completed as slugs, which are valid keys and need no quotes.

    Add one of these lines to the start-up file of your shell.

    \b
    Examples:
      eval "$(findingmodel completion bash)"      ~/.bashrc
      eval "$(findingmodel completion zsh)"       ~/.zshrc, after compinit
      findingmodel completion fish | source       ~/.config/fish/config.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None, shell  # noqa: S101  # click.Choice admits only known shells
    root = click.get_current_context().find_root().command
    script = kind(root, {}, "findingmodel", "_FINDINGMODEL_COMPLETE").source()
    if shell == "fish":  # click's script splits at every comma, and so drops the text after a second one
        script = script.replace('(string split ","', '(string split --max 1 ","')
    click.echo(script)
