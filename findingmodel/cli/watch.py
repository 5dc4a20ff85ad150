"""``findingmodel index watch``: repeat an update whenever files change."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.options import (
    database_options,
    directory_argument,
    json_option,
    remove_option,
    screen_options,
)
from findingmodel.cli.screen import Screen, counted, one_line, safe_json, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from findingmodel.errors import FindingModelError
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.update.diff import ChangeList, ModelChange
    from findingmodel.update.options import UpdateOptions
    from findingmodel.update.report import FileReport, UpdateReport

_MAX_LINES = 20  # on a terminal, for each update: the first one may have thousands of changes


@click.command()
@partial(directory_argument, required=False)
@click.option("--follow", is_flag=True, help="Print what others change in the index; without DIR.")
@remove_option
@click.option("--poll", is_flag=True, help="Compare files at intervals, for network drives.")
@database_options
@json_option("Print each change as one line of JSON.")
@screen_options
def watch(
    screen: Screen, directory: Path | None, follow: bool, remove: bool, poll: bool, settings: Settings
) -> None:
    """Update the index from DIR now, and whenever files below DIR change, until you press Ctrl-C.

    Each change is one line: the time, what happened, id, name and file, separated by tabs in a pipe; with
    --json a JSON object. A file that fails is reported once, and again when its problems change or when it is
    mended or gone. While the database or DIR is unavailable, the watch retries at intervals of up to a
    minute. What "index update" refuses without --force is refused here, too.

    With --follow and without DIR, nothing is updated: what other processes change in the index is printed, at
    once where the MongoDB server has change streams, elsewhere within a second.

    \b
    Examples:
      findingmodel index watch defs
      findingmodel index watch defs --db mongodb://localhost/findingmodels --json >> changes.jsonl
      findingmodel index watch --follow --db mongodb://localhost/findingmodels

    Ctrl-C or SIGTERM give a running update ten seconds to finish, and end the watch with exit code 0; a
    second signal ends it at once. The next update completes an unfinished one.
    """
    from findingmodel.update.options import UpdateOptions

    if follow == (directory is not None):
        raise click.UsageError("name DIR to update the index from it, or give --follow to follow the index.")
    if directory is None:
        from findingmodel.cli.follow import Follower

        work = Follower(screen, settings).run()
    else:
        options = UpdateOptions.of(settings, remove=remove)
        work = _Watcher(screen, settings, directory, options).run(polling=poll)
    try:
        asyncio.run(work)
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    screen.note("stopped")


class _Watcher:
    """Updates an index from a directory, and prints the result of each update."""

    def __init__(self, screen: Screen, settings: Settings, directory: Path, options: UpdateOptions) -> None:
        self._screen = screen
        self._settings = settings
        self._directory = directory
        self._options = options
        self._failed: dict[str, FileReport] = {}
        self._last_error: type[FindingModelError] | None = None

    async def run(self, *, polling: bool) -> None:
        """Watch until a signal comes; a second one cancels a running update."""
        from findingmodel.cli.session import check_reachable
        from findingmodel.update.watch import changes_of, keep_up

        stop = asyncio.Event()
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def on_signal() -> None:
            if stop.is_set() and task is not None:
                task.cancel()
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, on_signal)
        self._screen.note(f"watching {self._directory}; press Ctrl-C to stop")
        wakes = changes_of(self._directory, stop=stop, polling=polling)
        await keep_up(wakes, self._update, lambda: check_reachable(self._settings), stop=stop, listener=self)

    async def _update(self) -> None:
        from findingmodel.cli.session import update_in_loop
        from findingmodel.cli.timings import timed
        from findingmodel.update.diff import ChangeList

        lists: list[ChangeList] = []

        def sink_of(store: Store) -> ChangeList:
            lists.append(ChangeList(store))
            return lists[-1]

        with timed(self._settings, "index update", show=False) as timer:
            report = await update_in_loop(
                self._settings, self._directory, self._options, timer=timer, sink_of=sink_of
            )
        changes = lists[-1].sorted() if lists and report.refused is None else []
        failed = {file.path for file in report.failed}
        self._show(report, [change for change in changes if change.path not in failed])

    def _show(self, report: UpdateReport, changes: Sequence[ModelChange]) -> None:
        """Print a line for each change, each file that fails for a new reason, and each mended or removed."""
        now = datetime.now().astimezone()
        facts = list(self._facts(report, changes))
        is_limited = self._screen.is_terminal and not self._screen.as_json and not self._screen.verbose
        shown = facts[:_MAX_LINES] if is_limited else facts
        for fact in shown:
            click.echo(self._line(now, fact))
        if len(shown) < len(facts):
            self._screen.note(f"... and {counted(len(facts) - len(shown), 'more change')}; -v shows all")

    def failed(self, error: FindingModelError, seconds: float) -> None:
        """Print an error if the last one was of another class; with -v print each retry."""
        if type(error) is not self._last_error:
            self._last_error = type(error)
            click.echo(visible(f"Error: {error}; trying again"), err=True)
        self._screen.detail(f"next attempt in {seconds:.1f} s")

    def recovered(self) -> None:
        """Print that updates work again."""
        self._last_error = None
        self._screen.note("working again")

    def _facts(self, report: UpdateReport, changes: Sequence[ModelChange]) -> Iterator[dict[str, Any]]:
        """Yield what to print, ready for JSON, and remember the files that fail."""
        for change in changes:
            facts = change.as_dict()
            del facts["fields"]
            yield facts
        failed = {file.path: file for file in report.failed}
        for path, file in failed.items():
            if self._failed.get(path) != file:
                yield {"kind": "failed", **file.as_dict()}
        changed = {change.path for change in changes}
        for path in sorted(self._failed.keys() - failed.keys() - changed):
            yield {"kind": "mended" if (self._directory / path).exists() else "gone", "path": path}
        self._failed = failed
        if report.refused is not None:
            yield {"kind": "refused", **report.refused._asdict()}

    def _line(self, now: datetime, fact: dict[str, Any]) -> str:
        if self._screen.as_json:
            at = {"at": now.isoformat(timespec="milliseconds")}
            return safe_json(json.dumps(at | fact, ensure_ascii=False))
        fields = _fields(fact)
        if not self._screen.is_terminal:
            return "\t".join(map(one_line, (now.isoformat(timespec="seconds"), fact["kind"], *fields)))
        return "  ".join([f"{now:%H:%M:%S}", f"{fact['kind']:<7}", *map(one_line, filter(None, fields))])


def _fields(fact: dict[str, Any]) -> tuple[str, ...]:
    """Return the fields of a line after the kind: id, name, file and remarks."""
    if fact["kind"] == "refused":
        return "", "", "", fact["message"]
    if "oifm_id" not in fact:
        problems = (
            f"{problem['pointer'] or '/'}: {problem['message']} [{problem['code']}]"
            for problem in fact.get("problems", ())
        )
        return "", "", fact["path"], "; ".join(problems)
    former = fact["former_path"]
    return fact["oifm_id"], fact["name"], fact["path"], *([f"was {former}"] if former else [])
