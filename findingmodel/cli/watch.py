"""``findingmodel index watch``: one update after the other, as files change."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from findingmodel.cli.options import database_options, directory_argument, remove_option, screen_options
from findingmodel.cli.screen import counted, one_line, safe_json, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from findingmodel.cli.screen import Screen
    from findingmodel.errors import FindingModelError
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.update.diff import ChangeList, ModelChange
    from findingmodel.update.options import UpdateOptions
    from findingmodel.update.report import FileReport, UpdateReport

__all__ = ["watch"]

_MOST_LINES = 20  # on a terminal: a new index may begin with thousands


@click.command()
@directory_argument
@remove_option
@click.option("--poll", is_flag=True, help="Look at all files now and then: for network drives.")
@database_options
@click.option("--json", "as_json", is_flag=True, help="Print each change as a JSON object in a line.")
@screen_options
@click.pass_obj
def watch(
    screen: Screen, directory: Path, remove: bool, poll: bool, settings: Settings, as_json: bool
) -> int:
    """Update the index from DIR now, and again whenever files below DIR change, until you press Ctrl-C.

    Each change is one line: the time, what happened, id, name and file; in a pipe separated by tabs, with
    --json each an object. A file that fails is told once, and again when something else is wrong with it or
    when it is mended or gone. While the database or DIR is away, it is tried again, at most a minute apart.
    What "index update" would refuse without --force is refused here too.

    \b
    Examples:
      findingmodel index watch defs
      findingmodel index watch defs --db mongodb://localhost/findingmodels --json >> changes.jsonl

    Ctrl-C or SIGTERM give an update that is running ten seconds to finish, and end the watch with exit code
    0; a second one ends it at once. What an update leaves undone, the next one does.
    """
    from findingmodel.update.options import UpdateOptions

    options = UpdateOptions.of(settings, remove=remove)
    watching = _Watching(settings, directory, options, _Lines(screen, directory, as_json=as_json))
    try:
        asyncio.run(watching.run(polling=poll))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    screen.note("stopped")
    return 0


class _Watching(NamedTuple):
    """What one watch is about."""

    settings: Settings
    directory: Path
    options: UpdateOptions
    lines: _Lines

    async def run(self, *, polling: bool) -> None:
        """Watch until a signal comes; a second one ends it at once."""
        from findingmodel.cli.session import reach
        from findingmodel.update.watch import changes_of, keep_up

        stop = asyncio.Event()
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def end() -> None:
            if stop.is_set() and task is not None:
                task.cancel()
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, end)
        self.lines.screen.note(f"watching {self.directory}; Ctrl-C ends it")
        wakes = changes_of(self.directory, stop=stop, polling=polling)
        await keep_up(wakes, self._update, lambda: reach(self.settings), stop=stop, told=self.lines)

    async def _update(self) -> None:
        from findingmodel.cli.session import update_in_loop
        from findingmodel.cli.timings import timed
        from findingmodel.update.diff import ChangeList

        found: list[ChangeList] = []

        def sink_of(store: Store) -> ChangeList:
            found.append(ChangeList(store))
            return found[-1]

        with timed(self.settings, "index update", wanted=False) as timer:
            report = await update_in_loop(
                self.settings, self.directory, self.options, timer=timer, sink_of=sink_of
            )
        changes = found[-1].sorted() if found and report.refused is None else []
        unwritten = {file.path for file in report.failed}
        self.lines.show(report, [change for change in changes if change.path not in unwritten])


class _Lines:
    """What is printed, and what need not be said again."""

    def __init__(self, screen: Screen, directory: Path, *, as_json: bool) -> None:
        self.screen = screen
        self._directory = directory
        self._as_json = as_json
        self._failed: dict[str, FileReport] = {}
        self._trouble: type[FindingModelError] | None = None

    def show(self, report: UpdateReport, changes: Sequence[ModelChange]) -> None:
        """Print a line for each change, each file that fails anew, and each that is mended or gone."""
        now = datetime.now().astimezone()
        facts = list(self._facts(report, changes))
        room = len(facts)
        if self.screen.is_terminal and not self._as_json and not self.screen.verbose:
            room = _MOST_LINES
        for fact in facts[:room]:
            click.echo(self._line(now, fact))
        if facts[room:]:
            self.screen.note(f"... and {counted(len(facts) - room, 'more change')}; -v shows all")

    def failed(self, error: FindingModelError, seconds: float) -> None:
        """Tell of trouble once, and with -v each time."""
        trouble = type(error)
        if trouble is not self._trouble:
            self._trouble = trouble
            click.echo(visible(f"Error: {error}; trying again"), err=True)
        self.screen.detail(f"next attempt in {seconds:.1f} s")

    def recovered(self) -> None:
        """Tell that the trouble is over."""
        self._trouble = None
        self.screen.note("working again")

    def _facts(self, report: UpdateReport, changes: Sequence[ModelChange]) -> Iterator[dict[str, Any]]:
        for change in changes:
            facts = change.as_dict()
            del facts["fields"]
            yield facts
        now = {file.path: file for file in report.failed}
        for path, file in now.items():
            if self._failed.get(path) != file:
                yield {"kind": "failed", **file.as_dict()}
        told = {change.path for change in changes}
        for path in sorted(self._failed.keys() - now.keys() - told):
            yield {"kind": "mended" if (self._directory / path).exists() else "gone", "path": path}
        self._failed = now
        if report.refused is not None:
            yield {"kind": "refused", **report.refused._asdict()}

    def _line(self, now: datetime, fact: dict[str, Any]) -> str:
        if self._as_json:
            at = {"at": now.isoformat(timespec="milliseconds")}
            return safe_json(json.dumps(at | fact, ensure_ascii=False))
        rest = _words(fact)
        if not self.screen.is_terminal:
            return "\t".join(map(one_line, (now.isoformat(timespec="seconds"), fact["kind"], *rest)))
        return "  ".join([f"{now:%H:%M:%S}", f"{fact['kind']:<7}", *map(one_line, filter(None, rest))])


def _words(fact: dict[str, Any]) -> tuple[str, ...]:
    if fact["kind"] == "refused":
        return "", "", "", fact["message"]
    if "oifm_id" not in fact:
        problems = (
            f"{one['pointer'] or '/'}: {one['message']} [{one['code']}]" for one in fact.get("problems", ())
        )
        return "", "", fact["path"], "; ".join(problems)
    former = fact["former_path"]
    return fact["oifm_id"], fact["name"], fact["path"], *([f"was {former}"] if former else [])
