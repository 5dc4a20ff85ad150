"""garbage: keep Python's search for it off what was there before."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["only_new_garbage"]


@contextmanager
def only_new_garbage() -> Iterator[None]:
    """Within the block, look for garbage among objects made within it.

    A large update makes so many objects that all of the program's are gone through several times, which is a
    tenth of what the update does. Nothing of them is lost: after the block they are gone through as before.
    """
    if gc.get_freeze_count():  # the program, or another update, has done so, and is to undo it
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
