"""Read the reports of a job, and write what they say record by record, so that a run can be resumed."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.batch.report_files import STREAM, expand, read_items
from findingmodel.batch.report_output import (
    RESUMABLE,
    ReportProgress,
    after,
    form_of,
    read_progress,
    writer_of,
)
from findingmodel.batch.report_stream import read_stream
from findingmodel.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from findingmodel.batch import read as batch_read
    from findingmodel.batch import report_output
    from findingmodel.reports.service import StoreReports

    Progress = Callable[[int, int], None]
    Write = Callable[[str], object]


class ReportJob(NamedTuple):
    """The reports of one batch, and where their findings go.

    Attributes:
        sources: files, directories with text files, or "-".
        target: a file, or "-" for standard output.
        read_as: "text", "csv" or "jsonl"; None to decide by the names.
        write_as: "jsonl", "csv", "html" or "fhir"; None to decide by the name of *target*.
        column: the CSV column, or the member of each JSON object, that holds the report.
        resume: continue after the last report in *target*.
        exam: the name of all examinations, such as "CT chest"; "" if the reports tell.
        limit: the most hits per mention.
        processes: the most processes; 0 for one per processor.
    """

    sources: Sequence[str]
    target: str = STREAM
    read_as: batch_read.Form | None = None
    write_as: report_output.Form | None = None
    column: str = "text"
    resume: bool = False
    exam: str = ""
    limit: int = 5
    processes: int = 0

    @property
    def written_as(self) -> report_output.Form:
        """The format of the output."""
        return self.write_as or form_of(self.target)


class ReportSummary(NamedTuple):
    """The numbers of a batch, including those of an earlier run.

    Attributes:
        reports: how many were read or failed.
        mentions: the findings named in them.
        failed: reports that could not be read.
        resumed: how many of the reports an earlier run had read.
    """

    reports: int
    mentions: int
    failed: int
    resumed: int


def _ignore_progress(done: int, total: int) -> None:
    """Ignore the progress."""


async def run_reports(
    reports: StoreReports, job: ReportJob, *, echo: Write, progress: Progress = _ignore_progress
) -> ReportSummary:
    """Read the reports of *job* in order, and write what each says as soon as it is known.

    Args:
        reports: reads them with the index.
        job: what to do.
        echo: writes text to standard output.
        progress: called with (reports done, all reports), or (done, done) if the total is unknown.

    Raises:
        QueryError: the sources cannot be read, or the output cannot be resumed.
        OSError: the output cannot be written.
        StoreError: the store failed; a resumed job continues after what was written.
    """
    files = expand(job.sources)
    _check(job, files)
    items = read_items(files, read_as=job.read_as, column=job.column)
    first = next(items, None)
    items = chain([first] if first else [], items)
    writer = writer_of(job.written_as)
    heading = writer.start(first)
    known = _known(job, heading)
    remaining = after(known, items, job.target)
    total = len(files) if all(form == "text" for form in _forms(job, files)) else 0
    done, mentions, failed = known.reports, known.mentions, known.failed
    with _appending(job.target, echo, is_new=known.last is None) as write:
        if known.last is None:
            write(heading)
        stream = read_stream(reports, remaining, exam=job.exam, limit=job.limit, processes=job.processes)
        async for item, reading, error in stream:
            write(writer.record(item, reading, error))
            done += 1
            mentions += len(reading.mentions) if reading else 0
            failed += bool(error)
            progress(done, max(total, done))
        write(writer.end())
    return ReportSummary(done, mentions, failed, known.reports)


def _forms(job: ReportJob, files: Sequence[str]) -> list[str]:
    from findingmodel.batch.read import form_of as form_of_input

    return [job.read_as or form_of_input(file) for file in files]


def _check(job: ReportJob, files: Sequence[str]) -> None:
    """Refuse a job that would destroy a file or cannot be done."""
    if job.limit < 1:
        raise QueryError(f"limit is {job.limit}: ask for at least one hit")
    if job.resume and job.target == STREAM:
        raise QueryError("only a file can be resumed: name one as the output")
    if job.resume and job.written_as not in RESUMABLE:
        raise QueryError(f"a page or bundle cannot be resumed: write {' or '.join(RESUMABLE)}")
    if job.target != STREAM and Path(job.target).exists():
        for file in files:
            if file != STREAM and Path(file).exists() and Path(job.target).samefile(file):
                raise QueryError(f"{job.target} cannot hold both a report and the findings")


def _known(job: ReportJob, heading: str) -> ReportProgress:
    path = Path(job.target)
    if job.resume and path.exists():
        return read_progress(path, job.written_as, heading)
    return ReportProgress(None)


@contextmanager
def _appending(target: str, echo: Write, *, is_new: bool) -> Iterator[Write]:
    """Yield a function that writes to *target*, after what it holds unless it is new."""
    if target == STREAM:
        yield echo
        return
    with Path(target).open(
        "w" if is_new else "a", encoding="utf-8", errors="backslashreplace", newline=""
    ) as out:

        def write(text: str) -> None:
            out.write(text)
            out.flush()

        yield write
