"""Write what was learned as the file that `findingmodel.search.meaning.MeaningTable` reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from findingmodel.search.meaning import ALIGNMENT, FORMAT, PERCENT
from findingmodel.text.opposites import are_opposites

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from meaning.training import Floats, Words

__all__ = ["write_table"]

_NEIGHBOURS = 16
_NEAR = 0.35  # words less similar than this are no neighbours
_MOST = 127  # of a signed byte
_ROWS = 1_000


def write_table(path: Path, learned: Words) -> None:
    """Write the vectors of *learned* as bytes, and the nearest words of each word."""
    count, size = learned.vectors.shape
    scales = np.abs(learned.vectors).max(axis=1) / _MOST
    rounded = np.rint(learned.vectors / scales[:, None])
    letters = np.abs(learned.letters).max() / _MOST
    encoded = [word.encode() for word in learned.words]
    nearest, nearness = _neighbours(learned)
    header = {
        "format": FORMAT,
        "dimensions": size,
        "words": count,
        "buckets": len(learned.letters),
        "neighbours": _NEIGHBOURS,
        "letters": float(letters),
    }
    sections = (
        np.cumsum([0, *map(len, encoded)]).astype("<u4"),
        np.frombuffer(b"".join(encoded), dtype=np.uint8),
        scales.astype("<f4"),
        (np.linalg.norm(rounded, axis=1) * scales).astype("<f4"),
        rounded.astype(np.int8),
        np.rint(learned.letters / letters).astype(np.int8),
        nearest.astype("<u2"),
        nearness.astype(np.uint8),
    )
    with path.open("wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        for section in sections:
            file.write(bytes(-file.tell() % ALIGNMENT))
            file.write(section.tobytes())


def _neighbours(learned: Words) -> tuple[NDArray[np.int64], Floats]:
    """Return for each word the nearest words but its opposites, as numbers, and how near they are."""
    lengths = np.linalg.norm(learned.vectors, axis=1, keepdims=True)
    points = learned.vectors / np.maximum(lengths, 1e-9)
    nearest = np.zeros((len(points), _NEIGHBOURS), dtype=np.int64)
    nearness = np.zeros((len(points), _NEIGHBOURS))
    for word, row in enumerate(_similarities(points)):
        row[word] = 0
        order = [other for other in np.argsort(-row, kind="stable")[: 2 * _NEIGHBOURS] if row[other] >= _NEAR]
        chosen = [one for one in order if not are_opposites(learned.words[word], learned.words[one])][
            :_NEIGHBOURS
        ]
        nearest[word, : len(chosen)] = chosen
        nearness[word, : len(chosen)] = np.rint(row[chosen] * PERCENT)
    return nearest, nearness


def _similarities(points: Floats) -> Iterator[Floats]:
    for start in range(0, len(points), _ROWS):
        yield from points[start : start + _ROWS] @ points.T
