"""Index: all that can be asked of an index, and done to it. It opens a store, and calls sync and search."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from findingmodel.errors import NotFoundError
from findingmodel.index import listing
from findingmodel.index import results as answers
from findingmodel.index.session import IndexSession
from findingmodel.index.sync import Blocking, blocking
from findingmodel.legacy.rebuild import rebuild as rebuild_index
from findingmodel.observe.ledger_recorder import record_update
from findingmodel.search.lookup import find, find_by_attribute, find_by_code
from findingmodel.search.suggest import suggest
from findingmodel.text.query import parse_query
from findingmodel.update import entry as single
from findingmodel.update.directory import update
from findingmodel.update.entry import IndexReturnType, put_contributors
from findingmodel.update.options import UpdateHooks, UpdateOptions, WriteCounts

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from findingmodel.index.results import CodeMatch, Hits, IndexEntry, Page, SearchAnswers, Suggestion
    from findingmodel.model.attributes import Contributor, Organization, Person
    from findingmodel.model.finding import FindingModelFull
    from findingmodel.observe.metrics import PerformanceMonitor
    from findingmodel.settings import Settings
    from findingmodel.update.report import UpdateReport

__all__ = ["Index", "IndexReturnType", "MongoDBIndex", "SyncIndex"]

_MOST_PARSED_HERE = 10  # models; parsing more of them would stop the event loop for too long


class Index(IndexSession):
    """An index of finding models in MongoDB or in one SQLite file; both give the same answers.

    Making one does nothing. ``async with`` opens it, which tells early of a file that cannot be used, and
    closes it; without, it opens on first use and lives until `close`. One Index may serve many tasks at once,
    and one event loop after another.

    Any method raises `StoreError` if the database fails: `StoreUnavailableError` if it cannot be reached,
    `StoreClosedError` after `close`. Below stands only what may be raised besides.

    Args:
        url: ``sqlite:///findings.db``, ``findings.db`` or ``mongodb://HOST/DATABASE``.
        branch: which of several indexes in one database.
        settings: all settings; where None, those of the environment (`Settings.load`).
        mongodb_uri: another word for *url*.
        db_name: MongoDB: the database, whichever the URL names. Without any URL, on this machine's server.
        client: MongoDB: a Motor client or pymongo's AsyncMongoClient to be used; it stays open.
        monitor: measures reads, searches and updates, and watches the cache and the connections; one may
            serve many indexes, and tells of the cache of the one made last.

    Raises:
        ConfigError: a setting or an argument cannot be used.

    >>> import asyncio
    >>> async def demonstrate():
    ...     async with Index("sqlite://") as index:
    ...         return await index.count(), await index.get("pulmonary embolism")
    >>> asyncio.run(demonstrate())
    (0, None)
    """

    @classmethod
    def sync(
        cls,
        url: str | None = None,
        *,
        branch: str | None = None,
        settings: Settings | None = None,
        mongodb_uri: str | None = None,
        db_name: str | None = None,
        monitor: PerformanceMonitor | None = None,
    ) -> SyncIndex:
        """Return an index for code that is not asynchronous: ``with Index.sync("findings.db") as index:``.

        The arguments are those of `Index`, save that there is no client to be given: clients belong to event
        loops.

        Raises:
            ConfigError: a setting or an argument cannot be used.

        >>> with Index.sync("sqlite://") as index:
        ...     index.count(), index.get("pulmonary embolism")
        (0, None)
        """
        index = cls(
            url,
            branch=branch,
            settings=settings,
            mongodb_uri=mongodb_uri,
            db_name=db_name,
            monitor=monitor,
        )
        return SyncIndex(index)

    # what is there

    async def count(self) -> int:
        """Return how many models there are."""
        return (await self._store.counts()).models

    async def count_people(self) -> int:
        """Return how many people contributed."""
        return (await self._store.counts()).people

    async def count_organizations(self) -> int:
        """Return how many organizations contributed."""
        return (await self._store.counts()).organizations

    async def contains(self, id_or_name_or_syn: str) -> bool:
        """Return whether `get` would find an entry."""
        return bool(await find(self._store, id_or_name_or_syn))

    async def get(self, id_or_name_or_syn: str) -> IndexEntry | None:
        """Return the entry with this id, name, slug or synonym, in any case; None if there is none.

        Where several share it, the one whose id it is comes first, then name, slug, synonym; then the least
        id. A key like ``code:RADLEX:RID1301`` asks for a model that carries this code, in itself at best; see
        `find_by_code`.

        Raises:
            QueryError: the key begins with ``code:`` and names no system and code.
        """
        with self._timer("index get"):
            rows = await find(self._store, id_or_name_or_syn)
            return answers.to_entry(rows[0]) if rows else None

    async def matches(self, id_or_name_or_syn: str) -> list[IndexEntry]:
        """Return all entries with this id, name, slug or synonym, the one that `get` returns first."""
        with self._timer("index get"):
            return answers.to_entries(await find(self._store, id_or_name_or_syn))

    async def get_by_attribute(self, oifma_id: str) -> IndexEntry | None:
        """Return the entry of the model that has the attribute with this id; None if there is none."""
        row = await find_by_attribute(self._store, oifma_id)
        return answers.to_entry(row) if row else None

    async def get_person(self, github_username: str) -> Person | None:
        """Return the person with this user name on GitHub; None if no model names them."""
        found = await self._store.contributors("person", [github_username])
        return answers.to_person(found[0]) if found else None

    async def get_organization(self, code: str) -> Organization | None:
        """Return the organization with this code; None if no model names it."""
        found = await self._store.contributors("organization", [code])
        return answers.to_organization(found[0]) if found else None

    async def get_people(self) -> list[Person]:
        """Return everyone who contributed, by name."""
        people = map(answers.to_person, await self._store.contributors("person"))
        return sorted(people, key=lambda person: person.name)

    async def get_organizations(self) -> list[Organization]:
        """Return every organization that contributed, by name."""
        organizations = map(answers.to_organization, await self._store.contributors("organization"))
        return sorted(organizations, key=lambda organization: organization.name)

    async def get_full(self, oifm_id: str) -> FindingModelFull:
        """Return the whole model, as its file has it.

        Raises:
            NotFoundError: no model has this id; it is a KeyError.
            DocumentError: the stored model is none to this version of the package.
        """
        models = await self.get_full_batch([oifm_id])
        if oifm_id not in models:
            raise NotFoundError(f"no model in {self.label} has the id {oifm_id!r}")
        return models[oifm_id]

    async def get_full_batch(self, oifm_ids: Iterable[str]) -> dict[str, FindingModelFull]:
        """Return whole models by id, in the order of *oifm_ids*; absent ones are left out.

        Raises:
            DocumentError: a stored model is none to this version of the package.
        """
        ids = list(dict.fromkeys(oifm_ids))
        with self._timer("index get_full_batch", items=len(ids)):
            found = await self._store.models(ids)
            texts = {oifm_id: found[oifm_id] for oifm_id in ids if oifm_id in found}
            if len(texts) > _MOST_PARSED_HERE:
                return await self._threads(answers.to_models, texts)
            return answers.to_models(texts)

    async def all(
        self, limit: int = 100, offset: int = 0, order_by: str = "name", order_dir: str = "asc"
    ) -> Page:
        """Return a page of all entries, and how many there are: ``entries, total = await index.all()``.

        Args:
            limit, offset: which part of them.
            order_by: "name", "oifm_id" or "filename".
            order_dir: "asc" or "desc".

        Raises:
            QueryError: an argument is out of range.
        """
        rows = await listing.page_of(
            self._store, limit=limit, offset=offset, order_by=order_by, order_dir=order_dir
        )
        return answers.Page(answers.to_entries(rows), await self.count())

    async def __aiter__(self) -> AsyncGenerator[IndexEntry, None]:
        """Yield every entry by name."""
        async for row in listing.each_entry(self._store):
            yield answers.to_entry(row)

    async def to_markdown(self) -> str:
        """Return the page ``index.md`` of an export: all entries in a table, by name, their text escaped."""
        return await listing.markdown_page(self._store, self._threads)

    # search

    async def search(
        self, query: str, limit: int = 10, *, tags: Sequence[str] | None = None, offset: int = 0
    ) -> Hits:
        """Return a list of the entries that answer *query*, best first; exact ids, names and synonyms lead.

        Text without a letter or digit finds nothing. Of very long text the first 4,000 characters count.

        Args:
            query: words, "phrases", -exclusions, filters such as ``tag:CT``, ids (`findingmodel.text.query`).
            limit, offset: which part of the hits.
            tags: hits have all of them.

        Raises:
            QueryError: a filter cannot be used, or an argument is out of range.
        """
        with self._timer("search"):
            return await answers.answer(self._searcher, query, limit=limit, offset=offset, tags=tags or ())

    async def search_batch(
        self,
        queries: Iterable[str],
        limit: int = 10,
        *,
        limit_per_query: int | None = None,
        tags: Sequence[str] | None = None,
    ) -> SearchAnswers:
        """Return a dict with the hits of each query; ``.errors`` has those that could not be understood.

        Args:
            queries: as for `search`; equal ones are searched once.
            limit: hits for each query. limit_per_query: another word for it.
            tags: hits have all of them.

        Raises:
            QueryError: *limit* is out of range. A bad query raises nothing, and stops no other.
        """
        most = limit if limit_per_query is None else limit_per_query
        with self._timer("search batch") as span:
            found = await answers.answer_all(
                self._searcher, queries, limit=most, tags=tags or (), concurrency=self._concurrency
            )
            span.items = len(found)
            return found

    async def count_tags(
        self, query: str | None = None, *, tags: Sequence[str] | None = None
    ) -> dict[str, int]:
        """Return by tag how many models have it, the most frequent first; case and accents do not matter.

        Args:
            query: as for `search`: only what it finds counts, all of it.
            tags: only models that have all of them count.

        Raises:
            QueryError: a filter cannot be used.
        """
        if query is None and not tags:
            return {count.tag: count.models for count in await self._searcher.all_tags()}
        return await self._searcher.count_tags(parse_query(query or "", tags=tags or ()))

    async def search_by_slug(
        self, pattern: str, limit: int = 100, offset: int = 0, match_type: str = "contains"
    ) -> Page:
        """Return entries by slug, and how many there are: ``entries, total = await ...``.

        Args:
            pattern: any text; its slug is looked for.
            limit, offset: which part of them; whole slugs come first, then beginnings.
            match_type: "exact", "prefix" or "contains".

        Raises:
            QueryError: an argument is out of range.
        """
        rows, total = await listing.page_by_slug(self._store, pattern, match_type, limit=limit, offset=offset)
        return answers.Page(answers.to_entries(rows), total)

    async def suggest(self, text: str, limit: int = 10) -> list[Suggestion]:
        """Return entries, with the name or synonym that goes on as *text*, whose words may be unfinished."""
        found = await suggest(self._store, await self._searcher.vocabulary(), text, limit=limit)
        return [answers.Suggestion(answers.to_entry(entry), label) for entry, label in found]

    async def find_by_code(
        self, system: str, code: str, limit: int = 100, offset: int = 0
    ) -> list[CodeMatch]:
        """Return the places that carry a code: models first, then attributes, then their values.

        Args:
            system, code: such as "RADLEX" and "RID1301", in any case.
            limit, offset: which part of the models.
        """
        found = await find_by_code(self._store, system, code, limit=limit, offset=offset)
        return [answers.CodeMatch(answers.to_entry(entry), *place) for entry, *place in found]

    # update

    async def update_from_directory(
        self,
        directory: str | Path,
        allow_duplicate_synonyms: bool = False,
        *,
        dry_run: bool = False,
        rehash: bool = False,
        remove: bool = True,
        force: bool = False,
        strict: bool = False,
        rebuild: bool = False,
        wait_seconds: float = 0.0,
        progress: Callable[[int, int], None] | None = None,
    ) -> UpdateReport:
        """Make the index hold exactly the valid models below *directory*.

        Args:
            directory: every ``*.fm.json`` below it counts.
            allow_duplicate_synonyms: of no effect; models may always share synonyms.
            dry_run: find out, write nothing.
            rehash: read every file, whatever its size and times say.
            remove: remove models whose file is gone.
            force: do it even if most models would be removed.
            strict: write nothing if any file fails.
            rebuild: MongoDB: put an index of findingmodel 0.3 or 0.4 aside first.
            wait_seconds: how long to wait for another update that is at work.
            progress: called with (files done, files to load).

        Returns:
            What was done, and what failed; ``added, updated, removed = report``.

        Raises:
            DirectoryError: *directory* cannot be listed.
            LeaseHeldError: another update is running.
        """
        options = UpdateOptions.of(
            self._settings,
            dry_run=dry_run,
            rehash=rehash,
            remove=remove,
            force=force,
            strict=strict,
            wait_seconds=wait_seconds,
        )
        whole = Path(directory)
        hooks = UpdateHooks(progress=progress, timer=self._timer, written=WriteCounts())
        work = rebuild_index if rebuild else update
        async with self._timer("index update"), self._writing() as context:

            def run(begun: Callable[[], Awaitable[None]] | None) -> Coroutine[Any, Any, UpdateReport]:
                told = hooks._replace(begun=begun)
                return work(context.store, whole, options, told, threads=self._threads)

            return await record_update(self._notebook, whole, options, run, written=hooks.written)

    async def add_or_update_entry_from_file(
        self,
        filename: str | Path,
        model: FindingModelFull | None = None,
        allow_duplicate_synonyms: bool = False,
    ) -> IndexReturnType:
        """Add the model in one file, or replace what the index holds for the file (`sync.single.add_file`).

        Args:
            filename: its name must end with ``.fm.json``.
            model: what the file holds, where the caller has it; the file decides.
            allow_duplicate_synonyms: of no effect; models may always share synonyms.

        Raises:
            FileNotFoundError: there is no such file.
            DocumentError: it is no valid model, not *model*, or clashes with another; it is a ValueError.
            LeaseHeldError: another update is running.
        """
        file = Path(filename)
        async with self._noting("add", file=file) as context:
            return await single.add_file(context, file, given=model)

    async def add_or_update_contributors(self, contributors: Iterable[Contributor]) -> list[str] | None:
        """Add people and organizations, until a file that names one is read and says otherwise.

        Returns:
            Of whom *contributors* say different things, in which case nothing is written; None if of nobody.

        Raises:
            LeaseHeldError: another update is running.
        """
        async with self._writing() as context:
            return await put_contributors(context, contributors)

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Let others see all that a block writes at once, when it ends; nothing of it, if it raises.

        ``async with index.transaction():`` joins what this task does with this Index, and the tasks that it
        starts within. Transactions do not nest, and keep other writers waiting: in MongoDB for a minute at
        most, and only in replica sets and sharded clusters.

        Raises:
            TransactionError: there are none here, or one is open already, or this one was given up.
            LeaseHeldError: another update is running.
        """
        return self._transacting()

    async def remove_entry(self, id_or_name: str) -> bool:
        """Remove the model with this id or name, in any case; return whether there was one.

        Raises:
            LeaseHeldError: another update is running.
        """
        async with self._noting("remove", model=id_or_name) as context:
            return await single.remove_model(context, id_or_name)

    async def remove_unused_entries(self, active_filenames: Iterable[str]) -> list[str]:
        """Remove all models but those of *active_filenames*, paths or bare names; return the files removed.

        Raises:
            LeaseHeldError: another update is running.
        """
        async with self._noting("remove-unused") as context:
            return await single.remove_unused(context, set(active_filenames))

    async def validate_model(
        self,
        model: FindingModelFull,
        allow_duplicate_synonyms: bool = False,
        exclude_oifm_id: str | None = None,
    ) -> list[str]:
        """Return why the index could not take *model*; nothing if it could.

        Args:
            model: the model.
            allow_duplicate_synonyms: of no effect; models may always share synonyms.
            exclude_oifm_id: the stored model that it is to replace.
        """
        found = await self.validate_models_batch([(model, exclude_oifm_id)], allow_duplicate_synonyms)
        return found[model.oifm_id]

    async def validate_models_batch(
        self,
        models: Iterable[tuple[FindingModelFull, str | None]],
        allow_duplicate_synonyms: bool = False,
    ) -> dict[str, list[str]]:
        """Return by id why the index could not take each of *models* beside what it holds and the others.

        Args:
            models: each with the id of the stored model, or the path of the file, that it is to replace.
            allow_duplicate_synonyms: of no effect; models may always share synonyms.
        """
        return await single.find_conflicts(self._store, list(models))


