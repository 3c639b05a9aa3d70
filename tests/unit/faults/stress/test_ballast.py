"""How much memory a failure takes, and when it lets go."""

from __future__ import annotations

from perf_pipeline.faults.stress.ballast import CHUNK_BYTES, steps

GB = 1 << 30


def test_memory_is_taken_in_steps_until_the_target_is_available() -> None:
    """At most 256 MB between two looks, and nothing for the last part of a chunk."""
    assert steps(available=8 * GB, target=2 * GB, floor=GB, held=0) == 16
    assert steps(available=2 * GB + 3 * CHUNK_BYTES, target=2 * GB, floor=GB, held=5) == 3
    assert steps(available=2 * GB + CHUNK_BYTES - 1, target=2 * GB, floor=GB, held=5) == 0


def test_memory_that_other_programs_need_is_given_back() -> None:
    """As much as they took, and never more than is held."""
    assert steps(available=2 * GB - 3 * CHUNK_BYTES, target=2 * GB, floor=GB, held=5) == -3
    assert steps(available=2 * GB - 9 * CHUNK_BYTES, target=2 * GB, floor=GB, held=5) == -5


def test_everything_is_given_back_at_once_below_the_floor_of_the_machine() -> None:
    assert steps(available=GB - 1, target=2 * GB, floor=GB, held=100) == -100
