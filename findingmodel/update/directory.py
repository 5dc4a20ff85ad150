"""update: make an index hold exactly the valid finding models below a directory. The write path, in order."""

from __future__ import annotations

import time
from contextlib import aclosing
from dataclasses import replace
from os import fspath
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.runtime.tasks import StreamProcessor
from findingmodel.runtime.threads import Threads
from findingmodel.stores.records import WriteBatch
from findingmodel.update.compare import compare, nothing_to_do, survey
from findingmodel.update.decide import UpdateDecisions
from findingmodel.update.lease import Wait, writer_lease
from findingmodel.update.load import Loader
from findingmodel.update.options import UpdateHooks, refusal
from findingmodel.update.report import UpdateReport
from findingmodel.update.workers import Workers, only_new_garbage, worker_count
from findingmodel.update.write import BatchWriter, Spool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
    from pathlib import Path

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import Owner
    from findingmodel.update.compare import Comparison
    from findingmodel.update.lease import WriterLease
    from findingmodel.update.load import Loaded
    from findingmodel.update.options import UpdateOptions
    from findingmodel.update.report import Refusal
    from findingmodel.update.scan import SourceFile

__all__ = ["update"]

_FILES_PER_CHUNK = 64  # read and parsed by one call to a thread: one for each file takes five times as long
_NO_HOOKS = UpdateHooks()


async def update(
    store: Store,
    directory: Path,
    options: UpdateOptions,
    hooks: UpdateHooks = _NO_HOOKS,
    *,
    threads: Threads | None = None,
    surveyed: Comparison | None = None,
) -> UpdateReport:
    """Make *store* hold exactly the valid finding models below *directory*.

    Args:
        store: the index; it must be open.
        directory: every ``*.fm.json`` below it counts.
        options: how to go about it.
        hooks: what to call as it goes along.
        threads: where to do what would hold up the event loop; the *store* may use them too.
        surveyed: what a first look has found, where the caller has had one (`preflight`).

    Raises:
        DirectoryError: *directory* cannot be listed.
        LeaseHeldError: another update is running.
        StoreError: the store failed; what was written stands, and the next update does the rest.
    """
    started = time.perf_counter()
    timer, threads = hooks.timer, threads or Threads()
    wait = Wait(options.wait_seconds, hooks.waiting) if hooks.waiting else Wait(options.wait_seconds)
    comparison = surveyed or await survey(
        store, directory, rehash=options.rehash, offload=threads, timer=timer
    )
    if comparison.is_clean and (options.dry_run or not await store.needs_recovery()):
        return nothing_to_do(comparison, options, store.label, time.perf_counter() - started)
    if options.dry_run:
        report = await _run(_Update(store, comparison, options, hooks, threads), None)
    else:
        with timer("sync.setup"):
            await store.setup()
        async with (
            writer_lease(store, lease_seconds=options.lease_seconds, wait=wait) as lease,
            lease.kept(),
        ):
            # Another update may have written between the first look and the lease.
            with timer("sync.manifest", items=len(comparison.known)):
                comparison = compare(comparison.scan, await store.manifest(), rehash=options.rehash)
            report = await _run(_Update(store, comparison, options, hooks, threads), lease)
    return replace(report, seconds=time.perf_counter() - started, db=store.label, dry_run=options.dry_run)


class _Update(NamedTuple):
    """What one update is about."""

    store: Store
    comparison: Comparison
    options: UpdateOptions
    hooks: UpdateHooks
    threads: Threads


async def _run(this: _Update, lease: WriterLease | None) -> UpdateReport:
    """Load, decide, and write as soon as that may be; without a *lease* only decide."""
    decided = UpdateDecisions(this.comparison, remove=this.options.remove)
    if lease is not None and lease.needs_recovery:
        decided.credits.doubt_all(this.comparison.known.values())
    with BatchWriter(this.store, lease, held_back=_is_risky(this, decided), hooks=this.hooks) as outlet:
        await _load(this, decided, outlet)
        refused = _refusal(this, decided, len(decided.removals()))
        if refused is not None:
            return UpdateReport(failed=decided.failed, warnings=decided.warnings, refused=refused)
        await outlet.release()
        for loss in outlet.losses:
            decided.revoke(loss)
        await outlet.write(WriteBatch(removals=decided.removals()))
        with this.hooks.timer("sync.contributors", items=0):
            changes = await decided.credits.changes(this.store, was_empty=not this.comparison.known)
        await outlet.write(WriteBatch(credits=changes.upserts, withdrawn=changes.withdrawn))
        await outlet.finish()
    return decided.report(changes.conflicts)


