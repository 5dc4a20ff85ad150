"""One branch of a SQLite index, over one connection: plain rows in, plain rows out, nothing asynchronous.

Statements are put together from constants and from ``?``; whatever a user can type is a parameter.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.stores.records import (
    Candidate,
    Counts,
    Credit,
    FileState,
    Frequencies,
    LabelRow,
    Lease,
    Owner,
    Terms,
    entry_row,
    first_generation,
    unpack,
)
from findingmodel.stores.sqlite.cache import ReadCache
from findingmodel.stores.sqlite.schema import for_branch
from findingmodel.text.normalize import tokenize

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from findingmodel.stores.records import ContributorKind, EntryRow, Record, TermQuery, WriteBatch

__all__ = ["Branch"]

# ruff: noqa: D102, S608  # methods are named and described in protocol.py; for the SQL see above


_KEYS_PER_QUERY = 500  # SQLite's oldest limit on "?" is 999
_SORTS = {"name": "e.name_key, e.oifm_id", "oifm_id": "e.oifm_id", "filename": "f.path, e.oifm_id"}
_FIELD_WEIGHTS = "10.0, 8.0, 2.0, 2.0, 0.0"
_TEXT = "{name synonyms description other}"
_NAMES = "{name synonyms}"

_ENTRY = 'SELECT e.oifm_id, e.entry, f.path, f.sha256 FROM "entries$" e JOIN "files$" f USING (id)'
_MATCHING = 'SELECT e.id FROM "terms$" t JOIN "entries$" e ON e.id = t.rowid WHERE "terms$" MATCH ?'
_CANDIDATES = (
    'SELECT e.id, e.oifm_id, t.name, t.synonyms, t.description, t.other FROM "entries$" e '
    'JOIN "terms$" t ON t.rowid = e.id WHERE e.id IN'
)
_CREDIT = 'SELECT c.kind, c.key, c.fields, f.mtime_ns, f.path FROM "credits$" c JOIN "files$" f USING (id)'


class Branch(NamedTuple):
    """The tables of one branch, seen through one connection; one that only reads may have a *memory*."""

    connection: sqlite3.Connection
    name: str
    memory: ReadCache | None = None

    def _run(self, statement: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self.connection.execute(for_branch(statement, self.name), parameters)

    def _each(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        self.connection.executemany(for_branch(statement, self.name), rows)

    def _among(self, statement: str, keys: Collection[Any]) -> Iterator[tuple[Any, ...]]:
        """Run *statement*, which ends in ``IN``, for *keys*, a bounded list at a time."""
        ordered = list(keys)
        for start in range(0, len(ordered), _KEYS_PER_QUERY):
            chunk = ordered[start : start + _KEYS_PER_QUERY]
            yield from self._run(f"{statement} ({','.join('?' * len(chunk))})", chunk)

    # reading

    def generation(self) -> int:
        row = self._run("SELECT value FROM \"meta$\" WHERE key = 'generation'").fetchone()
        return int(row[0]) if row else 0

    def counts(self) -> Counts:
        models = self._run('SELECT count(*) FROM "files$"').fetchone()[0]
        kinds = dict(self._run('SELECT kind, count(*) FROM "contributors$" GROUP BY kind').fetchall())
        return Counts(models, kinds.get("person", 0), kinds.get("organization", 0))

    def get(self, ids: Collection[str]) -> dict[str, EntryRow]:
        with self._recalling() as memory:
            known = memory.entries
            missing = [oifm_id for oifm_id in ids if oifm_id not in known]
            rows = self._among(f"{_ENTRY} WHERE e.oifm_id IN", missing)
            known.update((row[0], _entry(row)) for row in rows)
            return {oifm_id: known[oifm_id].copy() for oifm_id in ids if oifm_id in known}

    def lookup(self, keys: Collection[str]) -> list[EntryRow]:
        statement = f'{_ENTRY} WHERE e.id IN (SELECT id FROM "keys$" WHERE key IN'
        found: dict[str, EntryRow] = {}
        ordered = list(keys)
        for start in range(0, len(ordered), _KEYS_PER_QUERY):
            chunk = ordered[start : start + _KEYS_PER_QUERY]
            rows = self._run(f"{statement} ({','.join('?' * len(chunk))}))", chunk)
            found.update((row[0], _entry(row)) for row in rows)
        return list(found.values())

    def models(self, ids: Collection[str]) -> dict[str, bytes]:
        statement = (
            'SELECT e.oifm_id, m.model FROM "entries$" e JOIN "models$" m USING (id) WHERE e.oifm_id IN'
        )
        return {oifm_id: unpack(model) for oifm_id, model in self._among(statement, ids)}

    def page(self, sort: str, descending: bool, offset: int, limit: int) -> list[EntryRow]:
        order = ", ".join(
            f"{column} {'DESC' if descending else 'ASC'}" for column in _SORTS[sort].split(", ")
        )
        return [
            _entry(row) for row in self._run(f"{_ENTRY} ORDER BY {order} LIMIT ? OFFSET ?", (limit, offset))
        ]

    def contributors(self, kind: ContributorKind, keys: Collection[str] | None) -> list[Credit]:
        statement = (
            'SELECT kind, key, fields, mtime_ns, path FROM "contributors$" WHERE kind = ? ORDER BY key'
        )
        rows = [_credit(row) for row in self._run(statement, (kind,))]
        return rows if keys is None else [row for row in rows if row.key in set(keys)]

    def candidates(self, query: TermQuery, limit: int | None) -> list[Candidate]:
        expression = _match_expression(query)
        if not expression:
            return []
        with self._recalling() as memory:
            numbers = self._matching(expression, limit, is_ordered=any(query.groups))
            known = memory.candidates
            missing = [number for number in numbers if number not in known]
            for number, oifm_id, *terms in self._among(_CANDIDATES, missing):
                known[number] = Candidate(oifm_id, Terms(*terms))
        return [known[number] for number in numbers]

    def _matching(self, expression: str, limit: int | None, *, is_ordered: bool) -> list[int]:
        """Return the row numbers of the entries for which *expression* holds."""
        if limit is None:
            rows = self._run('SELECT rowid FROM "terms$" WHERE "terms$" MATCH ?', (expression,))
        else:
            order = f'bm25("terms$", {_FIELD_WEIGHTS}), e.oifm_id' if is_ordered else "e.oifm_id"
            rows = self._run(f"{_MATCHING} ORDER BY {order} LIMIT ?", (expression, limit))
        return [number for (number,) in rows]

    @contextmanager
    def _recalling(self) -> Iterator[ReadCache]:
        """Lend what is remembered of the state of the file that is seen until the end of the block."""
        if self.memory is None:
            yield ReadCache()
            return
        self._run("BEGIN")
        try:
            self.memory.renew(self._run("PRAGMA data_version").fetchone()[0])
            yield self.memory
        finally:
            self.memory.shrink()
            if self.connection.in_transaction:  # what failed may have ended it already
                self._run("COMMIT")

    def frequencies(self, tokens: Collection[str] | None) -> Frequencies:
        statement = 'SELECT term, doc FROM temp."vocabulary$"'
        with self._recalling() as memory:
            if memory.size is None:
                memory.size = self._run('SELECT count(*) FROM "files$"').fetchone()[0]
            among = f"{statement} WHERE term IN"
            rows = self._run(statement) if tokens is None else self._among(among, tokens)
            return Frequencies(memory.size, dict(rows))

    def words(self) -> dict[str, int]:
        return dict(self._run('SELECT word, count FROM "words$" WHERE count > 0').fetchall())

    def iter_labels(self, after: int, limit: int) -> tuple[int, list[LabelRow]]:
        """Return up to *limit* rows behind the row number *after*, and the last row's number."""
        statement = (
            "SELECT e.id, e.oifm_id, e.names, t.name, t.synonyms, t.description, t.other "
            'FROM "entries$" e JOIN "terms$" t ON t.rowid = e.id WHERE e.id > ? ORDER BY e.id LIMIT ?'
        )
        rows = self._run(statement, (after, limit)).fetchall()
        return (rows[-1][0] if rows else after), [_lexicon_row(row) for row in rows]

    # updating

    def manifest(self) -> list[FileState]:
        statement = 'SELECT path, size, mtime_ns, sha256, indexed_ns, oifm_id, contributors FROM "files$"'
        rows = self._run(statement)
        return [FileState._make((*state, _contributors(keys))) for *state, keys in rows]

    def owners(self, identity: Collection[str]) -> list[Owner]:
        statement = (
            'SELECT k.key, f.oifm_id, f.path FROM "identity$" k JOIN "files$" f USING (id) WHERE k.key IN'
        )
        return [Owner(*row) for row in self._among(statement, identity)]

    def credits(self, keys: Collection[str]) -> list[Credit]:
        best: dict[tuple[str, str], tuple[Any, ...]] = {}
        for row in self._among(f"{_CREDIT} WHERE c.key IN", keys):  # an organization may stand in every file
            rival = best.setdefault(row[:2], row)
            if row[3:] > rival[3:]:
                best[row[:2]] = row
        return [_credit(row) for row in best.values()]

    def write(self, batch: WriteBatch) -> None:
        """Apply *batch*; the caller has opened a transaction."""
        if batch.upserts:
            self._upsert(batch.upserts)
        if batch.touches:
            self._touch(batch.touches)
        if batch.removals:
            self._delete(
                [row[0] for row in self._among('SELECT id FROM "entries$" WHERE oifm_id IN', batch.removals)]
            )
        credit_rows = [(c.kind, c.key, _json(c.fields), c.mtime_ns, c.path) for c in batch.credits]
        self._each('INSERT OR REPLACE INTO "contributors$" VALUES (?, ?, ?, ?, ?)', credit_rows)
        self._each('DELETE FROM "contributors$" WHERE kind = ? AND key = ?', batch.withdrawn)

    def _upsert(self, records: Sequence[Record]) -> None:
        ids = [record.oifm_id for record in records]
        known = dict(self._among('SELECT oifm_id, id FROM "entries$" WHERE oifm_id IN', ids))
        self._delete(list(known.values()))
        free = self._run('SELECT coalesce(max(id), 0) + 1 FROM "entries$"').fetchone()[0]
        free = max(free, *known.values(), 0) + 1 if known else free
        numbers = [known[oifm_id] if oifm_id in known else free + n for n, oifm_id in enumerate(ids)]
        numbered = list(zip(numbers, records, strict=True))
        self._each(
            'INSERT INTO "entries$" VALUES (?, ?, ?, ?, ?, ?)', [_entry_columns(n, r) for n, r in numbered]
        )
        self._each(
            'INSERT INTO "files$" VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
            [_file_columns(n, r.file) for n, r in numbered],
        )
        self._each(
            'INSERT INTO "models$" VALUES (?, ?)',
            [(n, r.model) for n, r in numbered],
        )
        self._each(
            'INSERT INTO "keys$" VALUES (?, ?)', sorted((key, n) for n, r in numbered for key in r.keys)
        )
        self._each(
            'INSERT INTO "identity$" VALUES (?, ?)',
            sorted((key, n) for n, r in numbered for key in r.identity),
        )
        self._each(
            'INSERT OR REPLACE INTO "credits$" VALUES (?, ?, ?, ?)',
            [(c.key, n, c.kind, _json(c.fields)) for n, r in numbered for c in r.credits],
        )
        self._each(
            'INSERT INTO "terms$" (rowid, name, synonyms, description, other, facets) '
            "VALUES (?, ?, ?, ?, ?, ?)",
            [(n, *r.terms, " ".join(r.facets)) for n, r in numbered],
        )
        self._count_words((name for record in records for name in record.names), 1)

    def _touch(self, states: Sequence[FileState]) -> None:
        self._each(
            'UPDATE "files$" SET path = ?, size = ?, mtime_ns = ?, sha256 = ?, indexed_ns = ? '
            'WHERE id = (SELECT id FROM "entries$" WHERE oifm_id = ?)',
            [(s.path, s.size, s.mtime_ns, s.sha256, s.indexed_ns, s.oifm_id) for s in states],
        )

    def _delete(self, numbers: Sequence[int]) -> None:
        """Delete entries by row number, and every row that is theirs."""
        if not numbers:
            return
        rows = list(self._among('SELECT id, keys, names FROM "entries$" WHERE id IN', numbers))
        self._count_words((name for *_, names in rows for name in json.loads(names)), -1)
        owned = [(number, json.loads(keys)) for number, keys, _ in rows]
        for table, place in (("keys$", 0), ("identity$", 1), ("credits$", 2)):
            theirs = [(key, number) for number, keys in owned for key in keys[place]]
            self._each(f'DELETE FROM "{table}" WHERE key = ? AND id = ?', sorted(theirs))
        for table in ("entries$", "files$", "models$"):
            self._each(f'DELETE FROM "{table}" WHERE id = ?', [(number,) for number in numbers])
        self._each('DELETE FROM "terms$" WHERE rowid = ?', [(number,) for number in numbers])

    def _count_words(self, names: Iterable[str], by: int) -> None:
        """Count the words of *names*, which have come (1) or gone (-1)."""
        counts = Counter(tokenize("\n".join(names)))
        self._each(
            'INSERT INTO "words$" VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count',
            [(word, by * count) for word, count in counts.items()],
        )

    def advance(self) -> int:
        known = self.generation()
        generation = known + 1 if known else first_generation()
        self._run("INSERT OR REPLACE INTO \"meta$\" VALUES ('generation', ?)", (str(generation),))
        return generation

    def lease(self) -> Lease | None:
        row = self._run("SELECT value FROM \"meta$\" WHERE key = 'lease'").fetchone()
        return Lease(*json.loads(row[0])) if row else None

    def set_lease(self, lease: Lease | None) -> None:
        if lease is None:
            self._run("DELETE FROM \"meta$\" WHERE key = 'lease'")
        else:
            self._run("INSERT OR REPLACE INTO \"meta$\" VALUES ('lease', ?)", (json.dumps(lease),))


