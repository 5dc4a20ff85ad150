"""Everything that is known to break an index, as one file among good ones, on every store.

The bad file is reported with its problem, stops no other, and keeps its entry; after it is fixed, the next
update indexes it. `updated` checks that a dry run always predicts what the update then does.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from findingmodel.errors import StoreUnavailableError
from findingmodel.index.results import to_models
from findingmodel.text.normalize import fold
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import make_choice, make_model, make_number, make_person, model_bytes, write_model
from tests.stores.contract_support import contents
from tests.stores.samples import make_id
from tests.update.ordinary import as_ordinary_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from findingmodel.stores.lease import Writer
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import WriteBatch
    from findingmodel.update.report import FileReport, UpdateReport

pytestmark = pytest.mark.slow

BAD = "m.fm.json"
BAD_NUMBER = 7
BAD_ID = "OIFM_TEST_000007"
LONG_AGO_NS = 1_700_000_000 * 10**9

Places = list[tuple[str, str, str]]
"""Path, pointer and code of each problem."""


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    """Three good files: before, below and after the path of the bad one."""
    directory = tmp_path / "defs"
    for number, path in enumerate(("a.fm.json", "d/m.fm.json", "z.fm.json"), 1):
        write_model(directory, path, number)
        time_ns = LONG_AGO_NS + number  # old enough not to be read again
        os.utime(directory / path, ns=(time_ns, time_ns))
    return directory


async def updated(store: Store, directory: Path, **options: Any) -> UpdateReport:
    """Update, after a dry run that must change nothing and return the same report."""
    before = await contents(store)
    would = await update(store, directory, UpdateOptions(dry_run=True, **options))
    assert await contents(store) == before
    report = await update(store, directory, UpdateOptions(**options))
    assert replace(would, seconds=0, dry_run=False) == replace(report, seconds=0)
    return report


def counts(report: UpdateReport) -> dict[str, int]:
    """Return the counts that are not zero."""
    names = ("added", "updated", "removed", "unchanged", "moved")
    return {name: count for name in names if (count := getattr(report, name))}


def places(reports: tuple[FileReport, ...]) -> Places:
    return [(report.path, problem.pointer, problem.code) for report in reports for problem in report.problems]


async def description(store: Store, name: str) -> str | None:
    """Return the description of the only model with this *name*."""
    (entry,) = await store.lookup([fold(name)])
    return entry["description"]


async def files_of(store: Store) -> dict[str, str]:
    """Return the id that each path holds."""
    return {state.path: state.oifm_id for state in await store.manifest()}


def clear(path: Path) -> None:
    if path.is_symlink() or path.exists():
        path.unlink()


class Bad(NamedTuple):
    """A way to spoil a file, and the problems that must be reported."""

    name: str
    spoil: Callable[[Path], object]
    problems: list[tuple[str, str]]

    def __call__(self, path: Path) -> Places:
        """Replace *path* by the bad file; return the problems that must be reported."""
        clear(path)
        self.spoil(path)
        return [(path.name, pointer, code) for pointer, code in self.problems]


def holding(name: str, data: bytes, code: str, pointer: str = "") -> Bad:
    """Return a file that is bad because of its bytes."""
    return Bad(name, lambda path: path.write_bytes(data), [(pointer, code)])


def good(**changes: Any) -> bytes:
    return model_bytes(BAD_NUMBER, **changes)


def with_number(number: bytes) -> bytes:
    return good().replace(b"30.5", number)


def make_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(50_000_000)


def link_out(path: Path) -> None:
    """Link *path* to a valid file outside the directory."""
    path.symlink_to(write_model(path.parent.parent / "outside", "out.fm.json", 99))


def link_to_directory(path: Path) -> None:
    """Link *path* to a directory outside that holds a valid file."""
    link_out(path)
    clear(path)
    path.symlink_to(path.parent.parent / "outside")


BAD_FILES = [
    holding("not JSON", b'{"oifm_id": ', "not-json"),
    holding("plain text", b"see the other file", "not-json"),
    holding("cut off", good()[:-3], "not-json"),
    holding("two documents", good() + good(), "not-json"),
    holding("a list", b"[" + good() + b"]", "not-object"),
    holding(
        "not UTF-8",
        good(description="M\N{LATIN SMALL LETTER E WITH ACUTE}ni\xe8re disease").decode().encode("latin-1"),
        "not-utf8",
    ),
    holding("UTF-16", good().decode().encode("utf-16"), "not-utf8"),
    holding("empty", b"", "empty"),
    holding("only white space", b" \r\n\t", "empty"),
    holding("only a byte order mark", b"\xef\xbb\xbf", "empty"),
    holding("10,000 deep", good()[:-1] + b', "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "too-deep"),
    holding("10,000 deep and cut off", b'{"x": ' * 10_000, "too-deep"),
    holding("NaN", with_number(b"NaN"), "not-finite", "/attributes/1/maximum"),
    holding("Infinity", with_number(b"Infinity"), "not-finite", "/attributes/1/maximum"),
    holding("-Infinity", with_number(b"-Infinity"), "not-finite", "/attributes/1/maximum"),
    holding("infinite by size", with_number(b"1e999"), "not-finite", "/attributes/1/maximum"),
    holding("NaN in an unknown field", good()[:-2] + b', "a/b~c": [NaN]}', "not-finite", "/a~1b~0c/0"),
    holding("a number of 5,000 digits", with_number(b"9" * 5_000), "number-too-long"),
    holding("a lone surrogate", good().replace(b"rounded", rb"\ud800"), "lone-surrogate", "/description"),
    holding("a NUL character", good(name="nodule\0seven"), "nul-character", "/name"),
    holding("a NUL character in a key", good(**{"a\0": 1}), "nul-character", "/a\0"),
    holding("a field left out", good(oifm_id=...), "missing", "/oifm_id"),
    holding("a wrong type", good(synonyms=["PN", 5]), "wrong-type", "/synonyms/1"),
    holding(
        "an attribute twice",
        good(attributes=[make_choice(70), make_number(70)]),
        "duplicate-attribute-id",
        "/attributes/1/oifma_id",
    ),
    Bad("50 MB", make_sparse, [("", "too-large")]),
    Bad("a FIFO", os.mkfifo, [("", "not-a-file")]),
    Bad("a socket", lambda path: os.mknod(path, stat.S_IFSOCK | 0o600), [("", "not-a-file")]),
    Bad("a link to nowhere", lambda path: path.symlink_to("nowhere.fm.json"), [("", "link")]),
    Bad("a link to itself", lambda path: path.symlink_to(path.name), [("", "link")]),
    Bad("a link out of the directory", link_out, [("", "link")]),
    Bad("a link to a directory", link_to_directory, [("", "link")]),
    Bad("a link to its own directory", lambda path: path.symlink_to("."), [("", "link")]),
]


@pytest.fixture(params=BAD_FILES, ids=lambda bad: bad.name)
def bad(request: pytest.FixtureRequest) -> Bad:
    spoilt: Bad = request.param
    return spoilt


async def test_a_new_bad_file_is_reported_until_it_is_fixed_and_stops_no_other_file(
    store: Store, defs: Path, bad: Bad
) -> None:
    expected = bad(defs / BAD)
    for count in ({"added": 3}, {"unchanged": 3}):
        report = await updated(store, defs)
        assert places(report.failed) == expected
        assert counts(report) == count
        assert sorted(await files_of(store)) == ["a.fm.json", "d/m.fm.json", "z.fm.json"]
    clear(defs / BAD)
    write_model(defs, BAD, BAD_NUMBER)
    report = await updated(store, defs)
    assert (counts(report), report.failed) == ({"added": 1, "unchanged": 3}, ())


async def test_a_file_that_becomes_bad_keeps_its_last_good_entry_until_it_is_fixed(
    store: Store, defs: Path, bad: Bad
) -> None:
    text = write_model(defs, BAD, BAD_NUMBER, description="As it was first.").read_bytes()
    assert counts(await updated(store, defs)) == {"added": 4}
    expected = bad(defs / BAD)
    write_model(defs, "z.fm.json", 3, description="Edited meanwhile.")
    for count in ({"updated": 1, "unchanged": 2}, {"unchanged": 3}):
        report = await updated(store, defs)
        assert places(report.failed) == expected
        assert counts(report) == count
        assert await store.models([BAD_ID]) == {BAD_ID: text}
        assert await description(store, "pulmonary nodule of type 7") == "As it was first."
        assert await description(store, "pulmonary nodule of type 3") == "Edited meanwhile."
    clear(defs / BAD)
    write_model(defs, BAD, BAD_NUMBER, description="Mended by now.")
    report = await updated(store, defs)
    assert (counts(report), report.failed) == ({"updated": 1, "unchanged": 3}, ())
    assert await description(store, "pulmonary nodule of type 7") == "Mended by now."


HUGE = 10**40
ODD_FILES = [
    ("a byte order mark", b"\xef\xbb\xbf" + good(), [("", "bom")]),
    ("integers beyond 64 bits", good(attributes=[make_number(70, minimum=-HUGE, maximum=HUGE)]), []),
    ("an unknown integer", good(x={"y": [2**64, -(2**63) - 1]}), [("/x", "unknown-field")]),
    ("a key with a dollar", good(**{"$set": {"$gt": 1}}), [("/$set", "unknown-field")]),
    ("a key with a dot", good(**{"a.b": {"c.d": 1, ".": 2}}), [("/a.b", "unknown-field")]),
    ("an empty key", good(**{"": {"": None}}), [("/", "unknown-field")]),
    ("a key with pointer signs", good(**{"a/b~c": 1}), [("/a~1b~0c", "unknown-field")]),
    ("an _id", good(_id="x", language="none"), [("/_id", "unknown-field"), ("/language", "unknown-field")]),
    (
        "a misspelt field of an attribute",
        good(attributes=[make_choice(70, requird=True)]),
        [("/attributes/0/requird", "unknown-field")],
    ),
    (
        "unknown fields of a contributor",
        good(contributors=[make_person(**{"$role": 2**70, "a.b": {"c": None}})]),
        [("/contributors/0/$role", "unknown-field"), ("/contributors/0/a.b", "unknown-field")],
    ),
    ("characters beyond the BMP", good(description="A lung \N{LUNGS} seen from the front"), []),
    ("escaped pairs", good().replace(b"rounded", rb"\ud83e\udec1"), []),
    ("no line end, no indent", json.dumps(make_model(BAD_NUMBER)).encode(), []),
]


@pytest.mark.parametrize(
    ("data", "warnings"), [case[1:] for case in ODD_FILES], ids=[case[0] for case in ODD_FILES]
)
async def test_an_odd_file_is_indexed_completely_with_a_warning(
    store: Store, defs: Path, data: bytes, warnings: list[tuple[str, str]]
) -> None:
    (defs / BAD).write_bytes(data)
    report = await updated(store, defs)
    assert (counts(report), report.failed) == ({"added": 4}, ())
    assert places(report.warnings) == [(BAD, pointer, code) for pointer, code in warnings]
    texts = await store.models([BAD_ID])
    assert texts == {BAD_ID: data}
    model = to_models(texts)[BAD_ID]
    document = json.loads(data.decode("utf-8-sig"))
    assert json.loads(model.model_dump_json(exclude_unset=True)) == document
    assert counts(await updated(store, defs)) == {"unchanged": 4}


CLASHES = [
    ("the same id", {"oifm_id": "OIFM_TEST_000003"}, "/oifm_id", "duplicate-id"),
    ("the same name", {"name": "pulmonary nodule of type 3"}, "/name", "duplicate-name"),
    ("a name in another case", {"name": "PULMONARY Nodule  of type 3"}, "/name", "duplicate-name"),
    ("a name in other characters", {"name": "pulmonary \uff4eodule of type 3"}, "/name", "duplicate-name"),
    (
        "the same attribute id",
        {"attributes": [make_choice(70), make_choice(30)]},
        "/attributes/1/oifma_id",
        "duplicate-attribute-id",
    ),
]
clashes = pytest.mark.parametrize(
    ("changes", "pointer", "code"), [case[1:] for case in CLASHES], ids=[case[0] for case in CLASHES]
)


@clashes
async def test_the_first_path_wins_between_two_new_files_that_conflict(
    store: Store, defs: Path, changes: dict[str, Any], pointer: str, code: str
) -> None:
    write_model(defs, "zz.fm.json", BAD_NUMBER, **changes)
    for count in ({"added": 3}, {"unchanged": 3}):
        report = await updated(store, defs)
        assert places(report.failed) == [("zz.fm.json", pointer, code)]
        assert "z.fm.json" in report.failed[0].problems[0].message
        assert counts(report) == count
    write_model(defs, "zz.fm.json", BAD_NUMBER)
    assert counts(await updated(store, defs)) == {"added": 1, "unchanged": 3}


@clashes
async def test_a_new_file_that_conflicts_with_an_indexed_one_fails_even_with_the_first_path(
    store: Store, defs: Path, changes: dict[str, Any], pointer: str, code: str
) -> None:
    await updated(store, defs)
    write_model(defs, "_first.fm.json", BAD_NUMBER, **changes)
    report = await updated(store, defs)
    assert places(report.failed) == [("_first.fm.json", pointer, code)]
    assert counts(report) == {"unchanged": 3}
    (defs / "z.fm.json").unlink()
    assert counts(await updated(store, defs))["unchanged"] == 2
    assert "_first.fm.json" in await files_of(store)


async def test_a_model_edited_into_a_conflict_keeps_its_last_good_entry(store: Store, defs: Path) -> None:
    write_model(defs, BAD, BAD_NUMBER)
    await updated(store, defs)
    write_model(defs, BAD, BAD_NUMBER, name="Pulmonary NODULE of type 3", description="Edited into a clash.")
    report = await updated(store, defs)
    assert places(report.failed) == [(BAD, "/name", "duplicate-name")]
    assert counts(report) == {"unchanged": 3}
    assert "opacity" in str(await description(store, "pulmonary nodule of type 7"))


def name(number: int) -> str:
    return f"pulmonary nodule of type {number}"


def swap_names(defs: Path) -> None:
    write_model(defs, "a.fm.json", 1, name=name(3))
    write_model(defs, "z.fm.json", 3, name=name(1))


def swap_names_in_another_case(defs: Path) -> None:
    write_model(defs, "a.fm.json", 1, name=name(3).upper())
    write_model(defs, "z.fm.json", 3, name=name(1).upper())


def swap_attributes(defs: Path) -> None:
    write_model(defs, "a.fm.json", 1, attributes=[make_choice(30), make_number(11)])
    write_model(defs, "z.fm.json", 3, attributes=[make_choice(10), make_number(31)])


def swap_ids(defs: Path) -> None:
    write_model(defs, "a.fm.json", 1, oifm_id="OIFM_TEST_000003")
    write_model(defs, "z.fm.json", 3, oifm_id="OIFM_TEST_000001")


def swap_paths(defs: Path) -> None:
    (defs / "a.fm.json").rename(defs / "b")
    (defs / "z.fm.json").rename(defs / "a.fm.json")
    (defs / "b").rename(defs / "z.fm.json")


def swap_paths_and_edit(defs: Path) -> None:
    swap_paths(defs)
    write_model(defs, "z.fm.json", 1, description="Edited on the way.")


def swap_paths_and_names(defs: Path) -> None:
    write_model(defs, "z.fm.json", 1, name=name(3))
    write_model(defs, "a.fm.json", 3, name=name(1))


def pass_names_on(defs: Path) -> None:
    """Model 3 takes the name of 2, 2 the name of 1, and 1 a new name."""
    write_model(defs, "a.fm.json", 1, name=name(50))
    write_model(defs, "d/m.fm.json", 2, name=name(1))
    write_model(defs, "z.fm.json", 3, name=name(2))


def pass_names_on_the_other_way(defs: Path) -> None:
    write_model(defs, "a.fm.json", 1, name=name(2))
    write_model(defs, "d/m.fm.json", 2, name=name(3))
    write_model(defs, "z.fm.json", 3, name=name(50))


def pass_names_round(defs: Path) -> None:
    pass_names_on_the_other_way(defs)
    write_model(defs, "z.fm.json", 3, name=name(1))


def take_the_name_of_one_that_goes(defs: Path) -> None:
    write_model(defs, "a.fm.json", 1, name=name(3))
    (defs / "z.fm.json").unlink()


def rename_file(defs: Path) -> None:
    (defs / "a.fm.json").rename(defs / "d" / "new name.fm.json")


def rename_file_in_another_case(defs: Path) -> None:
    (defs / "a.fm.json").rename(defs / "A.fm.json")


def change_id_in_place(defs: Path) -> None:
    write_model(defs, "a.fm.json", 1, oifm_id="OIFM_TEST_000050")


def change_id_and_move_the_old_model(defs: Path) -> None:
    """One model moves, and another takes its path."""
    (defs / "a.fm.json").rename(defs / "elsewhere.fm.json")
    write_model(defs, "a.fm.json", 50)


def replace_by_a_directory(defs: Path) -> None:
    """The model moves into a directory that has the name of its former file."""
    (defs / "a.fm.json").rename(defs / "b")
    (defs / "a.fm.json").mkdir()
    (defs / "b").rename(defs / "a.fm.json" / "a.fm.json")


LEGAL: list[tuple[Callable[[Path], None], dict[str, int]]] = [
    (swap_names, {"updated": 2, "unchanged": 1}),
    (swap_names_in_another_case, {"updated": 2, "unchanged": 1}),
    (swap_attributes, {"updated": 2, "unchanged": 1}),
    (swap_ids, {"updated": 2, "unchanged": 1, "moved": 2}),
    (swap_paths, {"unchanged": 3, "moved": 2}),
    (swap_paths_and_edit, {"updated": 1, "unchanged": 2, "moved": 2}),
    (swap_paths_and_names, {"updated": 2, "unchanged": 1, "moved": 2}),
    (pass_names_on, {"updated": 3}),
    (pass_names_on_the_other_way, {"updated": 3}),
    (pass_names_round, {"updated": 3}),
    (take_the_name_of_one_that_goes, {"updated": 1, "removed": 1, "unchanged": 1}),
    (rename_file, {"unchanged": 3, "moved": 1}),
    (rename_file_in_another_case, {"unchanged": 3, "moved": 1}),
    (change_id_in_place, {"added": 1, "removed": 1, "unchanged": 2}),
    (change_id_and_move_the_old_model, {"added": 1, "unchanged": 3, "moved": 1}),
    (replace_by_a_directory, {"unchanged": 3, "moved": 1}),
]


@pytest.mark.parametrize(("edit", "expected"), LEGAL, ids=[edit.__name__ for edit, _ in LEGAL])
async def test_swaps_and_chains_that_end_without_conflict_are_one_update(
    store: Store, defs: Path, edit: Callable[[Path], None], expected: dict[str, int]
) -> None:
    await updated(store, defs)
    edit(defs)
    report = await updated(store, defs)
    assert (counts(report), report.failed) == (expected, ())
    held = {
        path.relative_to(defs).as_posix(): path.read_bytes() for path in defs.rglob("*") if path.is_file()
    }
    files = await files_of(store)
    texts = await store.models(list(files.values()))
    assert {path: texts[oifm_id] for path, oifm_id in files.items()} == held
    assert (await store.counts()).models == len(held)
    for data in held.values():
        document = json.loads(data)
        (entry,) = await store.lookup([fold(document["name"])])
        assert entry["oifm_id"] == document["oifm_id"]
    assert counts(await updated(store, defs)) == {"unchanged": len(held)}


@pytest.mark.parametrize(("edit", "expected"), LEGAL, ids=[edit.__name__ for edit, _ in LEGAL])
@pytest.mark.parametrize("written", [0, 1, 2, 3])
async def test_the_next_update_completes_an_update_that_was_killed(
    store: Store, defs: Path, edit: Callable[[Path], None], expected: dict[str, int], written: int
) -> None:
    """Each write is one file, and the process dies after some of them."""
    await updated(store, defs)
    edit(defs)
    one_by_one = UpdateOptions(batch_size=1)
    with contextlib.suppress(KilledError):
        await update(Mortal(store, written), defs, one_by_one)  # type: ignore[arg-type]
    models = await store.models([make_id(number) for number in (1, 2, 3)])
    assert len(models) >= 3 - expected.get("removed", 0)
    await update(store, defs, one_by_one)
    held = {p.relative_to(defs).as_posix(): p.read_bytes() for p in defs.rglob("*") if p.is_file()}
    files = await files_of(store)
    texts = await store.models(list(files.values()))
    assert {path: texts[oifm_id] for path, oifm_id in files.items()} == held
    assert (await store.counts()).models == len(held)
    assert counts(await updated(store, defs)) == {"unchanged": len(held)}


class KilledError(Exception):
    """The writing process died."""


class Mortal:
    """A store whose process dies after a number of writes."""

    def __init__(self, store: Store, writes: int) -> None:
        self._store = store
        self._left = writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, batch: WriteBatch, writer: Writer | None = None) -> None:
        for step in (
            batch._replace(removals=(), credits=(), withdrawn=()),
            batch._replace(upserts=(), touches=()),
        ):
            if any(step):
                if not self._left:
                    raise KilledError
                self._left -= 1
                await self._store.write(step, writer)


class Leaving:
    """A store whose process dies at a certain step, without releasing the lease."""

    def __init__(self, store: Store, step: str) -> None:
        self._store = store
        self._step = step

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, batch: WriteBatch, writer: Writer | None = None) -> None:
        if self._step == "contributors" and (batch.credits or batch.withdrawn):
            raise StoreUnavailableError("gone")
        await self._store.write(batch, writer)

    async def advance(self, writer: Writer | None = None) -> int:
        raise StoreUnavailableError("gone")


@pytest.mark.parametrize("step", ["contributors", "readers"])
async def test_the_next_update_writes_the_contributors_and_generation_that_a_killed_one_did_not(
    store: Store, defs: Path, step: str
) -> None:
    """All models are written; only contributors and the generation are left."""
    write_model(defs, "z.fm.json", 3, contributors=[make_person(), make_person(github_username="other")])
    await updated(store, defs)
    write_model(defs, "z.fm.json", 3, contributors=[make_person(github_username="newcomer")])
    write_model(defs, "a.fm.json", 1, contributors=[make_person(name="Another Name")])
    for path in defs.rglob("*.fm.json"):
        os.utime(path, (1_700_000_000, 1_700_000_000))  # long before the file is indexed
    with pytest.raises(StoreUnavailableError):
        await update(Leaving(store, step), defs, UpdateOptions(lease_seconds=0))  # type: ignore[arg-type]
    generation = await store.generation()
    await update(store, defs, UpdateOptions(dry_run=True))
    assert await store.generation() == generation
    assert counts(await update(store, defs, UpdateOptions())) == {"unchanged": 3}
    people = {credit.key: credit.fields["name"] for credit in await store.contributors("person")}
    assert people == {"newcomer": "Test Reader", "test-reader": "Another Name"}
    assert (await store.generation() - generation) % 1_000 == 1
    await update(store, defs, UpdateOptions())
    assert (await store.generation() - generation) % 1_000 == 1


async def test_a_swap_with_one_failing_file_leaves_both_models_unchanged(store: Store, defs: Path) -> None:
    await updated(store, defs)
    before = await contents(store)
    swap_names(defs)
    write_model(defs, "z.fm.json", 3, name=name(1), tags=5)
    report = await updated(store, defs)
    assert places(report.failed) == [
        ("a.fm.json", "/name", "duplicate-name"),
        ("z.fm.json", "/tags", "wrong-type"),
    ]
    assert "OIFM_TEST_000003 in z.fm.json" in report.failed[0].problems[0].message
    assert await contents(store) == before
    swap_names(defs)
    assert counts(await updated(store, defs)) == {"updated": 2, "unchanged": 1}


async def test_many_bad_files_at_once_fail_each_with_its_own_problem(store: Store, defs: Path) -> None:
    expected: Places = []
    for number, bad in enumerate(BAD_FILES):
        expected += bad(defs / f"bad {number:02}.fm.json")
    report = await updated(store, defs)
    assert places(report.failed) == expected
    assert counts(report) == {"added": 3}


class Meddling:
    """A store, and a change of the files between scan and read."""

    def __init__(self, store: Store, meddle: Callable[[], object]) -> None:
        self._store = store
        self._meddle = meddle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def manifest(self) -> Any:
        self._meddle()
        return await self._store.manifest()


def turn_into_a_pipe(path: Path) -> None:
    clear(path)
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("meddle", "code"),
    [(clear, "vanished"), (turn_into_a_pipe, "not-a-file"), (make_sparse, "too-large")],
    ids=["vanishes", "becomes a pipe", "grows"],
)
@pytest.mark.parametrize("was_known", [False, True], ids=["new", "known"])
async def test_a_file_that_becomes_unreadable_after_the_scan_fails_and_stops_no_other_file(
    store: Store, defs: Path, meddle: Callable[[Path], None], code: str, was_known: bool
) -> None:
    if was_known:
        write_model(defs, BAD, BAD_NUMBER)
        await updated(store, defs)
    for dry_run in (True, False):
        clear(defs / BAD)
        write_model(defs, BAD, BAD_NUMBER, description="Edited, and then lost.")
        write_model(defs, "z.fm.json", 3, description="Edited meanwhile.")
        meddling: Any = Meddling(store, lambda: meddle(defs / BAD))
        report = await update(meddling, defs, UpdateOptions(dry_run=dry_run))
        assert places(report.failed) == [(BAD, "", code)]
        assert counts(report) == ({"updated": 1, "unchanged": 2} if was_known else {"added": 3})
    assert (BAD_ID in await store.models([BAD_ID])) == was_known
    clear(defs / BAD)
    report = await updated(store, defs)
    assert counts(report) == {"unchanged": 3} | ({"removed": 1} if was_known else {})
    assert report.failed == ()


async def test_a_file_that_changes_between_scan_and_read_is_indexed_as_read(store: Store, defs: Path) -> None:
    write_model(defs, BAD, BAD_NUMBER)
    meddling: Any = Meddling(store, lambda: write_model(defs, BAD, BAD_NUMBER, description="Written late."))
    report = await update(meddling, defs, UpdateOptions())
    assert (counts(report), report.failed) == ({"added": 4}, ())
    data, found = (defs / BAD).read_bytes(), (defs / BAD).stat()
    (state,) = [state for state in await store.manifest() if state.path == BAD]
    assert state[1:4] == (len(data), found.st_mtime_ns, hashlib.sha256(data).hexdigest())
    assert await store.models([BAD_ID]) == {BAD_ID: data}


class Writer:
    """Rewrites a file, a little longer each time, whenever it is looked at while it is open."""

    def __init__(self, path: Path, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = path
        self._fstat = os.fstat
        self.left = most
        self.written = 0
        monkeypatch.setattr(os, "fstat", self)

    def __call__(self, descriptor: int) -> os.stat_result:
        found = self._fstat(descriptor)
        if self.left and found.st_ino == self._path.stat().st_ino:
            self.left -= 1
            self.written += 1
            self._path.write_bytes(good(description="x" * (200 + self.written)))
        return found


async def test_a_file_that_changes_once_while_it_is_read_is_read_again(
    store: Store, defs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_model(defs, BAD, BAD_NUMBER)
    writer = Writer(path, 1, monkeypatch)
    report = await update(store, defs, UpdateOptions())
    assert writer.written == 1
    assert (counts(report), report.failed) == ({"added": 4}, ())
    assert await store.models([BAD_ID]) == {BAD_ID: path.read_bytes()}


async def test_a_file_that_keeps_changing_fails_until_its_writer_is_done(
    store: Store, defs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_model(defs, BAD, BAD_NUMBER, description="As it was first.")
    await updated(store, defs)
    path.write_bytes(good(description="The writer begins."))
    writer = Writer(path, 1_000, monkeypatch)
    report = await updated(store, defs)
    assert places(report.failed) == [(BAD, "", "unstable")]
    assert counts(report) == {"unchanged": 3}
    assert await description(store, "pulmonary nodule of type 7") == "As it was first."
    writer.left = 0
    assert counts(await updated(store, defs)) == {"updated": 1, "unchanged": 3}


async def test_files_and_directories_without_read_permission_fail_and_keep_their_entries(
    store: Store, defs: Path, tmp_path: Path
) -> None:
    write_model(defs, BAD, BAD_NUMBER)
    write_model(defs, "closed/x.fm.json", 8)
    await updated(store, defs)
    write_model(defs, BAD, BAD_NUMBER, description="Edited, then locked.")
    write_model(defs, "closed/x.fm.json", 8, description="Edited, then locked.")
    with as_ordinary_user(tmp_path):
        (defs / BAD).chmod(0)
        (defs / "closed").chmod(0)
        (defs / "d").chmod(0o600)  # can be listed, but not entered
        try:
            report = await updated(store, defs)
        finally:
            for path, mode in ((BAD, 0o644), ("closed", 0o755), ("d", 0o755)):
                (defs / path).chmod(mode)
        assert places(report.failed) == [
            ("closed", "", "unreadable"),
            ("d/m.fm.json", "", "unreadable"),
            (BAD, "", "unreadable"),
        ]
        assert counts(report) == {"unchanged": 2}
        assert len(await files_of(store)) == 5
        assert counts(await updated(store, defs)) == {"updated": 2, "unchanged": 3}


async def test_a_directory_replaced_by_a_link_keeps_its_entries(
    store: Store, defs: Path, tmp_path: Path
) -> None:
    await updated(store, defs)
    (defs / "d").rename(tmp_path / "elsewhere")
    (defs / "d").symlink_to(tmp_path / "elsewhere")
    report = await updated(store, defs)
    assert places(report.failed) == [("d", "", "link")]
    assert counts(report) == {"unchanged": 2}
    assert len(await files_of(store)) == 3
    (defs / "d").unlink()
    (tmp_path / "elsewhere").rename(defs / "d")
    assert counts(await updated(store, defs)) == {"unchanged": 3}


async def test_paths_that_are_too_long_fail_and_stop_no_other_file(store: Store, defs: Path) -> None:
    here = Path.cwd()
    steps: list[str] = []
    try:
        os.chdir(defs)
        while len("/".join([str(defs), *steps])) < 4_096:
            steps.append("x" * 200)
            Path(steps[-1]).mkdir()
            os.chdir(steps[-1])
        Path("q.fm.json").write_bytes(good())
    finally:
        os.chdir(here)
    report = await updated(store, defs)
    assert places(report.failed) == [("/".join(steps), "", "unreadable")]
    assert counts(report) == {"added": 3}


async def test_a_name_that_is_not_utf8_fails_and_is_shown_escaped(store: Store, defs: Path) -> None:
    for name in (b"M\xe9.fm.json", b"dir\xff"):
        path = Path(os.fsdecode(bytes(defs) + b"/" + name))
        if name.endswith(b".json"):
            path.write_bytes(good())
        else:
            write_model(path, "x.fm.json", 8)
    report = await updated(store, defs)
    assert places(report.failed) == [
        (r"M\xe9.fm.json", "", "bad-path"),
        (r"dir\xff/x.fm.json", "", "bad-path"),
    ]
    assert counts(report) == {"added": 3}


async def test_file_names_are_not_normalized(store: Store, defs: Path) -> None:
    write_model(defs, "A.fm.json", 11)
    write_model(defs, "weird.fm.json/Ä \N{LUNGS} $x.fm.json", 12)
    write_model(defs, ".hidden/.fm.json", 13)
    for passed_over in ("X.FM.JSON", "y.json", "y.fm.json.bak", "yfm.json", ".git/y.fm.json"):
        write_model(defs, passed_over, 20)
    report = await updated(store, defs)
    assert (counts(report), report.failed) == ({"added": 6}, ())
    assert sorted(await files_of(store)) == [
        ".hidden/.fm.json",
        "A.fm.json",
        "a.fm.json",
        "d/m.fm.json",
        "weird.fm.json/Ä \N{LUNGS} $x.fm.json",
        "z.fm.json",
    ]


async def test_a_link_to_a_file_of_the_directory_is_a_second_file_with_the_same_model(
    store: Store, defs: Path
) -> None:
    (defs / "link.fm.json").symlink_to("a.fm.json")
    report = await updated(store, defs)
    assert [(path, code) for path, _, code in places(report.failed)] == [
        ("link.fm.json", "duplicate-id"),
        ("link.fm.json", "duplicate-name"),
        ("link.fm.json", "duplicate-attribute-id"),
        ("link.fm.json", "duplicate-attribute-id"),
    ]
    (defs / "a.fm.json").rename(defs / "other")
    (defs / "link.fm.json").unlink()
    (defs / "link.fm.json").symlink_to("other")
    assert counts(await updated(store, defs)) == {"unchanged": 3, "moved": 1}
