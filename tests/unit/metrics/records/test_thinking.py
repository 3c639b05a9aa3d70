"""Think time as the records show it."""

from __future__ import annotations

import polars as pl

from perf_pipeline.metrics.records.thinking import thinking_of

PLAN = {"think_time": {"mean_s": 2.0, "distribution": "constant"}}
SECOND = 1_000_000_000


def _warm(*rows: tuple[int, int, int]) -> pl.DataFrame:
    """Return records of one worker: slot, start and end in seconds."""
    names = ("slot", "start_ns", "end_ns")
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Int64), orient="row")
    return frame.with_columns(pl.col("start_ns", "end_ns") * SECOND, worker=pl.lit(0))


def test_pauses_cut_by_the_phase_count_as_far_as_they_lie_in_it() -> None:
    """Steady from 10 to 20 s. Slot 0 pauses 8-11, 12-16 and 17-(22); slot 1 pauses 14-15 only.

    In the phase: 1 + 4 + 3 + 1 = 9 s of thinking, and 3 pauses that ended: 3 s each.
    """
    warm = _warm((0, 7, 8), (0, 11, 12), (0, 16, 17), (0, 22, 23), (1, 9, 14), (1, 15, 25))

    found = thinking_of(warm, PLAN, (10 * SECOND, 20 * SECOND))

    assert found is not None
    assert (found.avg_s, found.samples, found.users) == (3.0, 3, 2)
    assert found.planned == "think time 2 s (constant)"


def test_a_user_whose_last_pause_did_not_end_counts_to_the_end_of_the_phase() -> None:
    found = thinking_of(_warm((0, 9, 11), (0, 12, 13)), PLAN, (10 * SECOND, 20 * SECOND))

    assert found is not None
    assert (found.avg_s, found.samples) == (8.0, 1)


def test_slots_that_do_not_think_have_no_think_time() -> None:
    """Also those of a run that was made before there was any."""
    assert thinking_of(_warm((0, 9, 11)), {}, (10 * SECOND, 20 * SECOND)) is None
