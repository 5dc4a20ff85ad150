"""run_batch: answer a file of questions, record by record; what is written stands, however the run ends."""

from __future__ import annotations

import io
import sys
from collections import Counter, deque
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.batch import read as batch_read
from findingmodel.batch import write as batch_write
from findingmodel.batch.read import by_sentence, read_questions
from findingmodel.batch.search import STATUSES, stream_batch
from findingmodel.batch.write import Begun, CsvLines, JsonLines, take_up
from findingmodel.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO, TextIO

    from findingmodel.batch.read import Question
    from findingmodel.batch.search import BatchRow
    from findingmodel.batch.write import Writer
    from findingmodel.search.searcher import Searcher

    Progress = Callable[[int, int], None]
    Write = Callable[[str], object]

__all__ = ["BatchJob", "BatchSummary", "run_batch"]

_STREAM = "-"


class BatchJob(NamedTuple):
    """What to answer, and where to write it.

    Attributes:
        source: a file of questions, or "-" for standard input.
        target: a file of answers, or "-" for standard output.
        read_as: "text", "csv" or "jsonl"; by the name of *source* if None.
        write_as: "jsonl" or "csv"; by the name of *target* if None.
        column: where the query stands in CSV, and in an object of JSON Lines.
        by_sentence: search for each sentence of a text by itself.
        resume: go on behind the last answer in *target*.
        limit: most hits for each question.
        tags: required of every hit.
        explain: JSON Lines say why each hit was found.
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
        """The form of the answers."""
        return self.write_as or batch_write.form_of(self.target)


class BatchSummary(NamedTuple):
    """How many questions have been answered, those of an earlier run included.

    Attributes:
        matched: with one clear best hit.
        ambiguous: with several hits as good, or with weak ones only.
        unmatched: without a hit.
        failed: that are no queries.
        resumed: of all these, what an earlier run had answered.
    """

    matched: int
    ambiguous: int
    unmatched: int
    failed: int
    resumed: int

    @property
    def queries(self) -> int:
        """All of them."""
        return sum(self[: len(STATUSES)])


def _unseen(done: int, total: int) -> None:
    """Progress that nobody watches."""


async def run_batch(
    searcher: Searcher, job: BatchJob, *, echo: Write, progress: Progress = _unseen
) -> BatchSummary:
    """Answer the questions of *job* in their order, and write each answer as soon as it is known.

    Args:
        searcher: the index.
        job: what to do.
        echo: writes one record to standard output.
        progress: called with (questions done, questions in all); with the first twice where the second is not
            known.

    Raises:
        QueryError: the questions cannot be read, or *target* is no place to go on.
        OSError: a file cannot be opened or written.
        StoreError: the store failed; what was written stands, and a job that resumes goes on from there.
    """
    _check(job)
    total = _total(job)
    with _opened(job.source) as lines:
        questions = _questions(job, lines)
        first = next(questions, None)
        writer = _writer(job, first)
        known = _known(job, writer)
        questions = _behind(known, chain([first] if first else [], questions), job.target, writer)
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
    """Yield each question with its answer; one that is no text fails like one that is no query."""
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
    """Refuse what would destroy a file or cannot be done."""
    if job.target == _STREAM:
        if job.resume:
            raise QueryError("only a file of answers can be gone on with: name it")
    elif job.source != _STREAM and Path(job.target).exists() and Path(job.target).samefile(job.source):
        raise QueryError(f"{job.target} cannot hold both the questions and the answers")


@contextmanager
def _opened(source: str) -> Iterator[TextIO]:
    if source != _STREAM:
        with Path(source).open("rb") as data, _as_text(data) as lines:
            yield lines
        return
    lines = _as_text(sys.stdin.buffer)
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
    """Return how many questions there are; 0 where they cannot be read twice."""
    if job.source == _STREAM or not Path(job.source).is_file():
        return 0
    with _opened(job.source) as lines:
        return sum(1 for _ in _questions(job, lines))


def _known(job: BatchJob, writer: Writer) -> Begun:
    path = Path(job.target)
    if job.resume and path.exists():
        return take_up(path, job.written_as, writer)
    return Begun(0, 0, "", Counter())


def _behind(known: Begun, questions: Iterator[Question], target: str, writer: Writer) -> Iterator[Question]:
    """Return the questions behind the last one that is answered."""
    if not known.line:
        return questions
    at = (known.line, known.part)
    last = next((question for question in questions if (question.line, question.part) >= at), None)
    answered = (*at, _as_written(known.query))
    if last is None or (last.line, last.part, _as_written(writer.query(last.query))) != answered:
        raise QueryError(f"{target} holds answers to other questions: they differ at line {known.line}")
    return questions


@contextmanager
def _appending(target: str, echo: Write, known: Begun) -> Iterator[Write]:
    """Lend what writes to *target*, behind what is *known*."""
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


_ESCAPED = "backslashreplace"  # what is no text; in JSON, that is how JSON itself would write it


def _as_written(text: str) -> str:
    return text.encode(errors=_ESCAPED).decode()
