"""Files that are replaced atomically."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from findingmodel.runtime.files import Replacement, replace_file

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_written_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "page.md"
    assert replace_file(path, b"one")
    before = path.stat()
    assert not replace_file(path, b"one")
    assert path.stat() == before
    assert replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_permissions_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_bytes(b"one")
    path.chmod(0o640)
    replace_file(path, b"two")
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_reader_sees_the_old_file_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_bytes(b"old")
    with Replacement(path) as new:
        new.write(b"new, ")
        assert path.read_bytes() == b"old"
        new.write(b"and more")
    assert (path.read_bytes(), new.changed) == (b"new, and more", True)


def test_equal_pieces_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_bytes(b"same")
    inode = path.stat().st_ino
    with Replacement(path) as new:
        new.write(b"sa")
        new.write(b"me")
    assert (new.changed, path.stat().st_ino) == (False, inode)
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_bytes(b"old")

    def fail() -> None:
        with Replacement(path) as new:
            new.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_temporary_file_left_by_a_killed_process_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"precious")
    path = tmp_path / "page.md"
    (tmp_path / f".page.md.{os.getpid()}.tmp").symlink_to(tmp_path / "victim")
    assert replace_file(path, b"new")
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert path.read_bytes() == b"new"


def test_a_directory_in_its_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "page.md").mkdir()
    with pytest.raises(OSError, match=r"page\.md"):
        replace_file(tmp_path / "page.md", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]
