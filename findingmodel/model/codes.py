"""Codes of standard ontologies, such as RadLex or SNOMED CT."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from findingmodel.model.record import Record

__all__ = ["Coded", "IndexCode"]


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
