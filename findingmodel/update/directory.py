"""update: make an index hold exactly the valid finding models below a directory. The write path, in order."""

from __future__ import annotations

import time
from contextlib import aclosing
from dataclasses import replace
from os import fspath
from typing import TYPE_CHECKING, TypeVar

from findingmodel.runtime.tasks import BatchProcessor
from findingmodel.runtime.threads import Threads
from findingmodel.stores.records import WriteBatch
from findingmodel.update.compare import compare, compare_with_store, unchanged_report
from findingmodel.update.decide import UpdateDecisions
from findingmodel.update.identity import by_key
from findingmodel.update.lease import writer_lease
from findingmodel.update.load import Loader
from findingmodel.update.options import UpdateObserver
from findingmodel.update.report import UpdateReport
from findingmodel.update.workers import Workers, only_new_garbage, worker_count
from findingmodel.update.write import BatchWriter, Spool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
    from pathlib import Path

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import Owner
    from findingmodel.update.compare import Comparison
    from findingmodel.update.lease import WriterLease
    from findingmodel.update.load import Loaded
    from findingmodel.update.options import UpdateOptions
    from findingmodel.update.scan import SourceFile

T = TypeVar("T")

_FILES_PER_CHUNK = 64  # in one call to a thread; a call for each file takes five times as long


async def update(
    store: Store,
    directory: Path,
    options: UpdateOptions,
    observer: UpdateObserver | None = None,
    *,
    threads: Threads | None = None,
    comparison: Comparison | None = None,
) -> UpdateReport:
    """Make *store* hold exactly the valid finding models below *directory*.

    Args:
        store: the index; it must be open.
        directory: every ``*.fm.json`` file below it is indexed.
        options: what the update may do.
        observer: follows the update.
        threads: run what would block the event loop; the *store* may use them too.
        comparison: the result of `preflight`, if the caller has it.

    Raises:
        DirectoryError: *directory* cannot be listed.
        LeaseHeldError: another update is running.
        StoreError: the store failed; what was written stays, and the next update does the rest.
    """
    started = time.perf_counter()
    observer, threads = observer or UpdateObserver(), threads or Threads()
    timer = observer.timer
    comparison = comparison or await compare_with_store(
        store, directory, rehash=options.rehash, offload=threads, timer=timer
    )
    if comparison.is_clean and (options.dry_run or not await store.leases.needs_recovery()):
        return unchanged_report(comparison, options, store.label, time.perf_counter() - started)
    if options.dry_run:
        report = await _Update(store, comparison, options, observer, threads).run(None)
    else:
        with timer("sync.setup"):
            await store.setup()
        async with (
            writer_lease(
                store,
                lease_seconds=options.lease_seconds,
                wait_seconds=options.wait_seconds,
                on_wait=observer.on_wait,
            ) as lease,
            lease.renewing(),
        ):
            # Another update may have written between the first comparison and the lease.
            with timer("sync.manifest", items=len(comparison.known)):
                comparison = compare(comparison.scan, await store.manifest(), rehash=options.rehash)
            report = await _Update(store, comparison, options, observer, threads).run(lease)
    return replace(report, seconds=time.perf_counter() - started, db=store.label, dry_run=options.dry_run)


