"""``index watch``: a process that runs while files and databases appear and disappear."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel.cli.screen import Screen
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.stores.sqlite.store import SQLiteStore
from tests.builders import write_model
from tests.cli.commands import answer, run
from tests.processes import begun
from tests.servers import ServerOptions, ServerProcess, running

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

TIMEOUT_SECONDS = 60.0
QUICK = {
    "FINDINGMODEL_MONGODB_SERVER_SELECTION_TIMEOUT_MS": "500",
    "FINDINGMODEL_MONGODB_RETRY_SECONDS": "1",
    "FINDINGMODEL_MONGODB_BREAKER_SECONDS": "1",
}


class Watching:
    """A running watch and its output so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: Queue[str] = Queue()
        self.notes: list[str] = []
        self._readers = [
            threading.Thread(target=self._read_lines, daemon=True),
            threading.Thread(target=self._read_notes, daemon=True),
        ]
        self._noted = threading.Condition()
        for reader in self._readers:
            reader.start()

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))

    def _read_notes(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._noted:
                self.notes.append(line.rstrip("\n"))
                self._noted.notify_all()

    def line(self) -> str:
        """Wait for the next line and return it."""
        try:
            return self._lines.get(timeout=TIMEOUT_SECONDS)
        except Empty:
            raise AssertionError(f"nothing was printed; notes: {self.notes}") from None

    def fields(self) -> list[str]:
        """Return the fields of the next line without its time."""
        return self.line().split("\t")[1:]

    def fact(self) -> dict[str, Any]:
        """Return the next line of JSON without its time."""
        fact: dict[str, Any] = json.loads(self.line())
        assert fact.pop("at")
        return fact

    def await_note(self, text: str) -> str:
        with self._noted:
            found = self._noted.wait_for(lambda: [n for n in self.notes if text in n], TIMEOUT_SECONDS)
        assert found, f"no note has {text!r}: {self.notes}"
        return str(found[0])

    def interrupt(self) -> None:
        """Send SIGINT and give the process a moment to handle it."""
        self._process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.5)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit code; no lines may be left."""
        self._process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Wait for the end and return the exit code; no lines may be left."""
        code = self._process.wait(TIMEOUT_SECONDS)
        for reader in self._readers:
            reader.join(TIMEOUT_SECONDS)
        rest = []
        while not self._lines.empty():
            rest.append(self._lines.get())
        assert rest == []
        return code


@contextlib.contextmanager
def watching(*arguments: object, **environment: str) -> Iterator[Watching]:
    with begun("index", "watch", *arguments, **QUICK | environment) as process:
        yield Watching(process)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    directory = tmp_path / "models"
    for number in (1, 2, 3):
        write_model(directory, f"m{number}.fm.json", number)
    return directory


def added(number: int, path: str | None = None) -> list[str]:
    name = f"pulmonary nodule of type {number}"
    return ["added", f"OIFM_TEST_{number:06d}", name, path or f"m{number}.fm.json"]


def test_each_change_is_one_line(place: str, models: Path) -> None:
    with watching(models, "--db", place) as watch:
        assert [watch.fields() for _ in range(3)] == [added(1), added(2), added(3)]
        write_model(models, "deep/er/m4.fm.json", 4)
        assert watch.fields() == added(4, "deep/er/m4.fm.json")
        write_model(models, "m1.fm.json", 1, description="Another description of it.")
        assert watch.fields() == ["updated", *added(1)[1:]]
        (models / "m1.fm.json").rename(models / "one.fm.json")
        assert watch.fields() == ["moved", *added(1, "one.fm.json")[1:], "was m1.fm.json"]
        (models / "one.fm.json").unlink()
        assert watch.fields() == ["removed", *added(1, "one.fm.json")[1:]]
        (models / "notes.txt").write_text("no model")
        write_model(models, "m5.fm.json", 5)
        assert watch.fields() == added(5)
        assert answer("index", "stats", "--db", place)["models"] == 4
        assert watch.end(signal.SIGINT) == 0
    assert watch.notes == [f"watching {models}; press Ctrl-C to stop", "stopped"]


def test_a_setting_logs_each_update_with_its_stages(models: Path, tmp_path: Path) -> None:
    with watching(models, "--db", tmp_path / "x.db", FINDINGMODEL_LOG="json") as watch:
        assert [watch.fields() for _ in range(3)] == [added(1), added(2), added(3)]
        logged = json.loads(watch.await_note('"index update"'))
        assert watch.end() == 0
    assert (logged["event"], logged["failed"]) == ("index update", False)
    events = [json.loads(note)["event"] for note in watch.notes if note.startswith("{")]
    assert {"sync.scan", "sync.load", "sync.write"} <= set(events[: events.index("index update")])


