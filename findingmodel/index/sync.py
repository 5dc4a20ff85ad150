"""SyncIndex: an Index for code that is not asynchronous. It runs in a thread and waits for the results."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import threading
import weakref
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from findingmodel.errors import StoreClosedError
from findingmodel.index.base import IndexBase
from findingmodel.index.curation import IndexCuration
from findingmodel.index.reads import IndexReads
from findingmodel.index.reports import IndexReports
from findingmodel.index.review import IndexReview
from findingmodel.index.searches import IndexSearches
from findingmodel.index.updates import IndexUpdates
from findingmodel.runtime.threads import BackgroundLoop

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from types import TracebackType
    from typing import Self

    from findingmodel.index.results import IndexEntry
    from findingmodel.search.cache import CacheStatistics
    from findingmodel.update.follow import IndexChange

P = ParamSpec("P")
T = TypeVar("T")

_ENTRIES_PER_WAIT = 500  # waiting costs more than reading an entry


def blocking(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[SyncIndex, P], T]:
    """Return *method* of an Index as a method that waits for its result."""

    @functools.wraps(method)
    def wait(self: SyncIndex, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._wait(method, *args, **kwargs)

    return wait


class SyncIndex:
    """An `Index` for scripts and notebooks: every method waits for its result. `Index.sync` makes one.

    It works in a thread of its own, so programs that run an event loop, such as notebooks, can use it, and so
    can several threads at once. ``with`` opens and closes it; without, it opens on first use and is closed by
    `close` or at the end of the process. Ctrl-C cancels the call that waits.

    Callbacks such as *progress* run in that thread and must not use the index.
    """

    def __init__(self, index: IndexReads) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._loop: BackgroundLoop | None = None
        self._is_closed = False
        self._own = threading.local()  # each thread may be in a transaction of its own
        self._at_exit: weakref.finalize[..., Any] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._index!r})"

    def __iter__(self) -> Iterator[IndexEntry]:
        """Yield all entries, sorted by name."""
        return self._iterate(self._index.__aiter__())

    def changes(self) -> Iterator[IndexChange]:
        """Yield each change that any process makes to the index from now on; see `Index.changes`."""
        return self._iterate(self._index.changes(), per_wait=1)

    @property
    def label(self) -> str:
        """The database's URL without a password."""
        return self._index.label

    @property
    def cache_statistics(self) -> CacheStatistics:
        """Hits, misses and size of the search cache."""
        return self._index.cache_statistics

    def invalidate_cache(self) -> None:
        """Forget all cached answers of this index.

        Rarely needed: an update by any process is noticed within a second.
        """

        async def invalidate(index: IndexBase) -> None:
            index.invalidate_cache()

        self._wait(invalidate)

    def transaction(self) -> AbstractContextManager[None]:
        """Do the same as `Index.transaction`, for what this thread does within the ``with`` block."""
        return self._within(self._index.transaction())

    setup_indexes = blocking(IndexBase.setup_indexes)
    count = blocking(IndexReads.count)
    count_people = blocking(IndexReads.count_people)
    count_organizations = blocking(IndexReads.count_organizations)
    contains = blocking(IndexReads.contains)
    get = blocking(IndexReads.get)
    matches = blocking(IndexReads.matches)
    get_by_attribute = blocking(IndexReads.get_by_attribute)
    get_person = blocking(IndexReads.get_person)
    get_organization = blocking(IndexReads.get_organization)
    get_people = blocking(IndexReads.get_people)
    get_organizations = blocking(IndexReads.get_organizations)
    get_full = blocking(IndexReads.get_full)
    get_full_batch = blocking(IndexReads.get_full_batch)
    all = blocking(IndexReads.all)
    to_markdown = blocking(IndexReads.to_markdown)
    search = blocking(IndexSearches.search)
    search_batch = blocking(IndexSearches.search_batch)
    warm = blocking(IndexSearches.warm)
    count_tags = blocking(IndexSearches.count_tags)
    search_by_slug = blocking(IndexSearches.search_by_slug)
    suggest = blocking(IndexSearches.suggest)
    find_by_code = blocking(IndexSearches.find_by_code)
    read_report = blocking(IndexReports.read_report)
    read_reports = blocking(IndexReports.read_reports)
    update_from_directory = blocking(IndexUpdates.update_from_directory)
    add_or_update_entry_from_file = blocking(IndexUpdates.add_or_update_entry_from_file)
    add_or_update_contributors = blocking(IndexUpdates.add_or_update_contributors)
    remove_entry = blocking(IndexUpdates.remove_entry)
    remove_unused_entries = blocking(IndexUpdates.remove_unused_entries)
    validate_model = blocking(IndexUpdates.validate_model)
    validate_models_batch = blocking(IndexUpdates.validate_models_batch)
    rename_model = blocking(IndexCuration.rename_model)
    add_synonym = blocking(IndexCuration.add_synonym)
    add_attribute = blocking(IndexCuration.add_attribute)
    add_value = blocking(IndexCuration.add_value)
    change_from_prior = blocking(IndexCuration.change_from_prior)
    merge_models = blocking(IndexCuration.merge_models)
    deprecate_model = blocking(IndexCuration.deprecate_model)
    rename_tag = blocking(IndexCuration.rename_tag)
    triage = blocking(IndexCuration.triage)
    coverage = blocking(IndexCuration.coverage)
    select = blocking(IndexCuration.select)
    export = blocking(IndexCuration.export)
    import_model = blocking(IndexCuration.import_model)
    find_collisions = blocking(IndexReview.find_collisions)
    find_duplicates = blocking(IndexReview.find_duplicates)
    review_model = blocking(IndexReview.review_model)
    lint = blocking(IndexReview.lint)

    # opening and closing

    def __enter__(self) -> Self:
        try:
            self._wait(IndexSearches.__aenter__)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database, for good, and end the thread; calling it twice is fine."""
        with self._lock:
            self._is_closed = True
            loop, self._loop = self._loop, None
        if loop is None:
            return
        try:
            loop.run(self._index.close())
        finally:
            if self._at_exit is not None:
                self._at_exit.detach()
            loop.stop()

    def _open_loop(self) -> BackgroundLoop:
        with self._lock:
            if self._is_closed:
                raise StoreClosedError(f"{self.label} was closed")
            if self._loop is None:
                self._loop = BackgroundLoop(f"the thread of {self.label}")
                self._at_exit = weakref.finalize(self, _close_at_exit, self._index, self._loop)
            return self._loop

    # waiting

    def _wait(
        self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        loop = self._open_loop()
        return loop.run(method(self._index, *args, **kwargs), getattr(self._own, "context", None))

    def _iterate(self, entries: AsyncGenerator[T, None], *, per_wait: int = _ENTRIES_PER_WAIT) -> Iterator[T]:
        """Yield *entries*, reading some of them per wait."""

        async def read(_index: IndexBase) -> list[T]:
            chunk = []
            async for entry in entries:
                chunk.append(entry)
                if len(chunk) == per_wait:
                    break
            return chunk

        async def end(_index: IndexBase) -> None:
            await entries.aclose()

        try:
            while chunk := self._wait(read):
                yield from chunk
        finally:
            if not self._is_closed:
                self._wait(end)

    @contextlib.contextmanager
    def _within(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Enter *manager* for the block, and for everything that this thread does meanwhile."""
        loop = self._open_loop()
        outer = getattr(self._own, "context", None)
        context = contextvars.copy_context() if outer is None else outer
        entered = loop.run(manager.__aenter__(), context)
        self._own.context = context
        try:
            yield entered
        except BaseException as error:
            if not loop.run(manager.__aexit__(type(error), error, error.__traceback__), context):
                raise
        else:
            loop.run(manager.__aexit__(None, None, None), context)
        finally:
            self._own.context = outer


def _close_at_exit(index: IndexBase, loop: BackgroundLoop) -> None:
    """Close an index that was garbage-collected, or is open at the end of the process; hide errors."""
    with contextlib.suppress(Exception):
        loop.run(index.close())
    loop.stop()
