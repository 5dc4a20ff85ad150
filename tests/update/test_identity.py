"""Ids, names and attribute ids belong to one model, after any two directories in a row."""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import findingmodel.update.directory as update_module
from findingmodel.author.check import check
from findingmodel.stores.sqlite.store import SQLiteStore
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import make_choice, model_bytes

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store
    from findingmodel.update.report import UpdateReport

PATHS = tuple(f"{letter}.fm.json" for letter in "abcde")
LONG_AGO_NS = 1_700_000_000 * 10**9
POINTERS = ("/oifm_id", "/name", "/attributes/0/oifma_id", "/attributes/1/oifma_id")


class Model(NamedTuple):
    """The content of a file; equal if the bytes are equal."""

    number: int
    name: str
    attributes: tuple[int, ...]
    version: int = 0

    @property
    def oifm_id(self) -> str:
        return f"OIFM_TEST_{self.number:06d}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Its identity keys, in the order of `POINTERS`."""
        return (self.oifm_id, f"name {self.name}", *(f"attribute {number}" for number in self.attributes))

    def to_bytes(self) -> bytes:
        name = f"nodule {self.name}"  # case does not matter to the name
        return model_bytes(
            self.number,
            name=name.upper() if self.version else name,
            attributes=[make_choice(number) for number in self.attributes],
            synonyms=["shared"],
            contributors=...,
        )


class Entry(NamedTuple):
    """What the index holds for one file."""

    path: str
    model: Model


Directory = dict[str, Model | None]
"""Files by path; None is a file that is not a model."""


class Way(NamedTuple):
    """A way to update; the result must be the same for all."""

    chunk: int
    options: UpdateOptions
    dry_run_first: bool = False


class Outcome(NamedTuple):
    """The report of an update, and the content of the index after it."""

    report: UpdateReport
    stored: list[Entry]


def all_ways(*, remove: bool) -> tuple[Way, ...]:
    options = UpdateOptions(force=True, remove=remove)
    return (
        Way(1_000, options),
        Way(1, options._replace(batch_size=1, concurrency=1)),
        Way(1, options._replace(batch_size=2, concurrency=3), dry_run_first=True),
        Way(2, options._replace(batch_size=1, rehash=True)),
        Way(1, options._replace(batch_size=1, force=False), dry_run_first=True),
    )


models = st.builds(
    Model,
    st.integers(1, 3),
    st.sampled_from("xyz"),
    st.lists(st.integers(1, 4), min_size=1, max_size=2, unique=True).map(tuple),
    st.integers(0, 1),
)
files = models | st.none()


@st.composite
def histories(draw: st.DrawFn) -> tuple[Directory, Directory]:
    """A directory before and after: files are kept, moved, copied, edited, added and removed."""
    before = draw(st.dictionaries(st.sampled_from(PATHS), files, max_size=5))
    after: Directory = {}
    for path in PATHS:
        kept = [st.just(before[path])] if path in before else []
        others = [st.sampled_from(sorted(before.values(), key=repr))] if before else []
        found = draw(st.one_of(*kept, *others, files, st.just("absent")))
        if found != "absent":
            after[path] = found
    return before, after


class Place:
    """A real directory; like an editor, it rewrites only files that change."""

    def __init__(self, root: Path, *, aged: bool) -> None:
        self.root = root
        self._clock = itertools.count(LONG_AGO_NS, 10**9) if aged else None
        self._now: Directory = {}

    def become(self, files: Directory) -> None:
        for path in self._now.keys() - files.keys():
            (self.root / path).unlink()
        for path, model in files.items():
            if path not in self._now or self._now[path] != model:
                (self.root / path).write_bytes(model.to_bytes() if model else b"{")
                if self._clock is not None:
                    time_ns = next(self._clock)
                    os.utime(self.root / path, ns=(time_ns, time_ns))
        self._now = dict(files)


