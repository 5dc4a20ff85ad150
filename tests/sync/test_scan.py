"""scan: what a directory holds, and what of it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel.errors import DirectoryError
from findingmodel.stores.records import FileState
from findingmodel.sync.compare import compare
from findingmodel.sync.scan import scan
from tests.builders import write_model

if TYPE_CHECKING:
    from pathlib import Path


def test_every_file_below_the_directory_is_found_sorted(tmp_path: Path) -> None:
    for name in ("b/x.fm.json", "a.fm.json", "b/c/d.fm.json", "a/z.fm.json"):
        write_model(tmp_path, name)
    for name in ("notes.txt", "a.json", ".git/x.fm.json", "X.FM.JSON"):
        write_model(tmp_path, name)
    found = scan(tmp_path)
    assert [file.path for file in found.files] == ["a.fm.json", "a/z.fm.json", "b/c/d.fm.json", "b/x.fm.json"]
    assert found.failed == ()
    size = (tmp_path / "a.fm.json").stat()
    assert found.files[0][1:] == (size.st_size, size.st_mtime_ns)


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
def test_what_is_no_directory_is_an_error(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DirectoryError, match=why):
        scan(tmp_path / name)


def test_what_is_known_below_an_unreadable_directory_is_not_missing(tmp_path: Path) -> None:
    write_model(tmp_path, "a.fm.json")
    known = compare(scan(tmp_path), ()).to_load[0]
    state = known_state(known.path, "hidden/b.fm.json")
    hidden = scan(tmp_path)._replace(unreadable=("hidden/",))
    assert compare(hidden, state).missing.keys() == set()
    assert compare(scan(tmp_path), state).missing.keys() == {"hidden/b.fm.json"}


def known_state(*paths: str) -> list[FileState]:
    return [FileState(path, 1, 1, "0" * 64, 1, f"OIFM_TEST_{n:06d}") for n, path in enumerate(paths)]
