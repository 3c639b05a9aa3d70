"""Several sorted arrays, asked as one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perf_pipeline.metrics.survival.sorted_chunks import SortedChunks

_RUN = st.lists(st.integers(0, 60), max_size=15).map(sorted)
_RUNS = st.lists(_RUN, min_size=1, max_size=4)


def _runs(runs: list[list[int]]) -> SortedChunks:
    return SortedChunks(tuple(np.array(run, dtype=np.int64) for run in runs))


@given(_RUNS.filter(any))
def test_every_rank_has_the_value_that_sorting_all_of_them_gives_it(runs: list[list[int]]) -> None:
    merged = sorted(value for run in runs for value in run)
    found = _runs(runs)

    assert [found.at(rank) for rank in range(len(found))] == merged
    assert (found.ends.min(), found.ends.max()) == (merged[0], merged[-1])


@given(_RUNS, st.lists(st.integers(-1, 61), max_size=8))
def test_ranks_count_what_lies_below_in_all_runs(runs: list[list[int]], values: list[int]) -> None:
    asked = np.array(values, dtype=np.int64)
    each = [value for run in runs for value in run]

    assert _runs(runs).ranks(asked, "left").tolist() == [sum(x < v for x in each) for v in values]
    assert _runs(runs).ranks(asked, "right").tolist() == [sum(x <= v for x in each) for v in values]
