"""follow: what others change in an index, as it happens."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Mapping

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import FileState


class IndexChange(NamedTuple):
    """One model that an update changed.

    Attributes:
        kind: what happened to the model; "moved" means that only the path of its file changed.
        oifm_id: the model.
        path: its file, now or, if it was removed, before; POSIX, relative to the indexed directory.
        generation: the generation of the index in which the change was seen; updates in quick succession may
            be seen as one.
    """

    kind: Literal["added", "updated", "moved", "removed"]
    oifm_id: str
    path: str
    generation: int


class ChangeFeed:
    """Follows an index from its state at the first `follow`; a later one goes on and misses nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, FileState] | None = None

    async def follow(self) -> AsyncGenerator[list[IndexChange], None]:
        """Yield the changes of each update, sorted by id; an empty list once the first state is known.

        Raises:
            StoreError: the store failed.
        """
        async with aclosing(self._store.generations()) as generations:
            async for generation in generations:
                states = {state.oifm_id: state for state in await self._store.manifest()}
                known, self._known = self._known, states
                changes = [] if known is None else sorted(_changes(known, states, generation), key=_by_id)
                if changes or known is None:
                    yield changes


def _by_id(change: IndexChange) -> str:
    return change.oifm_id


def _changes(
    known: Mapping[str, FileState], states: Mapping[str, FileState], generation: int
) -> Iterator[IndexChange]:
    for oifm_id, state in states.items():
        before = known.get(oifm_id)
        if before is None:
            yield IndexChange("added", oifm_id, state.path, generation)
        elif before.sha256 != state.sha256:
            yield IndexChange("updated", oifm_id, state.path, generation)
        elif before.path != state.path:
            yield IndexChange("moved", oifm_id, state.path, generation)
    for oifm_id in known.keys() - states.keys():
        yield IndexChange("removed", oifm_id, known[oifm_id].path, generation)
