"""The finding model itself, as it is written by hand and as it is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from findingmodel.model.attributes import Attribute, AttributeIded, Coded, ContributorKind, Record
from findingmodel.model.rules import FINDING_ID_PATTERN, generate_oifm_id, generate_oifma_id
from findingmodel.render.html import model_html
from findingmodel.render.markdown import to_markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Container

__all__ = ["FindingModelBase", "FindingModelFull", "add_ids"]

Text = Annotated[str, Field(min_length=5)]
Words = Annotated[list[str], Field(min_length=1)]
Attributes = Annotated[list[Attribute], Field(min_length=1)]
AttributesIded = Annotated[list[AttributeIded], Field(min_length=1)]
Contributors = list[ContributorKind]


class _Finding(Record):
    name: Text = Field(description="What the finding is called, in a few words")
    description: Text = Field(description="What the finding is, in one or two sentences")
    synonyms: Words | None = Field(default=None, description="Other names that reports use for the finding")
    tags: Words | None = Field(default=None, description="Words to group findings by, such as a modality")


class FindingModelBase(_Finding):
    """A radiology finding with the attributes that describe it, without ids: a draft written by hand."""

    attributes: Attributes

    def as_markdown(self) -> str:
        """The draft as a Markdown page."""
        return to_markdown(self)

    def __repr__(self) -> str:
        return f"FindingModelBase({self.name!r}, attributes: {len(self.attributes)})"

    __str__ = __repr__


class _FindingId(Record):
    oifm_id: str = Field(pattern=FINDING_ID_PATTERN, description="The finding model's id in the registry")


class _Contents(_Finding):
    contributors: Contributors | None = Field(default=None, description="Who made the finding model")
    attributes: AttributesIded


# pydantic takes the fields of the last base first: so the id leads and the codes end, as in the files.
class FindingModelFull(Coded, _Contents, _FindingId):
    """A radiology finding with the attributes that describe it, and the ids of all of them."""

    def as_markdown(self, hide_ids: bool = False) -> str:
        """The finding model as a Markdown page, with or without the ids in it."""
        return to_markdown(self, hide_ids=hide_ids)

    def __repr__(self) -> str:
        return f"FindingModelFull({self.oifm_id} {self.name!r}, attributes: {len(self.attributes)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return model_html(self)


def add_ids(draft: FindingModelBase, source: str, *, taken: Container[str] = ()) -> FindingModelFull:
    """Make a full finding model from *draft*: the finding, its attributes and their values get ids.

    Ids that *draft* already carries, as fields it does not know, are kept.

    Args:
        draft: the finding model without ids; it is not changed.
        source: the code of the organization that gives the ids, three or four letters A-Z in any case.
        taken: ids in use elsewhere, which are not given again.

    Raises:
        ConfigError: *source* is no organization code.
    """
    content = draft.model_dump()
    content.setdefault("oifm_id", _free(generate_oifm_id, source, taken))
    given: list[str] = []
    for attribute in content["attributes"]:
        given.append(attribute.setdefault("oifma_id", _free(generate_oifma_id, source, taken, given)))
        for number, value in enumerate(attribute.get("values", ())):
            value.setdefault("value_code", f"{given[-1]}.{number}")
    return FindingModelFull.model_validate(content)


def _free(generate: Callable[[str], str], source: str, *taken: Container[str]) -> str:
    while True:
        new_id = generate(source)
        if not any(new_id in ids for ids in taken):
            return new_id
