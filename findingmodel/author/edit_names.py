"""Edits of what a model is called and grouped by: its name, its synonyms, its tags."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.author.collection import Place, each_file, parsed
from findingmodel.author.edit import Edit, changed, load, of_one
from findingmodel.errors import DocumentError, EditError
from findingmodel.model import edit
from findingmodel.text.normalize import fold, slug
from findingmodel.update.scan import SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.author.edit import FileChange
    from findingmodel.model.layout import Members

MAX_STEM = 200
"""Characters of a file name before the suffix, so that editors can append some to at most 255 bytes."""


async def rename(
    path: Path, name: str, *, keep_synonym: bool = False, keep_file: bool = False, place: Place | None = None
) -> Edit:
    """Plan to rename the model in *path*: its name, its file, and the name in its own descriptions.

    Its id and the ids of attributes and values stay.

    Args:
        path: the file.
        name: the new name.
        keep_synonym: whether the old name becomes a synonym.
        keep_file: whether the file keeps its name.
        place: the collection; by default that of the file, without an index.

    Raises:
        FileNotFoundError: *path* does not exist.
        DocumentError: the file is not a valid finding model, or would not be one afterwards.
        EditError: another model has the name, or another file that of the new one.
        StoreError: the store failed.
    """
    old, model = load(path)
    name = " ".join(name.split())
    oifm_id, former = edit.get(model, "oifm_id"), edit.get(model, "name")
    holders = await (place or Place.of(path)).holders(name, but=oifm_id)
    if taken := [holder for holder in holders if holder.field == "name"]:
        raise EditError(f"{path}: {name!r} is the name of {taken[0].oifm_id} ({taken[0].path}) already")
    count = edit.rename(model, name, keep_synonym=keep_synonym)
    notes = [f"{holder.oifm_id} {holder.name!r} has {name!r} as a synonym" for holder in holders]
    if count and not edit.same(name, former):
        notes.append(f"{count} description{'s have' if count > 1 else ' has'} the new name; read them once")
    target = path if keep_file else path.with_name(f"{slug(name)[:MAX_STEM]}{SUFFIX}")
    if target != path and target.exists() and not target.samefile(path):
        raise EditError(f"{path}: the file {target} exists already; --keep-file keeps the name of the file")
    change = changed(path, old, model, moved_to=None if target == path else target)
    return Edit((change,) if change.new != old or change.moved_to else (), tuple(notes))


async def add_synonym(path: Path, text: str, *, force: bool = False, place: Place | None = None) -> Edit:
    """Plan to add the synonym *text* to the model in *path*.

    Args:
        path: the file.
        text: the synonym.
        force: add it even if another model has it as its name or a synonym.
        place: the collection; by default that of the file, without an index.

    Raises:
        FileNotFoundError: *path* does not exist.
        DocumentError: the file is not a valid finding model, or would not be one afterwards.
        EditError: the model has it already, or another model has.
        StoreError: the store failed.
    """
    text = " ".join(text.split())
    if not fold(text):
        raise EditError(f"{path}: a synonym needs a letter or a digit")
    _, model = load(path)
    holders = await (place or Place.of(path)).holders(text, but=edit.get(model, "oifm_id"))
    listed = "; ".join(map(str, holders))
    if holders and not force:
        raise EditError(
            f"{path}: {text!r} would be ambiguous, because another model has it: {listed}; "
            "--force adds it nevertheless"
        )

    def change(model: Members) -> tuple[str, ...]:
        edit.add_synonym(model, text)
        return (f"{text!r} is ambiguous now: {listed}",) if holders else ()

    return of_one(path, change)


def rename_tag(directory: Path, old: str, new: str) -> Edit:
    """Plan to rename the tag *old*, in any case, to *new* in all files below *directory*.

    A model that has both has *new* once afterwards. Files that are not valid finding models are skipped.

    Raises:
        DirectoryError: *directory* cannot be listed.
        EditError: a tag is empty, or no model has the tag *old*.
    """
    new = " ".join(new.split())
    if not fold(new) or not fold(old):
        raise EditError("a tag needs a letter or a digit")
    changes: list[FileChange] = []
    skipped: list[Path] = []
    is_done = False
    for name, data in each_file(directory):
        is_done = is_done or _has_tag(data, new)
        if not _may_have_tag(data, old):
            continue
        path = directory / name
        try:
            before, model = load(path)
        except DocumentError:
            skipped.append(path)
            continue
        if edit.rename_tag(model, old, new):
            changes.append(changed(path, before, model))
    if not changes and not skipped and not is_done:
        raise EditError(f"no model below {directory} has the tag {old!r}")
    return Edit(tuple(changes), skipped=tuple(skipped))


def _may_have_tag(data: bytes, tag: str) -> bool:
    """Return whether a file has the text of *tag*; plain ASCII without it is not worth parsing."""
    return fold(tag).encode() in data.lower() or not data.isascii() or b"\\u" in data


def _has_tag(data: bytes, tag: str) -> bool:
    model = parsed(data) if _may_have_tag(data, tag) else None
    return model is not None and any(edit.same(tag, other) for other in model.get("tags") or ())
