"""The wipe guard: an update that would remove nearly everything must be forced."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.update.options import UpdateOptions, exceeds_wipe_guard


@pytest.mark.parametrize(
    ("known", "removed", "reason"),
    [
        (0, 0, None),
        (1, 0, None),
        (1, 1, "would-empty"),
        (19, 18, None),
        (19, 19, "would-empty"),
        (20, 10, None),
        (20, 11, "would-remove-most"),
        (20, 19, "would-remove-most"),
        (20, 20, "would-empty"),
        (21, 10, None),
        (21, 11, "would-remove-most"),
        (2_382, 1_191, None),
        (2_382, 1_192, "would-remove-most"),
    ],
)
def test_removing_all_or_more_than_half_of_twenty_or_more_is_refused_unless_forced(
    known: int, removed: int, reason: str | None
) -> None:
    refused = UpdateOptions().refusal(known=known, removed=removed, failed=3)
    assert (refused and refused.reason) == reason
    assert exceeds_wipe_guard(known=known, removed=removed) == (reason is not None)
    assert UpdateOptions(force=True).refusal(known=known, removed=removed, failed=3) is None


@pytest.mark.parametrize("force", [False, True])
def test_strict_refuses_any_failure_even_if_forced(force: bool) -> None:
    refused = UpdateOptions(strict=True, force=force).refusal(known=5, removed=0, failed=1)
    assert refused is not None
    assert refused.reason == "strict"
    assert "1 file failed" in refused.message
    many = UpdateOptions(strict=True, force=force).refusal(known=5, removed=0, failed=1_234)
    assert many is not None
    assert "1,234 files failed" in many.message
    assert UpdateOptions(strict=True, force=force).refusal(known=5, removed=0, failed=0) is None


def test_strict_without_failures_is_guarded_like_any_other() -> None:
    refused = UpdateOptions(strict=True).refusal(known=5, removed=5, failed=0)
    assert refused is not None
    assert refused.reason == "would-empty"


def test_a_refusal_says_how_many_models_would_be_removed_and_how_to_force_it() -> None:
    some = UpdateOptions().refusal(known=2_382, removed=2_000, failed=0)
    every = UpdateOptions().refusal(known=2_382, removed=2_382, failed=0)
    assert some is not None
    assert every is not None
    assert "2,000 of 2,382 models" in some.message
    assert "all 2,382 models" in every.message
    assert (some.would_remove, every.would_remove) == (2_000, 2_382)
    for refused in (some, every):
        assert "--force" in refused.message


@given(st.integers(0, 100), st.integers(0, 100))
def test_removing_more_never_makes_it_safer(known: int, removed: int) -> None:
    removed = min(known, removed)
    assert exceeds_wipe_guard(known=known, removed=known) or known == 0
    assert not exceeds_wipe_guard(known=known, removed=removed) or exceeds_wipe_guard(
        known=known, removed=min(known, removed + 1)
    )
