"""Judged queries, and the indexes that they are run on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.model.parse import parse_model
from findingmodel.stores.records import FileState, WriteBatch
from findingmodel.update.record import make_record

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from findingmodel.stores.protocol import Store

__all__ = ["Judged", "Models", "fill", "read_judged", "read_models", "without"]

Models = list[tuple[str, dict[str, Any]]]
"""The path and the JSON of each model."""

_BATCH = 500


class Judged(NamedTuple):
    """One judged query.

    Attributes:
        qid, query, category: as in the file.
        relevant: by id 2 for what is meant, 1 for another reasonable hit; empty if nothing answers the query.
        dropped: the id of a model and one of its synonyms, without which the query is run.
    """

    qid: str
    query: str
    category: str
    relevant: dict[str, int]
    dropped: tuple[str, str] | None


def read_judged(paths: Iterable[Path]) -> list[Judged]:
    """Return the queries of all files.

    Raises:
        ValueError: a line is not a judged query; names the line.
    """
    found = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            try:
                row = json.loads(line)
                drop = (row["drop"]["oifm_id"], row["drop"]["synonym"]) if "drop" in row else None
                found.append(Judged(row["qid"], row["query"], row["category"], row["relevant"], drop))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path}, line {number}: no judged query ({error!r})") from error
    return found


def read_models(directory: Path) -> Models:
    """Return the path and JSON of every finding model below *directory*."""
    paths = sorted(directory.rglob("*.fm.json"))
    return [(path.relative_to(directory).as_posix(), json.loads(path.read_bytes())) for path in paths]


def without(models: Models, dropped: set[tuple[str, str]]) -> Models:
    """Return *models* without the synonyms in *dropped*, pairs of id and synonym."""
    left = []
    for path, model in models:
        synonyms = [text for text in model.get("synonyms") or () if (model["oifm_id"], text) not in dropped]
        left.append((path, {**model, "synonyms": synonyms or None}))
    return left


async def fill(store: Store, models: Models) -> None:
    """Write *models* to an empty *store*."""
    await store.setup()
    records = []
    for path, model in models:
        text = json.dumps({key: value for key, value in model.items() if value is not None}).encode()
        parsed = parse_model(text).model
        if parsed is None:
            raise ValueError(f"{path}: no valid finding model")
        records.append(make_record(parsed, text, FileState(path, len(text), 0, "", 0, "")))
    for start in range(0, len(records), _BATCH):
        await store.write(WriteBatch(upserts=records[start : start + _BATCH]))
    await store.advance()
