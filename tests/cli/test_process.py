"""The command as a process: imports, exit codes and output streams."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from findingmodel.stores.sqlite.store import SQLiteStore
from tests.builders import write_model
from tests.cli.commands import COUNT, SAMPLES, answer, run
from tests.processes import ROOT, begun, completed
from tests.servers import running
from tests.stores.samples import LONG_SECONDS, make_writer
from tests.torture.disk import small_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.stores.lease import Writer

pytestmark = pytest.mark.slow

BATCH_SCRIPT = (ROOT / "scripts" / "batch_search.py",)
HEAVY = {
    *("pydantic", "pymongo", "motor", "rich", "asyncio", "sqlite3", "rapidfuzz", "platformdirs", "dotenv"),
    "watchfiles",
}
LISTS_MODULES = """
import sys
sys.argv[0] = "findingmodel"
from findingmodel.cli.main import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


def imported(*arguments: object) -> set[str]:
    """Return the heavy modules that a command imports when its output is not a terminal."""
    done = completed(*arguments, program=("-c", LISTS_MODULES))
    assert done.returncode == 0, done.stderr
    return HEAVY.intersection(done.stderr.split("\n")[-2].split())


# start-up


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["index", "--help"], ["index", "update", "--help"]]
)
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    assert imported(*arguments) == set()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    "arguments",
    [
        ["search", "MS"],
        ["search", "MS", "--json"],
        ["index", "get", "MS"],
        ["index", "list"],
        ["index", "stats"],
    ],
    ids=" ".join,
)
def test_reading_an_embedded_index_imports_sqlite_alone(arguments: list[str]) -> None:
    assert imported(*arguments) == {"sqlite3"}


def test_an_update_with_nothing_to_do_imports_sqlite_alone(db: Path) -> None:
    run("index", "update", SAMPLES, "--db", db)
    assert imported("index", "update", SAMPLES) == {"sqlite3"}


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("words", ["index get pneu", "search --tag C", "index stats --branch m"])
def test_completion_imports_sqlite_alone(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    monkeypatch.setenv("_FINDINGMODEL_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "findingmodel\n" + words.replace(" ", "\n"))
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))
    assert imported() == {"sqlite3"}


# streams


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"}])
def test_output_is_utf8_in_every_locale(tmp_path: Path, locale: dict[str, str]) -> None:
    model = json.loads(next(SAMPLES.rglob("breast_mass.fm.json")).read_text())
    (tmp_path / "defs").mkdir()
    (tmp_path / "defs" / "x.fm.json").write_text(json.dumps(model | {"name": "Ménière 脳"}))
    database = tmp_path / "x.db"
    assert completed("index", "update", tmp_path / "defs", "--db", database, **locale).returncode == 0
    found = completed("index", "get", "ménière 脳", "--db", database, **locale)
    assert found.stdout.startswith(f"{model['oifm_id']}  Ménière 脳\n")
    found = completed("index", "get", model["oifm_id"], "--json", "--db", database, **locale)
    assert "Ménière 脳" in found.stdout


@pytest.mark.usefixtures("db")
def test_arguments_that_are_not_utf8_are_bad_usage() -> None:
    done = completed("search", os.fsdecode(b"caf\xe9"))
    assert done.returncode == 2
    assert "is not UTF-8" in done.stderr


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("arguments", [["index", "list"], ["search", "mass", "--json"], ["index", "stats"]])
def test_a_closed_pipe_is_exit_141_without_a_traceback(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = completed(*arguments, stdout=writer)
    os.close(writer)
    assert done.returncode == 141
    assert done.stderr == ""


@pytest.mark.usefixtures("db")
def test_the_batch_script_handles_a_closed_pipe_and_escapes_invalid_utf8(tmp_path: Path) -> None:
    source = tmp_path / "q.txt"
    source.write_bytes(b"caf\xe9\n")
    written = completed(source, program=BATCH_SCRIPT, LC_ALL="C")
    assert (written.returncode, json.loads(written.stdout)["query"]) == (1, "caf\udce9")
    reader, writer = os.pipe()
    os.close(reader)
    unread = completed(source, program=BATCH_SCRIPT, stdout=writer, LC_ALL="C")
    os.close(writer)
    assert (unread.returncode, unread.stderr) == (141, "")


@pytest.mark.usefixtures("db")
def test_an_interrupt_of_the_batch_script_is_exit_130_and_one_line(tmp_path: Path) -> None:
    source = tmp_path / "q.txt"
    os.mkfifo(source)
    with begun(source, program=BATCH_SCRIPT) as script, source.open("w"):
        script.send_signal(signal.SIGINT)  # while it waits for a line
        _, message = script.communicate()
    assert (script.returncode, message) == (130, "batch_search: interrupted\n")


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["index", "--help"],
        ["index", "get", "--help"],
        ["index", "list"],
        ["search", "nodule", "--json"],
        ["config"],
        ["completion", "bash"],
        ["index", "export", "jsonl", "-"],
        ["index", "check", SAMPLES],
    ],
    ids=lambda arguments: " ".join(map(str, arguments[:3])),
)
def test_output_that_cannot_be_written_is_an_error(arguments: list[object]) -> None:
    with Path("/dev/full").open("w") as full:
        done = completed(*map(str, arguments), stdout=full)
    assert done.returncode == 1
    assert done.stderr == "Error: cannot write to standard output: No space left on device\n"


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["search", "zzzz"], 0), (["nosuch"], 2), (["index", "get", "zzzz"], 1), (["-v", "index", "list"], 0)],
)
def test_messages_that_cannot_be_written_change_nothing(arguments: list[str], code: int) -> None:
    with Path("/dev/full").open("w") as full:
        done = completed(*arguments, stderr=full)
    assert done.returncode == code


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("search --batch -", "Error: there is nothing to read: standard input is closed"),
        ("model show -", "Error: there is nothing to read: standard input is closed"),
        ("mcp", "Error: an agent talks to this command over standard input and output, and one is closed"),
    ],
)
def test_a_closed_standard_input_is_bad_usage(arguments: str, message: str) -> None:
    command = f'exec "$0" -m findingmodel {arguments} <&-'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{message}\n")


