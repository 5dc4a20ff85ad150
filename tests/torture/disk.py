"""Disks: full ones, as small file systems or by a limit, and read-only ones."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.torture.inspect_index import check_complete, check_interrupted, index_content
from tests.torture.tally import NotMadeError, Tally
from tests.torture.world import World
from tests.torture.zygote import Zygote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.torture.zygote import Ended

__all__ = ["fill", "small_disk"]

_MODELS = 100
_EDITS = 60


@contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[bool]:
    """Mount a disk of this size at *place*; yield False if this user may not mount one."""
    place.mkdir(parents=True, exist_ok=True)
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mounted, capture_output=True, check=False).returncode:
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(home: Path, seed: int, times: int) -> Tally:
    """Fill disks of several sizes during an update, then add space.

    Raises:
        NotMadeError: this user may not mount disks.
    """
    tally, chance = Tally(), random.Random(seed)
    for number in range(times):
        place = home / f"disk{number}"
        with small_disk(place, chance.randint(200, 1_500)) as is_small:
            if not is_small:
                raise NotMadeError("this user may not mount a disk")
            _fill(home / f"z{number}", place, chance, tally)
    return tally


def _fill(home: Path, place: Path, chance: random.Random, tally: Tally) -> None:
    db = f"sqlite:///{place}/index.db"
    world = World(home / "defs", _MODELS, chance)
    with Zygote(home, FINDINGMODEL_BATCH_SIZE="10") as zygote:
        command = ("index", "update", world.root, "--db", db)
        _judge(zygote.run(*command), tally)
        for _ in range(4):
            _recover(zygote, command, place, world, db, tally)
            before = index_content(db)[0]
            world.edit(_EDITS)
            free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
            (place / "ballast").write_bytes(b"x" * max(0, free - chance.randint(0, 200_000)))
            _judge(zygote.run(*command), tally)
            # SQLite cannot read without any free space
            check_interrupted(tally, world, _copied(db, home / "copy"), "full", before)
            (place / "ballast").unlink()
        _recover(zygote, command, place, world, db, tally)


def _recover(
    zygote: Zygote, command: tuple[object, ...], place: Path, world: World, db: str, tally: Tally
) -> None:
    """Add space to the disk, and complete the index with an update."""
    subprocess.run(["mount", "-o", "remount,size=50m", str(place)], check=True)
    ended = zygote.run(*command)
    check_complete(tally, world, db, "with space again")
    tally.expect(ended.code in (0, 1), f"with space again: {ended.code} {ended.stderr[-200:]}")
    tally.count("updates that did the rest")


def _copied(db: str, home: Path) -> str:
    """Copy the files of *db* unchanged to a disk with space."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    for file in Path(db.removeprefix("sqlite:///")).parent.glob("index.db*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, home)
    return f"sqlite:///{home}/index.db"


def _judge(ended: Ended, tally: Tally) -> None:
    if ended.code == 3:
        tally.count("updates that met a full disk")
        messages = [line for line in ended.stderr.splitlines() if line.startswith("Error: cannot ")]
        tally.expect(
            len(messages) == 1 and ("full" in messages[0] or "disk I/O" in messages[0]),
            f"on a full disk: {ended.stderr!r}",
        )
    else:
        tally.expect(ended.code in (0, 1), f"on a full disk: exit {ended.code}, {ended.stderr[-300:]}")
    tally.expect("Traceback" not in ended.stderr, f"on a full disk: {ended.stderr[-300:]}")
