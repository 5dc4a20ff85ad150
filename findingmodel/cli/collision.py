"""``findingmodel index collision``: who has a term already, and who nearly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from findingmodel.cli.hints import empty_hint
from findingmodel.cli.options import completing, index_options, utf8
from findingmodel.cli.screen import Column, Screen, one_line
from findingmodel.cli.session import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.search.collisions import Collision
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

_COLUMNS = (
    *(Column("term", bold=True), Column("found", wraps=False), Column("id", wraps=False)),
    *(Column("model"), Column("why")),
)
_HOW = {
    "form": "differs only in form",
    "spelling": "is spelled nearly the same",
    "meaning": "may mean the same",
}


@click.command()
@click.argument("terms", metavar="TERM...", nargs=-1, required=True, type=utf8)
@click.option(
    "--for", "key", metavar="KEY", shell_complete=completing("models"), help="The model that is to have TERM."
)
@index_options
def collision(screen: Screen, terms: tuple[str, ...], key: str | None, settings: Settings) -> int:
    """Show who has TERM already as a name or synonym, and who nearly.

    Ask before you give a model a name or a synonym. For each TERM there are lines of these kinds:

    \b
      name       a model is called so: it may be the same finding
      synonym    a model has it as a synonym; if several have it, it is ambiguous
      form       a name or synonym differs in plural, order or small words
      spelling   one is spelled nearly the same: a typo, or another finding
      meaning    a search finds it by other words, and it may mean the same
      organs     TERM means different findings in different organs, as "follicular cyst" does
      free       nothing of these

    In a pipe each line is the term, the kind, an id, a name and the reason, separated by tabs.

    \b
    Examples:
      findingmodel index collision "collapsed lung"
      findingmodel index collision PE "lung clot" --for "pulmonary embolism"
      findingmodel index collision adenoma --json

    Exit code 1 means that a model has one of the terms.
    """
    from findingmodel.search.collisions import find_collisions
    from findingmodel.search.lookup import find_one
    from findingmodel.search.searcher import Searcher

    async def question(store: Store) -> tuple[list[Collision], str]:
        but = None if key is None else (await find_one(store, key))["oifm_id"]
        found = await find_collisions(store, terms, but=but, searcher=Searcher(store))
        is_empty = all(one.verdict == "free" for one in found)
        return found, await empty_hint(store, settings) if is_empty else ""

    found, hint = ask(settings, question)
    rows = [row for one in found for row in _rows(one)]
    screen.results([one.as_dict() for one in found], _COLUMNS, rows)
    if hint:
        screen.note(hint)
    return 1 if any(one.is_taken for one in found) else 0


def _rows(found: Collision) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield the rows about a term."""
    term = one_line(found.term)
    if found.verdict == "free":
        yield term, "free", "", "", ""
    for entry in found.names:
        yield term, "name", *_id_and_name(entry), "has this name"
    for entry in found.synonyms:
        yield term, "synonym", *_id_and_name(entry), "has this synonym"
    for near in found.near:
        yield term, near.how, *_id_and_name(near.entry), f"{one_line(near.label)}: {_HOW[near.how]}"
    for organ, entries in found.organs.items():
        for entry in entries:
            yield term, "organs", *_id_and_name(entry), f"in its name for another finding: {organ}"
    if found.meanings:
        yield term, "organs", "", "", f"means different findings in {', '.join(found.meanings)}"


def _id_and_name(entry: EntryRow) -> tuple[str, str]:
    return entry["oifm_id"], one_line(entry["name"])


def collision_notes(found: Collision) -> Iterator[str]:
    """Yield what to check about a term that a new model has, in sentences."""
    term = repr(found.term)
    for entry in (*found.names, *found.synonyms):
        yield f"{' '.join(_id_and_name(entry))} has the name {term}, too"
    for near in found.near:
        holder = " ".join(_id_and_name(near.entry))
        yield f"{term}: {one_line(near.label)!r} of {holder} {_HOW[near.how]}"
    if found.meanings:
        yield f"{term} means different findings in {', '.join(found.meanings)}: add the organ"
    elif found.organs:
        yield f"{term} is part of names of findings of {', '.join(found.organs)}: add the organ"
