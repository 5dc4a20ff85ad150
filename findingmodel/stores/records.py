"""The values that go into a store and come out of it, and how text is packed for storage."""

from __future__ import annotations

import json
import os
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from findingmodel.text.terms import Terms


@cache
def _compressor() -> Callable[[bytes], bytes]:
    """Return the fastest compressor: ISA-L takes a sixth of the time of zlib at the same size of output."""
    try:
        from isal import isal_zlib
    except ImportError:  # this machine has no build of it
        return lambda text: zlib.compress(text, 1)
    return lambda text: isal_zlib.compress(text, 0)


def pack(text: bytes) -> bytes:
    """Return *text* compressed; a model becomes five times smaller.

    >>> unpack(pack(b'{"name": "edema"}'))
    b'{"name": "edema"}'
    """
    return _compressor()(text)


def unpack(packed: bytes) -> bytes:
    """Return the text that was packed."""
    return zlib.decompress(packed)


@cache
def _json_encoder() -> Callable[[object], bytes]:
    from pydantic_core import to_json  # here, because readers need not import it

    return to_json


def dump(value: object) -> str:
    """Return *value* as JSON in one line, without escaping letters; five times faster than `json.dumps`.

    >>> dump({"name": "Ménière's disease", "synonyms": None})
    '{"name":"Ménière\\'s disease","synonyms":null}'
    """
    return _json_encoder()(value).decode()


_STEPS_APART = 1_000  # the last digits count the updates of an index, for people and tests


def generation_step() -> int:
    """Return by how much an update increases the generation: one more than a random multiple of 1,000.

    Caches are keyed by generation, in other processes too. If each update added one, an index that was
    dropped and filled again, or a server that lost its last update in a failover, would reach the same
    generation with other models.

    >>> generation_step() % 1_000
    1
    """
    return int.from_bytes(os.urandom(3)) * _STEPS_APART + 1


ContributorKind = Literal["person", "organization"]


class AttributeRow(TypedDict):
    """The fields of `findingmodel.AttributeInfo`."""

    attribute_id: str
    name: str
    type: str


class _EntryFields(TypedDict):
    """The fields that every entry has."""

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


class EntryRow(_EntryFields, total=False):
    """The fields of `findingmodel.IndexEntry`, as a plain dict ready for JSON."""

    replaces: list[str]  # ids of retired models; absent if there are none


def file_stamp(status: os.stat_result) -> int:
    """Return a number that changes whenever a file is replaced or written, even if its size and times do not.

    It is made of the inode and the change time (ctime), which programs cannot set; 0 where the file system
    has neither.

    >>> file_stamp(os.stat(__file__)) == file_stamp(os.stat(__file__))
    True
    """
    if not (status.st_ino or status.st_ctime_ns):
        return 0
    return (status.st_ctime_ns + status.st_ino * 0x9E37_79B9_7F4A_7C15) % (2**63 - 1) or 1  # fits in a store


class PageMark(NamedTuple):
    """The place of an entry in the order of a page, after which the next page starts."""

    key: str  # the value of the field that the page is sorted by, as the store sorts it
    oifm_id: str

    @classmethod
    def of(cls, entry: EntryRow, sort: str) -> PageMark:
        """Return the place of *entry* in the order of *sort*."""
        keys = {"name": fold(entry["name"]), "filename": entry["filename"], "oifm_id": entry["oifm_id"]}
        return cls(keys[sort], entry["oifm_id"])


class FileState(NamedTuple):
    """A row of the manifest: the state in which a file was indexed."""

    path: str  # POSIX, relative to the indexed directory
    size: int  # bytes
    mtime_ns: int  # since the epoch, as is indexed_ns
    sha256: str  # of the bytes that were parsed, hex
    indexed_ns: int  # when the file was examined
    oifm_id: str  # of the model in the file
    contributors: tuple[str, ...] = ()  # github_username or organization code of each
    stamp: int = 0  # of the file's inode and change time, as `file_stamp`; 0 if unknown


