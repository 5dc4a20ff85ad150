"""Bad input: files, queries, arguments and ledgers with random changes."""

from __future__ import annotations

import asyncio
import json
import random
import re
import resource
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from findingmodel.batch.read import read_questions
from findingmodel.cli.main import cli
from findingmodel.errors import FindingModelError, QueryError
from findingmodel.index.aio import Index
from findingmodel.model.parse import parse_model
from findingmodel.observe.ledger import LedgerLocation, read_history
from findingmodel.stores.records import FileState, WriteBatch
from findingmodel.stores.sqlite.store import SQLiteStore
from findingmodel.text.query import parse_query
from findingmodel.update.load import Loader
from tests.torture.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Sequence

__all__ = ["fuzz"]

_SAMPLES = Path(__file__).parent.parent.parent / "samples" / "defs"
_SECONDS = 5.0
"""The limit of one case; the slowest takes some hundredths of a second."""

_MOST_GROWTH_KB = 200_000
_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**30, -(2**63) - 1, 1e308, "", " ", "x" * 5_000, [], {}, [[]], [{}]),
    *(
        "\0",
        "\u202e",
        "\x1b[31m",
        "\ud800",
        "=1+1",
        "$where",
        "a.b",
        "__proto__",
        "../../etc/passwd",
        "%s{0}",
    ),
    *({"$gt": ""}, {"": ""}, [None], ["x", 5], {"a": {"b": [1, {"c": None}]}}, "\U0001f600" * 50, "İ", "ﬁ"),
)
_ODD_BYTES = (b"\x00", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"NaN", b"-Infinity", b"1e999", b"9" * 5_000)
_ODD_BYTES += (b"\xef\xbb\xbf", b"[" * 2_000, b'{"a":' * 500, b"//", b"/*", b"'", b"\\", b'"', b",", b"}")
_PIECES = ('"', "'", "-", "(", ")", "*", ":", "^", "NEAR", "AND", "OR", "NOT", "tag:", "tag:CT", "code:x:y")
_PIECES += ("$where", "{", "}", "[", "]", ".*", "\\", "/", "%", "_", "\0", "\x1b[2J", "\u202e", "\ud800")
_PIECES += (
    "lung",
    "nodule",
    "OIFM_TEST_000001",
    "PE",
    "no ",
    "İ",
    "ﬁ",
    "é",
    "脳",
    "x" * 300,
    " " * 50,
    "1e9",
)
_POINTER = re.compile(r"(/([^~/]|~[01])*)*")


def fuzz(home: Path, seeds: Sequence[bytes], seed: int, times: int) -> Tally:
    """Pass *times* mutated files, queries, arguments, batches and ledgers to their readers.

    Args:
        home: an empty directory.
        seeds: contents of model files to mutate.
        seed: the random seed.
        times: the number of cases.
    """
    tally, chance = Tally(), random.Random(seed)
    home.mkdir(parents=True, exist_ok=True)
    before = _resident_kb()
    with asyncio.Runner() as runner:
        _run(runner.run, home, seeds, chance, tally, times)
    growth = _resident_kb() - before
    tally.expect(growth < _MOST_GROWTH_KB, f"memory grew by {growth:,} kB")
    return tally


def _run(
    run: Callable[[Coroutine[Any, Any, Any]], Any],
    home: Path,
    seeds: Sequence[bytes],
    chance: random.Random,
    tally: Tally,
    times: int,
) -> None:
    files, index = _Files(seeds, chance, tally), Index(str(home / "fuzz.db"))
    run(files.open())
    run(index.update_from_directory(_SAMPLES))
    for number in range(times):
        kind = chance.random()
        if kind < 0.6:
            run(files.case())
        elif kind < 0.95:
            run(_query(index, chance, tally, is_whole=number % 20 == 0))
        elif kind < 0.97:
            _batch(home, chance, tally)
        elif kind < 0.99:
            _ledger(home, chance, tally)
        else:
            _arguments(home, chance, tally)
    run(files.close())
    run(index.close())


