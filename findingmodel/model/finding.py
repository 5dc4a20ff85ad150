"""Finding models and their parts: attributes with values, ontology codes and contributors."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    Tag,
    ValidationInfo,
    field_validator,
)
from pydantic_core import CoreSchema, core_schema

from findingmodel.model.rules import (
    ATTRIBUTE_ID_PATTERN,
    FINDING_ID_PATTERN,
    ORGANIZATION_CODE_PATTERN,
    VALUE_CODE_PATTERN,
    generate_oifm_id,
    generate_oifma_id,
)
from findingmodel.render.html import model_html
from findingmodel.render.markdown import to_markdown

if TYPE_CHECKING:
    from collections.abc import Callable, Container


class Record(BaseModel):
    """Base class of a finding model and its parts. Unknown fields are kept, so that no file loses them."""

    model_config = ConfigDict(
        extra="allow",
        cache_strings="keys",  # caching values costs more than their few repetitions save
        defer_build=True,  # build validators on first use, not one per class at import
    )


class IndexCode(Record):
    """A concept of a standard ontology that a finding, an attribute or a value stands for.

    >>> print(IndexCode(system="RADLEX", code="RID5350", display="edema"))
    RADLEX RID5350 edema
    """

    model_config = ConfigDict(frozen=True)

    system: str = Field(min_length=3, description="The ontology, such as RADLEX or SNOMED")
    code: str = Field(min_length=2, description="The concept's code in that ontology")  # parsing warns of 2
    display: Annotated[str, Field(min_length=3)] | None = Field(
        default=None, description="How the ontology words the concept"
    )

    def __str__(self) -> str:
        return " ".join(filter(None, (self.system, self.code, self.display)))


class Coded(Record):
    """Base class of whatever can carry ontology codes.

    >>> edema = IndexCode(system="RADLEX", code="RID5350", display="edema")
    >>> Coded(index_codes=[edema, IndexCode(system="SNOMED", code="79654002")]).index_codes_str
    'RADLEX RID5350 edema; SNOMED 79654002'
    """

    index_codes: Annotated[list[IndexCode], Field(min_length=1)] | None = Field(
        default=None, description="The same concept in standard ontologies"
    )

    @property
    def index_codes_str(self) -> str | None:
        """The codes in one line; None without codes."""
        return "; ".join(map(str, self.index_codes)) if self.index_codes else None


# Patterns instead of EmailStr and HttpUrl: pydantic-core checks them without Python code and keeps the text.
_EMAIL_PATTERN = r"^[^@\s<>\x00-\x1f]+@[^@\s<>.\x00-\x1f]+(\.[^@\s<>.\x00-\x1f]+)+$"
_URL_PATTERN = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s<>\x00-\x1f/?#][^\s<>\x00-\x1f]*$"

OrganizationCode = Annotated[
    str, Field(pattern=ORGANIZATION_CODE_PATTERN, description="The organization's code, such as ABCD")
]
Email = Annotated[str, Field(pattern=_EMAIL_PATTERN, max_length=254)]  # RFC 5321, section 4.5.3.1.3
Url = Annotated[str, Field(pattern=_URL_PATTERN, max_length=2083)]


class Organization(Record):
    """An organization that contributes finding models."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(min_length=5, description="The organization's full name")
    code: OrganizationCode
    url: Url | None = Field(default=None, description="Where to read about the organization")


class Person(Record):
    """A person who contributes finding models."""

    model_config = ConfigDict(frozen=True)

    github_username: str = Field(min_length=3, description="The person's user name on GitHub")
    email: Email = Field(description="The person's e-mail address")
    name: str = Field(min_length=3, description="The person's full name")
    organization_code: OrganizationCode
    url: Url | None = Field(default=None, description="Where to read about the person")


Contributor = Person | Organization


_PERSON = {"github_username", "email", "name", "organization_code"}