class Credit(NamedTuple):
    """A contributor as one file states it; the newest file is believed, then the greater path."""

    kind: ContributorKind
    key: str  # github_username or organization code
    fields: dict[str, Any]  # as in the file
    mtime_ns: int  # of the file
    path: str


def newest(
    stated: Iterable[Credit], found: dict[tuple[ContributorKind, str], Credit] | None = None
) -> dict[tuple[ContributorKind, str], Credit]:
    """Return the credit to believe about each contributor, by kind and key, added to *found* if given."""
    found = {} if found is None else found
    for credit in stated:
        key = (credit.kind, credit.key)
        rival = found.get(key)
        if rival is None or (credit.mtime_ns, credit.path) > (rival.mtime_ns, rival.path):
            found[key] = credit
    return found


class Record(NamedTuple):
    """All that a store holds for one model. Keys, identity, facets and names are distinct."""

    entry_text: str  # the index entry as JSON, which can be passed between processes and stored as it is
    names: tuple[str, ...]  # name and synonyms as written
    keys: tuple[str, ...]  # folded id, name, slug and synonyms, for exact lookup
    identity: tuple[str, ...]  # keys that only one model may hold: id, "name:" and folded name, attribute ids
    terms: Terms  # analysed text for search
    facets: tuple[str, ...]  # exact filters such as tag:ct or code:radlex:rid1301
    credits: tuple[Credit, ...]  # the contributors as this file states them
    file: FileState
    model: bytes  # the file's own JSON text, packed

    @property
    def oifm_id(self) -> str:
        """The model's id."""
        return self.file.oifm_id

    @property
    def sort_name(self) -> str:
        """The folded name."""
        return self.identity[1].removeprefix("name:")

    @property
    def entry(self) -> EntryRow:
        """The index entry of the file as it is now."""
        return entry_row(self.entry_text, self.file.path, self.file.sha256)


def entry_row(text: str, path: str, sha256: str) -> EntryRow:
    """Return the index entry of the JSON *text*, with the file's current *path* and fingerprint."""
    entry: EntryRow = json.loads(text)
    entry["filename"], entry["file_hash_sha256"] = path, sha256
    return entry


class WriteBatch(NamedTuple):
    """One bounded step of an update. Applying it twice has the same effect as applying it once."""

    upserts: Sequence[Record] = ()  # whole records, replaced by oifm_id; each id once
    touches: Sequence[FileState] = ()  # new states of files whose stored model is unchanged
    removals: Sequence[str] = ()  # ids to delete; absent ones are ignored
    credits: Sequence[Credit] = ()  # contributors to insert or replace
    withdrawn: Sequence[tuple[ContributorKind, str]] = ()  # contributors that no model names any more


class Owner(NamedTuple):
    """The stored model, and its file, that holds an identity key."""

    key: str
    oifm_id: str
    path: str


class TermQuery(NamedTuple):
    """Which candidates a store is asked for; all strings are tokens of our own analysis.

    Without term groups the facets alone select, ordered by ``oifm_id``; without either, nothing is selected.
    """

    groups: tuple[tuple[str, ...], ...]  # for each term of the query, its alternative tokens
    match: Literal["all", "any"] = "any"  # a candidate has a token of every group, or of at least one
    excluded: tuple[str, ...] = ()  # a candidate has none of these in its name or synonyms
    facets: tuple[tuple[str, ...], ...] = ()  # groups of exact filters; a candidate has one of every group


class Candidate(NamedTuple):
    """An entry that may answer a query."""

    oifm_id: str
    terms: Terms
    entry: EntryRow | None = None  # None if the caller fetches the entries of the final hits


class LabelRow(NamedTuple):
    """The names of an entry as written, and its analysed text."""

    oifm_id: str
    name: str
    synonyms: tuple[str, ...]
    terms: Terms


class Frequencies(NamedTuple):
    """In how many entries tokens occur."""

    entries: int  # of the whole index
    counts: dict[str, int]  # by token, entries that have it in any field; tokens of no entry are left out


class Counts(NamedTuple):
    """The sizes of an index."""

    models: int
    people: int
    organizations: int
