"""Make a MongoDB database as findingmodel 0.3.2 left it: its indexes, its documents, its strings "None"."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pymongo
from pymongo.errors import OperationFailure

from tests.builders import make_model, make_organization, make_person, model_bytes

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["lay_down", "snapshot"]

_TEXT_FIELDS = ("name", "description", "synonyms", "tags", "attributes.name")
_WEIGHTS = {"name": 10, "synonyms": 8, "description": 3, "tags": 1}
_UNIQUE = ("oifm_id", "slug_name", "name", "filename", "attributes.attribute_id")


def lay_down(uri: str, database: str, directory: Path, *, models: int = 6, branch: str = "main") -> None:
    """Fill *database*, and *directory* with the files of its models."""
    directory.mkdir(exist_ok=True)
    _make_indexes(uri, database, branch=branch)
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        target = client[database]
        for number in range(1, models + 1):
            file = directory / f"model_{number}.fm.json"
            file.write_bytes(model_bytes(number, contributors=[make_person(), make_organization()]))
            target[f"index_entries_{branch}"].insert_one(_entry(make_model(number), file))
        person = {**make_person(url=...), "url": "None"}
        target[f"people_{branch}"].insert_one(person)
        target[f"organizations_{branch}"].insert_one(make_organization())


def _make_indexes(uri: str, database: str, *, branch: str = "main") -> None:
    """Create the collections and indexes that 0.3.2 created before its first write."""
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        target = client[database]
        entries = target[f"index_entries_{branch}"]
        for field in _UNIQUE:
            entries.create_index([(field, 1)], unique=True)
        for field in ("synonyms", "tags"):
            entries.create_index([(field, 1)])
        with suppress(OperationFailure):  # not every server has text indexes
            text = [(field, "text") for field in _TEXT_FIELDS]
            entries.create_index(text, weights=_WEIGHTS, name="fts_allfields")
        target[f"people_{branch}"].create_index([("github_username", 1)], unique=True)
        target[f"organizations_{branch}"].create_index([("code", 1)], unique=True)


def snapshot(uri: str, database: str, branch: str = "main") -> dict[str, Any]:
    """Return all documents and indexes of the collections of *branch*, by the first word of their names."""
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        return {
            word: (
                list(client[database][f"{word}_{branch}"].find().sort("_id", 1)),
                client[database][f"{word}_{branch}"].index_information(),
            )
            for word in ("index_entries", "people", "organizations")
        }


def _entry(model: dict[str, Any], file: Path) -> dict[str, Any]:
    return {
        "oifm_id": model["oifm_id"],
        "name": model["name"],
        "slug_name": model["name"].replace(" ", "_").lower(),
        "filename": file.name,
        "file_hash_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "description": model["description"],
        "synonyms": model["synonyms"],
        "tags": model["tags"],
        "contributors": ["test-reader", "TEST"],
        "attributes": [
            {"attribute_id": one["oifma_id"], "name": one["name"], "type": one["type"]}
            for one in model["attributes"]
        ],
    }
