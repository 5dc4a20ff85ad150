"""The values that go into a store and come out of it; plain, so that reading them needs no pydantic."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypedDict

from findingmodel.text.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
    "LexiconRow",
    "Owner",
    "Predecessor",
    "Record",
    "TermQuery",
    "Terms",
    "WriteBatch",
    "entry_row",
    "newest",
]

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
        identity: keys that one model only may hold (`findingmodel.sync.identity`): its id, its folded name
            behind ``name:``, and whatever else; distinct.
        terms: analysed text for search.
        facets: exact filters such as ``tag:ct`` or ``code:radlex:rid1301``; distinct.
        credits: the contributors as this file states them.
        file: the manifest row.
        model: the file's own JSON text, packed (`findingmodel.stores.packing`).
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


class LexiconRow(NamedTuple):
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