def _kind(contributor: Any) -> str:
    """Return the class that a contributor is meant to be, so that errors refer to one class only."""
    if isinstance(contributor, dict):
        return "organization" if "code" in contributor and not contributor.keys() >= _PERSON else "person"
    return "organization" if isinstance(contributor, Organization) else "person"


ContributorKind = Annotated[
    Annotated[Person, Tag("person")] | Annotated[Organization, Tag("organization")], Discriminator(_kind)
]


class AttributeType(StrEnum):
    """The kinds of attributes."""

    CHOICE = "choice"
    NUMERIC = "numeric"


class _Finite:
    """Accept finite numbers without conversion: integers of any size stay integers."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        whole = core_schema.int_schema(strict=True)
        decimal = core_schema.float_schema(strict=True, allow_inf_nan=False)
        return core_schema.union_schema(
            [whole, decimal],
            mode="left_to_right",
            custom_error_type="number_type",
            custom_error_message="Input should be a finite number",
        )


Number = Annotated[int | float, _Finite]
Required = Annotated[bool, Field(strict=True, description="Whether every report of the finding states it")]
MaxSelected = Annotated[int, Field(strict=True, ge=1, description="How many of the values may be chosen")]


class _Attribute(Record):
    name: Annotated[str, Field(min_length=3, max_length=100)] = Field(
        description="What the attribute is called, such as 'size' or 'T1 signal'"
    )
    description: Annotated[str, Field(min_length=5, max_length=500)] | None = Field(
        default=None, description="What the attribute says about the finding"
    )

    def __repr__(self) -> str:
        prefix = f"{self.oifma_id} " if hasattr(self, "oifma_id") else ""
        values = getattr(self, "values", ())
        count = f", values: {len(values)}" if values else ""
        return f"{type(self).__name__}({prefix}{self.name!r}{count})"

    __str__ = __repr__


class _AttributeId(Record):
    oifma_id: str = Field(pattern=ATTRIBUTE_ID_PATTERN, description="The attribute's id in the registry")


class _ValueCode(Record):
    value_code: str = Field(pattern=VALUE_CODE_PATTERN, description="The attribute's id, a dot and a number")


class _Value(Record):
    name: str
    description: str | None = None


class ChoiceValue(_Value):
    """A value that can be chosen for an attribute, such as 'mild'."""


# pydantic orders fields from the last base to the first: the id leads and the codes end, as in the files.
class ChoiceValueIded(Coded, _Value, _ValueCode):
    """A value that can be chosen for an attribute, with its code in the registry."""


class ChoiceAttribute(_Attribute):
    """An attribute whose value is chosen from a list, such as the severity or the shape of a finding.

    ``max_selected`` may be ``"all"``; that, and a number above the number of values, mean all values.

    >>> values = [{"name": "left"}, {"name": "right"}]
    >>> ChoiceAttribute.model_validate({"name": "side", "values": values, "max_selected": "all"}).max_selected
    2
    """

    type: Literal[AttributeType.CHOICE] = AttributeType.CHOICE
    values: Annotated[list[ChoiceValue], Field(min_length=2)]
    required: Required = False
    max_selected: MaxSelected = 1

    @field_validator("max_selected", mode="before")
    @classmethod
    def _count_values(cls, limit: Any, info: ValidationInfo) -> Any:
        count = len(info.data.get("values", ()))
        if limit is None:
            return 1
        if count and (limit == "all" or (isinstance(limit, int) and limit > count)):
            return count
        return limit


class _ChoicesIded(_Attribute):
    type: Literal[AttributeType.CHOICE] = AttributeType.CHOICE
    values: Annotated[list[ChoiceValueIded], Field(min_length=2)]
    required: Required = False
    max_selected: MaxSelected = 1


class ChoiceAttributeIded(Coded, _ChoicesIded, _AttributeId):
    """An attribute whose value is chosen from a list, with its id in the registry."""


class _Number(_Attribute):
    type: Literal[AttributeType.NUMERIC] = AttributeType.NUMERIC
    minimum: Number | None = Field(default=None, description="The smallest value, in `unit`")
    maximum: Number | None = Field(default=None, description="The largest value, in `unit`")
    unit: str | None = Field(default=None, description="The unit of measure, such as 'cm'")
    required: Required = False


class NumericAttribute(_Number):
    """An attribute whose value is a number, such as the size of a finding or how many there are."""


class NumericAttributeIded(Coded, _Number, _AttributeId):
    """An attribute whose value is a number, with its id in the registry."""


Attribute = Annotated[ChoiceAttribute | NumericAttribute, Field(discriminator="type")]
AttributeIded = Annotated[ChoiceAttributeIded | NumericAttributeIded, Field(discriminator="type")]

Text = Annotated[str, Field(min_length=5)]
Words = Annotated[list[str], Field(min_length=1)]
FindingId = Annotated[str, Field(pattern=FINDING_ID_PATTERN)]


class _Finding(Record):
    name: Text = Field(description="What the finding is called, in a few words")
    description: Text = Field(description="What the finding is, in one or two sentences")
    synonyms: Words | None = Field(default=None, description="Other names that reports use for the finding")
    tags: Words | None = Field(default=None, description="Words to group findings by, such as a modality")


class FindingModelBase(_Finding):
    """A radiology finding and the attributes that describe it, without ids: a draft."""

    attributes: Annotated[list[Attribute], Field(min_length=1)]

    def as_markdown(self) -> str:
        """Return the draft as a Markdown page."""
        return to_markdown(self)

    def __repr__(self) -> str:
        return f"FindingModelBase({self.name!r}, attributes: {len(self.attributes)})"

    __str__ = __repr__


class _FindingId(Record):
    oifm_id: str = Field(pattern=FINDING_ID_PATTERN, description="The finding model's id in the registry")


class _Contents(_Finding):
    replaces: Annotated[list[FindingId], Field(min_length=1)] | None = Field(
        default=None, description="Ids of retired models that this one replaces, which find it from now on"
    )
    contributors: list[ContributorKind] | None = Field(default=None, description="Who made the finding model")
    attributes: Annotated[list[AttributeIded], Field(min_length=1)]


class FindingModelFull(Coded, _Contents, _FindingId):
    """A radiology finding and the attributes that describe it, with ids."""

    def as_markdown(self, hide_ids: bool = False) -> str:
        """Return the finding model as a Markdown page, with or without its ids."""
        return to_markdown(self, hide_ids=hide_ids)

    def __repr__(self) -> str:
        return f"FindingModelFull({self.oifm_id} {self.name!r}, attributes: {len(self.attributes)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return model_html(self)


def add_ids(draft: FindingModelBase, source: str, *, taken: Container[str] = ()) -> FindingModelFull:
    """Return *draft* as a full finding model, with new ids for the finding, its attributes and their values.

    Ids that *draft* already carries as unknown fields are kept.

    Args:
        draft: the finding model without ids; it is not changed.
        source: the code of the organization that assigns the ids, three or four letters A-Z in any case.
        taken: ids in use, which are not assigned.

    Raises:
        ConfigError: *source* is not an organization code.
    """
    content = draft.model_dump()
    content.setdefault("oifm_id", _free(generate_oifm_id, source, taken))
    new_ids: list[str] = []
    for attribute in content["attributes"]:
        new_ids.append(attribute.setdefault("oifma_id", _free(generate_oifma_id, source, taken, new_ids)))
        for number, value in enumerate(attribute.get("values", ())):
            value.setdefault("value_code", f"{new_ids[-1]}.{number}")
    return FindingModelFull.model_validate(content)


def _free(generate: Callable[[str], str], source: str, *taken: Container[str]) -> str:
    while True:
        new_id = generate(source)
        if not any(new_id in ids for ids in taken):
            return new_id
