"""The parts of a finding model: attributes with their values, ontology codes and contributors."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

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

from findingmodel.model.rules import ATTRIBUTE_ID_PATTERN, ORGANIZATION_CODE_PATTERN, VALUE_CODE_PATTERN

__all__ = [
    "Attribute",
    "AttributeIded",
    "AttributeType",
    "ChoiceAttribute",
    "ChoiceAttributeIded",
    "ChoiceValue",
    "ChoiceValueIded",
    "Coded",
    "Contributor",
    "ContributorKind",
    "IndexCode",
    "NumericAttribute",
    "NumericAttributeIded",
    "Organization",
    "Person",
    "Record",
]


class Record(BaseModel):
    """A part of a finding model. Fields this version does not know are kept, so that no file loses them."""

    model_config = ConfigDict(
        extra="allow",
        cache_strings="keys",  # looking up every value costs more than the few equal ones save
        defer_build=True,  # one validator is built for what is used, not one for each class at import
    )


class IndexCode(Record):
    """One concept of a standard ontology, with which a finding, an attribute or a value can be tagged.

    >>> print(IndexCode(system="RADLEX", code="RID5350", display="edema"))
    RADLEX RID5350 edema
    """

    model_config = ConfigDict(frozen=True)

    system: str = Field(min_length=3, description="The ontology, such as RADLEX or SNOMED")
    code: str = Field(min_length=3, description="The concept's code in that ontology")
    display: Annotated[str, Field(min_length=3)] | None = Field(
        default=None, description="How the ontology words the concept"
    )

    def __str__(self) -> str:
        return " ".join(filter(None, (self.system, self.code, self.display)))


class Coded(Record):
    """Anything that codes of ontologies can be attached to.

    >>> edema = IndexCode(system="RADLEX", code="RID5350", display="edema")
    >>> Coded(index_codes=[edema, IndexCode(system="SNOMED", code="79654002")]).index_codes_str
    'RADLEX RID5350 edema; SNOMED 79654002'
    """

    index_codes: Annotated[list[IndexCode], Field(min_length=1)] | None = Field(
        default=None, description="The same concept in standard ontologies"
    )

    @property
    def index_codes_str(self) -> str | None:
        """The codes in one line, or None where there are none."""
        return "; ".join(map(str, self.index_codes)) if self.index_codes else None


# Plain text that pydantic-core checks by itself: it is dumped as it was written, and no Python code runs.
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
    """Which of the two a contributor is meant to be, so that its errors are those of one class."""
    if isinstance(contributor, dict):
        return "organization" if "code" in contributor and not contributor.keys() >= _PERSON else "person"
    return "organization" if isinstance(contributor, Organization) else "person"


ContributorKind = Annotated[
    Annotated[Person, Tag("person")] | Annotated[Organization, Tag("organization")], Discriminator(_kind)
]


class AttributeType(StrEnum):
    """The two kinds of attribute."""

    CHOICE = "choice"
    NUMERIC = "numeric"


class _Finite:
    """Makes pydantic take a finite number as it is: whole numbers stay whole, at any size."""

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
        known = getattr(self, "oifma_id", "")
        values = getattr(self, "values", ())
        count = f", values: {len(values)}" if values else ""
        return f"{type(self).__name__}({known}{' ' if known else ''}{self.name!r}{count})"

    __str__ = __repr__


class _AttributeId(Record):
    oifma_id: str = Field(pattern=ATTRIBUTE_ID_PATTERN, description="The attribute's id in the registry")


class _ValueCode(Record):
    value_code: str = Field(pattern=VALUE_CODE_PATTERN, description="The attribute's id, a dot and a number")


class _Value(Record):
    name: str
    description: str | None = None


class ChoiceValue(_Value):
    """One value that can be chosen for an attribute, such as 'mild'."""


# pydantic takes the fields of the last base first: so the id leads and the codes end, as in the files.
class ChoiceValueIded(Coded, _Value, _ValueCode):
    """One value that can be chosen for an attribute, with its code in the registry."""


class ChoiceAttribute(_Attribute):
    """An attribute whose value is chosen from a list, such as the severity or the shape of a finding.

    ``max_selected`` may be given as ``"all"``; that, and more than there are, mean the number of values.

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
    def _count_values(cls, wanted: Any, info: ValidationInfo) -> Any:
        count = len(info.data.get("values", ()))
        if wanted is None:
            return 1
        if count and (wanted == "all" or (isinstance(wanted, int) and wanted > count)):
            return count
        return wanted


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
