"""Branch: the tables of one branch over one connection. Plain rows in, plain rows out, synchronous."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.stores.lease import Lease, Writer
from findingmodel.stores.records import (
    Counts,
    Credit,
    FileState,
    Owner,
    dump,
    entry_row,
    generation_step,
    unpack,
)
from findingmodel.stores.sqlite.cache import ReadCache
from findingmodel.stores.sqlite.schema import for_branch
from findingmodel.text.normalize import tokenize

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from findingmodel.stores.records import ContributorKind, EntryRow, PageMark, Record, WriteBatch

# ruff: noqa: D102  # protocol.py describes the methods
# ruff: noqa: S608  # statements are built from constants and "?"; whatever a user can type is a parameter

_LEASE_OF_2_0_0B1 = 4  # fields, where a lease has three now
_KEYS_PER_QUERY = 500  # SQLite's oldest limit on "?" is 999
_SORTS = {"name": ("e.name_key", "e.oifm_id"), "oifm_id": ("e.oifm_id",), "filename": ("f.path", "e.oifm_id")}

_ENTRY = 'SELECT e.oifm_id, e.entry, f.path, f.sha256 FROM "entries$" e JOIN "files$" f USING (id)'
_CREDIT = 'SELECT c.kind, c.key, c.fields, f.mtime_ns, f.path FROM "credits$" c JOIN "files$" f USING (id)'
_CONTRIBUTOR = 'SELECT kind, key, fields, mtime_ns, path FROM "contributors$" WHERE kind = ? ORDER BY key'
_MODEL = 'SELECT e.oifm_id, m.model FROM "entries$" e JOIN "models$" m USING (id) WHERE e.oifm_id IN'
_OWNER = 'SELECT k.key, f.oifm_id, f.path FROM "identity$" k JOIN "files$" f USING (id) WHERE k.key IN'


class Branch(NamedTuple):
    """The tables of the branch *name*, seen through *connection*."""

    connection: sqlite3.Connection
    name: str
    cache: ReadCache | None = None  # only for a connection that never writes

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Execute *statement*, in which "$" stands for the branch."""
        return self.connection.execute(for_branch(statement, self.name), parameters)

    def run_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute *statement* once for each of *rows*."""
        self.connection.executemany(for_branch(statement, self.name), rows)

    def select_among(
        self, statement: str, keys: Collection[Any], *, end: str = ""
    ) -> Iterator[tuple[Any, ...]]:
        """Yield the rows of *statement*, which stops after ``IN``, for *keys*, a bounded list at a time."""
        ordered = list(keys)
        for start in range(0, len(ordered), _KEYS_PER_QUERY):
            chunk = ordered[start : start + _KEYS_PER_QUERY]
            yield from self.run(f"{statement} ({','.join('?' * len(chunk))}){end}", chunk)

    @contextmanager
    def cached(self) -> Iterator[ReadCache]:
        """Yield what is cached of the state of the file that the block reads."""
        if self.cache is None:
            yield ReadCache()
            return
        self.run("BEGIN")
        try:
            self.cache.renew(self.run("PRAGMA data_version").fetchone()[0])
            yield self.cache
        finally:
            self.cache.shrink()
            if self.connection.in_transaction:  # an error may have ended it already
                self.run("COMMIT")

    # Reading

    def generation(self) -> int:
        return int(self._meta("generation") or 0)

    def counts(self) -> Counts:
        models = self.run('SELECT count(*) FROM "files$"').fetchone()[0]
        kinds = dict(self.run('SELECT kind, count(*) FROM "contributors$" GROUP BY kind').fetchall())
        return Counts(models, kinds.get("person", 0), kinds.get("organization", 0))

    def get(self, ids: Collection[str]) -> dict[str, EntryRow]:
        with self.cached() as cache:
            known = cache.entries
            missing = [oifm_id for oifm_id in ids if oifm_id not in known]
            rows = self.select_among(f"{_ENTRY} WHERE e.oifm_id IN", missing)
            known.update((row[0], _entry(row)) for row in rows)
            return {oifm_id: known[oifm_id].copy() for oifm_id in ids if oifm_id in known}

    def lookup(self, keys: Collection[str]) -> list[EntryRow]:
        statement = f'{_ENTRY} WHERE e.id IN (SELECT id FROM "keys$" WHERE key IN'
        rows = self.select_among(statement, keys, end=")")
        return list({row[0]: _entry(row) for row in rows}.values())

    def models(self, ids: Collection[str]) -> dict[str, bytes]:
        return {oifm_id: unpack(model) for oifm_id, model in self.select_among(_MODEL, ids)}

    def page(
        self, sort: str, descending: bool, offset: int, limit: int, after: PageMark | None
    ) -> list[EntryRow]:
        direction, side = ("DESC", "<") if descending else ("ASC", ">")
        order = ", ".join(f"{column} {direction}" for column in _SORTS[sort])
        place = () if after is None else after[-len(_SORTS[sort]) :]
        beyond = f"WHERE ({', '.join(_SORTS[sort])}) {side} ({', '.join('?' * len(place))})" if place else ""
        rows = self.run(f"{_ENTRY} {beyond} ORDER BY {order} LIMIT ? OFFSET ?", (*place, limit, offset))
        return [_entry(row) for row in rows]

    def contributors(self, kind: ContributorKind, keys: Collection[str] | None) -> list[Credit]:
        rows = [_credit(row) for row in self.run(_CONTRIBUTOR, (kind,))]
        return rows if keys is None else [row for row in rows if row.key in set(keys)]

    # Updating

    def manifest(self) -> list[FileState]:
        rows = self.run('SELECT * FROM "files$"')  # an older index has no column "stamp" before a write
        return [FileState._make((*row[1:7], _contributors(row[7]), *(row[8:] or (0,)))) for row in rows]

    def owners(self, identity: Collection[str]) -> list[Owner]:
        return [Owner(*row) for row in self.select_among(_OWNER, identity)]

    def credits(self, keys: Collection[str]) -> list[Credit]:
        best: dict[tuple[str, str], tuple[Any, ...]] = {}
        for row in self.select_among(f"{_CREDIT} WHERE c.key IN", keys):  # files may credit one organization
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
            rows = self.select_among('SELECT id FROM "entries$" WHERE oifm_id IN', batch.removals)
            self._delete([row[0] for row in rows])
        contributors = [(c.kind, c.key, dump(c.fields), c.mtime_ns, c.path) for c in batch.credits]
        self._insert("contributors$", contributors, or_replace="OR REPLACE")
        self.run_many('DELETE FROM "contributors$" WHERE kind = ? AND key = ?', batch.withdrawn)

    def _upsert(self, records: Sequence[Record]) -> None:
        ids = [record.oifm_id for record in records]
        known = dict(self.select_among('SELECT oifm_id, id FROM "entries$" WHERE oifm_id IN', ids))
        self._delete(list(known.values()))
        free = self.run('SELECT coalesce(max(id), 0) + 1 FROM "entries$"').fetchone()[0]
        free = max(free, *known.values(), 0) + 1 if known else free
        numbers = [known[oifm_id] if oifm_id in known else free + n for n, oifm_id in enumerate(ids)]
        numbered = list(zip(numbers, records, strict=True))
        self._insert("entries$", [_entry_columns(n, r) for n, r in numbered])
        self._insert("files$", [_file_columns(n, r.file) for n, r in numbered])
        self._insert("models$", [(n, r.model) for n, r in numbered])
        self._insert("keys$", sorted((key, n) for n, r in numbered for key in r.keys))
        self._insert("identity$", sorted((key, n) for n, r in numbered for key in r.identity))
        credit_rows = [(c.key, n, c.kind, dump(c.fields)) for n, r in numbered for c in r.credits]
        self._insert("credits$", credit_rows, or_replace="OR REPLACE")
        self.run_many(
            'INSERT INTO "terms$" (rowid, name, synonyms, description, other, facets) '
            "VALUES (?, ?, ?, ?, ?, ?)",
            [(n, *r.terms, " ".join(r.facets)) for n, r in numbered],
        )
        self._count_words((name for record in records for name in record.names), 1)

    def _insert(self, table: str, rows: Sequence[tuple[Any, ...]], *, or_replace: str = "") -> None:
        """Insert *rows*; an existing key is an error, unless *or_replace* says to replace its row."""
        if rows:
            columns = ", ".join("?" * len(rows[0]))
            self.run_many(f'INSERT {or_replace} INTO "{table}" VALUES ({columns})', rows)

    def _touch(self, states: Sequence[FileState]) -> None:
        self.run_many(
            'UPDATE "files$" SET path = ?, size = ?, mtime_ns = ?, sha256 = ?, indexed_ns = ?, stamp = ? '
            'WHERE id = (SELECT id FROM "entries$" WHERE oifm_id = ?)',
            [(s.path, s.size, s.mtime_ns, s.sha256, s.indexed_ns, s.stamp, s.oifm_id) for s in states],
        )

    def _delete(self, numbers: Sequence[int]) -> None:
        """Delete entries by row number, with all rows that belong to them."""
        if not numbers:
            return
        rows = list(self.select_among('SELECT id, keys, names FROM "entries$" WHERE id IN', numbers))
        self._count_words((name for *_, names in rows for name in json.loads(names)), -1)
        owned = [(number, json.loads(keys)) for number, keys, _ in rows]
        for table, place in (("keys$", 0), ("identity$", 1), ("credits$", 2)):
            theirs = [(key, number) for number, keys in owned for key in keys[place]]
            self.run_many(f'DELETE FROM "{table}" WHERE key = ? AND id = ?', sorted(theirs))
        for table in ("entries$", "files$", "models$"):
            self.run_many(f'DELETE FROM "{table}" WHERE id = ?', [(number,) for number in numbers])
        self.run_many('DELETE FROM "terms$" WHERE rowid = ?', [(number,) for number in numbers])

    def _count_words(self, names: Iterable[str], by: int) -> None:
        """Add *by* to the count of each word of *names*: 1 for new names, -1 for deleted ones."""
        counts = Counter(tokenize("\n".join(names)))
        self.run_many(
            'INSERT INTO "words$" VALUES (?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count',
            [(word, by * count) for word, count in counts.items()],
        )

    def advance(self) -> int:
        generation = self.generation() + generation_step()
        self._insert("meta$", [("generation", str(generation))], or_replace="OR REPLACE")
        return generation

    def lease(self) -> Lease | None:
        value = self._meta("lease")
        return _lease(json.loads(value)) if value else None

    def set_lease(self, lease: Lease | None) -> None:
        if lease is None:
            self.run("DELETE FROM \"meta$\" WHERE key = 'lease'")
        else:
            self._insert("meta$", [("lease", json.dumps(lease))], or_replace="OR REPLACE")

    def _meta(self, key: str) -> str | None:
        row = self.run('SELECT value FROM "meta$" WHERE key = ?', (key,)).fetchone()
        return row[0] if row else None


def _lease(stored: list[Any]) -> Lease:
    """Return the lease of a JSON value, which may be of an older form."""
    if len(stored) == _LEASE_OF_2_0_0B1:
        holder, host, pid, expires_ns = stored
        return Lease(Writer(holder, host=host, pid=pid), expires_ns)
    writer, *times = stored
    return Lease(Writer(*writer), *times)


def _entry(row: tuple[Any, ...]) -> EntryRow:
    return entry_row(*row[1:])


def _entry_columns(number: int, record: Record) -> tuple[Any, ...]:
    keys = dump((record.keys, record.identity, [credit.key for credit in record.credits]))
    return (number, record.oifm_id, record.sort_name, dump(record.names), keys, record.entry_text)


def _file_columns(number: int, file: FileState) -> tuple[Any, ...]:
    return (number, *file[:6], "\n".join(file.contributors), file.stamp)


@lru_cache(maxsize=1_024)
def _contributors(keys: str) -> tuple[str, ...]:
    return tuple(keys.split("\n")) if keys else ()


def _credit(row: tuple[Any, ...]) -> Credit:
    kind, key, fields, mtime_ns, path = row
    return Credit(kind, key, json.loads(fields), mtime_ns, path)
