"""``findingmodel index triage``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli.options import index_options, utf8
from findingmodel.cli.screen import Column, Screen, counted, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from findingmodel.author.edit import Edit
    from findingmodel.author.triage import Triage
    from findingmodel.author.triage_list import CuratedList
    from findingmodel.index.session import IndexSession
    from findingmodel.settings import Settings

_COLUMNS = (
    *(Column("line", wraps=False, right=True), Column("status", wraps=False), Column("finding", bold=True)),
    *(Column("id", wraps=False), Column("model"), Column("why")),
)


@click.command()
@click.argument("file", metavar="LIST.csv", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--column", metavar="COL", type=utf8, default="name", show_default=True, help="Names of findings."
)
@click.option("--synonyms", metavar="COL", type=utf8, help="Column of synonyms, separated by ; or |.")
@click.option(
    "--write-ids", metavar="COL", type=utf8, help="Write ids of matches into this column of the list."
)
@click.option(
    "--stubs",
    "stub_directory",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a new model for each row without a match or a candidate.",
)
@click.option("--source", metavar="CODE", help="Organization that issues the ids of new models: 3-4 letters.")
@click.option(
    "--files",
    "files_directory",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Compare with the files below DIR instead of the index.",
)
@click.option("--dry-run", is_flag=True, help="Show the result, and write nothing.")
@index_options
def triage(
    screen: Screen,
    file: Path,
    column: str,
    synonyms: str | None,
    write_ids: str | None,
    stub_directory: Path | None,
    source: str | None,
    files_directory: Path | None,
    dry_run: bool,
    settings: Settings,
) -> int:
    """Find for each row of LIST.csv the model of this finding: a match, maybe one of several, or none.

    A match has the same name or synonym, whatever its spelling, word order and plural. A subtype, a wider
    concept or a similar name is a candidate to decide on, with the reason. The list has a header; commas,
    semicolons, tabs or bars separate its cells.

    --write-ids changes no other byte of the list. A cell that has an id keeps it, and is not searched for:
    enter the id of a candidate there to settle a row. With --stubs, rows without any candidate get a new
    model, and its id.

    \b
    Examples:
      findingmodel index triage list.csv --column finding
      findingmodel index triage list.csv --synonyms aka --write-ids oifm_id
      findingmodel index triage list.csv --stubs defs/new --source ABCD --dry-run
      findingmodel index triage list.csv --files defs --json
    """
    from findingmodel.author.triage_list import CuratedList

    if stub_directory is not None and source is None:
        raise click.UsageError("--stubs requires --source, the code of the organization that issues the ids.")
    if write_ids is not None and write_ids.casefold() in (column.casefold(), (synonyms or "").casefold()):
        raise click.UsageError(f"--write-ids must name a column of its own, not {write_ids!r}.")
    data = file.read_bytes()
    listed = CuratedList(data)
    findings = _findings(listed, column, synonyms, write_ids)

    async def question(session: IndexSession) -> tuple[list[Triage], Edit, dict[int, str]]:
        from findingmodel.author.edit import Edit
        from findingmodel.author.triage import triage as find
        from findingmodel.author.triage_write import stubs

        if files_directory is not None:
            await _fill(session, files_directory)
        results = await find(session.store, session.one_shot_searcher(), findings, progress=progress)
        if stub_directory is None:
            return results, Edit(()), {}
        edit, ids = await stubs(session.store, stub_directory, source or "", results)
        return results, edit, ids

    from findingmodel.cli.session import run_in_loop, session_of
    from findingmodel.settings import Settings as AllSettings

    chosen = settings if files_directory is None else AllSettings.load(db="sqlite://")
    with screen.progress("comparing") as progress:
        results, new, ids = run_in_loop(session_of(chosen), question)
    edits = [new]
    if write_ids is not None:
        edits.append(_write_back(file, data, listed, write_ids, results, ids))
    if not dry_run:
        for edit in edits:
            edit.apply()
    _show(screen, results, edits, ids, dry_run=dry_run)
    return 0


def _findings(listed: CuratedList, column: str, synonyms: str | None, write_ids: str | None) -> list[Any]:
    from findingmodel.author.triage import ListedFinding
    from findingmodel.author.triage_list import split_synonyms
    from findingmodel.text.normalize import fold

    names = listed.column(column)
    others = None if synonyms is None else listed.column(synonyms)
    has_ids = write_ids is not None and any(fold(name) == fold(write_ids) for name in listed.columns)
    ids = listed.column(write_ids) if write_ids is not None and has_ids else None
    return [
        ListedFinding(
            record.line,
            " ".join(listed.text(record, names).split()),
            () if others is None else tuple(split_synonyms(listed.text(record, others))),
            "" if ids is None else listed.text(record, ids),
        )
        for record in listed.rows
    ]


async def _fill(session: IndexSession, directory: Path) -> None:
    """Make the index of *session*, in memory, hold the models below *directory*."""
    from findingmodel.update.directory import update
    from findingmodel.update.options import UpdateOptions

    await update(session.store, directory, UpdateOptions(), threads=session.use_threads())


def _write_back(
    file: Path,
    data: bytes,
    listed: CuratedList,
    column: str,
    results: Sequence[Triage],
    new: Mapping[int, str],
) -> Edit:
    from findingmodel.author.triage_write import write_ids

    ids = {**{one.finding.line: one.oifm_id for one in results if one.oifm_id}, **new}
    return write_ids(file, data, listed, column, ids)


def _show(
    screen: Screen, results: Sequence[Triage], edits: Sequence[Edit], ids: Mapping[int, str], *, dry_run: bool
) -> None:
    counts = Counter(one.status for one in results)
    files = [str(change.path) for edit in edits for change in edit.changes]
    notes = [note for edit in edits for note in edit.notes]
    if screen.as_json:
        totals = {status: counts[status] for status in ("match", "maybe", "none")}
        facts = [one.as_dict() | {"new_id": ids.get(one.finding.line)} for one in results]
        screen.json({**totals, "rows": facts, "files": files, "notes": notes, "dry_run": dry_run})
        return
    rows = [row for one in results for row in _rows(one, ids, every=screen.is_terminal)]
    screen.results(None, _COLUMNS, rows, if_empty="the list has no rows")
    summary = (f"match {counts['match']:,}", f"maybe {counts['maybe']:,}", f"none {counts['none']:,}")
    screen.note(f"{counted(len(results), 'row')}: {', '.join(summary)}")
    for note in notes:
        screen.note(note)
    for path in files:
        screen.note(f"{'would write' if dry_run else 'wrote'} {path}")


def _rows(one: Triage, ids: Mapping[int, str], *, every: bool) -> list[tuple[str, ...]]:
    """Return the rows of the table: one for each candidate on a terminal, else for the first alone."""
    head = (str(one.finding.line), one.status, one_line(one.finding.name))
    candidates = one.candidates if every and one.status == "maybe" else one.candidates[:1]
    if not candidates:
        return [(*head, ids.get(one.finding.line, ""), "", "new model" if one.finding.line in ids else "")]
    first, *others = [(it.oifm_id, one_line(it.name), one_line(it.reason)) for it in candidates]
    return [(*head, *first), *(("", "", "", *other) for other in others)]
