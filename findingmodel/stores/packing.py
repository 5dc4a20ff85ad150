"""pack and unpack: the text of a model as stores keep it, compressed. Any zlib reads it."""

from __future__ import annotations

import zlib
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["pack", "unpack"]


@cache
def _fastest() -> Callable[[bytes], bytes]:
    """Return what compresses at least effort: ISA-L, or zlib on machines that it has no build for.

    Either makes a model five times smaller. ISA-L takes a sixth of zlib's time at this level, and twice as
    long at its next for another seventh; zlib's level 6 takes three times as long for another tenth.
    """
    try:
        from isal import isal_zlib
    except ImportError:
        return lambda text: zlib.compress(text, 1)
    return lambda text: isal_zlib.compress(text, 0)


def pack(text: bytes) -> bytes:
    """Return *text* compressed.

    >>> unpack(pack(b'{"name": "edema"}'))
    b'{"name": "edema"}'
    """
    return _fastest()(text)


def unpack(packed: bytes) -> bytes:
    """Return the text that was packed."""
    return zlib.decompress(packed)
