"""SIGTERM, as the process that it is sent to sees it."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from findingmodel.cli import main as groups
from findingmodel.cli.main import RootGroup, end_on_any_signal, end_on_sigterm

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[False, True], ids=["at a terminal", "in the background"])
def is_deaf(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """Whether SIGINT is ignored, as in the background of a shell; all is as before in the end."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    monkeypatch.setattr(groups, "_signals", [])
    if request.param:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield request.param
    for number in numbers:
        signal.signal(number, before[number])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def test_it_ends_a_command_with_143(is_deaf: bool) -> None:
    @click.command()
    def wait() -> None:
        signal.raise_signal(signal.SIGTERM)

    end_on_sigterm()
    root = RootGroup("root", lazy={})
    root.add_command(wait, "wait")
    root._imported = lambda stub: stub  # type: ignore[method-assign]
    result = CliRunner().invoke(root, ["wait"])
    assert (result.exit_code, result.stderr) == (143, "Error: terminated\n")


def test_an_event_loop_ends_what_it_runs(is_deaf: bool) -> None:
    ended: list[str] = []

    async def work() -> None:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # the loop goes on for as long as it takes
            ended.append("cleanly")
            raise

    end_on_sigterm()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(work())
    assert ended == ["cleanly"]


def test_when_all_is_told_signals_do_what_they_do(is_deaf: bool) -> None:
    end_on_sigterm()
    end_on_any_signal()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is (signal.SIG_IGN if is_deaf else signal.SIG_DFL)
