"""Retiring a model in favour of another, with or without merging what it says.

The successor records the id of the model that it replaces; an index then finds the successor by that id. The
other file stays under a name that updates do not read, so that nothing is lost. First the successor is
written, then the other file is renamed: a crash in between leaves both, and the same command does the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.author.collection import Place
from findingmodel.author.edit import RETIRED, Edit, FileChange, changed, load, naming
from findingmodel.errors import EditError
from findingmodel.model import edit

if TYPE_CHECKING:
    from pathlib import Path


def merge(path: Path, into: Path) -> Edit:
    """Plan to merge the model in *path* into the one in *into*, which replaces it.

    Name and synonyms become synonyms; tags, codes, contributors and attributes are added, as
    `findingmodel.model.edit.merge` says. The notes list what was added, and what only the retired file says.

    Raises:
        FileNotFoundError: a file does not exist.
        DocumentError: a file is not a valid finding model.
        EditError: both are the same model, or the successor was replaced by the other one.
    """
    return _retire(path, into, with_content=True)


def deprecate(path: Path, by: str | Path, *, place: Place | None = None) -> Edit:
    """Plan to retire the model in *path*: an index resolves its id to the model *by* from then on.

    Args:
        path: the file.
        by: the id of the successor, or its file. Only the record of what it replaces is added to it.
        place: where the successor is looked for; by default the collection of the file.

    Raises:
        FileNotFoundError: a file does not exist.
        DocumentError: a file is not a valid finding model.
        EditError: there is no such successor, or it is the model itself.
    """
    into = (place or Place.of(path)).find(by) if isinstance(by, str) else by
    return _retire(path, into, with_content=False)


def _retire(path: Path, into: Path, *, with_content: bool) -> Edit:
    old, other = load(path)
    into_old, successor = load(into)
    ids = [edit.get(model, "oifm_id") for model in (other, successor)]
    if ids[0] == ids[1]:
        raise EditError(f"{path} and {into} are the same model, {ids[0]}")
    if ids[1] in edit.items(other, "replaces"):
        raise EditError(f"{path} replaces {ids[1]} itself: swap the two files")
    notes = [f"{ids[0]} is {ids[1]} now: an index finds {edit.get(successor, 'name')!r} by both ids"]
    with naming(into):
        if with_content:
            merged = edit.merge(successor, other)
            notes += [f"added {text}" for text in merged.added]
            notes += [f"only in the retired file: {text}" for text in merged.lost]
        else:
            edit.succeed(successor, other)
    kept = path.with_name(path.name + RETIRED)
    if kept.exists():
        raise EditError(f"{path}: {kept} exists already; move it away first")
    notes.append(f"the file is kept as {kept}, which updates do not read")
    change = changed(into, into_old, successor)
    changes = (*([change] if change.new != into_old else []), FileChange(path, old, old, kept))
    return Edit(changes, tuple(notes))
