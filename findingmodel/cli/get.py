"""``findingmodel index get``."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.hints import not_found_hints
from findingmodel.cli.options import completing, database_options, json_option, screen_options, utf8
from findingmodel.cli.screen import counted, one_line, safe_json, to_json
from findingmodel.cli.session import ask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from findingmodel.cli.screen import Screen
    from findingmodel.search.lookup import CodeRow
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

    Found = Mapping[str, list[EntryRow]]
    Carried = Mapping[str, list[CodeRow]]

__all__ = ["entry_lines", "field_lines", "get"]

_LABEL_WIDTH = 16


def entry_lines(entry: EntryRow, *, width: int | None) -> list[str]:
    """Return *entry* as lines: id and name, then one labelled field after the other.

    Args:
        entry: what the index holds.
        width: columns of the terminal; None leaves each field on one line.
    """
    return [f"{entry['oifm_id']}  {one_line(entry['name'])}", *field_lines(_fields(entry), width=width)]


def field_lines(fields: Iterable[tuple[str, str]], *, width: int | None) -> list[str]:
    """Return a line for each label and text, or as many as it needs on a terminal of *width* columns."""
    lines: list[str] = []
    for label, text in fields:
        whole = f"  {label:<{_LABEL_WIDTH - 2}}{one_line(text)}"
        lines += [whole] if width is None else _wrapped(whole, width)
    return lines


def _fields(entry: EntryRow) -> Iterator[tuple[str, str]]:
    yield "slug", entry["slug_name"]
    yield "file", entry["filename"]
    for label, texts in (
        ("synonyms", entry["synonyms"]),
        ("tags", entry["tags"]),
        ("contributors", entry["contributors"]),
    ):
        if texts:
            yield label, ", ".join(texts)
    if entry["description"]:
        yield "description", entry["description"]
    for number, attribute in enumerate(entry["attributes"]):
        label = "" if number else "attributes"
        yield label, f"{attribute['attribute_id']} {attribute['name']} ({attribute['type']})"


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(
        line, max(width - 1, 2 * _LABEL_WIDTH), subsequent_indent=" " * _LABEL_WIDTH, break_on_hyphens=False
    )


@click.command()
@click.argument(
    "keys", metavar="KEY...", type=utf8, nargs=-1, required=True, shell_complete=completing("models")
)
@click.option("--full", is_flag=True, help="Print the whole model, as its file has it.")
@database_options
@json_option
@screen_options
@click.pass_obj
def get(screen: Screen, keys: tuple[str, ...], full: bool, settings: Settings, as_json: bool) -> int:
    """Show the models that have these ids, names, slugs or synonyms, in any case.

    Models may share a synonym: all that do are shown, the best match first. A key like code:RADLEX:RID1301
    stands for the models, 100 at most, that carry that code themselves, in an attribute or in a value. With
    --json the answer is a list in the order of the keys, null where nothing was found; other models with the
    same key stand under "also", and what carries a code under "carriers".

    \b
    Examples:
      findingmodel index get OIFM_MSFT_573630
      findingmodel index get "pulmonary embolism" PE --json
      findingmodel index get PE --full > pe.fm.json
      findingmodel index get code:RADLEX:RID1301

    Exit code 1 means that nothing was found for some of the keys.
    """
    from findingmodel.search.lookup import distinct_entries, find_by_key, find_many, is_code_key

    async def answer(store: Store) -> tuple[Found, Carried, Mapping[str, bytes], Mapping[str, str]]:
        carried = {key: await find_by_key(store, key) for key in keys if is_code_key(key)}
        found = await find_many(store, [key for key in keys if key not in carried])
        found.update({key: distinct_entries(rows) for key, rows in carried.items()})
        best = {entries[0]["oifm_id"] for entries in found.values() if entries}
        absent = [key for key in found if not found[key]]
        hints = await not_found_hints(store, settings, absent) if absent else {}
        return found, carried, await store.models(best) if full else {}, hints

    found, carried, models, absent = ask(settings, answer)
    if full:
        _show_models(screen, [found[key] for key in keys], models, as_json=as_json)
    elif as_json:
        click.echo(to_json([_with_others(found[key], carried.get(key, ())) for key in keys]))
    else:
        _show_entries(screen, keys, found, carried)
    for key, hint in absent.items():
        screen.note(f"not found: {key}{hint}")
    return 1 if absent else 0


def _with_others(entries: Sequence[EntryRow], carried: Sequence[CodeRow]) -> dict[str, Any] | None:
    if not entries:
        return None
    best, *others = entries
    carriers = [{"oifm_id": row.entry["oifm_id"], **_carrier(row)} for row in carried]
    return {**best, **({"also": others} if others else {}), **({"carriers": carriers} if carriers else {})}


def _carrier(row: CodeRow) -> dict[str, str]:
    return {"place": row.place, "id": row.id, "name": row.name}


def _show_entries(screen: Screen, keys: Sequence[str], found: Found, carried: Carried) -> None:
    width = shutil.get_terminal_size().columns if screen.is_terminal else None
    blocks = [
        [*entry_lines(entry, width=width), *field_lines(_places(entry, carried.get(key, ())), width=width)]
        for key in keys
        for entry in found[key]
    ]
    if blocks:
        click.echo("\n\n".join("\n".join(block) for block in blocks))
    for key, entries in found.items():
        if len(entries) > 1:
            screen.note(f"{counted(len(entries), 'model')} have the key {key!r}")


def _places(entry: EntryRow, carried: Sequence[CodeRow]) -> Iterator[tuple[str, str]]:
    """Yield each place of *entry* that carries the code which was asked for."""
    for row in carried:
        if row.entry["oifm_id"] == entry["oifm_id"]:
            yield "code at", f"{row.place} {row.id} {row.name}"


def _show_models(
    screen: Screen, found: Sequence[Sequence[EntryRow]], models: Mapping[str, bytes], *, as_json: bool
) -> None:
    """Print the stored JSON texts untouched, so that no number and no unknown field changes on the way."""
    texts = [
        safe_json(models[entries[0]["oifm_id"]].decode().strip()) if entries else "null" for entries in found
    ]
    if as_json:
        click.echo("[\n" + ",\n".join(texts) + "\n]")
    else:
        click.echo("".join(f"{text}\n" for text in texts if text != "null"), nl=False)
    for best, *others in filter(None, found):
        if others:
            names = ", ".join(entry["oifm_id"] for entry in others)
            screen.note(f"{best['oifm_id']} shares this key with {names}")