def test_a_failing_file_is_reported_once_and_again_when_mended(place: str, models: Path) -> None:
    good = (models / "m2.fm.json").read_bytes()
    (models / "m2.fm.json").write_text("{")
    with watching(models, "--db", place, "--json") as watch:
        assert [watch.fact()["oifm_id"] for _ in range(2)] == ["OIFM_TEST_000001", "OIFM_TEST_000003"]
        failed = watch.fact()
        assert (failed["kind"], failed["path"]) == ("failed", "m2.fm.json")
        assert [one["code"] for one in failed["problems"]] == ["not-json"]
        write_model(models, "m4.fm.json", 4)
        assert watch.fact()["oifm_id"] == "OIFM_TEST_000004"  # the failing file is not reported again
        (models / "m2.fm.json").write_text("[]")
        assert [one["code"] for one in watch.fact()["problems"]] == ["not-object"]
        (models / "m2.fm.json").write_bytes(good)
        assert watch.fact()["kind"] == "added"
        (models / "m4.fm.json").write_text("")
        assert watch.fact()["kind"] == "failed"
        write_model(models, "m4.fm.json", 4)
        assert watch.fact() == {"kind": "mended", "path": "m4.fm.json"}
        (models / "m5.fm.json").write_text("{")
        assert watch.fact()["kind"] == "failed"
        (models / "m5.fm.json").unlink()
        assert watch.fact() == {"kind": "gone", "path": "m5.fm.json"}
        assert watch.end() == 0


def test_a_watch_waits_for_a_missing_directory(tmp_path: Path, models: Path) -> None:
    with watching(models, "--db", tmp_path / "x.db") as watch:
        for number in (1, 2, 3):
            assert watch.fields() == added(number)
        models.rename(tmp_path / "away")
        assert "does not exist" in watch.await_note("Error: ")
        (tmp_path / "away").rename(models)
        watch.await_note("working again")
        write_model(models, "m4.fm.json", 4)
        assert watch.fields() == added(4)
        assert watch.end() == 0


def test_an_emptied_directory_does_not_empty_the_index(tmp_path: Path, models: Path) -> None:
    database = tmp_path / "x.db"
    with watching(models, "--db", database, "--json") as watch:
        for _ in range(3):
            watch.fact()
        kept = models / "m3.fm.json"
        kept.rename(tmp_path / "kept")
        for path in models.iterdir():
            path.unlink()
        facts = [watch.fact()]
        while facts[-1]["kind"] == "removed":  # the first removals may come in an update of their own
            facts.append(watch.fact())
        assert facts[-1]["kind"] == "refused"
        assert "would remove all" in facts[-1]["message"]
        assert watch.end() == 0
    assert answer("index", "stats", "--db", database)["models"] >= 1


@pytest.mark.mongo
def test_a_watch_waits_for_an_unavailable_database(tmp_path: Path, models: Path) -> None:
    home, storage = tmp_path / "home", tmp_path / "storage"
    home.mkdir()
    server = ServerProcess("secantus", home, ServerOptions(storage=storage))
    place = server.start().url("test_watch")
    try:
        with watching(models, "--db", place) as watch:
            for number in (1, 2, 3):
                assert watch.fields() == added(number)
            server.stop()
            write_model(models, "m4.fm.json", 4)
            assert "127.0.0.1" in watch.await_note("trying again")
            write_model(models, "m5.fm.json", 5)
            server.start()
            watch.await_note("working again")
            assert sorted([watch.fields(), watch.fields()]) == [added(4), added(5)]
            assert sum("trying again" in note for note in watch.notes) == 1
            assert watch.end() == 0
        assert answer("index", "stats", "--db", place)["models"] == 5
    finally:
        server.stop()


@pytest.mark.mongo
def test_a_watch_can_be_stopped_while_the_database_is_unavailable(models: Path) -> None:
    with running("nx") as server:
        place = server.url("test_watch")
    with watching(models, "--db", place) as watch:
        watch.await_note("trying again")
        assert watch.end(signal.SIGINT) == 0
    assert watch.notes[-1] == "stopped"


def test_a_file_that_is_not_a_database_ends_the_watch(tmp_path: Path, models: Path) -> None:
    (tmp_path / "letter.db").write_text("no database at all\n" * 100)
    with watching(models, "--db", tmp_path / "letter.db") as watch:
        assert "letter.db" in watch.await_note("Error: ")
        assert watch.ended() == 3


