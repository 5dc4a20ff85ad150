"""IndexReview: is a model well written, is its name free, and which models may be the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.author.lint.config import LintConfig, load_config
from findingmodel.author.lint.document import lint_document
from findingmodel.author.lint.run import lint
from findingmodel.errors import ConfigError
from findingmodel.index.base import IndexBase
from findingmodel.index.results import IndexEntry, to_entries, to_entry
from findingmodel.model.finding import FindingModelFull
from findingmodel.search.collisions import find_collisions
from findingmodel.search.duplicates import find_duplicates
from findingmodel.search.lookup import find_one

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from findingmodel.author.lint.rule import Level, Violation
    from findingmodel.author.lint.run import LintReport
    from findingmodel.errors import Problem
    from findingmodel.search.collisions import Collision, How, Verdict
    from findingmodel.search.duplicates import Reason


class SimilarName(NamedTuple):
    """A model with a name or synonym like a term.

    Attributes:
        entry: the model.
        label: its name or synonym, as written.
        how: "form" (plural, order or small words differ), "spelling" (perhaps a typo, perhaps another
            finding) or "meaning" (other words for it, as a search finds them).
    """

    entry: IndexEntry
    label: str
    how: How


class NameCollision(NamedTuple):
    """What an index holds about a term that a model is to have as a name or synonym.

    Attributes:
        term: as it was asked.
        verdict: the most important of the following: "name", "ambiguous" (several models have the synonym),
            "synonym", "organs", "near", or "free" if there is nothing.
        names: the models whose name, slug or id it is.
        synonyms: the models that have it as a synonym.
        near: models with a similar name or synonym, the most similar first.
        organs: models of which it is a part of a longer name, by organ; empty unless there are two organs.
        meanings: organs in which it is known to name different findings, whether the index has them or not.
    """

    term: str
    verdict: Verdict
    names: list[IndexEntry]
    synonyms: list[IndexEntry]
    near: list[SimilarName]
    organs: Mapping[str, list[IndexEntry]]
    meanings: tuple[str, ...]

    @property
    def is_taken(self) -> bool:
        """True if a model has the term itself."""
        return bool(self.names or self.synonyms)


class DuplicatePair(NamedTuple):
    """Two models that may be the same.

    Attributes:
        score: how likely that is, from 0 to 1; not a probability.
        first, second: the models, in the order of their ids.
        reasons: why, the strongest first.
    """

    score: float
    first: IndexEntry
    second: IndexEntry
    reasons: tuple[Reason, ...]


class ModelReview(NamedTuple):
    """What to correct in a model before it is added.

    Attributes:
        problems: why it is not a valid finding model; empty if it is.
        violations: the broken lint rules, each with its level.
        collisions: what the index holds about its name and its synonyms, other than the model itself.
    """

    problems: tuple[Problem, ...]
    violations: tuple[tuple[Level, Violation], ...]
    collisions: list[NameCollision]


class IndexReview(IndexBase):
    """Reviews of models, alone and against the index. Nothing is written, but by `lint` with *fix*."""

    async def find_collisions(self, terms: Sequence[str], *, but: str | None = None) -> list[NameCollision]:
        """Return who has each of *terms* already as a name or synonym, and who nearly.

        Args:
            terms: names or synonyms that a model is to have.
            but: the id, name or synonym of that model, which does not count.

        Raises:
            ConfigError: *terms* is one text.
            NotFoundError: no model has *but*.
            QueryError: several models have the synonym *but*.
        """
        if isinstance(terms, str):
            raise ConfigError(f"terms is a list of names: for one write [{terms[:60]!r}]")
        own = None if but is None else (await find_one(self._store, but))["oifm_id"]
        return await self._collisions(terms, own)

    async def find_duplicates(
        self,
        of: str | None = None,
        *,
        limit: int = 50,
        min_score: float = 0.4,
        known: Collection[frozenset[str]] = (),
    ) -> list[DuplicatePair]:
        """Return pairs of models that may describe the same finding, the likeliest first.

        Args:
            of: the id, name or synonym of a model, for its pairs only.
            limit: most pairs to return.
            min_score: from 0 to 1; less likely pairs are left out.
            known: pairs of ids that are not duplicates, which are left out;
                `findingmodel.author.not_duplicates.read_pairs` reads them from the file of a collection.

        Raises:
            NotFoundError: no model has *of*.
            QueryError: several models have the synonym *of*.
        """
        own = None if of is None else (await find_one(self._store, of))["oifm_id"]
        pairs = await find_duplicates(
            self._store,
            limit=limit,
            min_score=min_score,
            of=own,
            known=frozenset(known),
            offload=self._session.use_threads(),
        )
        return [
            DuplicatePair(pair.score, to_entry(pair.first), to_entry(pair.second), pair.reasons)
            for pair in pairs
        ]

    async def review_model(
        self, model: FindingModelFull | str | bytes, *, config: LintConfig | None = None
    ) -> ModelReview:
        """Return what to correct in a model, which need not be in a file or in the index.

        Args:
            model: the model, or the text of its file.
            config: which lint rules count; by default all of them.
        """
        if isinstance(model, FindingModelFull):
            model = model.model_dump_json(exclude_unset=True, exclude_none=True)
        data = model.encode(errors="replace") if isinstance(model, str) else model
        found = lint_document(data, config=config)
        if found.parsed.model is None:
            return ModelReview(found.parsed.problems, found.violations, [])
        terms = [found.parsed.model.name, *(found.parsed.model.synonyms or ())]
        collisions = await self._collisions(terms, found.parsed.model.oifm_id)
        return ModelReview((), found.violations, collisions)

    async def lint(
        self,
        *paths: str | Path,
        config: LintConfig | None = None,
        fix: bool = False,
        dry_run: bool = False,
        allow_dirty: bool = False,
    ) -> LintReport:
        """Check files, and compare them with the lint rules; the index is not needed.

        Args:
            paths: files and directories, at least one.
            config: which rules count; by default as ``.findingmodel.toml`` beside the first path or above it
                states.
            fix: whether to correct violations that need no decision.
            dry_run: whether to report what *fix* would correct, and write nothing.
            allow_dirty: whether to correct files that have changes which git does not have.

        Raises:
            ConfigError: the configuration is not valid, or there is no path.
            DirectoryError: a directory cannot be listed.
        """
        if not paths:
            raise ConfigError("lint needs at least one file or directory")
        files = [Path(path) for path in paths]
        work = partial(lint, fix=fix, dry_run=dry_run, allow_dirty=allow_dirty)
        config = config or load_config(files[0]).lint
        return await self._session.use_threads()(partial(work, *files, config=config))

    async def _collisions(self, terms: Sequence[str], but: str | None) -> list[NameCollision]:
        threads, searcher = self._session.use_threads(), self._session.searcher
        found = await find_collisions(self._store, terms, but=but, searcher=searcher, offload=threads)
        return list(map(_to_collision, found))


def _to_collision(found: Collision) -> NameCollision:
    return NameCollision(
        found.term,
        found.verdict,
        to_entries(found.names),
        to_entries(found.synonyms),
        [SimilarName(to_entry(near.entry), near.label, near.how) for near in found.near],
        {organ: to_entries(entries) for organ, entries in found.organs.items()},
        found.meanings,
    )
