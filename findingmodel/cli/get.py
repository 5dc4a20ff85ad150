"""``findingmodel index get``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.hints import not_found_hints
from findingmodel.cli.options import completing, index_options, utf8
from findingmodel.cli.screen import Screen, counted, one_line, safe_json
from findingmodel.cli.session import ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from findingmodel.search.lookup import CodedElement
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

    Entries = Mapping[str, Sequence[EntryRow]]
    Carriers = Sequence[tuple[EntryRow, CodedElement]]


@click.command()
@click.argument(
    "keys", metavar="KEY...", type=utf8, nargs=-1, required=True, shell_complete=completing("models")
)
@click.option("--full", is_flag=True, help="Print the whole model, as in its file.")
@index_options
def get(screen: Screen, keys: tuple[str, ...], full: bool, settings: Settings) -> int:
    """Show the models with these ids, names, slugs or synonyms, in any case.

    Models may share a synonym: all of them are shown, the best match first. A key such as code:RADLEX:RID1301
    selects the models, 100 at most, that have this code, or have an attribute or a value with it. With --json
    the answer is a list in the order of the keys, null where nothing was found; other models with the same
    key are listed under "also", and the places of a code under "carriers".

    \b
    Examples:
      findingmodel index get OIFM_MSFT_573630
      findingmodel index get "pulmonary embolism" PE --json
      findingmodel index get PE --full > pe.fm.json
      findingmodel index get code:RADLEX:RID1301

    Exit code 1 means that some keys were not found.
    """
    from findingmodel.search.lookup import distinct_entries, find_by_code, find_many
    from findingmodel.text.terms import parse_code_key

    async def question(
        store: Store,
    ) -> tuple[Entries, Mapping[str, Carriers], Mapping[str, bytes], Mapping[str, str]]:
        carriers = {key: await find_by_code(store, *code) for key in keys if (code := parse_code_key(key))}
        entries = await find_many(store, [key for key in keys if key not in carriers])
        entries.update({key: distinct_entries(found) for key, found in carriers.items()})
        best = {found[0]["oifm_id"] for found in entries.values() if found}
        absent = [key for key in entries if not entries[key]]
        hints = await not_found_hints(store, settings, absent) if absent else {}
        return entries, carriers, await store.models(best) if full else {}, hints

    entries, carriers, models, hints = ask(settings, question)
    if full:
        _show_models(screen, [entries[key] for key in keys], models)
    elif screen.as_json:
        screen.json([_facts(entries[key], carriers.get(key, ())) for key in keys])
    else:
        _show_entries(screen, keys, entries, carriers)
    for key, hint in hints.items():
        screen.note(f"not found: {key}{hint}")
    return 1 if hints else 0


def _facts(entries: Sequence[EntryRow], carriers: Carriers) -> dict[str, Any] | None:
    """Return the best entry, ready for JSON, with the others and with the places of the code."""
    if not entries:
        return None
    best, *others = entries
    places = [{"oifm_id": entry["oifm_id"], **element._asdict()} for entry, element in carriers]
    return {**best, **({"also": others} if others else {}), **({"carriers": places} if places else {})}


def _show_entries(
    screen: Screen, keys: Sequence[str], entries: Entries, carriers: Mapping[str, Carriers]
) -> None:
    blocks = []
    for key in keys:
        for entry in entries[key]:
            places = [
                element for holder, element in carriers.get(key, ()) if holder["oifm_id"] == entry["oifm_id"]
            ]
            heading = f"{entry['oifm_id']}  {one_line(entry['name'])}"
            blocks.append("\n".join([heading, *screen.labelled(_fields(entry, places))]))
    if blocks:
        click.echo("\n\n".join(blocks))
    for key, found in entries.items():
        if len(found) > 1:
            screen.note(f"{counted(len(found), 'model')} have the key {key!r}")


def _fields(entry: EntryRow, places: Sequence[CodedElement]) -> Iterator[tuple[str, str]]:
    """Yield the label and the text of each line."""
    yield "slug", entry["slug_name"]
    yield "file", entry["filename"]
    for label, texts in (
        ("synonyms", entry["synonyms"]),
        ("tags", entry["tags"]),
        ("contributors", entry["contributors"]),
        ("replaces", entry.get("replaces")),
    ):
        if texts:
            yield label, ", ".join(texts)
    if entry["description"]:
        yield "description", entry["description"]
    for number, attribute in enumerate(entry["attributes"]):
        label = "" if number else "attributes"
        yield label, f"{attribute['attribute_id']} {attribute['name']} ({attribute['type']})"
    for place in places:
        yield "code at", " ".join(place)


def _show_models(screen: Screen, entries: Sequence[Sequence[EntryRow]], models: Mapping[str, bytes]) -> None:
    """Print the stored JSON texts unchanged, which keeps every number and unknown field."""
    texts = [
        safe_json(models[found[0]["oifm_id"]].decode().strip()) if found else "null" for found in entries
    ]
    if screen.as_json:
        click.echo("[\n" + ",\n".join(texts) + "\n]")
    else:
        click.echo("".join(f"{text}\n" for text in texts if text != "null"), nl=False)
    for best, *others in filter(None, entries):
        if others:
            names = ", ".join(entry["oifm_id"] for entry in others)
            screen.note(f"{best['oifm_id']} shares this key with {names}")
