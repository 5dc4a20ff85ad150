"""Edits of what a model's attributes can say: new attributes, new values, change from prior."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.author.collection import AttributeIds, Place
from findingmodel.author.edit import Edit, changed, load, naming, of_one, source_of
from findingmodel.errors import EditError
from findingmodel.model import edit
from findingmodel.model.draft import (
    CHANGE,
    CHANGE_CORE,
    CHANGE_WORDS,
    change_from_prior_attribute,
    change_value,
    changes_named,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from findingmodel.model.layout import Members


class NewAttribute(NamedTuple):
    """An attribute to add: a choice of *values*, or a number if there are none.

    Attributes:
        name, description, required: as in a file.
        values: at least two, or none.
        max_selected: how many of them may be chosen; 0 for all.
        minimum, maximum, unit: of a number.
    """

    name: str
    description: str | None = None
    values: Sequence[str] = ()
    max_selected: int = 1
    minimum: float | None = None
    maximum: float | None = None
    unit: str | None = None
    required: bool = False

    def document(self, oifma_id: str) -> dict[str, Any]:
        """Return the attribute as a file has it.

        Raises:
            EditError: what is stated does not fit together.
        """
        head = {"oifma_id": oifma_id, "name": self.name, "description": self.description}
        if self.values:
            if len(self.values) < 2:
                raise EditError("a choice needs two values at least: state --value twice or more often")
            body = {
                "type": "choice",
                "values": [{"name": value} for value in self.values],
                "required": self.required,
                "max_selected": min(self.max_selected or len(self.values), len(self.values)),
            }
        else:
            if None not in (self.minimum, self.maximum) and self.minimum > self.maximum:  # type: ignore[operator]
                raise EditError(f"the minimum {self.minimum} is above the maximum {self.maximum}")
            body = {
                "type": "numeric",
                "minimum": _plain(self.minimum),
                "maximum": _plain(self.maximum),
                "unit": self.unit,
                "required": self.required,
            }
        return {name: value for name, value in (head | body).items() if value is not None}


def _plain(number: float | None) -> float | None:
    """Return a whole number without its decimal point."""
    return int(number) if number is not None and float(number).is_integer() else number


async def add_attribute(
    path: Path, attribute: NewAttribute, *, source: str | None = None, place: Place | None = None
) -> Edit:
    """Plan to add *attribute* to the model in *path*, with an id that is not in use.

    Args:
        path: the file.
        attribute: the attribute.
        source: the code of the organization that assigns the id; by default that of the model's id.
        place: the collection; by default that of the file, without an index.

    Raises:
        FileNotFoundError: *path* does not exist.
        DocumentError: the file is not a valid finding model, or would not be one afterwards.
        EditError: the model has such an attribute, or *attribute* contradicts itself.
        ConfigError: *source* is not the code of an organization.
        StoreError: the store failed.
    """
    _, model = load(path)
    oifma_id = await AttributeIds(place or Place.of(path)).new(source or source_of(model))

    def change(model: Members) -> tuple[str, ...]:
        edit.add_attribute(model, attribute.document(oifma_id))
        return (f"the new attribute is {oifma_id}",)

    return of_one(path, change)


def add_value(path: Path, attribute: str, name: str, *, description: str | None = None) -> Edit:
    """Plan to add the value *name* to an attribute of the model in *path*.

    Its code is the next after the greatest of the attribute: codes of removed values are not used again.

    Args:
        path: the file.
        attribute: id or name of the attribute.
        name, description: of the value.

    Raises:
        FileNotFoundError: *path* does not exist.
        DocumentError: the file is not a valid finding model, or would not be one afterwards.
        EditError: there is no such attribute, it is a number, or it has the value already.
    """
    value = {"name": " ".join(name.split())} | ({"description": description} if description else {})
    if not value["name"]:
        raise EditError(f"{path}: a value needs a name")

    def change(model: Members) -> tuple[str, ...]:
        return (f"the new value is {edit.add_value(edit.find_attribute(model, attribute), value)}",)

    return of_one(path, change)


async def change_from_prior(
    paths: Sequence[Path],
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    place: Place | None = None,
) -> Edit:
    """Plan to give models the attribute "change from prior", or to change which values it has.

    Every model in *paths* has its core values afterwards, "unchanged", "stable", "new" and "resolved", which
    cannot be removed. A new attribute comes after "presence". Ids and codes that exist stay.

    Args:
        paths: the files.
        add: values, each of which stands for its pair, such as "larger" or "larger/smaller".
        remove: likewise.
        place: the collection; by default that of the first file, without an index.

    Raises:
        FileNotFoundError: a file does not exist.
        DocumentError: a file is not a valid finding model.
        EditError: a value is unknown, is a core value to be removed, or is to be added and removed.
        StoreError: the store failed.
    """
    added, removed = changes_named(add), changes_named(remove)
    if both := sorted(set(added) & set(removed)):
        raise EditError(f"{both[0]!r} cannot be added and removed")
    ids = AttributeIds(place or Place.of(paths[0]))
    changes = []
    for path in paths:
        old, model = load(path)
        with naming(path):
            if await _change(model, added, removed, ids):
                changes.append(changed(path, old, model))
    return Edit(tuple(changes))


async def _change(model: Members, add: Sequence[str], remove: Sequence[str], ids: AttributeIds) -> bool:
    """Give *model* the values of "change from prior" that it is to have; return whether it changed."""
    finding, attributes = edit.get(model, "name"), edit.items(model, "attributes")
    for attribute in attributes:
        if edit.same(edit.get(attribute, "name"), CHANGE):
            return _change_values(finding, attribute, add, remove)
    new = change_from_prior_attribute(finding, add) | {"oifma_id": await ids.new(source_of(model))}
    edit.add_attribute(model, new, place=1)
    return True


def _change_values(finding: str, attribute: Members, add: Sequence[str], remove: Sequence[str]) -> bool:
    """Add and remove values, and add the core values that are missing; return whether any changed."""
    present = [edit.get(value, "name") for value in edit.items(attribute, "values")]
    missing = [
        word
        for word in CHANGE_WORDS
        if (word in CHANGE_CORE or word in add) and not any(edit.same(word, name) for name in present)
    ]
    for word in missing:
        edit.add_value(attribute, change_value(finding, word))
    return bool(edit.remove_values(attribute, remove)) or bool(missing)
