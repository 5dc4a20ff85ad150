"""One benchmark case in a separate process: ``python -m benchmarks.child CASE JSON`` prints its measurements.

A case returns the seconds of each step and, where useful, CPU seconds, peak memory in MB, and other values.
Imports happen before the clock starts.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import os
import resource
import sqlite3
import sys
import time
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.report_texts import SENTENCES_PER_REPORT, texts
from benchmarks.traffic import Traffic, connect
from findingmodel import Index
from findingmodel.model.finding import FindingModelFull
from findingmodel.model.parse import parse_model
from findingmodel.observe.metrics import PerformanceMonitor
from findingmodel.settings import Settings
from findingmodel.text.stem import analyze
from findingmodel.update import directory as update  # noqa: F401  # import it before measuring

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

__all__ = ["CASES"]

Facts = dict[str, dict[str, float]]

_MANY = 100_000
_AT_ONCE = 1_000
_REPORTS = 100
_BARE = """
    SELECT e.oifm_id FROM "terms_main" t JOIN "entries_main" e ON e.id = t.rowid WHERE "terms_main" MATCH ?
    ORDER BY bm25("terms_main", 10.0, 8.0, 2.0, 2.0, 0.0) LIMIT 10
"""


def floors(directory: str) -> Facts:
    """Measure the minimum: stat of every file; and reading, hashing and parsing each once."""
    facts: Facts = {}
    with _measured(facts, "floor: scandir + stat"):
        _stat_all(directory)
    with _measured(facts, "floor: read + SHA-256 + parse"):
        for path in _stat_all(directory):
            with Path(path).open("rb", buffering=0) as file:
                data = file.read()
            hashlib.sha256(data).hexdigest()
            with suppress(ValueError):
                FindingModelFull.model_validate_json(data)
    return facts


def parse(directory: str) -> Facts:
    """Measure parsing of every file, in the same way as for the peers."""
    contents = [Path(path).read_bytes() for path in _stat_all(directory)]
    for data in contents[:20]:
        parse_model(data)
    gc.freeze()  # exclude imported modules from garbage collection
    facts: Facts = {}
    with _measured(facts, "floor: json.loads"):
        for data in contents:
            with suppress(ValueError):
                json.loads(data)
    with _measured(facts, "parse: ours"):
        for data in contents:
            parse_model(data)
    return facts


def cold(directory: str, url: str) -> Facts:
    """Measure the first update of an index, including opening and checkpoint."""
    facts: Facts = {}
    with _measured(facts, "update: cold"):
        asyncio.run(_update(directory, url))
    return facts


def updates(directory: str, url: str) -> Facts:
    """Measure updates of an existing index; changes *directory*."""
    facts: Facts = {}
    for step, change in _CHANGES.items():
        change(_stat_all(directory))
        with _measured(facts, step):
            asyncio.run(_update(directory, url))
    return facts


def traffic(directory: str, url: str, driver: str, queries: Sequence[str]) -> Facts:
    """Count commands and bytes of updates and reads on a MongoDB server; changes *directory*."""
    return asyncio.run(_traffic(directory, url, driver, queries))


async def _traffic(directory: str, url: str, driver: str, queries: Sequence[str]) -> Facts:
    facts: Facts = {}
    listener = Traffic()
    client, database = connect(url, driver, listener)
    try:
        for step, change in {"update: cold": _leave, **_CHANGES}.items():
            change(_stat_all(directory))
            async with Index(client=client, db_name=database) as index:
                listener.reset()
                with _measured(facts, step):
                    await index.update_from_directory(directory)
            facts[step] |= listener.facts()
        async with Index(client=client, db_name=database) as index:
            facts |= await _remote_reads(index, listener, queries)
    finally:
        await client.drop_database(database)
        closing = client.close()
        if closing is not None:
            await closing
    return facts


async def _remote_reads(index: Index, listener: Traffic, queries: Sequence[str]) -> Facts:
    ids = [entry.oifm_id for entry in (await index.all(limit=_AT_ONCE)).entries]
    steps: dict[str, Callable[[], Awaitable[object]]] = {
        "get by id": partial(index.get, ids[0]),
        "get_full_batch(1000)": partial(index.get_full_batch, ids),
        "search: first": partial(index.search, queries[0]),
        "search: uncached": partial(index.search, queries[1]),
        "search: cached": partial(index.search, queries[1]),
        "search: batch": partial(index.search_batch, queries[2:]),
    }
    facts: Facts = {}
    for step, call in steps.items():
        listener.reset()
        with _measured(facts, step):
            await call()
        facts[step] |= listener.facts()
    facts["search: batch"]["per_second"] = len(queries[2:]) / facts["search: batch"]["seconds"]
    facts["get by id"]["seconds"] = await _each_takes(index.get, ids[:200])
    return facts


def reads(url: str, queries: Sequence[str]) -> Facts:
    """Measure reads of a SQLite index, and bare queries of the same file."""
    connection = sqlite3.connect(f"{Path(url).absolute().as_uri()}?mode=ro", uri=True)
    try:
        return asyncio.run(_reads(url, queries, connection))
    finally:
        connection.close()


async def _reads(url: str, queries: Sequence[str], connection: sqlite3.Connection) -> Facts:
    facts: Facts = {}
    bare = {query: " OR ".join(f'"{token}"' for token in analyze(query)) for query in queries}

    def ask(query: str) -> object:
        return connection.execute(_BARE, (bare[query],)).fetchall()

    async with Index(url) as index:
        ids = [row[0] for row in connection.execute('SELECT oifm_id FROM "entries_main" LIMIT 1000')]
        await index.get(ids[0])
        facts["get by id"] = {"seconds": await _each_takes(index.get, ids[:500])}
        with _measured(facts, "get_full_batch(1000)"):
            await index.get_full_batch(ids)
        with _measured(facts, "search: first"):
            await index.search(queries[0])
        ours, floor = [], []
        for query in queries[1:]:
            before = _now()
            ask(query)
            between = _now()
            await index.search(query)
            floor.append([end - start for start, end in zip(before, between, strict=True)])
            ours.append([end - start for start, end in zip(between, _now(), strict=True)])
        for case, taken in (("floor: FTS5 OR query", floor), ("search: uncached", ours)):
            seconds, cpu = zip(*taken, strict=True)
            facts[case] = {
                "seconds": median(seconds),
                "cpu": median(cpu),
                "mean": sum(seconds) / len(seconds),
            }
        facts["search: cached"] = {"seconds": await _each_takes(index.search, [queries[1]] * 500)}
    facts["metrics: disabled"] = {"seconds": _disabled_metrics()}
    async with Index(url) as index:
        await index.search(queries[0])
        bare_seconds = sum(_takes(ask, query) for query in queries)
        with _measured(facts, "search: batch"):
            await index.search_batch(queries)
    facts["floor: FTS5 OR loop"] = {"seconds": bare_seconds, "per_second": len(queries) / bare_seconds}
    facts["search: batch"]["per_second"] = len(queries) / facts["search: batch"]["seconds"]
    return facts


def reports(url: str, names: Sequence[str]) -> Facts:
    """Measure the reading of reports that have *names*, after the labels are known, and the memory of it."""
    return asyncio.run(_reports(url, texts(names, _REPORTS)))


async def _reports(url: str, reports: Sequence[str]) -> Facts:
    facts: Facts = {}
    async with Index(url) as index:
        with _measured(facts, "reports: first"):
            await index.read_report(reports[0])
        with _measured(facts, "reports: read"):
            await index.read_reports(reports)
    facts["reports: read"]["per_second"] = (
        len(reports) * SENTENCES_PER_REPORT / facts["reports: read"]["seconds"]
    )
    return facts


async def _each_takes(function: Callable[[str], Any], arguments: Sequence[str]) -> float:
    """Return the median seconds of one call."""
    seconds = []
    for argument in arguments:
        started = time.perf_counter()
        await function(argument)
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def _disabled_metrics() -> float:
    """Return the seconds of one measurement with a disabled monitor."""
    measure = PerformanceMonitor(enabled=False).measure
    started = time.perf_counter()
    for _ in range(_MANY):
        with measure("search", items=10):
            pass
    return (time.perf_counter() - started) / _MANY


def _now() -> tuple[float, float]:
    """Return the time and the CPU seconds of this process."""
    return time.perf_counter(), time.process_time()


def _takes(function: Callable[[str], object], argument: str) -> float:
    started = time.perf_counter()
    function(argument)
    return time.perf_counter() - started


async def _update(directory: str, url: str) -> None:
    async with Index(url, settings=Settings.load(db=url)) as index:
        report = await index.update_from_directory(directory, force=True)
    if report.refused:
        raise SystemExit(f"the update was refused: {report.refused}")


@contextmanager
def _measured(facts: Facts, step: str) -> Iterator[None]:
    """Measure the seconds, the CPU seconds of all processes, and the peak memory of this one."""
    cpu, started = _cpu(), time.perf_counter()
    yield
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if sys.platform != "darwin" else 1024**2
    )
    facts[step] = {"seconds": seconds, "cpu": _cpu() - cpu, "peak_mb": peak}


def _cpu() -> float:
    """Return the CPU seconds of this process and its ended children."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _stat_all(directory: str) -> list[str]:
    """Return the finding models below *directory*, with one stat each."""
    found: list[str] = []
    pending = [directory]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.name.endswith(".fm.json"):
                    entry.stat()
                    found.append(entry.path)
    return sorted(found)


