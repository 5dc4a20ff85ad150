"""new: a file for a new finding model, with ids that no other model has."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.author.collection import ids_below
from findingmodel.author.edit import Edit, FileChange
from findingmodel.author.edit_names import MAX_STEM
from findingmodel.author.lint.texts import tag_key
from findingmodel.errors import DocumentError, EditError, Problem
from findingmodel.model.draft import PLACEHOLDER, USUAL_CHANGES, make_stub
from findingmodel.model.layout import canonical
from findingmodel.model.parse import parse_model
from findingmodel.search.collisions import find_collisions
from findingmodel.search.facets import count_tags
from findingmodel.search.searcher import Searcher
from findingmodel.text.normalize import fold, slug
from findingmodel.update.scan import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from findingmodel.model.finding import FindingModelFull
    from findingmodel.search.collisions import Collision
    from findingmodel.stores.protocol import Store


class NewModel(NamedTuple):
    """A file that was written.

    Attributes:
        path: the file.
        model: its content.
        collisions: what the index holds about its name and each of its synonyms.
        tags: each tag as it was given, and as the models of the index write it; None if none of them has it.
        known_models: the number of models in the index.
        contributor: whether the index knows the source, so that the file names it as a contributor.
    """

    path: Path
    model: FindingModelFull
    collisions: tuple[Collision, ...]
    tags: Mapping[str, str | None]
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
    attributes: Sequence[Mapping[str, Any]] = (),
    changes: Sequence[str] = USUAL_CHANGES,
) -> NewModel:
    """Write a stub of a finding model to a new file in *directory*, named after *name*; nothing is indexed.

    No model or attribute of the index, and no file below *directory*, has any of its ids. Tags are written as
    the models of the index write them.

    Args:
        store: the index; it must be open.
        directory: created if it does not exist.
        name, source, description, synonyms, tags, attributes, changes: as
            `findingmodel.model.draft.make_stub`.

    Raises:
        ConfigError: *source* is not the code of an organization.
        DocumentError: another model has the name, or an argument breaks a rule of the format.
        FileExistsError: the file exists.
        StoreError: the store failed.
    """
    path = directory / f"{slug(name)[:MAX_STEM]}{SUFFIX}"
    if path.exists():
        raise _exists(path)
    collisions = await find_collisions(store, [name, *synonyms], searcher=Searcher(store))
    _refuse_taken_name(path, collisions[0])
    usual = {tag_key(tag): tag for tag in await count_tags(store)} if tags else {}
    written = {tag: usual.get(tag_key(tag)) for tag in tags}
    organizations = await store.contributors("organization", [source.upper()])
    contributor = organizations[0].fields if organizations else None
    taken = ids_below(directory)
    while True:
        model = make_stub(
            name,
            source,
            description=description,
            synonyms=synonyms,
            tags=list(dict.fromkeys(known or tag for tag, known in written.items())),
            contributor=contributor,
            attributes=attributes,
            changes=changes,
            taken=taken,
        )
        ids = {model.oifm_id, *(attribute.oifma_id for attribute in model.attributes)}
        in_use = await store.owners(ids)
        if not in_use:
            break
        taken.update(owner.key for owner in in_use)
    _write(path, canonical(model.model_dump_json(exclude_none=True).encode()))
    known_models = (await store.counts()).models
    return NewModel(path, model, tuple(collisions), written, known_models, contributor is not None)


def _refuse_taken_name(path: Path, collision: Collision) -> None:
    name = collision.term
    for other in collision.names:
        if fold(other["name"]) == fold(name):
            holder = f"{other['oifm_id']} ({other['filename']})"
            problem = Problem("/name", "duplicate-name", f"the name {name!r} already belongs to {holder}")
            raise DocumentError(str(path), (problem,))


def _write(path: Path, data: bytes) -> None:
    parsed = parse_model(data)
    if parsed.model is None:  # for text that only a file can be refused for, such as a NUL character
        raise DocumentError(str(path), parsed.problems)
    try:
        Edit((FileChange(path, None, data),)).apply()  # the whole file or none, whenever the process dies
    except EditError:
        raise _exists(path) from None


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "the file exists already; nothing was written", str(path))
