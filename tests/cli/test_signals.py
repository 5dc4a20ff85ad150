"""How a process handles SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from findingmodel.cli import main as groups
from findingmodel.cli.main import RootGroup, interrupt_on_sigterm, restore_signals

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=[False, True], ids=["at a terminal", "in the background"])
def is_ignored(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """Whether SIGINT is ignored, as in the background of a shell; handlers are restored at the end."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    monkeypatch.setattr(groups, "_signals", [])
    # set either way: the shell or CI that runs the tests may ignore SIGINT itself
    signal.signal(signal.SIGINT, signal.SIG_IGN if request.param else signal.default_int_handler)
    yield request.param
    for number in numbers:
        signal.signal(number, before[number])
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def test_sigterm_ends_a_command_with_143(is_ignored: bool) -> None:
    @click.command()
    def wait() -> None:
        signal.raise_signal(signal.SIGTERM)

    interrupt_on_sigterm()
    root = RootGroup("root", lazy={})
    root.add_command(wait, "wait")
    root._load = lambda stub: stub  # type: ignore[method-assign]
    result = CliRunner().invoke(root, ["wait"])
    assert (result.exit_code, result.stderr) == (143, "Error: terminated\n")


def test_sigterm_cancels_the_work_of_an_event_loop(is_ignored: bool) -> None:
    ended: list[str] = []

    async def work() -> None:
        signal.raise_signal(signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # the loop still runs
            ended.append("cleanly")
            raise

    interrupt_on_sigterm()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(work())
    assert ended == ["cleanly"]


def test_restored_signals_have_their_default_actions(is_ignored: bool) -> None:
    interrupt_on_sigterm()
    restore_signals()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is (signal.SIG_IGN if is_ignored else signal.SIG_DFL)