async def stored(store: Store, known: dict[str, Model]) -> list[Entry]:
    """Return all entries, each with the model whose bytes it was made from."""
    texts = await store.models([state.oifm_id for state in await store.manifest()])
    return sorted(
        Entry(state.path, known[texts[state.oifm_id].decode()])
        for state in await store.manifest()
        if known[texts[state.oifm_id].decode()].oifm_id == state.oifm_id
    )


async def update_as(store: Store, root: Path, way: Way, known: dict[str, Model]) -> Outcome:
    """Update as *way* says; a dry run before must report the same and change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(update_module, "_FILES_PER_CHUNK", way.chunk)
        if way.dry_run_first:
            before = await stored(store, known)
            would = await update(store, root, way.options._replace(dry_run=True))
            assert await stored(store, known) == before
        report = await update(store, root, way.options)
    if way.dry_run_first:
        assert facts_of(would) == facts_of(report)
    return Outcome(report, await stored(store, known))


def facts_of(report: UpdateReport) -> UpdateReport:
    return replace(report, seconds=0.0, dry_run=False)


def owners(entries: list[Entry]) -> dict[str, Entry]:
    return {key: entry for entry in entries for key in entry.model.keys}


def check_uniqueness(entries: list[Entry]) -> None:
    held = [key for entry in entries for key in entry.model.keys]
    assert len(held) == len(set(held))
    assert len({entry.path for entry in entries}) == len(entries)


def check_content(before: list[Entry], after: Directory, now: Outcome, *, remove: bool) -> None:
    """Each file is indexed or fails; other stored entries were stored before and have a reason to stay."""
    failed = {found.path for found in now.report.failed}
    indexed = {entry.path for entry in now.stored if after.get(entry.path) == entry.model} - failed
    assert indexed | failed == set(after)
    assert {path for path, model in after.items() if model is None} <= failed
    for entry in now.stored:
        if entry.path not in indexed:
            is_sheltered = entry.path in failed and is_renamed(before, after, entry)
            assert entry in before or is_sheltered
            assert entry.path in failed or (not remove and entry.path not in after)


def is_renamed(before: list[Entry], after: Directory, entry: Entry) -> bool:
    """Return whether a file of before was renamed to that of *entry*, which is new and contains its id."""
    model = after[entry.path]
    was = [old for old in before if old.model == entry.model and old.path != entry.path]
    is_new = all(old.path != entry.path for old in before)
    return is_new and bool(was) and model is not None and model.oifm_id == entry.model.oifm_id


def check_last_good_entries(before: list[Entry], after: Directory, now: Outcome) -> None:
    """A model whose file fails stays, even if it was renamed, unless another file holds its id now."""
    failed = {found.path for found in now.report.failed}
    ids = {entry.model.oifm_id for entry in now.stored}
    for entry in before:
        assert entry.path not in failed or entry.model.oifm_id in ids
    known = {entry.path for entry in before}
    for path, model in after.items():
        if path in failed - known and model is not None:  # it may have been renamed
            lost = [entry for entry in before if entry.path not in after and entry.model.oifm_id not in ids]
            assert model.oifm_id not in {entry.model.oifm_id for entry in lost}


def check_innocence(after: Directory, now: Outcome) -> None:
    """A file without conflict with other files and with entries kept for failing files is indexed."""
    from_files = {entry for entry in now.stored if after.get(entry.path) == entry.model}
    kept = [entry for entry in now.stored if entry not in from_files]
    for path, model in after.items():
        if model is not None:
            others = [Entry(other, found) for other, found in after.items() if found and other != path]
            rivals = owners([*others, *(entry for entry in kept if entry.path != path)])
            if not rivals.keys() & set(model.keys):
                assert Entry(path, model) in now.stored


def distance(before: list[Entry], after: Directory, entry: Entry, key: str) -> int:
    """Return 0 for the file that held *key*, 1 for the model that held it and moved, 2 for any other."""
    owner = owners(before).get(key)
    if owner is None:
        return 2
    if owner.path == entry.path:
        return 0
    return 1 if owner.model.number == entry.model.number and owner.path not in after else 2


def nearest(before: list[Entry], after: Directory, entry: Entry) -> tuple[int, str]:
    return min(distance(before, after, entry, key) for key in entry.model.keys), entry.path


def is_self_defeating(before: list[Entry], after: Directory, path: str) -> bool:
    """Return whether *path* depends on claims of others that conflict with it or with each other."""
    former = owners(before)
    group, pending = {path}, [path]
    while pending:
        model = after[pending.pop()]
        ceded = {former[key].path for key in (model.keys if model else ()) if key in former}
        added = (ceded & after.keys()) - group
        group |= added
        pending += added
    claimed = [key for member in group if (model := after[member]) for key in model.keys]
    return len(claimed) > len(set(claimed))


def check_losers(before: list[Entry], after: Directory, now: Outcome) -> None:
    """Every key that a failing file cannot have is reported with its holder, which had the better right."""
    holders = owners(now.stored)
    for path, problems in now.report.failed:
        model = after[path]
        if model is None:
            assert [problem.code for problem in problems] == ["not-json"]
            continue
        loser, reasons = Entry(path, model), [is_self_defeating(before, after, path)]
        for problem in problems:
            key = model.keys[POINTERS.index(problem.pointer)]
            winner = holders[key]
            assert winner.path in problem.message
            assert problem.pointer == "/oifm_id" or winner.model.oifm_id in problem.message
            right = (distance(before, after, winner, key), winner.path)
            reasons.append(winner in before or right < (distance(before, after, loser, key), path))
            reasons.append(nearest(before, after, winner) < nearest(before, after, loser))
        assert any(reasons)
        own = [entry for entry in now.stored if entry.path == path or entry.model.number == model.number]
        reported = {model.keys[POINTERS.index(problem.pointer)] for problem in problems}
        assert reported >= holders.keys() & set(model.keys) - owners(own).keys()


def check_faithfulness(before: list[Entry], after: Directory, now: Outcome) -> None:
    """A file that was indexed and has the same bytes stays indexed."""
    for entry in before:
        if after.get(entry.path) == entry.model:
            assert entry in now.stored


def check_counts(before: list[Entry], after: Directory, now: Outcome) -> None:
    old = {entry.model.number: entry for entry in before}
    new = {entry.model.number: entry for entry in now.stored}
    failed = {found.path for found in now.report.failed}
    both = [(old[number], new[number]) for number in old.keys() & new.keys()]
    added = [(was, entry) for was, entry in both if entry.path in after.keys() - failed]
    assert now.report.added == len(new.keys() - old.keys())
    assert now.report.removed == len(old.keys() - new.keys())
    assert now.report.updated == sum(was.model != entry.model for was, entry in added)
    assert now.report.unchanged == sum(was.model == entry.model for was, entry in added)
    assert now.report.moved == sum(was.path != entry.path for was, entry in both)


def check_step(before: list[Entry], after: Directory, now: Outcome, *, remove: bool) -> None:
    check_uniqueness(now.stored)
    check_content(before, after, now, remove=remove)
    check_last_good_entries(before, after, now)
    check_innocence(after, now)
    check_losers(before, after, now)
    check_faithfulness(before, after, now)
    check_counts(before, after, now)


def check_rest(last: Outcome, again: Outcome) -> None:
    """A second update changes nothing and reports the same failures."""
    report = again.report
    assert (*report, report.moved) == (0, 0, 0, 0)
    assert report.failed == last.report.failed
    assert again.stored == last.stored


async def check_updates(directories: tuple[Directory, ...], *, aged: bool, remove: bool) -> None:
    """Index *directories* one after another in every way, and check all rules after each."""
    known = {m.to_bytes().decode(): m for files in directories for m in files.values() if m}
    ways = all_ways(remove=remove)
    async with AsyncExitStack() as stack:
        place = Place(Path(stack.enter_context(tempfile.TemporaryDirectory())), aged=aged)
        stores = [SQLiteStore(":memory:") for _ in ways]
        for store in stores:
            stack.push_async_callback(store.close)
        before: list[Entry] = []
        for files in directories:
            place.become(files)
            first = await update_as(stores[0], place.root, ways[0], known)
            check_step(before, files, first, remove=remove)
            if not before:
                assert check(place.root).failed == first.report.failed
            for way, store in zip(ways[1:], stores[1:], strict=True):
                now = await update_as(store, place.root, way, known)
                if now.report.refused is not None:
                    assert now.stored == before
                    forced = way._replace(options=way.options._replace(force=True))
                    now = await update_as(store, place.root, forced, known)
                assert now.stored == first.stored
                assert facts_of(now.report) == facts_of(first.report)
            for way, store in zip(ways, stores, strict=True):
                check_rest(first, await update_as(store, place.root, way, known))
            before = first.stored


ONE, TWO = (Model(number, name, (number,)) for number, name in ((1, "x"), (2, "y")))
A, B, C, D, E = PATHS

HISTORIES: list[tuple[str, Directory, Directory]] = [
    ("two files swap paths", {A: ONE, B: TWO}, {A: TWO, B: ONE}),
    ("two models swap names", {A: ONE, B: TWO}, {A: ONE._replace(name="y"), B: TWO._replace(name="x")}),
    ("the file that holds a name fails", {A: ONE, B: TWO}, {A: ONE._replace(name="y"), B: None}),
    ("a model is moved and copied", {B: ONE}, {A: ONE, C: ONE}),
    ("a model is edited and its old version copied", {B: ONE}, {A: ONE, B: ONE._replace(version=1), C: ONE}),
    (
        "a file becomes another model, of which there are copies",
        {B: ONE},
        dict.fromkeys((A, B, C), Model(2, "x", (1,))),
    ),
    (
        "a new model wants what it can only have if it fails",
        {B: Model(2, "x", (1, 3))},
        {A: Model(1, "y", (3,)), B: Model(1, "x", (1,)), C: Model(1, "x", (1,))},
    ),
    (
        "a model wants the id of one that must give up an attribute for it",
        {A: Model(3, "z", (4,)), B: Model(2, "x", (3,))},
        {A: Model(1, "z", (3,)), B: Model(1, "x", (2,))},
    ),
    (
        "a ring, in which each is beaten by the next",
        {B: Model(1, "x", (2,))},
        {C: Model(2, "x", (1,)), D: Model(1, "y", (1,)), E: Model(1, "x", (2,))},
    ),
    (
        "a new model takes the name of one that moves and takes another's",
        {B: ONE, D: TWO},
        {A: Model(3, "x", (3,)), C: ONE._replace(name="y"), D: TWO._replace(name="z")},
    ),
]


@pytest.mark.parametrize("aged", [False, True], ids=["fresh", "aged"])
@pytest.mark.parametrize("remove", [False, True], ids=["keep", "remove"])
@pytest.mark.parametrize(
    ("before", "after"), [case[1:] for case in HISTORIES], ids=[case[0] for case in HISTORIES]
)
async def test_directories_that_once_broke_the_rules_keep_them(
    before: Directory, after: Directory, aged: bool, remove: bool
) -> None:
    await check_updates((before, after), aged=aged, remove=remove)


@pytest.mark.slow
@settings(max_examples=100)
@given(histories(), st.booleans(), st.booleans())
def test_after_any_change_of_a_directory_each_key_has_one_owner_and_each_loser_is_reported(
    history: tuple[Directory, Directory], aged: bool, remove: bool
) -> None:
    asyncio.run(check_updates(history, aged=aged, remove=remove))
