"""The answers of the tools: their classes, and how they are made from entries, hits and models."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from findingmodel.agents.budget import fit, fits, left_out
from findingmodel.errors import QueryError
from findingmodel.search.hits import main_reason, status_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from findingmodel.index.results import IndexEntry, SearchHit
    from findingmodel.model.finding import AttributeIded, FindingModelFull

_MIN_TOKENS = 300  # enough for any answer without entries, and for any error

MaxTokens = Annotated[
    int,
    Field(
        ge=_MIN_TOKENS,
        le=200_000,
        description="Limit of the answer in bytes of UTF-8: at least its tokens, about 3 bytes each",
    ),
]


def _drop_titles(schema: dict[str, Any]) -> None:
    """Drop titles from a JSON schema: they repeat the names, and agents pay for each token."""
    for part in (schema, *schema.get("properties", {}).values()):
        part.pop("title", None)


class Schema(BaseModel):
    """Base class of the parts of answers."""

    model_config = ConfigDict(frozen=True, defer_build=True, json_schema_extra=_drop_titles)


class Answer(Schema):
    """Base class of all answers; fields with default values are not sent."""

    hint: str | None = Field(default=None, description="What to try next")
    left_out: str | None = Field(
        default=None,
        description="What was shortened or left out to stay within max_tokens; absent if nothing",
    )

    def as_json(self) -> str:
        """Return the answer as one line of JSON, which is what counts against a budget."""
        return self.model_dump_json(exclude_defaults=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer ready for JSON."""
        return self.model_dump(mode="json", exclude_defaults=True)


class PhraseMatch(Schema):
    """A finding model that a phrase may mean."""

    oifm_id: str
    name: str
    score: float = Field(description="Higher is better; 1 or more is exact, below 0.5 is doubtful")
    exact: bool = Field(default=False, description="The phrase is this model's id, name or synonym")
    denied: bool = Field(default=False, description='The phrase denies it, as in "no pneumothorax"')
    found_by: str | None = Field(default=None, description="What matched best")


class FoundModel(PhraseMatch):
    """A finding model that a search found; a shortened one ends with found_by."""

    synonyms: list[str] | None = None
    tags: list[str] | None = None
    description: str | None = None
    attributes: list[str] | None = Field(default=None, description="Names of the attributes of the finding")


class SearchAnswer(Answer):
    """Finding models that match a query, best first."""

    models: list[FoundModel]


class ModelAnswer(Answer):
    """One finding model, as JSON or as Markdown."""

    oifm_id: str
    name: str
    model: dict[str, Any] | None = Field(
        default=None, description="The whole finding model with attributes, values, codes and contributors"
    )
    markdown: str | None = Field(default=None, description="The same as a page to read")


class Resolution(Schema):
    """A phrase and the models that it may mean."""

    phrase: str
    clear: bool = Field(default=False, description="The first match is very likely meant: 9 in 10 are right")
    matches: list[PhraseMatch] = Field(description="Best first; empty if nothing in the index fits")
    error: str | None = Field(default=None, description="Why the phrase could not be understood")


class ResolveAnswer(Answer):
    """The resolution of each phrase, in the order asked."""

    resolutions: list[Resolution]


class Tag(Schema):
    """A tag and the number of models that have it."""

    tag: str
    models: int


class TagsAnswer(Answer):
    """Tags, the most frequent first."""

    tags: list[Tag]
    total: int = Field(description="How many tags fit what was asked for")


class IndexStats(Answer):
    """What the index holds."""

    database: str
    models: int
    people: int
    organizations: int
    tags: int
    version: str = Field(description="The version of findingmodel that answers")


_SHOWN_FIELDS = ("id", "name", "slug")  # their text needs no mention


def phrase_match(hit: SearchHit) -> PhraseMatch:
    """Return which model *hit* is, and why it was found."""
    return PhraseMatch(**_identity(hit))


def found_model(hit: SearchHit) -> FoundModel:
    """Return all that the index holds about *hit*."""
    return FoundModel(
        **_identity(hit),
        synonyms=hit.synonyms,
        tags=hit.tags,
        description=hit.description,
        attributes=[attribute.name for attribute in hit.attributes],
    )


