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
    from findingmodel.reports.values import FilledAttribute, Mention, ReportReading

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
    certainty: str | None = Field(
        default=None, description="Of the one finding that it names: present, absent, possible, historical"
    )
    matches: list[PhraseMatch] = Field(description="Best first; empty if nothing in the index fits")
    error: str | None = Field(default=None, description="Why the phrase could not be understood")


class ReadAttribute(Schema):
    """An attribute of the finding's model that the report states."""

    oifma_id: str
    name: str
    value: str = Field(description="The name of the value, or the number with its unit")
    value_code: str | None = None


class ReadModel(Schema):
    """A finding model that a finding of a report may be."""

    oifm_id: str
    name: str
    score: float = Field(description="From 0 to 1, how likely it is the right one")


class ReadFinding(Schema):
    """A finding that a report names; a shortened one has one match and no attributes."""

    text: str = Field(description="The words of the report")
    start: int = Field(description="Offset of the first character in the report")
    certainty: str = Field(description="present, absent, possible, historical, or indication (asked about)")
    section: str
    clear: bool = Field(default=False, description="The first match is very likely meant")
    matches: list[ReadModel] = Field(default=[], description="Best first; empty if the index has none")
    cue: str | None = Field(default=None, description="The words that decided the certainty")
    laterality: str | None = None
    level: str | None = Field(default=None, description="Level of the spine")
    change: str | None = Field(default=None, description="Since the last examination")
    measurements: list[str] = []
    attributes: list[ReadAttribute] = []


class ReadAnswer(Answer):
    """The findings that a report names, in order."""

    findings: list[ReadFinding]
    normal: list[str] = Field(default=[], description="Statements that something is normal")


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


def resolution(
    phrase: str, hits: Sequence[SearchHit], error: QueryError | None, reading: ReportReading | None = None
) -> Resolution:
    """Return the models that *phrase* may mean; if any match exactly, only these.

    Args:
        phrase: the phrase.
        hits: what a search for it found.
        error: why it cannot be searched for, or None.
        reading: what it says, read as a report; if it names one finding, that one's model comes first.
    """
    exact = [hit for hit in hits if hit.score >= 1]
    matches = [phrase_match(hit) for hit in exact or hits]
    mention = reading.mentions[0] if reading and len(reading.mentions) == 1 else None
    is_read = mention is not None and mention.status == "matched" and not exact
    if mention is not None and is_read:
        matches = _first(mention, matches)
    return Resolution(
        phrase=phrase,
        clear=is_read or status_of(hits) == "matched",
        certainty=mention.certainty if mention else None,
        matches=matches,
        error=None if error is None else str(error),
    )


def _first(mention: Mention, matches: Sequence[PhraseMatch]) -> list[PhraseMatch]:
    """Return *matches* with the model of *mention* first, and at most one more than there were."""
    best = mention.hits[0]
    own = next((match for match in matches if match.oifm_id == best.oifm_id), None)
    if own is None:
        score = floor(100 * best.score) / 100
        denied = mention.certainty == "absent"
        own = PhraseMatch(
            oifm_id=best.oifm_id, name=best.name, score=score, denied=denied, found_by="reading"
        )
    others = [match for match in matches if match.oifm_id != best.oifm_id]
    return [own, *others][: max(len(matches), 1)]


def read_finding(mention: Mention, *, whole: bool) -> ReadFinding:
    """Return a finding of a report, with one match and no attributes unless it is *whole*."""
    hits = mention.hits if whole else mention.hits[:1]
    return ReadFinding(
        text=mention.text,
        start=mention.start,
        certainty=mention.certainty,
        section=mention.section,
        clear=mention.status == "matched",
        matches=[ReadModel(oifm_id=hit.oifm_id, name=hit.name, score=hit.score) for hit in hits],
        cue=mention.cue.text if mention.cue else None,
        laterality=mention.laterality or None,
        level=mention.level or None,
        change=mention.change or None,
        measurements=[measurement.text for measurement in mention.measurements] if whole else [],
        attributes=[_read_attribute(filled) for filled in mention.attributes] if whole else [],
    )


def _read_attribute(filled: FilledAttribute) -> ReadAttribute:
    value = filled.value if filled.number is None else f"{filled.number:g} {filled.unit}".strip()
    return ReadAttribute(
        oifma_id=filled.oifma_id, name=filled.name, value=value, value_code=filled.value_code
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
