"""The text of all entries in SQLite's full-text index, FTS5: candidates, frequencies, words and labels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from findingmodel.stores.records import Candidate, Frequencies, LabelRow
from findingmodel.text.terms import Terms

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence

    from findingmodel.stores.records import TermQuery
    from findingmodel.stores.sqlite.branch import Branch
    from findingmodel.stores.sqlite.database import Database

# statements are built from constants and "?"; whatever a user can type is a parameter

_LABELS_PER_CHUNK = 2_000
_SMALL = 5_000
"""In an index of so many entries, selecting candidates takes less time than handing the read to a thread."""

_FIELD_WEIGHTS = "10.0, 8.0, 2.0, 2.0, 0.0"
_TEXT = "{name synonyms description other}"
_NAMES = "{name synonyms}"
_MATCHING = 'SELECT e.id FROM "terms$" t JOIN "entries$" e ON e.id = t.rowid WHERE "terms$" MATCH ?'
_CANDIDATES = (
    'SELECT e.id, e.oifm_id, t.name, t.synonyms, t.description, t.other FROM "entries$" e '
    'JOIN "terms$" t ON t.rowid = e.id WHERE e.id IN'
)
_LABELS = (
    "SELECT e.id, e.oifm_id, e.names, t.name, t.synonyms, t.description, t.other "
    'FROM "entries$" e JOIN "terms$" t ON t.rowid = e.id WHERE e.id > ? ORDER BY e.id LIMIT ?'
)


class SQLiteTerms:
    """The `TermIndex` of a branch in a SQLite file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_small = False  # until it is known

    async def candidates(self, query: TermQuery, *, limit: int | None) -> list[Candidate]:
        """Return the best entries for *query* by bm25; without a *limit* all of them, in any order."""
        read = self._database.read_now if self._is_small else self._database.read
        return await read(_candidates, query, limit)

    async def frequencies(self, tokens: Collection[str] | None) -> Frequencies | None:
        """Return how many entries have each of *tokens*, or each token of the index if it is None."""
        read = self._database.read if tokens is None else self._database.read_now
        found = await read(_frequencies, tokens)
        self._is_small = found.entries <= _SMALL
        return found

    async def words(self) -> Mapping[str, int] | None:
        """Return the folded words of all names and synonyms, with how often each occurs."""
        return await self._database.read(_words)

    async def iter_labels(self) -> AsyncIterator[Sequence[LabelRow]]:
        """Yield every entry's names and terms, in chunks."""
        last, rows = await self._database.read(_labels, 0)
        while rows:
            yield rows
            last, rows = await self._database.read(_labels, last)


def _candidates(branch: Branch, query: TermQuery, limit: int | None) -> list[Candidate]:
    expression = _match_expression(query)
    if not expression:
        return []
    with branch.cached() as cache:
        numbers = _matching(branch, expression, limit, is_ordered=any(query.groups))
        known = cache.candidates
        missing = [number for number in numbers if number not in known]
        for number, oifm_id, *terms in branch.select_among(_CANDIDATES, missing):
            known[number] = Candidate(oifm_id, Terms(*terms))
    return [known[number] for number in numbers]


def _matching(branch: Branch, expression: str, limit: int | None, *, is_ordered: bool) -> list[int]:
    """Return the row numbers of the entries that match *expression*."""
    if limit is None:
        rows = branch.run('SELECT rowid FROM "terms$" WHERE "terms$" MATCH ?', (expression,))
    else:
        order = f'bm25("terms$", {_FIELD_WEIGHTS}), e.oifm_id' if is_ordered else "e.oifm_id"
        rows = branch.run(f"{_MATCHING} ORDER BY {order} LIMIT ?", (expression, limit))
    return [number for (number,) in rows]


def _frequencies(branch: Branch, tokens: Collection[str] | None) -> Frequencies:
    statement = 'SELECT term, doc FROM temp."vocabulary$"'
    with branch.cached() as cache:
        if cache.size is None:
            cache.size = branch.run('SELECT count(*) FROM "files$"').fetchone()[0]
        among = f"{statement} WHERE term IN"
        rows = branch.run(statement) if tokens is None else branch.select_among(among, tokens)
        return Frequencies(cache.size, dict(rows))


def _words(branch: Branch) -> dict[str, int]:
    return dict(branch.run('SELECT word, count FROM "words$" WHERE count > 0').fetchall())


def _labels(branch: Branch, after: int) -> tuple[int, list[LabelRow]]:
    """Return the labels of the rows that follow row number *after*, and the last row's number."""
    rows = branch.run(_LABELS, (after, _LABELS_PER_CHUNK)).fetchall()
    return (rows[-1][0] if rows else after), [_label_row(row) for row in rows]


def _label_row(row: tuple[Any, ...]) -> LabelRow:
    name, *synonyms = json.loads(row[2])
    return LabelRow(row[1], name, tuple(synonyms), Terms(*row[3:]))


def _match_expression(query: TermQuery) -> str:
    """Return *query* in the syntax of FTS5 (https://www.sqlite.org/fts5.html#full_text_query_syntax)."""
    groups = [f"({_quoted(group)})" for group in query.groups if group]
    parts = [f"(facets : ({_quoted(group)}))" for group in query.facets if group]
    if groups:
        parts.append(f"({_TEXT} : ({(' AND ' if query.match == 'all' else ' OR ').join(groups)}))")
    expression = " AND ".join(parts)
    if expression and query.excluded:
        return f"({expression}) NOT ({_NAMES} : ({_quoted(query.excluded)}))"
    return expression


def _quoted(tokens: Iterable[str]) -> str:
    """Return an FTS5 expression for any of *tokens*, each quoted so that none is an operator."""
    return " OR ".join('"' + token.replace('"', '""') + '"' for token in tokens)
