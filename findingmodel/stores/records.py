"""The values that go into a store and come out of it, and their packed form."""

from __future__ import annotations

import json
import os
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from pydantic_core import to_json

from findingmodel.text.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "AttributeRow",
    "Candidate",
    "ContributorKind",
    "Counts",
    "Credit",
    "EntryRow",
    "FileState",
    "Frequencies",
    "Lease",
    "LabelRow",
    "Owner",
    "Predecessor",
    "Record",
    "TermQuery",
    "Terms",
    "WriteBatch",
    "dump",
    "entry_row",
    "first_generation",
    "newest",
    "pack",
    "unpack",
]


@cache
def _fastest() -> Callable[[bytes], bytes]:
    """Return what compresses at least effort: ISA-L, or zlib on machines that it has no build for.

    Either makes a model five times smaller. ISA-L takes a sixth of zlib's time at this level, and twice as
    long at its next for another seventh; zlib's level 6 takes three times as long for another tenth.
    """
    try:
        from isal import isal_zlib
    except ImportError:
        return lambda text: zlib.compress(text, 1)
    return lambda text: isal_zlib.compress(text, 0)


def pack(text: bytes) -> bytes:
    """Return *text* compressed.

    >>> unpack(pack(b'{"name": "edema"}'))
    b'{"name": "edema"}'
    """
    return _fastest()(text)


def unpack(packed: bytes) -> bytes:
    """Return the text that was packed."""
    return zlib.decompress(packed)


def dump(value: object) -> str:
    """Return *value* as JSON in one line, any letter as it is. It takes a fifth of the time of `json.dumps`.

    >>> dump({"name": "Ménière's disease", "synonyms": None})
    '{"name":"Ménière\\'s disease","synonyms":null}'
    """
    return to_json(value).decode()


_ROOM = 1_000
"""So many updates can follow a start before they meet the next one; then they go on, and nothing is lost."""

_START_BYTES = 4


def first_generation() -> int:
    """Return the generation of an index whose first update is finished: one more than a random start.

    What is remembered of an index is kept by its generation, for minutes, and by other processes. If all
    began with 1, one that was dropped and filled anew would be answered from what was in the old one.

    >>> first_generation() % 1_000
    1
    """
    return int.from_bytes(os.urandom(_START_BYTES)) * _ROOM + 1


ContributorKind = Literal["person", "organization"]


class AttributeRow(TypedDict):
    """The fields of `findingmodel.AttributeInfo`."""

    attribute_id: str
    name: str
    type: str


class EntryRow(TypedDict):
    """The fields of `findingmodel.IndexEntry`, as a plain dict ready for JSON."""

    oifm_id: str
    name: str
    slug_name: str
    filename: str
    file_hash_sha256: str
    description: str | None
    synonyms: list[str] | None
    tags: list[str] | None
    contributors: list[str] | None
    attributes: list[AttributeRow]


class FileState(NamedTuple):
    """What the manifest knows of one indexed file.

    Attributes:
        path: POSIX path relative to the indexed directory.
        size: bytes.
        mtime_ns: modification time, nanoseconds since the epoch.
        sha256: fingerprint of the bytes that were parsed, hex.
        indexed_ns: when the file was looked at, nanoseconds since the epoch.
        oifm_id: the model that the file holds.
        contributors: ``github_username`` or organization code of each contributor.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str
    indexed_ns: int
    oifm_id: str
    contributors: tuple[str, ...] = ()


class Credit(NamedTuple):
    """One contributor as one file states it; the newest file (then the greatest path) is believed.

    Attributes:
        kind: "person" or "organization".
        key: ``github_username`` or organization code.
        fields: the contributor's fields as in the file.
        mtime_ns, path: the file that says so.
    """

    kind: ContributorKind
    key: str
    fields: dict[str, Any]
    mtime_ns: int
    path: str


def newest(
    stated: Iterable[Credit], found: dict[tuple[ContributorKind, str], Credit] | None = None
) -> dict[tuple[ContributorKind, str], Credit]:
    """Return the statement to believe about each contributor, by kind and key.

    It is that of the file modified last; of equals, of the file with the greater path.

    Args:
        stated: what files state.
        found: what was found before; it is added to.
    """
    found = {} if found is None else found
    for credit in stated:
        key = (credit.kind, credit.key)
        rival = found.get(key)
        if rival is None or (credit.mtime_ns, credit.path) > (rival.mtime_ns, rival.path):
            found[key] = credit
    return found


class Record(NamedTuple):
    """All that a store holds for one model.

    Attributes:
        entry_text: what a reader gets, as JSON: text is what is handed from process to process, and stored.
        names: name and synonyms as written.
        keys: folded id, name, slug and synonyms, for exact lookup; distinct.
        identity: keys that one model only may hold (`findingmodel.update.identity`): its id, its folded name
            behind ``name:``, and whatever else; distinct.
        terms: analysed text for search.
        facets: exact filters such as ``tag:ct`` or ``code:radlex:rid1301``; distinct.
        credits: the contributors as this file states them.
        file: the manifest row.
        model: the file's own JSON text, packed (`findingmodel.stores.records`).
    """

    entry_text: str
    names: tuple[str, ...]
    keys: tuple[str, ...]
    identity: tuple[str, ...]
    terms: Terms
    facets: tuple[str, ...]
    credits: tuple[Credit, ...]
    file: FileState
    model: bytes

    @property
    def oifm_id(self) -> str:
        """The model's id."""
        return self.file.oifm_id

    @property
    def sort_name(self) -> str:
        """The folded name, by which entries are sorted."""
        return self.identity[1].removeprefix("name:")

    @property
    def entry(self) -> EntryRow:
        """What a reader gets; the file is where ``file`` says."""
        return entry_row(self.entry_text, self.file.path, self.file.sha256)


