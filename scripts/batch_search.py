"""Answer a file of queries, like ``findingmodel search --batch``: an example of the Python API.

    python scripts/batch_search.py QUERIES [--output ANSWERS] [--db URL] [--column NAME] [--resume] ...

QUERIES is plain text with one query per line, CSV with a header, or JSON Lines; "-" is standard input.
ANSWERS is JSON Lines or CSV, by its name; without it they go to standard output. With --by-sentence a text
can be a whole report. Progress and the summary go to standard error.

Exit codes: 0 done; 1 done, but some queries are invalid; 2 bad usage; 3 the database failed; 130 interrupted;
141 the reader of the output has closed it.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import sys
from typing import TYPE_CHECKING

from findingmodel.batch import read as batch_read
from findingmodel.batch import write as batch_write
from findingmodel.batch.run import BatchJob, run_batch
from findingmodel.errors import FindingModelError, StoreError
from findingmodel.limits import SERVER_CONCURRENCY
from findingmodel.runtime.run_without_loop import inline, run_without_loop
from findingmodel.search.searcher import Searcher
from findingmodel.settings import Settings
from findingmodel.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from findingmodel.batch.run import BatchSummary
    from findingmodel.runtime.run_without_loop import Offload

__all__ = ["main"]

_INTERRUPTED, _READER_GONE = 130, 141  # exit codes, as shells report the signals
_BETWEEN = 1_000  # queries between two lines of progress


def run(settings: Settings, job: BatchJob) -> BatchSummary:
    """Run *job* on the index that *settings* select.

    Queries to a server run concurrently in an event loop. A SQLite file does not need one.
    """
    if settings.is_server:
        return asyncio.run(answer(settings, job._replace(concurrency=SERVER_CONCURRENCY), asyncio.to_thread))
    return run_without_loop(answer(settings, job, inline))


async def answer(settings: Settings, job: BatchJob, offload: Offload) -> BatchSummary:
    """Open the index and run *job*."""
    store = open_store(settings.db, branch=settings.branch, settings=settings, offload=offload)
    try:
        await store.open()
        return await run_batch(Searcher(store), job, echo=sys.stdout.write, progress=show_progress)
    finally:
        await store.close()


def show_progress(done: int, total: int) -> None:
    """Report progress every 1,000 queries."""
    if done % _BETWEEN == 0:
        print(f"{done:,} of {total:,}", file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("source", metavar="QUERIES", help='a file, or "-" for standard input')
    options.add_argument("--output", dest="target", default="-", metavar="ANSWERS", help="the file to write")
    options.add_argument("--db", metavar="URL", help="SQLite file or MongoDB URL of the index")
    options.add_argument("--branch", metavar="NAME", help="the index in that database")
    options.add_argument(
        "--column", default="query", help="the column or member with the query (default: query)"
    )
    options.add_argument(
        "--read-as", choices=batch_read.FORMS, help="the format of QUERIES, if not given by its name"
    )
    options.add_argument(
        "--format", dest="write_as", choices=batch_write.FORMS, help="the format of the output"
    )
    options.add_argument("--by-sentence", action="store_true", help="search for each sentence by itself")
    options.add_argument("--resume", action="store_true", help="continue after the last answer in ANSWERS")
    options.add_argument(
        "--limit", type=int, default=10, help="maximum number of hits per query (default: 10)"
    )
    options.add_argument("--tag", dest="tags", action="append", default=[], help="only models with this tag")
    options.add_argument(
        "--explain", action="store_true", help="include the reasons for each hit in JSON Lines"
    )
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    chosen = vars(parser().parse_args(arguments))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # independent of the locale
    try:
        settings = Settings.load(db=chosen.pop("db"), branch=chosen.pop("branch"))
        summary = run(settings, BatchJob(**chosen))
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("batch_search: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # discard buffered output
        return _READER_GONE
    except (FindingModelError, OSError) as error:
        print(f"batch_search: {error}", file=sys.stderr)
        return 3 if isinstance(error, StoreError) else 2
    print(", ".join(f"{count:,} {name}" for name, count in summary._asdict().items()), file=sys.stderr)
    return 1 if summary.failed else 0


if __name__ == "__main__":
    sys.exit(main())
