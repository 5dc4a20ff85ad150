"""Measure how long it takes to parse every finding model below a directory.

    python scripts/bench_parse.py DIR [--rounds N]

Each round measures every step once, one after the other, so that a busy moment of the machine hurts all.
Models are dropped at once, as an update drops them. Printed are the median of the rounds in milliseconds and
its ratio to the floor, which is reading and hashing the files.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from findingmodel.model.finding import FindingModelFull
from findingmodel.model.parse import parse_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")


def main() -> int:
    """Measure and print; return 2 where there is nothing to measure."""
    parser = argparse.ArgumentParser(description="Measure how long it takes to parse finding models.")
    parser.add_argument("directory", type=Path, help="where the *.fm.json files are")
    parser.add_argument("--rounds", type=int, default=9, help="how often each step is measured (default: 9)")
    arguments = parser.parse_args()
    paths = sorted(arguments.directory.rglob("*.fm.json"))
    if not paths:
        print(f"no *.fm.json below {arguments.directory}", file=sys.stderr)
        return 2
    contents = [path.read_bytes() for path in paths]
    good = sum(parse_model(content).model is not None for content in contents)
    print(f"{len(paths)} files, {sum(map(len, contents)):,} bytes, {good} valid, {arguments.rounds} rounds")
    _report(_measure(paths, contents, arguments.rounds))
    return 0


def _measure(paths: list[Path], contents: list[bytes], rounds: int) -> dict[str, float]:
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        times.setdefault("floor: read + sha256", []).append(_seconds(_read_and_hash, paths))
        times.setdefault("json.loads", []).append(_seconds(_load, contents))
        times.setdefault("model_validate_json", []).append(_seconds(_validate, contents))
        times.setdefault("parse_model", []).append(_seconds(parse_model, contents))
    return {step: median(taken) * 1000 for step, taken in times.items()}


def _seconds(step: Callable[[Item], object], items: Iterable[Item]) -> float:
    gc.collect()
    start = time.perf_counter()
    for item in items:
        step(item)
    return time.perf_counter() - start


def _report(milliseconds: dict[str, float]) -> None:
    floor = next(iter(milliseconds.values()))
    print(f"{'step':22}{'ms':>9}{'ratio':>9}")
    for step, taken in milliseconds.items():
        print(f"{step:22}{taken:9.1f}{taken / floor:9.2f}")


def _read_and_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _load(content: bytes) -> None:
    with suppress(ValueError):
        json.loads(content)


def _validate(content: bytes) -> None:
    with suppress(ValueError):
        FindingModelFull.model_validate_json(content)


if __name__ == "__main__":
    sys.exit(main())
