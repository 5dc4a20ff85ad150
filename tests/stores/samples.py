"""Sample records for tests of stores: small, all different, and not made by the code under test."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from findingmodel.stores.lease import Writer
from findingmodel.stores.records import Credit, FileState, Record, WriteBatch, pack
from findingmodel.text.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

NOW_NS = 1_790_000_000_123_456_789
"""A modification time that does not fit in a float."""

LONG_SECONDS = 3_600
"""An hour."""


def make_id(number: int) -> str:
    return f"OIFM_TEST_{number:06d}"


def make_file(number: int, path: str, *, contributors: Iterable[str] = (), data: bytes = b"{}") -> FileState:
    return FileState(
        path=path,
        size=len(data),
        mtime_ns=NOW_NS + number,
        sha256=hashlib.sha256(data).hexdigest(),
        indexed_ns=NOW_NS + LONG_SECONDS * 1_000_000_000,
        oifm_id=make_id(number),
        contributors=tuple(contributors),
        stamp=2**62 + number,
    )


def make_entry(
    number: int, name: str, file: FileState, synonyms: Sequence[str] = (), **fields: Any
) -> EntryRow:
    entry: EntryRow = {
        "oifm_id": make_id(number),
        "name": name,
        "slug_name": name.lower().replace(" ", "_"),
        "filename": file.path,
        "file_hash_sha256": file.sha256,
        "description": None,
        "synonyms": list(synonyms) or None,
        "tags": None,
        "contributors": list(file.contributors) or None,
        "attributes": [{"attribute_id": f"OIFMA_TEST_{number:06d}", "name": "presence", "type": "choice"}],
    }
    return {**entry, **fields}  # type: ignore[typeddict-item]


def make_record(
    number: int,
    name: str = "",
    *,
    path: str = "",
    synonyms: Sequence[str] = (),
    description: str = "",
    other: str = "",
    facets: Sequence[str] = (),
    contributors: Sequence[Credit] = (),
    model: bytes = b"",
    **fields: Any,
) -> Record:
    """Return a record; its name, path and text are derived from *number* by default.

    Args:
        description: and `other`: tokens, separated by spaces.
        contributors: from `person` and `organization`; their file becomes this record's.
        fields: fields of the entry.
    """
    name = name or f"finding {number}"
    data = model or f'{{"oifm_id": "{make_id(number)}", "name": "{name}"}}'.encode()
    file = make_file(
        number, path or f"finding_{number}.fm.json", contributors=[c.key for c in contributors], data=data
    )
    folded = [text.lower() for text in (make_id(number), name, *synonyms)]
    return Record(
        entry_text=json.dumps(make_entry(number, name, file, synonyms, **fields)),
        names=(name, *synonyms),
        keys=tuple(dict.fromkeys(folded)),
        identity=(make_id(number), f"name:{name.lower()}", f"OIFMA_TEST_{number:06d}"),
        terms=Terms(name.lower(), " ".join(synonyms).lower(), description, other),
        facets=tuple(facets),
        credits=tuple(credit._replace(mtime_ns=file.mtime_ns, path=file.path) for credit in contributors),
        file=file,
        model=pack(data),
    )


def moved(record: Record, path: str, **changes: Any) -> Record:
    """Return *record* after its file was renamed to *path*, with *changes* of its file state."""
    file = record.file._replace(path=path, **changes)
    credit = tuple(c._replace(path=file.path, mtime_ns=file.mtime_ns) for c in record.credits)
    return record._replace(file=file, credits=credit)


def person(username: str, **fields: Any) -> Credit:
    return Credit(
        "person", username, {"github_username": username, "name": username.title(), **fields}, 1, "a.fm.json"
    )


def organization(code: str, **fields: Any) -> Credit:
    return Credit("organization", code, {"code": code, "name": f"The {code}", **fields}, 1, "a.fm.json")


def make_writer(holder: str, *, system: str = "", host: str = "elsewhere", pid: int = 1) -> Writer:
    """Return a writer of another process, and of another machine unless *system* says otherwise."""
    return Writer(holder, f"process of {holder}", system, host, pid)


def upserts(*records: Record) -> WriteBatch:
    return WriteBatch(upserts=records)


async def steps_of(store: Store) -> int:
    """Return the number of finished updates of *store*, modulo 1000: generations start at a random number."""
    return await store.generation() % 1_000
