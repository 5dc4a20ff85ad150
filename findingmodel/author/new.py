"""new: the file of a finding model that is to be written, with ids that nobody else has."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import DocumentError, Problem
from findingmodel.model.draft import PLACEHOLDER, make_stub
from findingmodel.model.layout import canonical
from findingmodel.model.parse import parse_model
from findingmodel.text.normalize import fold, slug
from findingmodel.update.scan import SUFFIX, scan

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from findingmodel.model.finding import FindingModelFull
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["NewModel", "new_model"]

_IDS = re.compile(rb'"(OIFMA?_[A-Z]{3,4}_[0-9]{6})"')
_LONGEST = 200  # with the ending, and a few characters for editors, within the 255 bytes of a file name


class NewModel(NamedTuple):
    """A file that was made.

    Attributes:
        path: the file.
        model: what it holds.
        others: models of the index that have its name, or one of its synonyms, as a synonym.
        known_models: how many models the index holds.
        contributor: whether the index knew who the source is, so that the file names it.
    """

    path: Path
    model: FindingModelFull
    others: tuple[EntryRow, ...]
    known_models: int
    contributor: bool


async def new_model(
    store: Store,
    directory: Path,
    name: str,
    source: str,
    *,
    description: str = PLACEHOLDER,
    synonyms: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> NewModel:
    """Write a stub of a finding model to a new file in *directory*, called after *name*; nothing is indexed.

    Its ids are those of no model or attribute of the index, and of no file below *directory*.

    Args:
        store: the index; it must be open.
        directory: made where it is missing.
        name, source, description, synonyms, tags: as `findingmodel.model.draft.make_stub`.

    Raises:
        ConfigError: *source* is no code of an organization.
        DocumentError: another model has the name, or an argument breaks a rule of the format.
        FileExistsError: there is such a file.
        StoreError: the store failed.
    """
    path = directory / f"{slug(name)[:_LONGEST]}{SUFFIX}"
    if path.exists():
        raise _exists(path)
    others = await store.lookup({fold(text) for text in (name, *synonyms)})
    _refuse_name(path, name, others)
    contributor = await _organization(store, source.upper())
    taken = _ids_below(directory)
    facts: dict[str, Any] = {"description": description, "synonyms": synonyms, "tags": tags}
    while True:
        model = make_stub(name, source, contributor=contributor, taken=taken, **facts)
        in_use = await store.owners(_ids(model))
        if not in_use:
            break
        taken.update(owner.key for owner in in_use)
    _write(path, canonical(model.model_dump_json(exclude_none=True).encode()))
    entries = tuple(sorted(others, key=lambda entry: entry["oifm_id"]))
    return NewModel(path, model, entries, (await store.counts()).models, contributor is not None)


def _refuse_name(path: Path, name: str, others: Collection[EntryRow]) -> None:
    for other in others:
        if fold(other["name"]) == fold(name):
            whose = f"{other['oifm_id']} ({other['filename']})"
            problem = Problem("/name", "duplicate-name", f"the name {name!r} already belongs to {whose}")
            raise DocumentError(str(path), (problem,))


async def _organization(store: Store, code: str) -> Mapping[str, Any] | None:
    found = await store.contributors("organization", [code])
    return found[0].fields if found else None


def _ids_below(directory: Path) -> set[str]:
    """Return the ids in all finding model files, valid or not."""
    found: set[str] = set()
    if not directory.is_dir():
        return found
    for file in scan(directory).files:
        try:
            data = (directory / file.path).read_bytes()
        except OSError:
            continue  # which the next update or check tells of
        found.update(one.decode() for one in _IDS.findall(data))
    return found


def _ids(model: FindingModelFull) -> set[str]:
    return {model.oifm_id, *(attribute.oifma_id for attribute in model.attributes)}


def _write(path: Path, data: bytes) -> None:
    parsed = parse_model(data)
    if parsed.model is None:  # text that only a whole file can be refused for, such as a NUL character
        raise DocumentError(str(path), parsed.problems)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise _exists(path) from None


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "there is such a file already; nothing was written", str(path))