class SyncIndex(Blocking[Index]):
    """An `Index` for scripts and notebooks: every method waits for its answer. `Index.sync` makes one.

    It works in a thread of its own, so a notebook or another program that runs an event loop may use it, as
    may several threads at once. ``with`` opens and closes it; without, it opens on first use and is closed by
    `close`, or at the end of the process. Ctrl-C cancels what it waits for.

    What is called back, such as *progress*, runs in that thread, and must not use the index itself.
    """

    def __iter__(self) -> Iterator[IndexEntry]:
        """Yield every entry by name."""
        return self._each(self._index.__aiter__())

    def transaction(self) -> AbstractContextManager[None]:
        """As `Index.transaction`: ``with index.transaction():`` joins what this thread does with it."""
        return self._within(self._index.transaction())

    setup_indexes = blocking(Index.setup_indexes)
    count = blocking(Index.count)
    count_people = blocking(Index.count_people)
    count_organizations = blocking(Index.count_organizations)
    contains = blocking(Index.contains)
    get = blocking(Index.get)
    matches = blocking(Index.matches)
    get_by_attribute = blocking(Index.get_by_attribute)
    get_person = blocking(Index.get_person)
    get_organization = blocking(Index.get_organization)
    get_people = blocking(Index.get_people)
    get_organizations = blocking(Index.get_organizations)
    get_full = blocking(Index.get_full)
    get_full_batch = blocking(Index.get_full_batch)
    all = blocking(Index.all)
    to_markdown = blocking(Index.to_markdown)
    search = blocking(Index.search)
    search_batch = blocking(Index.search_batch)
    count_tags = blocking(Index.count_tags)
    search_by_slug = blocking(Index.search_by_slug)
    suggest = blocking(Index.suggest)
    find_by_code = blocking(Index.find_by_code)
    update_from_directory = blocking(Index.update_from_directory)
    add_or_update_entry_from_file = blocking(Index.add_or_update_entry_from_file)
    add_or_update_contributors = blocking(Index.add_or_update_contributors)
    remove_entry = blocking(Index.remove_entry)
    remove_unused_entries = blocking(Index.remove_unused_entries)
    validate_model = blocking(Index.validate_model)
    validate_models_batch = blocking(Index.validate_models_batch)


MongoDBIndex = Index
"""What findingmodel 0.4 called its index in MongoDB."""
