"""scan: which files a directory holds, and which of them are refused."""

from __future__ import annotations

import os
import resource
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from findingmodel.errors import DirectoryError
from findingmodel.stores.records import FileState, file_stamp
from findingmodel.update.compare import compare
from findingmodel.update.scan import scan
from tests.builders import write_model
from tests.update.ordinary import as_ordinary_user

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from findingmodel.update.report import FileReport


def test_every_file_below_the_directory_is_found_sorted(tmp_path: Path) -> None:
    for name in ("b/x.fm.json", "a.fm.json", "b/c/d.fm.json", "a/z.fm.json"):
        write_model(tmp_path, name)
    for name in ("notes.txt", "a.json", ".git/x.fm.json", "X.FM.JSON"):
        write_model(tmp_path, name)
    found = scan(tmp_path)
    assert [file.path for file in found.files] == ["a.fm.json", "a/z.fm.json", "b/c/d.fm.json", "b/x.fm.json"]
    assert found.failed == ()
    status = (tmp_path / "a.fm.json").stat()
    assert found.files[0][1:] == (status.st_size, status.st_mtime_ns, file_stamp(status))


def test_links_are_followed_inside_the_directory_only(tmp_path: Path) -> None:
    root = tmp_path / "defs"
    write_model(root, "real.fm.json")
    write_model(tmp_path, "outside.fm.json")
    (root / "inside.fm.json").symlink_to("real.fm.json")
    (root / "outside.fm.json").symlink_to(tmp_path / "outside.fm.json")
    (root / "loop.fm.json").symlink_to("loop.fm.json")
    (root / "gone.fm.json").symlink_to("absent")
    (root / "directory").symlink_to(tmp_path, target_is_directory=True)
    (root / "notes.txt").symlink_to("/etc/hostname")
    found = scan(root)
    assert [file.path for file in found.files] == ["inside.fm.json", "real.fm.json"]
    failed = ["directory", "gone.fm.json", "loop.fm.json", "outside.fm.json"]
    assert [report.path for report in found.failed] == failed
    assert {problem.code for report in found.failed for problem in report.problems} == {"link"}


@pytest.mark.parametrize(("name", "why"), [("absent", "does not exist"), ("file", "it is a file")])
def test_a_path_that_is_not_a_directory_is_an_error(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DirectoryError, match=why):
        scan(tmp_path / name)


