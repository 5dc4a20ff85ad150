"""The base of the pydantic models of this package."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Record"]


class Record(BaseModel):
    """A part of a finding model. Fields this version does not know are kept, so that no file loses them."""

    model_config = ConfigDict(
        extra="allow",
        cache_strings="keys",  # looking up every value costs more than the few equal ones save
        defer_build=True,  # one validator is built for what is used, not one for each class at import
    )
