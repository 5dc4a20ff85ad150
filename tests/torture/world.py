"""World: a directory with random edits, and an independent model of the expected index.

The model has three rules: a valid file is indexed as it is, a broken one keeps its last valid version, and a
removed one is removed. It shares no code with the package.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from tests.builders import make_model, make_organization, make_person

if TYPE_CHECKING:
    import random
    from pathlib import Path

__all__ = ["Content", "World"]

Content = dict[str, tuple[str, bytes]]
"""By id: the path of the file, and its bytes."""

_BROKEN = (b"", b"{", b'{"name": 5}', b"\xff\xfe", b"[" * 3_000, b'{"oifm_id": "x"}', b"null")


class World:
    """A directory of models.

    Args:
        root: the directory, which is created.
        count: the number of models at the start.
        chance: the random source.

    Attributes:
        indexed: the content of the index after the last complete update.
    """

    def __init__(self, root: Path, count: int, chance: random.Random) -> None:
        self.root = root
        self._chance = chance
        self._next = 1
        self._files: dict[str, dict[str, Any] | None] = {}  # the model of each path; None if it is broken
        self._spared: set[str] = set()
        self._swapped: set[str] = set()  # a broken one keeps its name in the index
        self.indexed: Content = {}
        root.mkdir(parents=True)
        for _ in range(count):
            self.add()

    def __len__(self) -> int:
        return len(self._files)

    @property
    def broken(self) -> int:
        """Number of broken files."""
        return sum(model is None for model in self._files.values())

    def edit(self, times: int) -> None:
        """Make *count* random changes."""
        doing = (self.change,) * 10 + (
            self.add,
            self.remove,
            self.move,
            self.swap_names,
            self.corrupt,
            self.repair,
        )
        for _ in range(times):
            self._chance.choice(doing)()

    def spare(self, paths: set[str]) -> None:
        """Never edit *paths* again."""
        self._spared = paths

    def add(self) -> None:
        """Write a file with a new model."""
        number, self._next = self._next, self._next + 1
        self._write(self._path(number), self._credited(make_model(number)))

    def change(self) -> None:
        """Rewrite a valid file with a changed model."""
        if path := self._any(valid=True):
            model = self._files[path]
            assert model is not None
            text = f"Edited {self._chance.random()} " + "lung " * self._chance.randrange(50)
            self._write(path, self._credited(model | {"description": text}))

    def remove(self) -> None:
        """Remove a file, if more than half of them remain."""
        if len(self._files) > 20 and (path := self._any()):
            (self.root / path).unlink()
            del self._files[path]

    def move(self) -> None:
        """Rename a valid file."""
        if path := self._any(valid=True):
            new = self._path(self._next)
            self._next += 1
            (self.root / new).parent.mkdir(exist_ok=True)
            (self.root / path).rename(self.root / new)
            self._files[new] = self._files.pop(path)
            if path in self._swapped:
                self._swapped.add(new)

    def swap_names(self) -> None:
        """Swap the names of two models."""
        one, other = self._any(valid=True), self._any(valid=True)
        if one and other and one != other:
            first, second = self._files[one], self._files[other]
            assert first is not None
            assert second is not None
            self._write(one, first | {"name": second["name"]})
            self._write(other, second | {"name": first["name"]})
            self._swapped |= {one, other}

    def corrupt(self) -> None:
        """Break a file, unless five are broken."""
        if self.broken < 5 and (path := self._any(valid=True)) and path not in self._swapped:
            self._replace(path, self._chance.choice(_BROKEN))
            self._files[path] = None

    def repair(self) -> None:
        """Replace a broken file with a new model."""
        if path := self._any(valid=False):
            number, self._next = self._next, self._next + 1
            self._write(path, make_model(number))

    def expected(self) -> Content:
        """Return the content that a complete update must produce now."""
        known = {path: (oifm_id, data) for oifm_id, (path, data) in self.indexed.items()}
        expected: Content = {}
        for path, model in self._files.items():
            if model is not None:
                expected[model["oifm_id"]] = (path, (self.root / path).read_bytes())
            elif path in known:
                oifm_id, data = known[path]
                expected[oifm_id] = (path, data)
        return expected

    def settle(self) -> Content:
        """Accept the expected content as indexed after a complete update, and return it."""
        self.indexed = self.expected()
        self._swapped = set()
        return self.indexed

    def contributors(self) -> tuple[set[str], set[str]]:
        """Return the people and organizations named by the indexed models."""
        people, organizations = set(), set()
        for _, data in self.indexed.values():
            for contributor in json.loads(data)["contributors"]:
                if "code" in contributor:
                    organizations.add(contributor["code"])
                else:
                    people.add(contributor["github_username"])
        return people, organizations

    def _any(self, *, valid: bool | None = None) -> str | None:
        paths = [
            path
            for path, model in self._files.items()
            if path not in self._spared and (valid is None or (model is not None) == valid)
        ]
        return self._chance.choice(paths) if paths else None

    def _path(self, number: int) -> str:
        return f"d{number % 5}/{number:05}.fm.json"

    def _credited(self, model: dict[str, Any]) -> dict[str, Any]:
        who = self._chance.randrange(8)
        credit = [make_organization(), make_person(github_username=f"reader-{who}", name=f"Reader {who}")]
        return model | {"contributors": credit[: self._chance.randrange(3)] or credit[:1]}

    def _write(self, path: str, model: dict[str, Any]) -> None:
        self._replace(path, json.dumps(model, indent=1).encode())
        self._files[path] = model

    def _replace(self, path: str, data: bytes) -> None:
        whole = self.root / path
        whole.parent.mkdir(exist_ok=True)
        new = whole.with_suffix(".new")
        new.write_bytes(data)
        os.replace(new, whole)  # noqa: PTH105
