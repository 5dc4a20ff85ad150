"""Read the tables in the ``data`` folders: comments begin with ``#``, sections with a ``[title]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def lines(path: Path) -> Iterator[str]:
    """Yield the lines of a table without comments and empty lines."""
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text:
            yield text


def sections(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each ``[title]`` of a table and the lines of its section."""
    title = ""
    body: list[str] = []
    for line in lines(path):
        if line.startswith("[") and line.endswith("]"):
            if title:
                yield title, body
            title, body = line[1:-1].strip(), []
        else:
            body.append(line)
    if title:
        yield title, body


def word_sets(path: Path) -> dict[str, frozenset[str]]:
    """Return the words of each section of a table, in which words are separated by spaces."""
    return {title: frozenset(" ".join(body).split()) for title, body in sections(path)}