def _json(value: object) -> str:
    return _dump()(value)


@cache
def _dump() -> Callable[[object], str]:
    from findingmodel.stores.records import (
        dump,  # who writes has imported pydantic to parse; who reads need not
    )

    return dump


def _entry(row: tuple[Any, ...]) -> EntryRow:
    return entry_row(*row[1:])


def _entry_columns(number: int, record: Record) -> tuple[Any, ...]:
    keys = _json((record.keys, record.identity, [credit.key for credit in record.credits]))
    return (number, record.oifm_id, record.sort_name, _json(record.names), keys, record.entry_text)


def _file_columns(number: int, file: FileState) -> tuple[Any, ...]:
    return (number, *file[:6], "\n".join(file.contributors))


@lru_cache(maxsize=1_024)
def _contributors(keys: str) -> tuple[str, ...]:
    return tuple(keys.split("\n")) if keys else ()


def _credit(row: tuple[Any, ...]) -> Credit:
    kind, key, fields, mtime_ns, path = row
    return Credit(kind, key, json.loads(fields), mtime_ns, path)


def _lexicon_row(row: tuple[Any, ...]) -> LabelRow:
    name, *synonyms = json.loads(row[2])
    return LabelRow(row[1], name, tuple(synonyms), Terms(*row[3:]))


def _quoted(tokens: Iterable[str]) -> str:
    """Return an FTS5 expression for any of *tokens*, each as a string, so that none is an operator."""
    return " OR ".join('"' + token.replace('"', '""') + '"' for token in tokens)


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
