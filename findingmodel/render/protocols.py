"""What the renderers need to know about finding models, entries and hits.

Models render themselves (`as_markdown`, notebooks), so `findingmodel.model` imports this package. The
renderers therefore accept anything with these attributes and import no model.
"""

# ruff: noqa: D102  # the members are those of the classes that the docstrings name

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import TypeIs


class Value(Protocol):
    """A value that can be chosen for an attribute."""

    name: str
    description: str | None


class _Attribute(Protocol):
    """What choice and numeric attributes have in common."""

    name: str
    description: str | None
    required: bool

    @property
    def type(self) -> str: ...


class ChoiceAttribute(_Attribute, Protocol):
    """An attribute whose value is chosen from a list."""

    max_selected: int

    @property
    def values(self) -> Sequence[Value]: ...


class NumericAttribute(_Attribute, Protocol):
    """An attribute whose value is a number."""

    minimum: int | float | None
    maximum: int | float | None
    unit: str | None


def is_choice(attribute: ChoiceAttribute | NumericAttribute) -> TypeIs[ChoiceAttribute]:
    """Return whether *attribute* is a choice attribute."""
    return attribute.type == "choice"


class Contributor(Protocol):
    """A person or an organization."""

    name: str
    url: str | None


class Finding(Protocol):
    """A finding model, with ids or without."""

    name: str
    description: str
    synonyms: list[str] | None
    tags: list[str] | None

    @property
    def attributes(self) -> Sequence[ChoiceAttribute | NumericAttribute]: ...


class _Named(Protocol):
    name: str


class RegisteredFinding(Finding, Protocol):
    """A finding model with ids."""

    oifm_id: str

    @property
    def index_codes_str(self) -> str | None: ...


class Entry(Protocol):
    """What an index holds for one finding model."""

    oifm_id: str
    name: str
    filename: str
    description: str | None
    synonyms: list[str] | None
    tags: list[str] | None
    contributors: list[str] | None

    @property
    def attributes(self) -> Sequence[_Named]: ...


class _Match(Protocol):
    @property
    def field(self) -> str: ...
    @property
    def terms(self) -> Sequence[str]: ...


class Hit(Entry, Protocol):
    """An entry that a search found, and why."""

    score: float
    negated: bool

    @property
    def matched(self) -> Sequence[_Match]: ...