async def _load(this: _Update, decided: UpdateDecisions, outlet: BatchWriter) -> None:
    """Load every file that may have changed, and write what is decided; what waits is decided at the end."""
    loader = _loader(this)
    with Spool() as waiting, only_new_garbage():
        async with aclosing(_batches(this, loader)) as batches:
            async for loaded in batches:
                while loaded:
                    with this.hooks.timer("sync.decide", items=len(loaded)):
                        step = decided.take(loaded, await _owners(this, _keys(loaded)))
                    waiting.keep(WriteBatch(step.waiting))
                    await outlet.write(WriteBatch(step.upserts, step.touches))
                    loaded = await this.threads(loader.afresh().load_chunk, step.again)
                if outlet.holds_back and not _is_risky(this, decided):
                    await outlet.release()
        with this.hooks.timer("sync.decide", items=0):
            granted = decided.settle(await _owners(this, decided.waiting_keys()))
        for batch in waiting.batches():
            records = [record for record in batch.upserts if record.file.path in granted]
            for record in records:
                decided.grant(record)
            await outlet.write(WriteBatch(records))


async def _batches(this: _Update, loader: Loader) -> AsyncGenerator[Sequence[Loaded], None]:
    """Yield the loaded files in path order, as many at a time as are to be written at once."""
    files, size = this.comparison.to_load, this.options.batch_size
    batch: list[Loaded] = []
    done = 0
    async with aclosing(_chunks_loaded(this, loader)) as chunks:
        async for loaded in chunks:
            batch += loaded
            done += len(loaded)
            if this.hooks.progress:
                this.hooks.progress(done, len(files))
            while len(batch) >= size:
                yield batch[:size]
                batch = batch[size:]
    if batch:
        yield batch


async def _chunks_loaded(this: _Update, loader: Loader) -> AsyncGenerator[list[Loaded], None]:
    """Yield the loaded files in path order: from processes if there are many, else from threads."""
    files, concurrency = this.comparison.to_load, this.options.concurrency
    chunks = [files[start : start + _FILES_PER_CHUNK] for start in range(0, len(files), _FILES_PER_CHUNK)]
    this.threads.end()
    workers = Workers(loader, chunks, worker_count(len(files), most=concurrency))

    async def load(chunk: Sequence[SourceFile]) -> list[Loaded]:
        with this.hooks.timer("sync.load", items=len(chunk)):
            if workers:
                return await this.threads(workers.receive)
            return await this.threads(loader.load_chunk, chunk)

    with workers:
        ahead, at_once = (
            (max(2 * concurrency, this.options.batch_size // _FILES_PER_CHUNK), 1)
            if workers
            else (2 * concurrency, concurrency)
        )
        stream = StreamProcessor(max_buffer=ahead).map_stream(_each(chunks), load, at_once, ordered=True)
        async with aclosing(stream) as results:
            async for loaded in results:
                yield loaded


def _loader(this: _Update) -> Loader:
    known, missing = this.comparison.known, this.comparison.missing
    changed = [known[file.path] for file in this.comparison.to_load if file.path in known]
    return Loader(
        fspath(this.comparison.scan.root),
        this.options.max_file_bytes,
        {state.path: state.sha256 for state in changed},
        {state.sha256: path for path, state in missing.items()},
        this.store.refuses,
        this.options.max_nesting,
        is_bound=True,
    )


async def _each(chunks: Sequence[Sequence[SourceFile]]) -> AsyncIterator[Sequence[SourceFile]]:
    for chunk in chunks:
        yield chunk


def _keys(loaded: Sequence[Loaded]) -> set[str]:
    return {key for one in loaded if one.record for key in one.record.identity}


async def _owners(this: _Update, keys: Collection[str]) -> dict[str, list[Owner]]:
    """Return who holds *keys* in the store; an index without a file holds none."""
    owners: dict[str, list[Owner]] = {}
    if keys and this.comparison.known:
        for owner in await this.store.owners(keys):
            path = this.comparison.left_behind.get(owner.oifm_id, owner.path)
            owners.setdefault(owner.key, []).append(owner._replace(path=path))
    return owners


def _is_risky(this: _Update, decided: UpdateDecisions) -> bool:
    """Return whether it may still turn out that this update must not write."""
    return this.options.strict or (not this.options.force and decided.may_trip)


def _refusal(this: _Update, decided: UpdateDecisions, removed: int) -> Refusal | None:
    return refusal(
        known=len(this.comparison.known),
        removed=removed,
        failed=len(decided.failed),
        strict=this.options.strict,
        force=this.options.force,
    )