class _Update:
    """One update, from the comparison to the report."""

    def __init__(
        self,
        store: Store,
        comparison: Comparison,
        options: UpdateOptions,
        observer: UpdateObserver,
        threads: Threads,
    ) -> None:
        self._store = store
        self._comparison = comparison
        self._options = options
        self._observer = observer
        self._threads = threads
        self._decisions = UpdateDecisions(comparison, remove=options.remove)
        self._loader = Loader(
            fspath(comparison.scan.root),
            options.max_file_bytes,
            lost={state.sha256: path for path, state in comparison.missing.items()},
            refuses=store.refuses,
            max_nesting=options.max_nesting,
            is_bound=True,
        )

    async def run(self, lease: WriterLease | None) -> UpdateReport:
        """Load, decide, and write as soon as it is safe; without a *lease*, only decide."""
        decisions, known = self._decisions, self._comparison.known
        if lease is not None and lease.needs_recovery:
            decisions.credits.distrust_store(known.values())
        held_back = self._may_be_refused()
        with BatchWriter(lease, held_back=held_back, observer=self._observer) as writer:
            await self._load_and_write(writer)
            removals = decisions.removals()
            refused = self._options.refusal(
                known=len(known), removed=len(removals), failed=len(decisions.failed)
            )
            if refused is not None:
                return UpdateReport(
                    failed=decisions.failed,
                    warnings=decisions.warnings,
                    skipped=self._comparison.scan.skipped,
                    refused=refused,
                )
            await writer.release()
            for rejection in writer.rejections:
                decisions.revoke(rejection)
            await writer.write(WriteBatch(removals=decisions.removals()))
            with self._observer.timer("sync.contributors", items=0):
                changes = await decisions.credits.changes(self._store, was_empty=not known)
            await writer.write(WriteBatch(credits=changes.upserts, withdrawn=changes.withdrawn))
            await writer.finish()
        return decisions.report(changes.conflicts)

    def _may_be_refused(self) -> bool:
        """Return whether the update may still be refused, so that nothing may be visible yet."""
        return self._options.strict or (not self._options.force and self._decisions.may_exceed_wipe_guard)

    async def _load_and_write(self, writer: BatchWriter) -> None:
        """Load every file that may have changed, and write it as soon as its identity is decided.

        Files whose identity depends on a file that is not loaded yet are spooled, and decided at the end.
        """
        timer, decisions = self._observer.timer, self._decisions
        with Spool() as waiting, only_new_garbage():
            async with aclosing(self._batches()) as batches:
                async for loaded in batches:
                    await self._decide(loaded, writer, waiting)
                    if writer.holds_back and not self._may_be_refused():
                        await writer.release()
            while doubted := decisions.doubt():
                for chunk in _chunks(doubted, self._options.batch_size):
                    loaded = await self._threads(self._loader_for(chunk).load_chunk, chunk)
                    await self._decide(loaded, writer, waiting)
            with timer("sync.decide", items=0):
                granted = decisions.settle(await self._owners(decisions.waiting_keys()))
            for batch in waiting.batches():
                records = [record for record in batch.upserts if record.file.path in granted]
                for record in records:
                    decisions.grant(record)
                await writer.write(WriteBatch(records))
        await writer.write(WriteBatch(touches=decisions.shelter()))

    async def _decide(self, loaded: Sequence[Loaded], writer: BatchWriter, waiting: Spool) -> None:
        """Write what can be decided now, and spool what must wait."""
        while loaded:
            with self._observer.timer("sync.decide", items=len(loaded)):
                step = self._decisions.take(loaded, await self._owners(_keys(loaded)))
            waiting.keep(WriteBatch(step.waiting))
            await writer.write(WriteBatch(step.upserts, step.touches))
            loaded = await self._threads(self._loader.without_manifest().load_chunk, step.reparse)

    async def _batches(self) -> AsyncGenerator[Sequence[Loaded], None]:
        """Yield the loaded files in path order, in batches of the size of one write.

        Worker processes load them if there are many, else threads do.
        """
        files, size, concurrency = (
            self._comparison.to_load,
            self._options.batch_size,
            self._options.concurrency,
        )
        chunks = list(_chunks(files, _FILES_PER_CHUNK))
        loader = self._loader_for(files)
        self._threads.end()  # only a single-threaded process is forked
        workers = Workers(loader, chunks, worker_count(len(files), most=concurrency))
        if workers:  # one thread reads their pipes
            processor = BatchProcessor(1, batch_size=max(2 * concurrency, size // _FILES_PER_CHUNK))
        else:
            processor = BatchProcessor(concurrency, batch_size=2 * concurrency)

        async def load(chunk: Sequence[SourceFile]) -> list[Loaded]:
            with self._observer.timer("sync.load", items=len(chunk)):
                if workers:
                    return await self._threads(workers.receive)
                return await self._threads(loader.load_chunk, chunk)

        batch: list[Loaded] = []
        done = 0
        with workers:
            async with aclosing(processor.stream(chunks, load)) as outcomes:
                async for outcome in outcomes:
                    batch += outcome.unwrap()
                    done += len(outcome.item)
                    if self._observer.progress:
                        self._observer.progress(done, len(files))
                    while len(batch) >= size:
                        yield batch[:size]
                        batch = batch[size:]
        if batch:
            yield batch

    def _loader_for(self, files: Sequence[SourceFile]) -> Loader:
        """Return a loader that recognises the bytes that *files* had before."""
        known = self._comparison.known
        return self._loader._replace(
            fingerprints={file.path: known[file.path].sha256 for file in files if file.path in known}
        )

    async def _owners(self, keys: Collection[str]) -> dict[str, list[Owner]]:
        """Return by key which stored models hold *keys*; an empty index is not queried."""
        if not keys or not self._comparison.known:
            return {}
        left_behind = self._comparison.left_behind
        owners = await self._store.owners(keys)
        return by_key(owner._replace(path=left_behind.get(owner.oifm_id, owner.path)) for owner in owners)


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _keys(loaded: Sequence[Loaded]) -> set[str]:
    return {key for one in loaded if one.record for key in one.record.identity}
