"""Between records and MongoDB documents, both ways. Pure.

A document of ``index_entries_BRANCH`` has ``_id`` = ``oifm_id`` and the fields of an IndexEntry under their
own names, for anybody who looks. The rest is ours: ``keys``, ``identity``, ``facets``, ``credit_keys``,
``tokens`` and ``name_tokens`` (those of name and synonyms), all arrays of strings; ``terms``,
``sort_name``, ``credits``, ``file`` (what the manifest knows besides ``filename`` and ``file_hash_sha256``)
and ``model``, the JSON text under zlib. Fields of contributors are kept as JSON text, because BSON has not
all the keys and integers that JSON has.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, cast

import bson

from findingmodel.errors import StoreSchemaError
from findingmodel.stores.records import Candidate, Credit, FileState, LabelRow, Owner, Terms, unpack

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from findingmodel.stores.records import ContributorKind, EntryRow, Record

__all__ = [
    "CANDIDATE_FIELDS",
    "CREDIT_FIELDS",
    "ENTRY_FIELDS",
    "FILE_FIELDS",
    "LEXICON_FIELDS",
    "NOT_OURS",
    "OWNER_FIELDS",
    "candidate",
    "check_own",
    "contributor",
    "contributor_document",
    "credits_in",
    "entry_document",
    "entry_row",
    "excess",
    "file_fields",
    "file_state",
    "lexicon_row",
    "model_text",
    "owners_in",
]

Document = dict[str, Any]

NOT_OURS = (
    "its collections hold an index of findingmodel 0.3 or 0.4, or documents of another program, and were "
    "left as they are: 'findingmodel index update DIR --rebuild' puts such an index aside and makes a new "
    "one; or use another branch or database"
)

_MOST_BYTES = 16 * 1024 * 1024
"""What a document may take (https://www.mongodb.com/docs/manual/reference/limits/)."""

_NEVER_EXCESSIVE_BYTES = 100_000
"""The text of a smaller model, folded and analysed, can hardly grow to a document that is too large."""

_ENTRY = (
    "oifm_id",
    "name",
    "slug_name",
    "filename",
    "file_hash_sha256",
    "description",
    "synonyms",
    "tags",
    "contributors",
    "attributes",
)
# Projections: what each reader asks for, so that no more travels.
ENTRY_FIELDS = dict.fromkeys(_ENTRY, 1)
FILE_FIELDS = dict.fromkeys(("filename", "file_hash_sha256", "file", "credit_keys"), 1)
CANDIDATE_FIELDS = {"terms": 1}
LEXICON_FIELDS = dict.fromkeys(("name", "synonyms", "terms"), 1)
OWNER_FIELDS = dict.fromkeys(("identity", "filename"), 1)
CREDIT_FIELDS = dict.fromkeys(("credits", "filename", "file"), 1)


def entry_document(record: Record, *, binary: bool) -> Document:
    """Return the document that holds *record*.

    Args:
        record: all that is to be stored of one model.
        binary: whether the server can replace binary values; the model is kept as base64 text otherwise.
    """
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
    """Say why a document of *record* would be larger than MongoDB allows; None if none would."""
    if max(record.file.size, len(record.model)) < _NEVER_EXCESSIVE_BYTES:
        return None
    made = (entry_document(record, binary=binary), *map(contributor_document, record.credits))
    size = max(len(bson.encode(document)) for document in made)
    if size <= _MOST_BYTES:
        return None
    return f"it is too large: {size:,} bytes in the index, where MongoDB takes {_MOST_BYTES:,} at most"


def file_fields(state: FileState) -> Document:
    """Return the fields that change when a file is moved or touched, but not its model."""
    return {
        "filename": state.path,
        "file_hash_sha256": state.sha256,
        "file": {"size": state.size, "mtime_ns": state.mtime_ns, "indexed_ns": state.indexed_ns},
    }


def entry_row(document: Document) -> EntryRow:
    """Return what a reader gets of a document."""
    check_own(document, *_ENTRY)
    return cast("EntryRow", {name: document[name] for name in _ENTRY})


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
    )


def model_text(document: Document) -> bytes:
    """Return the JSON text of the full model."""
    check_own(document, "model")
    model = document["model"]
    return unpack(b64decode(model) if isinstance(model, str) else model)


def candidate(document: Document) -> Candidate:
    """Return what ranking needs of a document, with the entry if it is there."""
    check_own(document, "terms")
    entry = entry_row(document) if "oifm_id" in document else None
    return Candidate(document["_id"], Terms(**document["terms"]), entry)


def lexicon_row(document: Document) -> LabelRow:
    """Return what search keeps in memory of a document."""
    check_own(document, *LEXICON_FIELDS)
    synonyms = tuple(document["synonyms"] or ())
    return LabelRow(document["_id"], document["name"], synonyms, Terms(**document["terms"]))


def owners_in(document: Document, wanted: Collection[str]) -> Iterator[Owner]:
    """Yield an owner for each of the *wanted* identity keys that a document holds."""
    return (
        Owner(key, document["_id"], document["filename"]) for key in document["identity"] if key in wanted
    )


def credits_in(document: Document, wanted: Collection[str]) -> Iterator[Credit]:
    """Yield those contributors of a document whose key is *wanted*, as its file states them."""
    for stored in document["credits"]:
        if stored["key"] in wanted:
            fields = json.loads(stored["fields"])
            yield Credit(
                stored["kind"], stored["key"], fields, document["file"]["mtime_ns"], document["filename"]
            )


def contributor_document(credit: Credit) -> Document:
    """Return the document of a person or organization; its texts are also fields, for anybody who looks."""
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


def check_own(document: Document, *names: str) -> None:
    """Accept a document that was written by us, with all fields that are *names*.

    Raises:
        StoreSchemaError: it was not.
    """
    if not isinstance(document["_id"], str) or any(name not in document for name in names):
        raise StoreSchemaError(NOT_OURS)
