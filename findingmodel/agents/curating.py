"""The tools for curators: is a draft well written, is a name free, and which models may be the same."""

from typing import Annotated, Any, Literal

from pydantic import Field

from findingmodel.agents.answers import Answer, MaxTokens, Schema
from findingmodel.agents.budget import fit, left_out
from findingmodel.agents.corrections import empty_hint, not_found
from findingmodel.errors import NotFoundError
from findingmodel.index.aio import Index
from findingmodel.index.results import IndexEntry
from findingmodel.index.review import NameCollision

# No `from __future__ import annotations`: the SDK turns the annotations into JSON schemas.


class NamedModel(Schema):
    """A model, and why it is named here."""

    oifm_id: str
    name: str
    why: str | None = None


class TermAnswer(Schema):
    """What the index holds about a term."""

    term: str
    verdict: Literal["name", "ambiguous", "synonym", "organs", "near", "free"] = Field(
        description='Most important first: "name" of a model; synonym of several, of one; '
        '"organs": too little alone, as it means other findings elsewhere; only "near" ones; "free"'
    )
    models: list[NamedModel] = Field(default=[], description="Those that have it, then similar ones")
    meanings: list[str] | None = Field(default=None, description="Organs in which it means other findings")


class CollisionsAnswer(Answer):
    """The terms, in the order asked."""

    terms: list[TermAnswer]


class Pair(Schema):
    """Two models that may be the same."""

    score: float = Field(description="From 0 to 1")
    models: list[NamedModel]
    reasons: list[str]


class DuplicatesAnswer(Answer):
    """Pairs of models that may be the same, the likeliest first."""

    pairs: list[Pair]


class ReviewAnswer(Answer):
    """What to correct in a draft."""

    valid: bool
    findings: list[str] = Field(
        description="Problems, then broken rules: level, JSON pointer, what to do, and the rule's code"
    )
    collisions: list[TermAnswer] = Field(default=[], description="Names that other models have, or nearly")


class CuratingTools:
    """The tools of an index for curators; all of them are read-only."""

    def __init__(self, index: Index) -> None:
        self._index = index

    async def find_collisions(
        self,
        terms: Annotated[
            list[Annotated[str, Field(max_length=1_000)]],
            Field(min_length=1, max_length=50, description="Names or synonyms that a model is to have"),
        ],
        but: Annotated[
            str, Field(max_length=1_000, description="Id or name of that model, if it exists")
        ] = "",
        max_tokens: MaxTokens = 6_000,
    ) -> CollisionsAnswer:
        """Check whether names or synonyms are free: who has them already, who nearly, what else they mean."""
        try:
            found = await self._index.find_collisions(terms, but=but or None)
        except NotFoundError:
            raise await not_found(self._index, but, max_tokens) from None
        whole = list(map(_term_answer, found))
        short = [entry.model_copy(update={"models": entry.models[:1]}) for entry in whole]
        hint = await empty_hint(self._index)

        def build(kept: int, complete: int) -> CollisionsAnswer:
            missing = left_out("term", len(whole), kept, complete)
            return CollisionsAnswer(
                terms=[*whole[:complete], *short[complete:kept]], hint=hint, left_out=missing
            )

        return fit(len(whole), build, max_tokens)

    async def find_duplicates(
        self,
        id_or_name: Annotated[str, Field(max_length=1_000, description="Only pairs of this model")] = "",
        limit: Annotated[int, Field(ge=1, le=200)] = 20,
        max_tokens: MaxTokens = 6_000,
    ) -> DuplicatesAnswer:
        """Find pairs of models that may describe the same finding, the likeliest first, and why."""
        try:
            found = await self._index.find_duplicates(id_or_name or None, limit=limit)
        except NotFoundError:
            raise await not_found(self._index, id_or_name, max_tokens) from None
        pairs = [
            Pair(
                score=round(pair.score, 2),
                models=[_named(pair.first), _named(pair.second)],
                reasons=[f"{why.kind}: {why.first} / {why.second}" for why in pair.reasons],
            )
            for pair in found
        ]
        hint = None if pairs else await empty_hint(self._index)

        def build(kept: int, _whole: int) -> DuplicatesAnswer:
            missing = left_out("pair", len(pairs), kept, kept)
            return DuplicatesAnswer(pairs=pairs[:kept], hint=hint, left_out=missing)

        return fit(len(pairs), build, max_tokens)

    async def review_finding_model(
        self,
        model: Annotated[
            dict[str, Any], Field(description="The finding model as in its file, with ids or invented ones")
        ],
        max_tokens: MaxTokens = 6_000,
    ) -> ReviewAnswer:
        """Check a draft of a finding model: is it valid, does it follow the rules, are its names free.

        Nothing is written. Correct what it says and ask again.
        """
        review = await self._index.review_model(_dumped(model))
        findings = [f"error {problem}" for problem in review.problems]
        findings += [
            f"{level.value} {found.pointer or '/'}: {found.message} [{found.code}]"
            for level, found in review.violations
        ]
        taken = [_term_answer(one) for one in review.collisions if one.verdict != "free"]

        def build(kept: int, _whole: int) -> ReviewAnswer:
            shown = max(0, kept - len(findings))
            return ReviewAnswer(
                valid=not review.problems,
                findings=findings[:kept],
                collisions=taken[:shown],
                left_out=left_out("finding", len(findings) + len(taken), kept, kept),
            )

        return fit(len(findings) + len(taken), build, max_tokens)


def _dumped(model: dict[str, Any]) -> bytes:
    import json

    return json.dumps(model, ensure_ascii=True).encode()


def _named(entry: IndexEntry, why: str | None = None) -> NamedModel:
    return NamedModel(oifm_id=entry.oifm_id, name=entry.name, why=why)


def _term_answer(found: NameCollision) -> TermAnswer:
    models = [_named(entry, "name") for entry in found.names]
    models += [_named(entry, "synonym") for entry in found.synonyms]
    models += [_named(near.entry, f"similar {near.how}: {near.label}") for near in found.near]
    models += [_named(entry, f"part of {organ}") for organ in found.organs for entry in found.organs[organ]]
    return TermAnswer(
        term=found.term, verdict=found.verdict, models=models, meanings=list(found.meanings) or None
    )
