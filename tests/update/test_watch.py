"""The watch: when it updates, how it waits for an unreachable database, and how it ends."""

from __future__ import annotations

import asyncio
from itertools import count, islice
from typing import TYPE_CHECKING

import pytest

from findingmodel.errors import (
    DirectoryError,
    FindingModelError,
    LeaseHeldError,
    StoreSchemaError,
    StoreUnavailableError,
)
from findingmodel.update.watch import changes_of, keep_up, retry_delays
from tests.builders import write_model
from tests.update.virtual import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

AWAY = StoreUnavailableError("cannot reach it")
PATIENCE_SECONDS = 30


class World:
    """A database and a directory in virtual time, with a log of updates, failures and reports."""

    def __init__(
        self, *troubles: FindingModelError | None, wakes: int = 1, update_seconds: float = 0
    ) -> None:
        self._troubles = iter(troubles)
        self._update_seconds = update_seconds
        self._wakes = wakes
        self.stop = asyncio.Event()
        self.log: list[str] = []

    async def wakes(self) -> AsyncGenerator[None, None]:
        for _ in range(self._wakes):
            yield

    async def update(self) -> None:
        await asyncio.sleep(self._update_seconds)
        self._act("update")

    async def probe(self) -> None:
        self._act("probe")

    def _act(self, name: str) -> None:
        now = f"{asyncio.get_running_loop().time():g}"
        trouble = next(self._troubles, None)
        self.log.append(f"{now} {name}" + (" fails" if trouble else ""))
        if trouble:
            raise trouble

    def failed(self, error: FindingModelError, seconds: float) -> None:
        self.log.append(f"told: {error}, again in {seconds:g}")

    def recovered(self) -> None:
        self.log.append("told: recovered")

    async def run(self) -> None:
        def delays() -> Iterator[float]:
            return (float(2**power) for power in count())

        await keep_up(self.wakes(), self.update, self.probe, stop=self.stop, listener=self, delays=delays)

    async def run_until(self, seconds: float) -> None:
        asyncio.get_running_loop().call_later(seconds, self.stop.set)
        await self.run()


def live(world: World, *, until: float | None = None) -> list[str]:
    run_in_virtual_time(world.run() if until is None else world.run_until(until))
    return world.log


def test_each_wake_is_an_update() -> None:
    assert live(World(wakes=3)) == ["0 update"] * 3


def test_delays_grow_during_an_outage() -> None:
    world = World(AWAY, AWAY, AWAY, None, None, wakes=2)
    assert live(world) == [
        "0 update fails",
        "told: cannot reach it, again in 1",
        "1 probe fails",
        "told: cannot reach it, again in 2",
        "3 probe fails",
        "told: cannot reach it, again in 4",
        "7 probe",
        "7 update",
        "told: recovered",
        "7 update",
    ]


def test_delays_restart_with_each_outage() -> None:
    log = live(World(AWAY, AWAY, None, None, AWAY, wakes=2))
    assert [line for line in log if "again" in line] == [
        "told: cannot reach it, again in 1",
        "told: cannot reach it, again in 2",
        "told: cannot reach it, again in 1",
    ]


@pytest.mark.parametrize("trouble", [LeaseHeldError("at work"), DirectoryError("not there"), AWAY])
def test_temporary_errors_are_retried(trouble: FindingModelError) -> None:
    assert live(World(trouble))[-2:] == ["1 update", "told: recovered"]


def test_a_permanent_error_ends_the_watch() -> None:
    world = World(StoreSchemaError("of a newer version"), wakes=2)
    with pytest.raises(StoreSchemaError):
        run_in_virtual_time(world.run())
    assert world.log == ["0 update fails"]


def test_an_unexpected_error_ends_the_watch() -> None:
    world = World(wakes=1)
    world._troubles = iter([ZeroDivisionError()])  # type: ignore[list-item]
    with pytest.raises(ZeroDivisionError):
        run_in_virtual_time(world.run())


def test_the_watch_can_be_stopped_while_it_waits() -> None:
    assert live(World(*[AWAY] * 9), until=2.5)[-1] == "told: cannot reach it, again in 2"


def test_a_running_update_may_finish() -> None:
    assert live(World(wakes=9, update_seconds=3), until=1) == ["3 update"]


def test_an_update_that_does_not_end_is_cancelled() -> None:
    assert live(World(wakes=9, update_seconds=1e6), until=1) == []


def test_delays_grow_to_a_minute_and_differ_between_watchers() -> None:
    first, second = list(islice(retry_delays(), 30)), list(islice(retry_delays(), 30))
    assert first != second
    assert 0.8 <= first[0] <= 1.2
    assert 48 <= min(first[10:]) <= max(first[10:]) <= 72


# events of a real file system


async def next_wake(wakes: AsyncGenerator[None, None]) -> None:
    await asyncio.wait_for(anext(wakes), PATIENCE_SECONDS)


@pytest.mark.parametrize("polling", [False, True])
async def test_files_directories_and_removals_wake_the_watch(tmp_path: Path, polling: bool) -> None:
    stop = asyncio.Event()
    wakes = changes_of(tmp_path, stop=stop, polling=polling)
    await next_wake(wakes)  # at once
    write_model(tmp_path, "a.fm.json", 1)
    await next_wake(wakes)
    write_model(tmp_path, "deep/er/b.fm.json", 2)
    await next_wake(wakes)
    (tmp_path / "deep").rename(tmp_path / "deeper")
    await next_wake(wakes)
    (tmp_path / "a.fm.json").unlink()
    await next_wake(wakes)
    stop.set()
    assert [one async for one in wakes] == []


async def test_a_change_while_the_consumer_works_is_not_missed(tmp_path: Path) -> None:
    wakes = changes_of(tmp_path, stop=asyncio.Event(), rescan_ms=3_600_000)
    await next_wake(wakes)
    write_model(tmp_path, "a.fm.json", 1)  # before the next wake is requested
    await next_wake(wakes)
    await wakes.aclose()


async def test_other_files_do_not_wake_the_watch(tmp_path: Path) -> None:
    wakes = changes_of(tmp_path, stop=asyncio.Event(), rescan_ms=3_600_000)
    await next_wake(wakes)
    coming = asyncio.ensure_future(anext(wakes))
    for name in ("notes.txt", "index.db-wal", ".a.fm.json.swp", ".git/a.fm.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    done, _ = await asyncio.wait({coming}, timeout=1)
    assert not done
    write_model(tmp_path, "a.fm.json", 1)
    await asyncio.wait_for(coming, PATIENCE_SECONDS)
    await wakes.aclose()


async def test_changes_without_an_event_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("findingmodel.update.watch._may_matter", lambda _change, _path: False)
    wakes = changes_of(tmp_path, stop=asyncio.Event(), rescan_ms=200)
    await next_wake(wakes)
    write_model(tmp_path, "a.fm.json", 1)
    await next_wake(wakes)
    await wakes.aclose()


async def test_a_directory_that_is_created_again_is_watched_again(tmp_path: Path) -> None:
    directory = tmp_path / "models"
    directory.mkdir()
    wakes = changes_of(directory, stop=asyncio.Event(), rescan_ms=200)
    await next_wake(wakes)
    directory.rename(tmp_path / "away")
    await next_wake(wakes)
    directory.mkdir()
    write_model(directory, "a.fm.json", 1)
    await next_wake(wakes)
    write_model(directory, "b.fm.json", 2)
    await next_wake(wakes)
    await wakes.aclose()