def test_a_directory_without_read_permission_is_an_error(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    with as_ordinary_user(tmp_path):
        closed.chmod(0)
        with pytest.raises(DirectoryError, match="closed cannot be listed: Permission denied"):
            scan(closed)
        closed.chmod(0o755)


def test_known_files_below_an_unreadable_directory_are_not_missing(tmp_path: Path) -> None:
    write_model(tmp_path, "a.fm.json")
    known = compare(scan(tmp_path), ()).to_load[0]
    state = known_state(known.path, "hidden/b.fm.json")
    hidden = scan(tmp_path)._replace(unreadable=("hidden/",))
    assert compare(hidden, state).missing.keys() == set()
    assert compare(scan(tmp_path), state).missing.keys() == {"hidden/b.fm.json"}


def known_state(*paths: str) -> list[FileState]:
    return [FileState(path, 1, 1, "0" * 64, 1, f"OIFM_TEST_{n:06d}") for n, path in enumerate(paths)]


def places(reports: Iterable[FileReport]) -> list[tuple[str, str]]:
    return [(report.path, problem.code) for report in reports for problem in report.problems]


def test_a_directory_whose_listing_breaks_off_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/x.fm.json", "a/y.fm.json", "b.fm.json"):
        write_model(tmp_path, name)

    class BreakingOff:
        """Fails half-way, as a network file system may."""

        def __init__(self, path: str) -> None:
            self._entries = scandir(path)
            self._breaks = str(path).endswith("a")

        def __enter__(self) -> None:
            self._entries.__enter__()

        def __exit__(self, *error: object) -> None:
            self._entries.__exit__(None, None, None)

        def __iter__(self) -> Iterator[os.DirEntry[str]]:
            for entry in self._entries:
                yield entry
                if self._breaks:
                    raise OSError(5, "Input/output error")

    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", BreakingOff)
    found = scan(tmp_path)
    assert places(found.failed) == [("a", "unreadable")]
    assert found.unreadable == ("a/",)
    state = known_state("a/x.fm.json", "a/y.fm.json", "c.fm.json")
    assert compare(found, state).missing.keys() == {"c.fm.json"}


def test_every_directory_except_git_is_scanned(tmp_path: Path) -> None:
    for name in ("weird.fm.json/x.fm.json", ".hidden/y.fm.json", ".git/z.fm.json", "a/.git/z.fm.json"):
        write_model(tmp_path, name)
    assert [file.path for file in scan(tmp_path).files] == [".hidden/y.fm.json", "weird.fm.json/x.fm.json"]


def test_a_root_that_is_a_link_is_scanned(tmp_path: Path) -> None:
    write_model(tmp_path / "defs", "d/real.fm.json")
    (tmp_path / "defs" / "inside.fm.json").symlink_to("d/real.fm.json")
    (tmp_path / "link").symlink_to("defs")
    found = scan(tmp_path / "link")
    assert [file.path for file in found.files] == ["d/real.fm.json", "inside.fm.json"]
    assert found.failed == ()


def test_a_sibling_with_the_same_prefix_is_outside(tmp_path: Path) -> None:
    write_model(tmp_path, "defs2/x.fm.json")
    write_model(tmp_path, "defs/a.fm.json")
    (tmp_path / "defs" / "b.fm.json").symlink_to("../defs2/x.fm.json")
    found = scan(tmp_path / "defs")
    assert [file.path for file in found.files] == ["a.fm.json"]
    assert places(found.failed) == [("b.fm.json", "link")]


def test_anything_but_a_file_is_refused_in_path_order(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.fm.json")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.fm.json").symlink_to("pipe")
    (tmp_path / "around").symlink_to("around")
    write_model(tmp_path, os.fsdecode(b"caf\xe9.fm.json"))
    found = scan(tmp_path)
    assert found.files == []
    assert places(found.failed) == [
        (r"caf\xe9.fm.json", "bad-path"),
        ("link.fm.json", "not-a-file"),
        ("pipe.fm.json", "not-a-file"),
    ]


def test_an_empty_directory_has_no_files(tmp_path: Path) -> None:
    found = scan(tmp_path)
    assert (found.root, found.files, found.failed, found.unreadable) == (tmp_path, [], (), ())


def test_files_removed_during_the_scan_are_not_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a/x.fm.json", "b/x.fm.json", "y.fm.json"):
        write_model(tmp_path, name)
    real = os.scandir

    def scandir(path: str | Path) -> object:
        """List *path*, after deleting it unless it is the root."""
        if Path(path) != tmp_path:
            with monkeypatch.context() as patch:
                patch.setattr(os, "scandir", real)
                shutil.rmtree(path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = scan(tmp_path)
    assert [file.path for file in found.files] == ["y.fm.json"]
    assert (found.failed, found.unreadable) == ((), ())


def test_one_directory_is_open_at_a_time(tmp_path: Path) -> None:
    for number in range(300):
        write_model(tmp_path, f"{number:03}/x.fm.json")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/dev/fd").iterdir())) + 20, limits[1]))
    try:
        found = scan(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(found.files) == 300
    assert found.failed == ()


SIDE_FILES = (
    "._a.fm.json",
    ".#a.fm.json",
    "~$a.fm.json",
    "a.fm.json~",
    ".a.fm.json.swp",
    "#a.fm.json#",
    "B.FM.JSON",
)


def test_backups_and_side_files_of_other_programs_are_skipped_and_listed(tmp_path: Path) -> None:
    write_model(tmp_path, "a.fm.json")
    for name in SIDE_FILES:
        write_model(tmp_path, f"x/{name}")
    (tmp_path / ".#b.fm.json").symlink_to("user@host.4711")  # as Emacs locks a file
    found = scan(tmp_path)
    assert ([file.path for file in found.files], found.failed) == (["a.fm.json"], ())
    assert found.skipped == (".#b.fm.json", *sorted(f"x/{name}" for name in SIDE_FILES))
