"""Convert records to MongoDB documents and back. Pure functions.

A document of ``index_entries_BRANCH`` has ``_id`` = ``oifm_id`` and the fields of an IndexEntry under their
own names, readable for other programs. The rest is internal: ``keys``, ``identity``, ``facets``,
``credit_keys``, ``tokens`` and ``name_tokens`` (those of name and synonyms), all arrays of strings;
``terms``, ``sort_name``, ``credits``, ``file`` (the manifest's fields besides ``filename`` and
``file_hash_sha256``) and ``model``, the JSON text compressed by zlib. Fields of contributors are stored as
JSON text, because BSON does not have all the keys and integers of JSON.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, cast

import bson

from findingmodel.errors import StoreSchemaError
from findingmodel.stores.records import Candidate, Credit, EntryRow, FileState, LabelRow, Owner, unpack
from findingmodel.text.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from findingmodel.stores.records import ContributorKind, PageMark, Record

Document = dict[str, Any]

NOT_OURS = (
    "its collections hold an index of findingmodel 0.3 or 0.4, or documents of another program, and were "
    "left as they are: 'findingmodel index update DIR --rebuild' archives such an index and makes a new "
    "one; or use another branch or database"
)

_MOST_BYTES = 16 * 1024 * 1024
"""Maximum size of a document (https://www.mongodb.com/docs/manual/reference/limits/)."""

_NEVER_EXCESSIVE_BYTES = 100_000
"""The analysed text of a smaller model cannot make its document too large."""

_ENTRY = tuple(EntryRow.__annotations__)
_REQUIRED = tuple(name for name in _ENTRY if name in EntryRow.__required_keys__)
# Projections: each reader fetches only the fields it needs.
ENTRY_FIELDS = dict.fromkeys(_ENTRY, 1)
FILE_FIELDS = dict.fromkeys(("filename", "file_hash_sha256", "file", "credit_keys"), 1)
CANDIDATE_FIELDS = {"terms": 1}
LABEL_FIELDS = dict.fromkeys(("name", "synonyms", "terms"), 1)
OWNER_FIELDS = dict.fromkeys(("identity", "filename"), 1)
CREDIT_FIELDS = dict.fromkeys(("credits", "filename", "file"), 1)


TEXT_FIELDS = ("name", "synonyms", "description", "other")
"""The fields of `Terms`, which are searched."""

FIELD_WEIGHTS = {"name": 5, "synonyms": 4}
"""Weight of a token in these fields, 1 in the others; some servers allow no more than three weights."""


def entry_document(record: Record, *, binary: bool) -> Document:
    """Return the document that holds *record*; unless *binary*, with the model as base64 text."""
    terms = record.terms
    name_tokens = dict.fromkeys(f"{terms.name} {terms.synonyms}".split())
    tokens = name_tokens | dict.fromkeys(f"{terms.description} {terms.other}".split())
    return {
        "_id": record.oifm_id,
        **record.entry,
        **file_fields(record.file),
        "keys": list(record.keys),
        "identity": list(record.identity),
        "facets": list(record.facets),
        "credit_keys": list(record.file.contributors),
        "tokens": list(tokens),
        "name_tokens": list(name_tokens),
        "terms": terms._asdict(),
        "sort_name": record.sort_name,
        "credits": [{"kind": c.kind, "key": c.key, "fields": json.dumps(c.fields)} for c in record.credits],
        "model": record.model if binary else b64encode(record.model).decode(),
    }


def excess(record: Record, *, binary: bool) -> str | None:
    """Return why a document of *record* would be too large for MongoDB; None if none would."""
    if max(record.file.size, len(record.model)) < _NEVER_EXCESSIVE_BYTES:
        return None
    made = (entry_document(record, binary=binary), *map(contributor_document, record.credits))
    size = max(len(bson.encode(document)) for document in made)
    if size <= _MOST_BYTES:
        return None
    return f"it is too large: {size:,} bytes in the index, where MongoDB takes {_MOST_BYTES:,} at most"


def file_fields(state: FileState) -> Document:
    """Return the fields that change when a file is moved or touched and its model is not."""
    return {
        "filename": state.path,
        "file_hash_sha256": state.sha256,
        "file": {
            "size": state.size,
            "mtime_ns": state.mtime_ns,
            "indexed_ns": state.indexed_ns,
            "stamp": state.stamp,
        },
    }


def entry_row(document: Document) -> EntryRow:
    """Return the index entry of a document."""
    check_own(document, *_REQUIRED)
    return cast("EntryRow", {name: document[name] for name in _ENTRY if name in document})


def file_state(document: Document) -> FileState:
    """Return the manifest row of a document."""
    check_own(document, *FILE_FIELDS)
    file = document["file"]
    return FileState(
        path=document["filename"],
        size=file["size"],
        mtime_ns=file["mtime_ns"],
        sha256=document["file_hash_sha256"],
        indexed_ns=file["indexed_ns"],
        oifm_id=document["_id"],
        contributors=tuple(document["credit_keys"]),
        stamp=file.get("stamp", 0),
    )


def model_text(document: Document) -> bytes:
    """Return the JSON text of the full model."""
    check_own(document, "model")
    model = document["model"]
    return unpack(b64decode(model) if isinstance(model, str) else model)


def candidate(document: Document) -> Candidate:
    """Return the search candidate of a document, with the entry if it was fetched."""
    check_own(document, "terms")
    entry = entry_row(document) if "oifm_id" in document else None
    return Candidate(document["_id"], Terms(**document["terms"]), entry)


def label_row(document: Document) -> LabelRow:
    """Return names and terms of a document."""
    check_own(document, *LABEL_FIELDS)
    synonyms = tuple(document["synonyms"] or ())
    return LabelRow(document["_id"], document["name"], synonyms, Terms(**document["terms"]))


def owners_in(document: Document, keys: Collection[str]) -> Iterator[Owner]:
    """Yield an owner for each identity key in *keys* that a document holds."""
    return (Owner(key, document["_id"], document["filename"]) for key in document["identity"] if key in keys)


def credits_in(document: Document, keys: Collection[str]) -> Iterator[Credit]:
    """Yield the contributors of a document that are in *keys*, as its file states them."""
    for stored in document["credits"]:
        if stored["key"] in keys:
            fields = json.loads(stored["fields"])
            yield Credit(
                stored["kind"], stored["key"], fields, document["file"]["mtime_ns"], document["filename"]
            )


def contributor_document(credit: Credit) -> Document:
    """Return the document of a contributor; its texts are also fields, readable for other programs."""
    texts = {
        name: text for name, text in credit.fields.items() if isinstance(text, str) and name.isidentifier()
    }
    return {
        **texts,
        "_id": credit.key,
        "fields": json.dumps(credit.fields),
        "mtime_ns": credit.mtime_ns,
        "path": credit.path,
    }


def contributor(kind: ContributorKind, document: Document) -> Credit:
    """Return the person or organization of a document."""
    check_own(document, "fields", "mtime_ns", "path")
    fields = json.loads(document["fields"])
    return Credit(kind, document["_id"], fields, document["mtime_ns"], document["path"])


def beyond(mark: PageMark, fields: Sequence[str], *, descending: bool) -> Document:
    """Return the filter for what follows *mark* in the order of *fields*, of which the last is the id."""
    side = "$lt" if descending else "$gt"
    first, last = fields[0], fields[-1]
    beside = {last: {side: mark.oifm_id}}
    return beside if first == last else {"$or": [{first: {side: mark.key}}, {first: mark.key, **beside}]}


def check_own(document: Document, *names: str) -> None:
    """Check that *document* was written by this package, with all fields in *names*.

    Raises:
        StoreSchemaError: it was not.
    """
    if not isinstance(document["_id"], str) or any(name not in document for name in names):
        raise StoreSchemaError(NOT_OURS)
