"""What a radiologist says about a finding: attributes with choices or with a number.

Each class exists twice: as people write it by hand, and with the ids of the registry (``...Ided``).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, GetCoreSchemaHandler, ValidationInfo, field_validator
from pydantic_core import CoreSchema, core_schema

from findingmodel.model.codes import Coded
from findingmodel.model.ids import ATTRIBUTE_ID_PATTERN, VALUE_CODE_PATTERN
from findingmodel.model.record import Record

__all__ = [
    "Attribute",
    "AttributeIded",
    "AttributeType",
    "ChoiceAttribute",
    "ChoiceAttributeIded",
    "ChoiceValue",
    "ChoiceValueIded",
    "NumericAttribute",
    "NumericAttributeIded",
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
