"""Answer a file of questions record by record, so that an interrupted run can be resumed."""

from __future__ import annotations

import io
from collections import Counter, deque
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.batch import read as batch_read
from findingmodel.batch import write as batch_write
from findingmodel.batch.read import by_sentence, read_questions
from findingmodel.batch.search import STATUSES, stream_batch
from findingmodel.batch.write import BatchProgress, CsvLines, JsonLines, read_progress
from findingmodel.errors import QueryError
from findingmodel.runtime.files import standard_input

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO, TextIO

    from findingmodel.batch.read import Question
    from findingmodel.batch.search import BatchRow
    from findingmodel.batch.write import Writer
    from findingmodel.search.searcher import Searcher

    Progress = Callable[[int, int], None]
    Write = Callable[[str], object]

_STREAM = "-"


class BatchJob(NamedTuple):
    """The questions of one batch, and where its answers go.

    Attributes:
        source: a file of questions, or "-" for standard input.
        target: a file of answers, or "-" for standard output.
        read_as: "text", "csv" or "jsonl"; None to decide by the name of *source*.
        write_as: "jsonl" or "csv"; None to decide by the name of *target*.
        column: the CSV column, or the member of each JSON object, that holds the query.
        by_sentence: search for each sentence of a text separately.
        resume: continue after the last answer in *target*.
        limit: the most hits per question.
        tags: only models that have all of these tags.
        explain: include the reasons of each hit in JSON Lines.
        concurrency: as for `findingmodel.batch.search.stream_batch`.
    """

    source: str
    target: str = _STREAM
    read_as: batch_read.Form | None = None
    write_as: batch_write.Form | None = None
    column: str = "query"
    by_sentence: bool = False
    resume: bool = False
    limit: int = 10
    tags: Sequence[str] = ()
    explain: bool = False
    concurrency: int = 1

    @property
    def written_as(self) -> batch_write.Form:
        """The format of the answers."""
        return self.write_as or batch_write.form_of(self.target)


class BatchSummary(NamedTuple):
    """The numbers of answered questions, including those of an earlier run.

    Attributes:
        matched: one hit is clearly the best.
        ambiguous: several hits are equally good, or all are weak.
        unmatched: no hit.
        failed: the question is not a valid query.
        resumed: how many of all these an earlier run had answered.
    """

    matched: int
    ambiguous: int
    unmatched: int
    failed: int
    resumed: int

    @property
    def queries(self) -> int:
        """The number of all questions."""
        return sum(self[: len(STATUSES)])


def _ignore_progress(done: int, total: int) -> None:
    """Ignore the progress."""


async def run_batch(
    searcher: Searcher, job: BatchJob, *, echo: Write, progress: Progress = _ignore_progress
) -> BatchSummary:
    """Answer the questions of *job* in order, and write each answer as soon as it is known.

    Args:
        searcher: the index.
        job: what to do.
        echo: writes one record to standard output.
        progress: called with (questions done, all questions), or (done, done) if the total is unknown.

    Raises:
        QueryError: the questions cannot be read, or the answers in *target* cannot be resumed.
        OSError: a file cannot be opened or written.
        StoreError: the store failed; a resumed job continues after what was written.
    """
    _check(job)
    total = _total(job)
    with _opened(job.source) as lines:
        questions = _questions(job, lines)
        first = next(questions, None)
        writer = _writer(job, first)
        known = _known(job, writer)
        questions = _after(known, chain([first] if first else [], questions), job.target, writer)
        counts = known.counts.copy()
        with _appending(job.target, echo, known) as write:
            if not known.line:
                write(writer.heading())
            async for question, row in _answers(searcher, job, questions):
                write(writer.record(question, row))
                counts[row.status] += 1
                progress(counts.total(), max(total, counts.total()))
    return BatchSummary(**{status: counts[status] for status in STATUSES}, resumed=known.counts.total())


async def _answers(
    searcher: Searcher, job: BatchJob, questions: Iterable[Question]
) -> AsyncIterator[tuple[Question, BatchRow]]:
    """Yield each question with its answer; a question with an error has a failed answer."""
    under_way: deque[Question] = deque()

    def texts() -> Iterator[str]:
        for question in questions:
            under_way.append(question)
            yield question.query if question.error is None else ""

    rows = stream_batch(searcher, texts(), limit=job.limit, tags=job.tags, concurrency=job.concurrency)
    async for row in rows:
        yield under_way.popleft(), row


def _writer(job: BatchJob, first: Question | None) -> Writer:
    if job.written_as == "csv":
        return CsvLines(tuple(first.fields) if first else ())
    return JsonLines(job.explain)


def _check(job: BatchJob) -> None:
    """Refuse a job that would destroy a file or cannot be done."""
    if job.target == _STREAM:
        if job.resume:
            raise QueryError("there is nothing to resume on standard output: name the file of answers")
    elif job.source != _STREAM and Path(job.target).exists() and Path(job.target).samefile(job.source):
        raise QueryError(f"{job.target} cannot hold both the questions and the answers")


@contextmanager
def _opened(source: str) -> Iterator[TextIO]:
    if source != _STREAM:
        with Path(source).open("rb") as data, _as_text(data) as lines:
            yield lines
        return
    lines = _as_text(standard_input())
    try:
        yield lines
    finally:
        lines.detach()  # standard input is not ours to close


def _as_text(data: BinaryIO) -> io.TextIOWrapper:
    start = data.peek(2) if isinstance(data, io.BufferedReader) else b""
    return io.TextIOWrapper(data, **batch_read.encoding_of(start))


def _questions(job: BatchJob, lines: TextIO) -> Iterator[Question]:
    questions = read_questions(lines, job.read_as or batch_read.form_of(job.source), job.column)
    return by_sentence(questions) if job.by_sentence else questions


def _total(job: BatchJob) -> int:
    """Return the number of questions; 0 if the source cannot be read twice."""
    if job.source == _STREAM or not Path(job.source).is_file():
        return 0
    with _opened(job.source) as lines:
        return sum(1 for _ in _questions(job, lines))


def _known(job: BatchJob, writer: Writer) -> BatchProgress:
    path = Path(job.target)
    if job.resume and path.exists():
        return read_progress(path, job.written_as, writer)
    return BatchProgress(0, 0, "", Counter())


def _after(
    known: BatchProgress, questions: Iterator[Question], target: str, writer: Writer
) -> Iterator[Question]:
    """Return the questions after the last answered one."""
    if not known.line:
        return questions
    at = (known.line, known.part)
    last = next((question for question in questions if (question.line, question.part) >= at), None)
    answered = (*at, _as_written(known.query))
    if last is None or (last.line, last.part, _as_written(writer.query(last.query))) != answered:
        raise QueryError(f"{target} has answers to other questions: they differ at line {known.line}")
    return questions


@contextmanager
def _appending(target: str, echo: Write, known: BatchProgress) -> Iterator[Write]:
    """Yield a function that writes to *target*, after the *known* answers."""
    if target == _STREAM:
        yield echo
        return
    with Path(target).open(
        "a" if known.line else "w", encoding="utf-8", errors=_ESCAPED, newline=""
    ) as answers:

        def write(record: str) -> None:
            answers.write(record)
            answers.flush()

        yield write


_ESCAPED = "backslashreplace"  # for lone surrogates; JSON escapes them in the same way


def _as_written(text: str) -> str:
    return text.encode(errors=_ESCAPED).decode()
