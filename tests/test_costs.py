"""Costs of operations, in counts: files read and parsed, SQL statements, bytes, imported modules.

Counts do not depend on the machine, so a change that makes an operation more expensive fails here.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel import Index
from findingmodel.stores.sqlite import connection as sqlite_connection
from findingmodel.update import load
from tests.builders import write_model
from tests.processes import completed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

MODELS = 60
OLD_NS = 1_600_000_000_000_000_000


class Costs:
    """The operations since `reset`."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.statements: list[str] = []

    def reset(self) -> None:
        self.counts.clear()
        self.statements.clear()

    @property
    def of_files(self) -> tuple[int, int]:
        """The number of files that were read, and that were parsed."""
        return self.counts["read"], self.counts["parsed"]

    @property
    def sql(self) -> Counter[str]:
        """Statements by their first word, without those of SQLite itself (on the tables of FTS5)."""
        own = [text for text in self.statements if not text.startswith("--")]
        return Counter(text.split()[0].upper() for text in own)


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Costs:
    costs = Costs()

    def counted(name: str, function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            costs.counts[name] += 1
            return function(*args, **kwargs)

        return call

    class Traced(sqlite3.Connection):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.set_trace_callback(costs.statements.append)

    real = sqlite3.connect
    monkeypatch.setattr(load, "read_stable", counted("read", load.read_stable))
    monkeypatch.setattr(load, "parse_model", counted("parsed", load.parse_model))
    monkeypatch.setattr(
        sqlite_connection.sqlite3, "connect", lambda *args, **kwargs: real(*args, factory=Traced, **kwargs)
    )
    return costs


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    directory = tmp_path / "defs"
    directory.mkdir()
    for number in range(1, MODELS + 1):
        os.utime(write_model(directory, f"{number}.fm.json", number), ns=(OLD_NS, OLD_NS))
    return directory


@pytest.fixture
async def index(defs: Path, tmp_path: Path, costs: Costs) -> AsyncIterator[Index]:
    """An index of the models, with open connections."""
    async with Index(str(tmp_path / "x.db")) as index:
        await index.update_from_directory(defs)
        await index.update_from_directory(defs)
        costs.reset()
        yield index


# updates


async def test_a_first_update_reads_and_parses_each_file_once(
    defs: Path, tmp_path: Path, costs: Costs
) -> None:
    async with Index(str(tmp_path / "new.db")) as index:
        await index.update_from_directory(defs)
    assert costs.of_files == (MODELS, MODELS)


async def test_an_update_without_changes_reads_no_file_and_writes_nothing(
    index: Index, defs: Path, costs: Costs
) -> None:
    report = await index.update_from_directory(defs)
    assert report.unchanged == MODELS
    assert costs.of_files == (0, 0)
    assert costs.sql == {"SELECT": 2}  # the manifest, and whether the last update was completed


async def test_touched_files_are_read_but_not_parsed(index: Index, defs: Path, costs: Costs) -> None:
    for path in defs.iterdir():
        os.utime(path, ns=(OLD_NS + 1, OLD_NS + 1))
    report = await index.update_from_directory(defs)
    assert report.unchanged == MODELS
    assert costs.of_files == (MODELS, 0)
    assert costs.sql["INSERT"] <= 3  # lease and generation
    assert costs.sql["UPDATE"] == MODELS


async def test_only_the_changed_file_is_read_parsed_and_written(
    index: Index, defs: Path, costs: Costs
) -> None:
    write_model(defs, "7.fm.json", 7, description="Another description of it.")
    report = await index.update_from_directory(defs)
    assert (report.updated, report.unchanged) == (1, MODELS - 1)
    assert costs.of_files == (1, 1)
    assert not [text for text in costs.statements if "OIFM_TEST_000008" in text]
    assert sum(costs.sql.values()) < 90


async def test_statements_of_a_first_update_grow_only_with_the_models(
    defs: Path, tmp_path: Path, costs: Costs
) -> None:
    async with Index(str(tmp_path / "new.db")) as index:
        await index.update_from_directory(defs)
    inserted = Counter(re.findall(r'INSERT\D*? INTO "(\w+?)_main"', "\n".join(costs.statements)))
    assert {table: inserted[table] for table in ("entries", "files", "models", "terms")} == dict.fromkeys(
        ("entries", "files", "models", "terms"), MODELS
    )
    assert inserted["keys"] == MODELS * 5  # id, name, slug, two synonyms
    assert inserted["identity"] == MODELS * 4  # id, name, two attributes
    assert costs.sql["BEGIN"] <= 8
    assert costs.sql["SELECT"] <= 30


# reads


async def test_a_get_is_one_statement(index: Index, costs: Costs) -> None:
    assert await index.get("OIFM_TEST_000007")
    assert costs.sql == {"SELECT": 1}


async def test_a_batch_of_models_is_one_statement(index: Index, costs: Costs) -> None:
    models = await index.get_full_batch(f"OIFM_TEST_{number:06d}" for number in range(1, MODELS + 1))
    assert len(models) == MODELS
    assert costs.sql == {"SELECT": 1}


async def test_a_search_is_few_statements_and_a_cached_one_only_checks_for_changes(
    index: Index, costs: Costs
) -> None:
    await index.search("nodule of type 7")
    costs.reset()
    await index.search("lung nodule of type 9")
    first = costs.sql["SELECT"]
    costs.reset()
    await index.search("lung nodule of type 9")
    assert first <= 5  # generation, counts, ids of candidates, their terms, the entries of hits
    assert sum(costs.sql.values()) <= 1


async def test_searches_read_entries_again_only_after_a_change(
    index: Index, defs: Path, costs: Costs
) -> None:
    def reads_of_entries() -> int:
        return sum("t.description" in text or "e.entry" in text for text in costs.statements)

    await index.search("nodule", limit=MODELS)
    assert reads_of_entries() == 2
    costs.reset()
    await index.search("pulmonary nodule", limit=MODELS)
    assert reads_of_entries() == 0
    write_model(defs, "7.fm.json", 7, description="Another description of it.")
    await index.update_from_directory(defs)
    costs.reset()
    await index.search("pulmonary nodule", limit=MODELS)
    assert reads_of_entries() == 2


async def test_reads_of_entries_do_not_fetch_full_models(index: Index, costs: Costs) -> None:
    await index.search("pulmonary nodule")
    await index.get("PN7")
    await index.all(limit=10)
    assert not [text for text in costs.statements if "models_main" in text]


# bytes


async def test_an_index_is_not_much_larger_than_its_files(index: Index, defs: Path, tmp_path: Path) -> None:
    await index.close()
    files = sum(path.stat().st_size for path in defs.iterdir())
    connection = sqlite3.connect(tmp_path / "x.db")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (models,) = connection.execute('SELECT sum(length(model)) FROM "models_main"').fetchone()
    connection.close()
    assert models < files * 0.6
    assert pages * 4096 < files * 4


# start-up

COUNTS_MODULES = """
import sys
before = set(sys.modules)
from findingmodel.cli.main import main
try:
    main()
finally:
    print(len(set(sys.modules) - before), file=sys.stderr)
"""


def modules_of(*arguments: str) -> int:
    """The number of modules that a command imports, without those of the interpreter."""
    done = completed(*arguments, program=("-c", COUNTS_MODULES))
    assert done.returncode == 0, done.stderr
    return int(done.stderr.split()[-1])


def test_help_imports_few_modules() -> None:
    assert modules_of("--help") <= 100


def test_a_search_in_sqlite_imports_few_modules(index: Index, tmp_path: Path) -> None:
    assert modules_of("search", "nodule", "--db", str(tmp_path / "x.db")) <= 150