@pytest.mark.usefixtures("db")
def test_messages_never_mix_with_json() -> None:
    done = completed("-v", "index", "get", "MS", "nothing", "--json")
    assert done.returncode == 1
    assert len(json.loads(done.stdout)) == 2
    assert done.stderr == "not found: nothing\n"


# databases that fail


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is bound, but on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["index", "stats"],
        ["index", "get", "MS", "--json"],
        ["search", "MS"],
        ["index", "update", str(SAMPLES)],
    ],
    ids=" ".join,
)
def test_an_unreachable_server_is_exit_3_and_one_sentence(arguments: list[str], closed_port: int) -> None:
    uri = f"mongodb://me:hunter2@127.0.0.1:{closed_port}/findings"
    done = completed(*arguments, MONGODB_URI=uri, FINDINGMODEL_MONGODB_SERVER_SELECTION_TIMEOUT_MS="200")
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert f"127.0.0.1:{closed_port}" in line
    assert "hunter2" not in line


def test_a_file_that_is_not_a_database_is_exit_3_and_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is a letter and no database at all\n" * 50)
    (tmp_path / "directory.db").mkdir()
    for name in ("text.db", "directory.db"):
        done = completed("index", "stats", "--db", tmp_path / name)
        assert (done.returncode, done.stdout) == (3, ""), done.stderr
        (line,) = done.stderr.splitlines()
        assert line.startswith("Error: ")
        assert name in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_database_without_read_permission_is_exit_3(tmp_path: Path) -> None:
    secret = tmp_path / "secret.db"
    secret.touch(mode=0)
    assert completed("index", "stats", "--db", secret).returncode == 3


