"""Edits killed with SIGKILL at every step: no model is lost, and the same command does the rest.

A step is an event of Python's audit hooks that touches a file: an open, a rename, a removal, a lock. The
child process kills itself before its n-th step, for every n until it gets through.
"""

from __future__ import annotations

import json
import shutil
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.builders import make_model, write_model
from tests.processes import begun, completed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow

KILLED_BEFORE = """
import os, signal, sys
from findingmodel.cli.main import main
import findingmodel.author.edit, findingmodel.author.edit_contributors, findingmodel.author.merge
import findingmodel.author.edit_attributes, findingmodel.author.edit_names, yaml

step, steps = int(sys.argv.pop(1)), 0

def watch(event, args):
    global steps
    is_write = event == "open" and (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if is_write or event in ("os.rename", "os.remove", "os.chmod", "fcntl.flock"):
        steps += 1
        if steps == step:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
main()
"""


class Case(NamedTuple):
    words: tuple[str, ...]
    models: int  # that there are afterwards


TABLE = b"""oifm_id,name,tags,id
OIFM_TEST_000001,pulmonary nodule of type 1,XR,
OIFM_TEST_000002,pulmonary nodule of type 2,XR,
,vertebral haemangioma,,
"""
CASES = {
    "rename": Case(("model", "rename", "{}/1.fm.json", "pleural plaque", "--keep-synonym"), 3),
    "synonym": Case(("model", "add-synonym", "{}/1.fm.json", "coin lesion"), 3),
    "attribute": Case(("model", "add-attribute", "{}/1.fm.json", "volume", "--numeric"), 3),
    "value": Case(("model", "add-value", "{}/1.fm.json", "margin", "angular"), 3),
    "change": Case(("model", "change-from-prior", "{}/1.fm.json", "{}/2.fm.json"), 3),
    "merge": Case(("model", "merge", "{}/1.fm.json", "{}/2.fm.json"), 2),
    "deprecate": Case(("model", "deprecate", "{}/1.fm.json", "--by", "OIFM_TEST_000002"), 2),
    "draft": Case(
        ("model", "draft", "pleural plaque", "--from", "{}/t.csv", "--source", "TEST", "--into", "{}"), 4
    ),
    "apply": Case(("model", "apply", "{}/t.csv", "{}"), 3),
    "triage": Case(
        (
            "index",
            "triage",
            "{}/t.csv",
            "--write-ids",
            "id",
            "--stubs",
            "{}",
            "--source",
            "TEST",
            "--files",
            "{}",
        ),
        4,
    ),
    "collect": Case(("contributors", "collect", "{}"), 3),
    "tags": Case(("tags", "rename", "CT", "computed tomography", "{}"), 3),
}


@pytest.mark.parametrize("name", CASES)
def test_a_kill_at_any_step_loses_nothing(name: str, tmp_path: Path) -> None:
    words, remaining = CASES[name]

    def run(defs: Path, step: int) -> int:
        arguments = [word.format(defs) for word in words]
        edit = ["--db", str(tmp_path / "none.db")]
        return completed(str(step), *arguments, *edit, program=("-c", KILLED_BEFORE)).returncode

    step, code = 0, -signal.SIGKILL
    while code == -signal.SIGKILL:
        step += 1
        defs = tmp_path / f"step{step}"
        for number in (1, 2, 3):
            write_model(defs, f"{number}.fm.json", number)
        (defs / "t.csv").write_bytes(TABLE)
        shutil.copytree(defs, tmp_path / "before", dirs_exist_ok=True)
        code = run(defs, step)
        assert lost(tmp_path / "before", defs) == set()
        if code == -signal.SIGKILL and "1.fm.json" in {path.name for path in defs.iterdir()}:
            again = run(defs, 0)
            assert again == 0 or (again == 1 and is_done(defs, name))
        if code != -signal.SIGKILL:
            assert code == 0
        assert [path for path in defs.iterdir() if path.suffix == ".tmp"] == []
        cells = zip((defs / "t.csv").read_bytes().splitlines(), TABLE.splitlines(), strict=True)
        assert all(now.startswith(before) for now, before in cells)
        valid = [json.loads(path.read_bytes()) for path in defs.glob("*.fm.json")]
        assert len({model["oifm_id"] for model in valid}) == len(valid) == remaining
    assert step > 3


def test_edits_at_the_same_time_are_done_or_refused_and_none_is_lost(tmp_path: Path) -> None:
    path = write_model(tmp_path, "1.fm.json", 1)
    words = ("model", "add-synonym", str(path), "--db", str(tmp_path / "none.db"))
    with ExitStack() as stack:
        running = {
            text: stack.enter_context(begun(*words, text)) for text in (f"lesion {n}" for n in range(8))
        }
        done = {text: process.wait(60) for text, process in running.items()}
        messages = {text: process.stderr.read() for text, process in running.items() if process.stderr}
    assert set(done.values()) <= {0, 1}
    assert [
        text for text, code in done.items() if code and "run the command again" not in messages[text]
    ] == []
    written = set(json.loads(path.read_bytes())["synonyms"])
    assert written - set(make_model(1)["synonyms"]) == {text for text, code in done.items() if code == 0}
    assert written


def lost(before: Path, after: Path) -> set[str]:
    """The ids of models, attributes and values that no file has any more."""

    def ids(directory: Path) -> set[str]:
        found: set[str] = set()
        for path in (*directory.glob("*.fm.json"), *directory.glob("*.retired")):
            walk(json.loads(path.read_bytes()), found.add)
        return found

    return ids(before) - ids(after)


def walk(value: object, add: Callable[[str], None]) -> None:
    if isinstance(value, dict):
        for key, member in value.items():
            if key in ("oifm_id", "oifma_id", "value_code"):
                add(member)
            walk(member, add)
    elif isinstance(value, list):
        for item in value:
            walk(item, add)


def is_done(defs: Path, name: str) -> bool:
    """Return whether an edit that refuses to be done twice was done before the kill."""
    if name == "draft":
        return (defs / "pleural_plaque.fm.json").exists()
    text = (defs / "1.fm.json").read_text()
    return {"synonym": "coin lesion", "attribute": '"volume"', "value": '"angular"'}.get(name, "\0") in text
