"""Target: the directory and the database of an attack."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tests.servers import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Target"]


class Target(NamedTuple):
    """The place of an attack.

    Attributes:
        home: an empty directory.
        kind: "sqlite", or a kind of MongoDB server.
    """

    home: Path
    kind: str

    @contextmanager
    def database(self) -> Iterator[str]:
        """Yield the URL of a new database; its server runs until the block ends."""
        if self.kind == "sqlite":
            yield f"sqlite:///{self.home}/index.db"
            return
        with running(self.kind) as server:
            yield server.url("findings")