def test_an_index_below_the_directory_does_not_wake_the_watch(models: Path) -> None:
    """Each update changes the SQLite file, which must not cause another update."""
    ledger = models / "x.db.ledger.jsonl"
    with watching(models, "--db", models / "x.db") as watch:
        for number in (1, 2, 3):
            assert watch.fields() == added(number)
        write_model(models, "m4.fm.json", 4)
        assert watch.fields() == added(4)
        assert watch.end() == 0
    assert [json.loads(line)["outcome"] for line in ledger.read_text().splitlines()].count("done") == 2


@pytest.mark.mongo
def test_a_second_interrupt_ends_it_at_once(models: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(TIMEOUT_SECONDS)
        place = f"mongodb://127.0.0.1:{silent.getsockname()[1]}/test_watch"
        patient = {"FINDINGMODEL_MONGODB_SERVER_SELECTION_TIMEOUT_MS": "600000"}
        with watching(models, "--db", place, **patient) as watch:
            connection, _ = silent.accept()  # now the update waits for an answer
            watch.interrupt()
            watch.interrupt()
            assert watch.ended() == 130
            connection.close()
    assert watch.notes[-1] == "Error: interrupted"


def test_a_terminal_shows_at_most_one_screen_without_verbose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Screen, "is_terminal", True)
    for number in range(25):
        write_model(tmp_path / "models", f"m{number:02}.fm.json", number)
    (tmp_path / "models" / "z.fm.json").write_text("{")

    for options, lines, more in (([], 20, "... and 6 more changes; -v shows all\n"), (["-v"], 26, "")):
        database = f"terminal{lines}.db"
        ender = threading.Thread(target=end_when_filled, args=(database, 25))
        ender.start()
        result = run("index", "watch", "models", "--db", database, *options)
        ender.join()
        assert result.exit_code == 0
        printed = result.stdout.splitlines()
        assert len(printed) == lines
        assert (
            printed[0]
            .split(maxsplit=1)[1]
            .startswith("added    OIFM_TEST_000000  pulmonary nodule of type 0  m00")
        )
        assert result.stderr == f"watching models; press Ctrl-C to stop\n{more}stopped\n"


def end_when_filled(database: str, count: int) -> None:
    """Send SIGTERM to this process when *database* holds *count* models."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while models_in(database) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    if models_in(database) == count:
        os.kill(os.getpid(), signal.SIGTERM)


def models_in(database: str) -> int:
    """Return the number of models in a SQLite index, without a command: another thread uses the streams."""
    return run_without_loop(_count(database)) if Path(database).exists() else 0


async def _count(database: str) -> int:
    store = SQLiteStore(database)
    try:
        return (await store.counts()).models
    finally:
        await store.close()


def test_an_index_is_followed_instead_of_a_directory(place: str, models: Path) -> None:
    assert run("index", "update", models, "--db", place).exit_code == 0
    with watching("--follow", "--db", place) as watch:
        watch.await_note("following ")
        write_model(models, "m4.fm.json", 4)
        (models / "m1.fm.json").unlink()
        assert run("index", "update", models, "--db", place).exit_code == 0
        assert watch.fields() == ["removed", "OIFM_TEST_000001", "m1.fm.json"]
        assert watch.fields() == ["added", "OIFM_TEST_000004", "m4.fm.json"]
        assert watch.end(signal.SIGTERM) == 0
    assert watch.notes[-1] == "stopped"


def test_what_is_followed_can_be_json(models: Path, tmp_path: Path) -> None:
    with watching("--follow", "--json", "--db", tmp_path / "x.db") as watch:
        watch.await_note("following ")
        assert run("index", "update", models, "--db", tmp_path / "x.db").exit_code == 0
        facts = [watch.fact() for _ in range(3)]
        assert [fact["oifm_id"] for fact in facts] == [f"OIFM_TEST_{n:06d}" for n in (1, 2, 3)]
        assert {fact["kind"] for fact in facts} == {"added"}
        assert all(fact["generation"] > 0 for fact in facts)
        assert watch.end(signal.SIGINT) == 0


def test_a_follower_waits_for_the_database(unused_tcp_port: int) -> None:
    with watching("--follow", "--db", f"mongodb://127.0.0.1:{unused_tcp_port}/x") as watch:
        assert "no server answered in time" in watch.await_note("trying again")
        assert watch.end(signal.SIGINT) == 0


@pytest.mark.parametrize("arguments", [(), ("--follow", ".")])
def test_a_directory_or_an_index_is_watched(arguments: tuple[str, ...]) -> None:
    done = run("index", "watch", *arguments)
    assert done.exit_code == 2
    assert "name DIR to update the index from it, or give --follow to follow the index." in done.stderr
