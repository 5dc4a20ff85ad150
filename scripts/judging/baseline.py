"""The baseline: what FTS5 finds by itself."""

from __future__ import annotations

import re
import sqlite3
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from judging.queries import Models

__all__ = ["plain_search"]

_WORD = re.compile(r"\w+")


def plain_search(models: Models) -> Callable[[str], list[str]]:
    """Return the baseline: FTS5 with its Porter stemmer, any word of the query, weighted bm25."""
    connection = sqlite3.connect(":memory:")
    columns = "name, synonyms, description, tags, attributes"
    connection.execute(
        f"CREATE VIRTUAL TABLE t USING fts5(id UNINDEXED, {columns}, tokenize='porter unicode61')"
    )
    for _, model in models:
        texts = [model["name"], model.get("synonyms"), model["description"], model.get("tags")]
        texts.append([attribute["name"] for attribute in model["attributes"]])
        row = [text if isinstance(text, str) else " | ".join(text or ()) for text in texts]
        connection.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", (model["oifm_id"], *row))

    def search(query: str) -> list[str]:
        words = " OR ".join(f'"{word}"' for word in _WORD.findall(query))
        statement = "SELECT id FROM t WHERE t MATCH ? ORDER BY bm25(t, 0, 10, 8, 3, 1, 1) LIMIT 10"
        return [row[0] for row in connection.execute(statement, (words,))] if words else []

    weakref.finalize(search, connection.close)
    return search