class _Files:
    """Parses and checks mutated files; stores valid ones and reads them back."""

    def __init__(self, seeds: Sequence[bytes], chance: random.Random, tally: Tally) -> None:
        self._seeds, self._chance, self._tally = seeds, chance, tally
        self._store = SQLiteStore(":memory:")
        self._loader = Loader("/", 20_000_000)

    async def open(self) -> None:
        await self._store.setup()

    async def close(self) -> None:
        await self._store.close()

    async def case(self) -> None:
        data = mutated(self._chance.choice(self._seeds), self._chance, self._seeds)
        with _watched(self._tally, "a file", data):
            loaded = self._loader.parse(data, FileState("a.fm.json", len(data), 1, "0" * 64, 1, ""))
            for problem in (*loaded.problems, *loaded.warnings):
                is_complete = problem.code and problem.message and _POINTER.fullmatch(problem.pointer)
                self._tally.expect(is_complete, f"a problem without a pointer: {problem!r} of {data[:200]!r}")
            is_either = (loaded.record is None) == bool(loaded.problems)
            self._tally.expect(is_either, f"neither a model nor a problem: {data[:200]!r}")
            if loaded.record is not None:
                self._tally.count("mutated files that are valid")
                await self._keep(loaded.record, data)
        self._tally.count("mutated files")

    async def _keep(self, record: Any, data: bytes) -> None:
        if self._tally.counts["mutated files that are valid"] % 10:
            return
        await self._store.write(WriteBatch([record]))
        oifm_id = record.entry["oifm_id"]
        text = (await self._store.models([oifm_id]))[oifm_id]
        again = parse_model(text).model
        self._tally.expect(again == parse_model(data).model, f"it is not what was stored: {data[:200]!r}")
        entry = (await self._store.get([oifm_id]))[oifm_id]
        self._tally.expect(entry["name"] == record.entry["name"], "the name is not what was stored")


async def _query(index: Index, chance: random.Random, tally: Tally, *, is_whole: bool) -> None:
    text = "".join(chance.choice(_PIECES) + chance.choice(("", " ")) for _ in range(chance.randint(1, 12)))
    if chance.random() < 0.02:
        text *= 2_000
    with _watched(tally, "a query", text):
        try:
            parse_query(text)
            if is_whole:
                tally.count("mutated queries that an index was asked")
                await index.search(text, limit=chance.choice((1, 10, 200)))
                await index.get(text)
                await index.suggest(text)
                await index.search_by_slug(text)
                await index.search("lung", tags=[text])
                await index.find_by_code(text, text)
                await index.matches(text)
                await index.get_person(_storable(text))
        except QueryError:
            tally.count("queries that were refused")
    tally.count("mutated queries")


def _storable(text: str) -> str:
    """Return *text* without characters that no database accepts in a key."""
    return text.encode(errors="ignore").decode()


def _batch(home: Path, chance: random.Random, tally: Tally) -> None:
    form = chance.choice(("text", "csv", "jsonl"))
    rows = {"text": "lung nodule\n", "csv": "query,note\nlung,1\n", "jsonl": '{"query": "lung", "n": 1}\n'}
    path = home / "questions"
    path.write_bytes(mutated(rows[form].encode() * 20, chance, [b'"\n,\t;{}']))
    with _watched(tally, f"a {form} file of queries", path.read_bytes()):
        try:
            with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
                for question in read_questions(lines, form):
                    tally.expect(question.line > 0, "a question without a line")
        except QueryError:
            tally.count("files of queries that were refused")
    tally.count("mutated files of queries")


def _ledger(home: Path, chance: random.Random, tally: Tally) -> None:
    path = home / "ledger"
    note = json.dumps(
        {
            "run": "1",
            "outcome": "done",
            "branch": "main",
            "db": "x",
            "counts": {"added": 1},
            "refused": {"reason": "strict"},
        }
    )
    lines = [mutated(note.encode(), chance, [note.encode()]) for _ in range(chance.randint(0, 3))]
    path.write_bytes(b"\n".join([*lines, mutated(f"{note}\n".encode() * 10, chance, [note.encode()])]))
    with _watched(tally, "a ledger", path.read_bytes()):
        read_history(LedgerLocation(path, "x", "main", is_shared=False), limit=20)
        environment = {"FINDINGMODEL_LEDGER": str(path), "FINDINGMODEL_DB": str(home / "fuzz.db")}
        if chance.random() < 0.1:
            done = CliRunner(catch_exceptions=False).invoke(cli, ["index", "history"], env=environment)
            tally.expect(done.exit_code == 0, f"history: {done.exit_code} {done.output[:200]}")
    tally.count("mutated ledgers")