def _edit(path: str) -> None:
    """Change the description in a file."""
    text = Path(path).read_text(encoding="utf-8")
    Path(path).write_text(text.replace('"description": "', '"description": "x', 1), encoding="utf-8")
    now = time.time_ns() - 10**10
    os.utime(path, ns=(now, now))


def _leave(paths: Sequence[str]) -> None:
    """Change nothing."""


def _touch_all(paths: Sequence[str]) -> None:
    """Change the modification time of every file."""
    now = time.time_ns() - 10**10
    for path in paths:
        os.utime(path, ns=(now, now))


def _edit_some(paths: Sequence[str]) -> None:
    """Change one file in a hundred."""
    _edit_all(paths[::100])


def _edit_all(paths: Sequence[str]) -> None:
    for path in paths:
        _edit(path)


_CHANGES: dict[str, Callable[[Sequence[str]], None]] = {
    "update: no change": _leave,
    "update: touched": _touch_all,
    "update: 1 % changed": _edit_some,
    "update: all changed": _edit_all,
}

CASES: dict[str, Callable[..., Facts]] = {
    "floors": floors,
    "parse": parse,
    "cold": cold,
    "updates": updates,
    "traffic": traffic,
    "reads": reads,
    "reports": reports,
}


def main() -> None:
    """Run one case."""
    _, case, arguments = sys.argv
    print(json.dumps(CASES[case](**json.loads(arguments))))


if __name__ == "__main__":
    main()
