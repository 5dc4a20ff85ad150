"""collection: what the files of a collection, and an index of it, already use: names, synonyms and ids."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from findingmodel.author.edit import RETIRED
from findingmodel.errors import EditError
from findingmodel.model.rules import generate_oifma_id
from findingmodel.text.normalize import fold
from findingmodel.update.scan import SUFFIX, scan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from findingmodel.author.edit import Edit
    from findingmodel.stores.protocol import Store

T = TypeVar("T")

_IDS = re.compile(rb'"(OIFMA?_[A-Z]{3,4}_[0-9]{6})"')
_MARKS = (".findingmodel.toml", ".git")


class Holder(NamedTuple):
    """A model that has a text as its name or as a synonym.

    Attributes:
        oifm_id, name: the model's.
        path: its file, as the collection or the index names it.
        field: "name" or "synonym".
    """

    oifm_id: str
    name: str
    path: str
    field: str

    def __str__(self) -> str:
        return f"{self.oifm_id} {self.name!r} ({self.path}), as its {self.field}"


class Place(NamedTuple):
    """Where a file is edited, and what else must not clash with it.

    Attributes:
        directory: of the collection.
        store: an index of it; None to go by the files alone.
        offload: runs a function elsewhere, so that an event loop goes on while all files are read.
    """

    directory: Path
    store: Store | None = None
    offload: Callable[..., Awaitable[Any]] | None = None

    @classmethod
    def of(cls, file: Path, store: Store | None = None) -> Place:
        """Return the place of *file*: the nearest directory with settings or under git, or its own."""
        for directory in file.absolute().parents:
            if any((directory / mark).exists() for mark in _MARKS):
                return cls(directory, store)
        return cls(file.absolute().parent, store)

    async def holders(self, text: str, *, but: str) -> list[Holder]:
        """Return the models that have *text* as a name or a synonym, except the one with the id *but*.

        What a file says of its model counts more than what the index says.

        Raises:
            StoreError: the store failed.
        """
        key = fold(text)
        indexed: dict[str, Holder] = {}
        for entry in await self.store.lookup([key]) if self.store is not None and key else ():
            if field := _field(key, entry):
                indexed[entry["oifm_id"]] = Holder(entry["oifm_id"], entry["name"], entry["filename"], field)
        found: dict[str, Holder] = {}
        for path, model in await self.run(list_likely, self.directory, key, set(indexed)):
            oifm_id = model["oifm_id"]
            indexed.pop(oifm_id, None)
            if field := _field(key, model):
                found[oifm_id] = Holder(oifm_id, model["name"], path, field)
        holders = {**found, **indexed}
        return [holders[oifm_id] for oifm_id in sorted(holders) if oifm_id != but]

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Return ``function(*args)``, which reads files; computed elsewhere if there is an *offload*."""
        if self.offload is None:
            return function(*args)
        result: T = await self.offload(function, *args)
        return result

    def find(self, oifm_id: str) -> Path:
        """Return the file of the model with this id.

        Raises:
            EditError: there is none, or several.
        """
        key = fold(oifm_id)
        paths = [
            path
            for path, model in list_likely(self.directory, "", {oifm_id.upper()})
            if fold(model.get("oifm_id") or "") == key
        ]
        if len(paths) == 1:
            return self.directory / paths[0]
        listed = ", ".join(paths)
        held = f"{len(paths)} files have it: {listed}" if paths else "no file has it; --in names another"
        raise EditError(f"cannot find the model {oifm_id} below {self.directory}: {held}")


class AttributeIds:
    """Assigns ids to attributes, none of which a file, the index or an earlier call has.

    Args:
        place: the collection; its files are read once, when the first id is needed.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._taken: set[str] | None = None

    async def new(self, source: str) -> str:
        """Return an id.

        Args:
            source: the code of the organization that assigns it.

        Raises:
            ConfigError: *source* is not such a code.
            StoreError: the store failed.
        """
        if self._taken is None:
            self._taken = await self._place.run(ids_below, self._place.directory)
        store = self._place.store
        while True:
            oifma_id = generate_oifma_id(source)
            if oifma_id not in self._taken and (store is None or not await store.owners([oifma_id])):
                self._taken.add(oifma_id)
                return oifma_id


async def indexed_directory(store: Store, edit: Edit) -> Path | None:
    """Return the directory that the index was made from, as the files of *edit* tell before it is indexed.

    An index holds paths below its directory: that of ``defs/chest/pe.fm.json`` is ``defs`` if it knows the
    model as ``chest/pe.fm.json``. None if it knows no model of the edit by its path.

    Raises:
        StoreError: the store failed.
    """
    paths = {
        model["oifm_id"]: one.path for one in edit.changes if (model := parsed(one.old or b"")) is not None
    }
    for oifm_id, entry in (await store.get(sorted(paths))).items():
        path, known = paths[oifm_id].absolute(), PurePosixPath(entry["filename"])
        if path.parts[-len(known.parts) :] == known.parts:
            return path.parents[len(known.parts) - 1]
    return None


def _field(key: str, model: Any) -> str | None:
    """Return whether the folded *key* is the name or a synonym of *model*, an entry or a parsed file."""
    if fold(model["name"]) == key:
        return "name"
    return "synonym" if any(fold(text) == key for text in model.get("synonyms") or ()) else None


def list_likely(directory: Path, key: str, ids: set[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return each file, by path, that may have the folded *key* or has one of *ids*.

    Parsing costs five times as much as reading, so files of plain ASCII that lack a word are not parsed.
    """
    words = [word.encode() for word in key.split()]
    marks = [f'"{oifm_id}"'.encode() for oifm_id in ids]
    found = []
    for path, data in each_file(directory):
        plain = data.isascii() and b"\\u" not in data
        lower = data.lower() if plain and words else b""
        may_hold = bool(words) and (not plain or all(word in lower for word in words))
        if may_hold or any(mark in data for mark in marks):
            model = parsed(data)
            if model is not None:
                found.append((path, model))
    return found


def parsed(data: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a file if it has a name and an id; others are for a check to report."""
    try:
        model = json.loads(data)
    except (ValueError, RecursionError):
        return None
    is_model = isinstance(model, dict) and all(isinstance(model.get(x), str) for x in ("name", "oifm_id"))
    return model if is_model else None


def each_file(directory: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the path, relative to *directory*, and the bytes of each finding model file, sorted by path.

    Raises:
        DirectoryError: *directory* cannot be listed.
    """
    for file in scan(directory).files:
        try:
            yield file.path, (directory / file.path).read_bytes()
        except OSError:
            continue  # the next update or check reports it


def ids_below(directory: Path) -> set[str]:
    """Return the ids in all finding model files, valid or not, and of retired models.

    Raises:
        DirectoryError: *directory* cannot be listed.
    """
    if not directory.is_dir():
        return set()
    texts = [data for _, data in each_file(directory)]
    texts += [path.read_bytes() for path in directory.rglob(f"*{SUFFIX}{RETIRED}") if path.is_file()]
    return {match.decode() for data in texts for match in _IDS.findall(data)}
