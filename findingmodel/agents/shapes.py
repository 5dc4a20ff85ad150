"""The answers of the tools, as agents see them: their JSON schemas are made from these classes."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Answer",
    "FoundModel",
    "IndexStats",
    "ModelAnswer",
    "PhraseMatch",
    "Resolution",
    "ResolveAnswer",
    "SearchAnswer",
    "TagCount",
    "TagsAnswer",
]


def _without_titles(schema: dict[str, Any]) -> None:
    """Drop from a JSON schema what only repeats names: agents pay for every word of it."""
    for part in (schema, *schema.get("properties", {}).values()):
        part.pop("title", None)


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, json_schema_extra=_without_titles)


class Answer(_Shape):
    """What every tool answers with: members that say nothing are left away."""

    hint: str | None = Field(default=None, description="What to try next")
    left_out: str | None = Field(
        default=None,
        description="What was shortened or left out to stay within max_tokens; absent if nothing",
    )

    def as_json(self) -> str:
        """Return the answer as JSON in one line, which is what counts against a budget."""
        return self.model_dump_json(exclude_defaults=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer ready for JSON."""
        return self.model_dump(mode="json", exclude_defaults=True)


class PhraseMatch(_Shape):
    """A finding model that a phrase may mean."""

    oifm_id: str
    name: str
    score: float = Field(description="Higher is better; 1 or more is exact, below 0.5 is doubtful")
    exact: bool = Field(default=False, description="The phrase is this model's id, name or synonym")
    denied: bool = Field(default=False, description='The phrase denies it, as in "no pneumothorax"')
    found_by: str | None = Field(default=None, description="What matched best")


class FoundModel(PhraseMatch):
    """A finding model that a search found; a shortened one has no members below found_by."""

    synonyms: list[str] | None = None
    tags: list[str] | None = None
    description: str | None = None
    attributes: list[str] | None = Field(default=None, description="Names of what describes the finding")


class SearchAnswer(Answer):
    """Finding models that answer a query, best first."""

    models: list[FoundModel]


class ModelAnswer(Answer):
    """One finding model, as JSON or as Markdown."""

    oifm_id: str
    name: str
    model: dict[str, Any] | None = Field(
        default=None, description="The whole finding model with attributes, values, codes and contributors"
    )
    markdown: str | None = Field(default=None, description="The same as a page to read")


class Resolution(_Shape):
    """A phrase and what it may mean."""

    phrase: str
    clear: bool = Field(default=False, description="The first match is very likely meant: 9 in 10 are right")
    matches: list[PhraseMatch] = Field(description="Best first; empty if nothing in the index fits")
    error: str | None = Field(default=None, description="Why the phrase could not be understood")


class ResolveAnswer(Answer):
    """Every phrase, in the order asked, with what it may mean."""

    resolutions: list[Resolution]


class TagCount(_Shape):
    """A tag and how many models have it."""

    tag: str
    models: int


class TagsAnswer(Answer):
    """Tags, the most frequent first."""

    tags: list[TagCount]
    total: int = Field(description="How many tags fit what was asked for")


class IndexStats(Answer):
    """What there is in the index."""

    database: str
    models: int
    people: int
    organizations: int
    tags: int
    version: str = Field(description="The version of findingmodel that answers")
