"""Ground: where an attack is made, and which database is attacked there."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tests.servers import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Ground"]


class Ground(NamedTuple):
    """Where an attack is made.

    Attributes:
        home: a directory of its own.
        kind: "sqlite", or a kind of MongoDB servers.
    """

    home: Path
    kind: str

    @contextmanager
    def database(self) -> Iterator[str]:
        """Lend the URL of a database that does not exist yet; a server runs as long as the block."""
        if self.kind == "sqlite":
            yield f"sqlite:///{self.home}/index.db"
            return
        with running(self.kind) as server:
            yield f"{server.uri}/findings"