def test_a_database_that_cannot_be_created_is_exit_3(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = completed("index", "update", SAMPLES, "--db", tmp_path / "file" / "x.db")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def test_an_interrupt_during_imports_prints_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import signal; signal.raise_signal(signal.SIGINT)")
    ended = completed("--version", PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_an_interrupt_is_exit_130_and_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        uri = f"mongodb://127.0.0.1:{silent.getsockname()[1]}/findings"
        patient = {"FINDINGMODEL_MONGODB_SERVER_SELECTION_TIMEOUT_MS": "60000"}
        with begun("index", "stats", "--db", uri, **patient) as asking:
            connection, _ = silent.accept()  # now it waits for an answer
            asking.send_signal(signal.SIGINT)
            _, message = asking.communicate()
            connection.close()
    assert (asking.returncode, message) == (130, "Error: interrupted\n")


# updates that come to an early end


@pytest.mark.parametrize(
    ("sent", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
    ids=["SIGINT", "SIGTERM"],
)
def test_a_signalled_update_reports_what_it_has_written(
    tmp_path: Path, defs: Path, sent: signal.Signals, code: int, word: str
) -> None:
    database = tmp_path / "x.db"
    assert run("index", "update", defs, "--db", database).exit_code == 0
    holder = make_writer("other", host=socket.gethostname(), pid=os.getpid())
    hold_lease(database, holder)
    write_model(defs, "new.fm.json", 1)
    with begun("index", "update", defs, "--db", database, "--wait", "3600") as waiting:
        assert waiting.stderr is not None
        message = waiting.stderr.readline()
        expected = f"waiting for another update to end: process {os.getpid()} on {socket.gethostname()}"
        assert message.strip() == expected
        waiting.send_signal(sent)
        _, message = waiting.communicate()
    assert (waiting.returncode, message) == (code, f"Error: {word}; nothing was written\n")
    (note, *_) = answer("index", "history", "--db", database)
    assert (note["action"], note["outcome"]) == ("update", "interrupted")


def test_in_the_background_of_a_shell_sigint_is_ignored_and_sigterm_ends_an_update(
    tmp_path: Path, defs: Path
) -> None:
    database = tmp_path / "x.db"
    assert run("index", "update", defs, "--db", database).exit_code == 0
    hold_lease(database, make_writer("other", host=socket.gethostname(), pid=os.getpid()))
    write_model(defs, "new.fm.json", 1)
    with begun("index", "update", defs, "--db", database, "--wait", "3600", is_deaf=True) as waiting:
        assert waiting.stderr is not None
        waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(0.5)
        waiting.send_signal(signal.SIGTERM)
        _, message = waiting.communicate()
    assert (waiting.returncode, message) == (143, "Error: terminated; nothing was written\n")


def hold_lease(database: Path, writer: Writer | None) -> None:
    async def hold() -> None:
        store = SQLiteStore(database)
        if writer:
            await store.leases.acquire(writer, LONG_SECONDS)
        else:
            await store.leases.release(make_writer("other"))
        await store.close()

    asyncio.run(hold())


def test_a_waiting_update_continues_when_the_other_ends(tmp_path: Path, defs: Path) -> None:
    database = tmp_path / "x.db"
    assert run("index", "update", defs, "--db", database).exit_code == 0
    hold_lease(database, make_writer("other", host=socket.gethostname(), pid=os.getpid()))
    write_model(defs, "new.fm.json", 1)
    turned_away = completed("index", "update", defs, "--db", database)
    assert turned_away.returncode == 3
    assert f"another update is running, process {os.getpid()} on" in turned_away.stderr
    with begun("index", "update", defs, "--db", database, "--wait", "60") as waiting:
        assert waiting.stderr is not None
        assert waiting.stderr.readline().startswith("waiting for another update to end: process ")
        hold_lease(database, None)
        _, message = waiting.communicate()
    assert (waiting.returncode, message) == (0, "")
    assert answer("index", "stats", "--db", database)["models"] == len(list(defs.iterdir()))


@pytest.mark.parametrize("kilobytes", [40, 150, 300])
def test_a_full_disk_is_exit_3_and_leaves_the_index_usable(
    tmp_path: Path, defs: Path, kilobytes: int
) -> None:
    with small_disk(tmp_path / "disk", kilobytes) as is_small:
        if not is_small:
            pytest.skip("this user may not mount a disk")
        database = tmp_path / "disk" / "x.db"
        for number in range(100):
            write_model(defs, f"{number}.fm.json", number + 1)
        full = completed("index", "update", defs, "--db", database, FINDINGMODEL_LEDGER="off")
        assert full.returncode == 3, full.stderr
        (line,) = full.stderr.splitlines()
        assert re.search("^Error: cannot .*(full|disk I/O error)", line)
        subprocess.run(["mount", "-o", "remount,size=50m", str(tmp_path / "disk")], check=True)
        done = completed("index", "update", defs, "--db", database, FINDINGMODEL_LEDGER="off")
        assert done.returncode == 0, done.stderr
        assert answer("index", "stats", "--db", database)["models"] == len(list(defs.iterdir()))


def test_an_index_on_a_read_only_disk_can_be_read_but_not_updated(tmp_path: Path, defs: Path) -> None:
    with small_disk(tmp_path / "disk", 50_000) as is_small:
        if not is_small:
            pytest.skip("this user may not mount a disk")
        database = tmp_path / "disk" / "x.db"
        assert completed("index", "update", defs, "--db", database).returncode == 0
        write_model(defs, "new.fm.json", 1)
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "disk")], check=True)
        refused = completed("index", "update", defs, "--db", database)
        assert refused.returncode == 3, refused.stderr
        assert "Traceback" not in refused.stderr
        assert "Error: cannot " in refused.stderr
        stats = completed("index", "stats", "--db", database, "--json")
        assert stats.returncode == 0, stats.stderr
        assert json.loads(stats.stdout)["models"] == len(list(defs.iterdir())) - 1


# a server


@pytest.mark.mongo
def test_a_server_gives_the_same_answers(db: Path) -> None:
    with running("nx") as server:
        place = ("--db", server.url("findings"))
        report = answer("index", "update", SAMPLES, *place)
        assert report["added"] == COUNT
        assert answer("index", "update", SAMPLES, *place)["unchanged"] == COUNT
        for command in (
            ["index", "get", "MS", "Breast mass"],
            ["index", "list", "--limit", 7],
            ["search", "MS"],
        ):
            assert answer(*command, *place) == answer(*command, "--db", db)
        assert answer("index", "stats", *place)["models"] == COUNT