def entry_row(text: str, path: str, sha256: str) -> EntryRow:
    """Return the entry that *text* is the JSON of, with the file's *path* and fingerprint of today."""
    entry: EntryRow = json.loads(text)
    entry["filename"], entry["file_hash_sha256"] = path, sha256
    return entry


class WriteBatch(NamedTuple):
    """One bounded step of an update. Applying it twice leaves what applying it once leaves.

    Attributes:
        upserts: whole records, replaced by ``oifm_id``; each id once.
        touches: file states whose model is already stored and unchanged (new path, times or both).
        removals: ids to delete; absent ones are no error.
        credits: contributors to insert or replace by kind and key.
        withdrawn: contributors, as (kind, key), that no model names any more.
    """

    upserts: Sequence[Record] = ()
    touches: Sequence[FileState] = ()
    removals: Sequence[str] = ()
    credits: Sequence[Credit] = ()
    withdrawn: Sequence[tuple[ContributorKind, str]] = ()


class Owner(NamedTuple):
    """Which stored model, from which file, holds an identity key."""

    key: str
    oifm_id: str
    path: str


class TermQuery(NamedTuple):
    """What a store is asked to propose candidates for; all strings are tokens of our own analysis.

    Attributes:
        groups: each a tuple of alternative tokens for one query term.
        match: "all" wants a token of every group, "any" a token of at least one.
        excluded: a candidate has none of these in its name or synonyms.
        facets: groups of exact filters; a candidate has one of every group. Without term groups the facets
            alone select, ordered by ``oifm_id``; without either, nothing is asked for.
    """

    groups: tuple[tuple[str, ...], ...]
    match: Literal["all", "any"] = "any"
    excluded: tuple[str, ...] = ()
    facets: tuple[tuple[str, ...], ...] = ()


class Candidate(NamedTuple):
    """An entry that a store proposes; ``entry`` is None where fetching it is left to the final hits."""

    oifm_id: str
    terms: Terms
    entry: EntryRow | None = None


class LabelRow(NamedTuple):
    """What is read of every entry, one after the other: names as written, and the analysed text."""

    oifm_id: str
    name: str
    synonyms: tuple[str, ...]
    terms: Terms


class Frequencies(NamedTuple):
    """In how many entries tokens occur.

    Attributes:
        entries: all entries of the index.
        counts: by token, the entries that have it in any field; tokens of no entry are left out.
    """

    entries: int
    counts: dict[str, int]


class Counts(NamedTuple):
    """How much a store holds."""

    models: int
    people: int
    organizations: int


class Predecessor(NamedTuple):
    """An index of findingmodel 0.3 or 0.4 where ours is to be.

    Attributes:
        models: how many it holds.
        branch: the branch that it can be read as, once it was put aside.
    """

    models: int
    branch: str


class Lease(NamedTuple):
    """The right to write, held by one update at a time.

    Attributes:
        holder: unique for each update.
        host, pid: where the holder runs, so that a dead one can be recognised on its own host.
        expires_ns: nanoseconds since the epoch; after that anyone may take it.
    """

    holder: str
    host: str
    pid: int
    expires_ns: int

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"
