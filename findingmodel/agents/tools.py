"""The tools: each one reads from the index, and answers within a budget of tokens.

Agents read the docstrings and the descriptions of arguments, and pay for their tokens in every conversation,
so both are short.
"""

from typing import Annotated

from pydantic import Field

from findingmodel._version import __version__
from findingmodel.agents.answers import (
    FoundModel,
    IndexStats,
    MaxTokens,
    ModelAnswer,
    ReadAnswer,
    ResolveAnswer,
    SearchAnswer,
    Tag,
    TagsAnswer,
    found_model,
    model_answer,
    phrase_match,
    read_finding,
    resolution,
)
from findingmodel.agents.budget import fit, left_out
from findingmodel.agents.corrections import check_tags, empty_hint, not_found, tags_in
from findingmodel.agents.curating import CuratingTools
from findingmodel.reports.values import ReportReading
from findingmodel.text.normalize import fold

# No `from __future__ import annotations`: the SDK turns the annotations into JSON schemas.

Tags = Annotated[
    list[str],
    Field(max_length=20, description="Only models that have all these tags, such as CT or chest"),
]


class Tools(CuratingTools):
    """The tools of an index; all of them are read-only."""

    async def search_finding_models(
        self,
        query: Annotated[
            str,
            Field(min_length=1, max_length=4_000, description='Words, "a phrase", -excluded, tag:CT'),
        ],
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
        tags: Tags = [],  # noqa: B006 - it is never changed, and the schema shows it
        max_tokens: MaxTokens = 6_000,
    ) -> SearchAnswer:
        """Find radiology finding models by name, synonym, abbreviation or everyday words, best first.

        Use get_finding_model for the attributes and values of one of them. A score of 1 or more is exact.
        """
        hits = await self._index.search(query, limit, tags=tags)
        if not hits:
            await check_tags(self._index, [*tags, *tags_in(query)], max_tokens)
            hint = await empty_hint(self._index) or "Nothing found: try fewer or other words, or fewer tags."
            return SearchAnswer(models=[], hint=hint)
        complete = [found_model(hit) for hit in hits]
        short = [FoundModel(**phrase_match(hit).model_dump()) for hit in hits]

        def build(kept: int, whole: int) -> SearchAnswer:
            missing = left_out("model", len(hits), kept, whole)
            return SearchAnswer(models=[*complete[:whole], *short[whole:kept]], left_out=missing)

        return fit(len(hits), build, max_tokens)

    async def get_finding_model(
        self,
        id_or_name: Annotated[
            str, Field(min_length=1, max_length=1_000, description="Id, name or synonym, in any case")
        ],
        markdown: Annotated[bool, Field(description="Answer with a Markdown page instead of JSON")] = False,
        max_tokens: MaxTokens = 12_000,
    ) -> ModelAnswer:
        """Get one whole finding model: description, attributes with ids and values, codes, contributors."""
        matches = await self._index.matches(id_or_name)
        if not matches:
            raise await not_found(self._index, id_or_name, max_tokens)
        model = await self._index.get_full(matches[0].oifm_id)
        return model_answer(model, matches[1:], markdown=markdown, max_tokens=max_tokens)

    async def resolve_report_phrases(
        self,
        phrases: Annotated[
            list[Annotated[str, Field(max_length=4_000)]],
            Field(min_length=1, max_length=200, description="Phrases or sentences of a report"),
        ],
        limit: Annotated[int, Field(ge=1, le=10, description="Most matches for a phrase")] = 3,
        tags: Tags = [],  # noqa: B006 - as above
        max_tokens: MaxTokens = 12_000,
    ) -> ResolveAnswer:
        """Get for each phrase of a radiology report the finding models it may mean, and if it denies them.

        One phrase per finding works best: "small left apical pneumothorax", "no pleural effusion". Trust the
        first match where `clear` is true; otherwise choose one of the matches, or none.
        """
        await check_tags(self._index, tags, max_tokens)
        answers = await self._index.search_batch(phrases, limit, tags=tags)
        readings = {} if tags else {phrase: await self._read(phrase, limit) for phrase in set(phrases)}
        complete = [
            resolution(phrase, answers[phrase], answers.errors.get(phrase), readings.get(phrase))
            for phrase in phrases
        ]
        short = [entry.model_copy(update={"matches": entry.matches[:1]}) for entry in complete]
        hint = None if any(answers.values()) else await empty_hint(self._index)

        def build(kept: int, whole: int) -> ResolveAnswer:
            missing = left_out("phrase", len(phrases), kept, whole)
            return ResolveAnswer(
                resolutions=[*complete[:whole], *short[whole:kept]], hint=hint, left_out=missing
            )

        return fit(len(phrases), build, max_tokens)

    async def read_report(
        self,
        text: Annotated[str, Field(min_length=1, max_length=50_000, description="A radiology report")],
        exam: Annotated[
            str,
            Field(max_length=200, description='The examination, such as "CT chest", if the text lacks it'),
        ] = "",
        limit: Annotated[int, Field(ge=1, le=10, description="Most matches for a finding")] = 3,
        max_tokens: MaxTokens = 12_000,
    ) -> ReadAnswer:
        """Get the findings that a radiology report names: the words, how certain, which model, attributes.

        Each finding is present, absent, possible, historical, or indication (only asked about). Attributes
        have the ids and value codes of the first match's model. Take ids from here; do not guess others.
        """
        reading = await self._read(text, limit, exam)
        mentions = reading.mentions
        complete = [read_finding(mention, whole=True) for mention in mentions]
        short = [read_finding(mention, whole=False) for mention in mentions]
        normal = [" ".join(statement.text.split()) for statement in reading.normal]
        hint = None if any(mention.hits for mention in mentions) else await empty_hint(self._index)

        def build(kept: int, whole: int) -> ReadAnswer:
            missing = left_out("finding", len(mentions), kept, whole)
            own = normal if whole == len(mentions) else []
            if normal and not own:
                missing = f"Left out: normal. {missing or 'Allow more max_tokens.'}"
            return ReadAnswer(
                findings=[*complete[:whole], *short[whole:kept]], normal=own, hint=hint, left_out=missing
            )

        return fit(len(mentions), build, max_tokens)

    async def _read(self, text: str, limit: int, exam: str = "") -> ReportReading:
        return await self._index.read_report(text, exam=exam, limit=limit)

    async def list_tags(
        self,
        containing: Annotated[str, Field(max_length=100, description="Only tags that contain this")] = "",
        limit: Annotated[int, Field(ge=1, le=1_000)] = 100,
        max_tokens: MaxTokens = 6_000,
    ) -> TagsAnswer:
        """List the tags of the index, the most frequent first, with the number of models of each."""
        counts = await self._index.count_tags()
        part = fold(containing)
        tags = [Tag(tag=tag, models=count) for tag, count in counts.items() if part in fold(tag)]
        most = min(limit, len(tags))

        def build(kept: int, _whole: int) -> TagsAnswer:
            return TagsAnswer(tags=tags[:kept], total=len(tags), left_out=left_out("tag", most, kept, kept))

        return fit(most, build, max_tokens)

    async def index_stats(self) -> IndexStats:
        """Show how much the index holds, and which database it is in."""
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
