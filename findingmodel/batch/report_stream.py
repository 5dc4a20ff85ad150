"""Read a stream of reports, in a process per processor where there are many."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.limits import MAX_REPORT_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from concurrent.futures import Future

    from findingmodel.batch.report_files import ReportItem
    from findingmodel.reports.reader import ReportReader
    from findingmodel.reports.service import StoreReports
    from findingmodel.reports.values import ReportReading

    Outcome = tuple[ReportItem, ReportReading | None, str]

_CHUNK = 16  # reports that a process reads at once
_AHEAD = 3  # chunks per process that may wait to be written
_MANY = 64  # reports from which on starting processes pays


async def read_stream(
    reports: StoreReports, items: Iterable[ReportItem], *, exam: str = "", limit: int = 5, processes: int = 0
) -> AsyncIterator[tuple[ReportItem, ReportReading | None, str]]:
    """Yield each item with its reading, or None and the error, in order.

    Args:
        reports: reads them with the index.
        items: the reports; they are consumed as they are read.
        exam: the name of all examinations; "" if the reports tell.
        limit: the most hits per mention.
        processes: the most processes; 0 for one per processor.

    Raises:
        StoreError: the store failed.
    """
    iterator = iter(items)
    start = list(islice(iterator, _MANY))
    count = _process_count(processes, is_many=len(start) == _MANY)
    task = _Task(await reports.reader(), exam, limit)
    remaining = chain(start, iterator)
    outcomes = _in_processes(task, remaining, count) if count > 1 else _in_place(task, remaining)
    for item, reading, error in outcomes:
        complete = None if reading is None else await reports.complete(reading, limit)
        yield item, complete, error


class _Task(NamedTuple):
    """Reads one report after another."""

    reader: ReportReader
    exam: str
    limit: int

    def __call__(self, item: ReportItem) -> Outcome:
        """Return what a report says, or why it could not be read."""
        if item.error is not None:
            return item, None, str(item.error)
        if len(item.text) > MAX_REPORT_CHARACTERS:
            return item, None, f"the report has more than {MAX_REPORT_CHARACTERS:,} characters"
        return item, self.reader.read(item.text, self.exam, self.limit), ""


def _in_place(task: _Task, items: Iterable[ReportItem]) -> Iterator[Outcome]:
    for item in items:
        yield task(item)


_forked: list[_Task] = []
"""The task of this process and of those forked from it."""


def _in_processes(task: _Task, items: Iterable[ReportItem], processes: int) -> Iterator[Outcome]:
    """Yield the outcomes in order; the processes are forks of this one, and share its labels."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    _forked[:] = [task]
    iterator = iter(items)
    waiting: deque[Future[list[Outcome]]] = deque()
    try:
        with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
            while chunk := list(islice(iterator, _CHUNK)):
                waiting.append(pool.submit(_read_chunk, chunk))
                if len(waiting) >= processes * _AHEAD:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
    finally:
        _forked.clear()


def _read_chunk(items: list[ReportItem]) -> list[Outcome]:
    return [_forked[0](item) for item in items]


def _process_count(most: int, *, is_many: bool) -> int:
    """Return how many processes read; 1 for this one alone, where forks are not safe or do not pay."""
    if not is_many or not sys.platform.startswith("linux") or threading.active_count() > 1:
        return 1
    usable = len(os.sched_getaffinity(0))
    return min(most or usable, usable)