_WORDS = (
    "index",
    "search",
    "config",
    "get",
    "list",
    "stats",
    "history",
    "tags",
    "check",
    "diff",
    "--json",
    "-v",
)
_WORDS += (
    "--limit",
    "--tag",
    "--offset",
    "--branch",
    "--full",
    "--explain",
    "--db",
    "--help",
    "--batch",
    "--wait",
)


def _arguments(home: Path, chance: random.Random, tally: Tally) -> None:
    arguments = [
        chance.choice(_WORDS) if chance.random() < 0.7 else chance.choice(_PIECES)
        for _ in range(chance.randint(1, 6))
    ]
    if "--db" in arguments:
        arguments[arguments.index("--db") + 1 :] = [str(home / "fuzz.db")]
    environment = {"FINDINGMODEL_DB": str(home / "fuzz.db"), "FINDINGMODEL_LEDGER": "off"}
    with _watched(tally, "arguments", arguments):
        done = CliRunner(catch_exceptions=False).invoke(cli, arguments, env=environment, input="")
        tally.expect(done.exit_code in (0, 1, 2, 3), f"{arguments}: exit {done.exit_code}")
        steers = re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", done.output)
        tally.expect(steers is None, f"{arguments}: the output holds {steers and steers[0]!r}")
    tally.count("mutated command lines")


def mutated(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """Return *data* with random changes in its JSON structure or its bytes."""
    if chance.random() < 0.6:
        try:
            document = json.loads(data)
        except ValueError:
            document = None
        if document is not None:
            for _ in range(chance.randint(1, 3)):
                document = _changed(document, chance)
            text = json.dumps(document, ensure_ascii=chance.random() < 0.5)
            return text.encode("utf-8", "surrogatepass")
    for _ in range(chance.randint(1, 4)):
        data = _spoiled(data, chance, others)
    return data


def _changed(value: Any, chance: random.Random) -> Any:
    """Return JSON *value* with one random change."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        how = chance.random()
        if how < 0.15:
            return {name: part for name, part in value.items() if name != key}
        if how < 0.3:
            return {
                (chance.choice(("x", "$x", "a.b", "", "\0")) if n == key else n): p for n, p in value.items()
            }
        return value | {key: _changed(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        how = chance.random()
        if how < 0.2:
            return value[:at] + value[at + 1 :]
        if how < 0.4:
            return value + value[at : at + 1] * chance.choice((1, 2, 50))
        return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    return chance.choice(_ODD_VALUES)


def _spoiled(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    at = chance.randrange(len(data) + 1)
    to = min(len(data), at + chance.randrange(40))
    how = chance.randrange(5)
    if how == 0:
        return data[:at]
    if how == 1:
        return data[:at] + chance.choice(_ODD_BYTES) + data[at:]
    if how == 2:
        return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    if how == 3:
        other = chance.choice(others)
        start = chance.randrange(len(other) + 1)
        return data[:at] + other[start : start + 40] + data[to:]
    return data[:at] + data[at:to] * 2 + data[to:]


class _HungError(BaseException):
    """A case took too long; derived from BaseException so that no error handler catches it."""


@contextmanager
def _watched(tally: Tally, what: str, case: object) -> Iterator[None]:
    """Record a breach if the case takes too long or raises an unexpected error."""

    def hung(*_: object) -> None:
        raise _HungError

    before = signal.signal(signal.SIGALRM, hung)
    signal.setitimer(signal.ITIMER_REAL, _SECONDS)
    try:
        yield
    except _HungError:
        tally.expect(False, f"{what} took more than {_SECONDS} s: {case!r:.300}")
    except FindingModelError as error:
        tally.expect(False, f"{what}: {type(error).__name__}: {error} at {case!r:.300}")
    except Exception as error:  # any exception is a breach
        tally.expect(False, f"{what}: {type(error).__name__}: {error!r:.200} at {case!r:.300}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _resident_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
