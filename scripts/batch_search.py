"""Search for every query in a file, and write what was found for each.

    python scripts/batch_search.py QUESTIONS [--output ANSWERS] [--db URL] [--column NAME] [--resume] ...

QUESTIONS is plain text with a query a line, CSV with a heading, or JSON Lines; "-" is standard input. ANSWERS
is JSON Lines or CSV, by its name; without it they go to standard output. With --by-sentence a text may be a
whole report. It does what ``findingmodel search --batch`` does, and shows how to do so in Python. Progress
and the summary go to standard error. Exit codes: 0 done; 1 done, but some of the texts were no queries; 2 bad
usage; 3 the database failed; 130 interrupted; 141 nobody reads the answers any more.
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
from findingmodel.batch.search import AT_A_SERVER
from findingmodel.errors import FindingModelError, StoreError
from findingmodel.runtime.run_without_loop import inline, run_without_loop
from findingmodel.search.searcher import Searcher
from findingmodel.settings import Settings
from findingmodel.stores import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from findingmodel.batch.run import BatchSummary
    from findingmodel.runtime.run_without_loop import Offload

__all__ = ["main"]

_INTERRUPTED, _READER_GONE = 130, 141  # exit codes, as a shell would report the signals
_BETWEEN = 1_000  # questions between two lines of progress


def run(settings: Settings, job: BatchJob) -> BatchSummary:
    """Do *job* against the index that *settings* name.

    A server answers many queries at once in an event loop; a file answers at once, and needs none.
    """
    if settings.is_server:
        return asyncio.run(answer(settings, job._replace(concurrency=AT_A_SERVER), asyncio.to_thread))
    return run_without_loop(answer(settings, job, inline))


async def answer(settings: Settings, job: BatchJob, offload: Offload) -> BatchSummary:
    """Open the index, and do *job*."""
    store = open_store(settings.db, branch=settings.branch, settings=settings, offload=offload)
    try:
        await store.open()
        return await run_batch(Searcher(store), job, echo=sys.stdout.write, progress=show_progress)
    finally:
        await store.close()


def show_progress(done: int, total: int) -> None:
    """Tell now and then how far it is."""
    if done % _BETWEEN == 0:
        print(f"{done:,} of {total:,}", file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("source", metavar="QUESTIONS", help='a file, or "-" for standard input')
    options.add_argument("--output", dest="target", default="-", metavar="ANSWERS", help="a file")
    options.add_argument("--db", metavar="URL", help="SQLite file or MongoDB URL of the index")
    options.add_argument("--branch", metavar="NAME", help="which index in that database")
    options.add_argument(
        "--column", default="query", help="where CSV or JSON hold the query (default: query)"
    )
    options.add_argument("--read-as", choices=batch_read.FORMS, help="what QUESTIONS is, if not by its name")
    options.add_argument("--format", dest="write_as", choices=batch_write.FORMS, help="what to write")
    options.add_argument("--by-sentence", action="store_true", help="search for each sentence by itself")
    options.add_argument("--resume", action="store_true", help="go on behind the last answer")
    options.add_argument("--limit", type=int, default=10, help="most hits for a query (default: 10)")
    options.add_argument("--tag", dest="tags", action="append", default=[], help="required of every hit")
    options.add_argument("--explain", action="store_true", help="JSON Lines tell why each hit was found")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    chosen = vars(parser().parse_args(arguments))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # whatever the locale says
    try:
        settings = Settings.load(db=chosen.pop("db"), branch=chosen.pop("branch"))
        summary = run(settings, BatchJob(**chosen))
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("batch_search: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still buffered
        return _READER_GONE
    except (FindingModelError, OSError) as error:
        print(f"batch_search: {error}", file=sys.stderr)
        return 3 if isinstance(error, StoreError) else 2
    print(", ".join(f"{count:,} {name}" for name, count in summary._asdict().items()), file=sys.stderr)
    return 1 if summary.failed else 0


if __name__ == "__main__":
    sys.exit(main())
