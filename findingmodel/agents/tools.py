"""What the tools do: each asks the index once, and answers within a budget of tokens.

The docstrings and the descriptions of the arguments are what an agent reads; they cost tokens in every
conversation, so they are short.
"""

from typing import Annotated

from pydantic import Field

from findingmodel._version import __version__
from findingmodel.agents.answers import (
    FoundModel,
    IndexStats,
    ModelAnswer,
    Resolution,
    ResolveAnswer,
    SearchAnswer,
    TagCount,
    TagsAnswer,
    found_model,
    model_answer,
    phrase_match,
    resolution,
    short_resolution,
)
from findingmodel.agents.budget import fit, left_out
from findingmodel.agents.corrections import check_tags, empty_hint, not_found, tags_in
from findingmodel.index.aio import Index
from findingmodel.text.normalize import fold

__all__ = ["Tools"]

# Annotations are evaluated here, for they become the JSON schemas of the arguments.


_MOST_PHRASES = 200
_LEAST_TOKENS = 300  # enough for any answer without entries, and for any error
_TOKENS = Field(
    ge=_LEAST_TOKENS,
    le=200_000,
    description="The longest answer, in bytes of UTF-8: no fewer than its tokens, and about 3 to each",
)
_TAGS = Field(max_length=20, description="Only models that have all these tags, such as CT or chest")

MaxTokens = Annotated[int, _TOKENS]
Tags = Annotated[list[str], _TAGS]


class Tools:
    """The tools of an index; each of them only reads."""

    def __init__(self, index: Index) -> None:
        self._index = index

    async def search_finding_models(
        self,
        query: Annotated[
            str,
            Field(min_length=1, max_length=4_000, description='Words, "a phrase", -unwanted, tag:CT'),
        ],
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
        tags: Tags = [],  # noqa: B006 - it is never changed, and the schema shows it
        max_tokens: MaxTokens = 6_000,
    ) -> SearchAnswer:
        """Find radiology finding models by name, synonym, abbreviation or everyday words, best first.

        Use get_finding_model for the attributes and values of one of them. From a score of 1 on it is exact.
        """
        hits = await self._index.search(query, limit, tags=tags)
        if not hits:
            await check_tags(self._index, [*tags, *tags_in(query)], max_tokens)
            advice = await empty_hint(self._index) or "Nothing fits: try fewer or other words, or fewer tags."
            return SearchAnswer(models=[], hint=advice)
        whole = [found_model(hit) for hit in hits]
        short = [FoundModel(**phrase_match(hit).model_dump()) for hit in hits]

        def build(kept: int, full: int) -> SearchAnswer:
            models = [*whole[:full], *short[full:kept]]
            return SearchAnswer(models=models, left_out=left_out("model", len(hits), kept, full))

        return fit(len(hits), build, max_tokens)

    async def get_finding_model(
        self,
        id_or_name: Annotated[
            str, Field(min_length=1, max_length=1_000, description="Id, name or synonym, in any case")
        ],
        markdown: Annotated[bool, Field(description="Answer with a Markdown page instead of JSON")] = False,
        max_tokens: MaxTokens = 12_000,
    ) -> ModelAnswer:
        """Get one finding model whole: description, attributes with ids and values, codes, contributors."""
        found = await self._index.matches(id_or_name)
        if not found:
            raise await not_found(self._index, id_or_name, max_tokens)
        model = await self._index.get_full(found[0].oifm_id)
        return model_answer(model, found[1:], markdown=markdown, max_tokens=max_tokens)

    async def resolve_report_phrases(
        self,
        phrases: Annotated[
            list[Annotated[str, Field(max_length=4_000)]],
            Field(min_length=1, max_length=_MOST_PHRASES, description="Phrases or sentences of a report"),
        ],
        limit: Annotated[int, Field(ge=1, le=10, description="Most matches for a phrase")] = 3,
        tags: Tags = [],  # noqa: B006 - as above
        max_tokens: MaxTokens = 12_000,
    ) -> ResolveAnswer:
        """Say for each phrase of a radiology report which finding models it may mean, and if it denies them.

        A phrase for each finding works best: "small left apical pneumothorax", "no pleural effusion". Trust
        the first match where `clear` is true; else choose among the matches, or take none.
        """
        await check_tags(self._index, tags, max_tokens)
        answers = await self._index.search_batch(phrases, limit, tags=tags)
        whole = [resolution(phrase, answers[phrase], answers.errors.get(phrase)) for phrase in phrases]
        hint = None if any(answers.values()) else await empty_hint(self._index)

        def build(kept: int, full: int) -> ResolveAnswer:
            some: list[Resolution] = [*whole[:full], *map(short_resolution, whole[full:kept])]
            missing = left_out("phrase", len(whole), kept, full)
            return ResolveAnswer(resolutions=some, hint=hint, left_out=missing)

        return fit(len(whole), build, max_tokens)

    async def list_tags(
        self,
        containing: Annotated[str, Field(max_length=100, description="Only tags with this in them")] = "",
        limit: Annotated[int, Field(ge=1, le=1_000)] = 100,
        max_tokens: MaxTokens = 6_000,
    ) -> TagsAnswer:
        """List the tags of the index, the most frequent first, with how many models have each."""
        wanted = fold(containing)
        counts = await self._index.count_tags()
        fitting = [TagCount(tag=tag, models=count) for tag, count in counts.items() if wanted in fold(tag)]
        most = min(limit, len(fitting))

        def build(kept: int, _full: int) -> TagsAnswer:
            missing = left_out("tag", most, kept, kept)
            return TagsAnswer(tags=fitting[:kept], total=len(fitting), left_out=missing)

        return fit(most, build, max_tokens)

    async def index_stats(self) -> IndexStats:
        """Say how much there is in the index, and where it is."""
        index = self._index
        return IndexStats(
            database=index.label,
            models=await index.count(),
            people=await index.count_people(),
            organizations=await index.count_organizations(),
            tags=len(await index.count_tags()),
            version=__version__,
            hint=await empty_hint(index),
        )
