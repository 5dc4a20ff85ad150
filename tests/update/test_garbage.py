"""only_new_garbage: older objects are not collected within the block, and are collected after it."""

from __future__ import annotations

import gc
import weakref

import pytest

from findingmodel.update.workers import only_new_garbage


class Ring:
    """Garbage without references from outside, which only the collector finds."""

    def __init__(self) -> None:
        self.me = self


def test_older_garbage_is_found_afterwards() -> None:
    ring = Ring()
    gone = weakref.ref(ring)
    with only_new_garbage():
        del ring
        gc.collect()
        assert gone() is not None
    gc.collect()
    assert gone() is None


def test_garbage_of_the_block_is_found_within() -> None:
    with only_new_garbage():
        ring = Ring()
        gone = weakref.ref(ring)
        del ring
        gc.collect()
        assert gone() is None


def test_an_error_ends_the_block() -> None:
    with pytest.raises(KeyError), only_new_garbage():
        raise KeyError
    assert gc.get_freeze_count() == 0


def test_what_the_program_has_frozen_stays_frozen() -> None:
    gc.freeze()
    try:
        with only_new_garbage(), only_new_garbage():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