def _identity(hit: SearchHit) -> dict[str, Any]:
    reason = main_reason(hit)
    found_by = reason.field if reason else None
    if reason and reason.field not in _SHOWN_FIELDS:
        found_by = f"{reason.field}: {' '.join(reason.terms)}"
    return {
        "oifm_id": hit.oifm_id,
        "name": hit.name,
        "score": floor(100 * hit.score) / 100,  # rounding up could make a score look exact
        "exact": hit.score >= 1,
        "denied": hit.negated,
        "found_by": found_by,
    }


def resolution(phrase: str, hits: Sequence[SearchHit], error: QueryError | None) -> Resolution:
    """Return the models that *phrase* may mean; if any match exactly, only these."""
    exact = [hit for hit in hits if hit.score >= 1]
    return Resolution(
        phrase=phrase,
        clear=status_of(hits) == "matched",
        matches=[phrase_match(hit) for hit in exact or hits],
        error=None if error is None else str(error),
    )


_MAX_OTHERS = 5


def model_answer(
    model: FindingModelFull, others: Sequence[IndexEntry], *, markdown: bool, max_tokens: int
) -> ModelAnswer:
    """Return as much of *model* as fits into *max_tokens*.

    Contributors are left out first, then attributes, then everything but the name and the description.

    Args:
        model: the whole model.
        others: other models with the same name or synonym.
        markdown: answer with a page instead of JSON.
        max_tokens: the budget.

    Raises:
        QueryError: not even the name and the description fit.
    """
    count = len(model.attributes)
    head = model.model_copy(update={"attributes": []})
    everything = _Builder(model, head, others, markdown=markdown).build(count, count)
    if fits(everything, max_tokens):
        return everything
    try:
        lighter = head.model_copy(update={"contributors": None})
        return fit(count, _Builder(model, lighter, others, markdown=markdown).build, max_tokens)
    except QueryError:
        fields = model.model_dump(include={"oifm_id", "name", "description"})
        barest = model.model_construct(**fields, attributes=[])
        builder = _Builder(model, barest, (), markdown=markdown)
        builder.missing += ["other models with this name"] if others else []
        return fit(count, builder.build, max_tokens)


class _Builder:
    """Builds answers with some of the attributes of a model.

    Args:
        model: the whole model.
        head: the fields of the model that every answer has.
        others: other models to mention.
        markdown: answer with a page, in which attributes are left out but not shortened.
    """

    def __init__(
        self, model: FindingModelFull, head: FindingModelFull, others: Sequence[IndexEntry], *, markdown: bool
    ) -> None:
        self._model = model
        self._head = head
        self._markdown = markdown
        self._fields = _to_json(head)
        self._whole = [_to_json(attribute) for attribute in model.attributes]
        self._short = [
            {"oifma_id": attribute.oifma_id, "name": attribute.name, "type": attribute.type.value}
            for attribute in model.attributes
        ]
        names = ", ".join(f"{entry.oifm_id} ({entry.name})" for entry in others[:_MAX_OTHERS])
        self._hint = f"{len(others)} more with this name: {names}" if others else None
        self.missing = [field for field in _to_json(model) if field not in self._fields]

    def build(self, kept: int, whole: int) -> ModelAnswer:
        """Return the answer with the first *kept* attributes, the first *whole* of them in full."""
        content: dict[str, Any]
        if self._markdown:
            whole = kept
            page = self._head.model_copy(update={"attributes": self._model.attributes[:kept]})
            content = {"markdown": page.as_markdown()}
        else:
            attributes = [*self._whole[:whole], *self._short[whole:kept]]
            content = {"model": self._fields | {"attributes": attributes}}
        missing = left_out("attribute", len(self._whole), kept, whole)
        if self.missing:
            missing = f"Left out: {', '.join(self.missing)}. {missing or 'Allow more max_tokens.'}"
        return ModelAnswer(
            oifm_id=self._model.oifm_id, name=self._model.name, hint=self._hint, left_out=missing, **content
        )


def _to_json(part: FindingModelFull | AttributeIded) -> dict[str, Any]:
    """Return a model or an attribute as in its file."""
    return part.model_dump(mode="json", exclude_unset=True, exclude_none=True)
