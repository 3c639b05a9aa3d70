"""Whether a load level is in steady state, and since when, found from its time series.

The level after its ramp-up is divided into cells of equal length. Three series are judged: the
number of workflows that ended ok, the median time of those that ended, and at an open level the
median response time (a growing queue shows nowhere else). A cell is at least a fifth of the average
time of a workflow long, so that every slot ends about one workflow in five cells; it contains four
workflows on average; and it is at least 0.1 s long: on a machine that was not idle, levels of 1 to
5 s were called not steady 6 times in 40 because of what others did in a single second. A level with
fewer than 100 such cells in its steady phase (10 s and 20 turnovers) is too short to judge, which
is reported and does not invalidate it.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.metrics.steady.warm_up import MIN_VALUES, drift_of, end_of_warm_up
from perf_pipeline.metrics.survival.batch_counts import SLICE
from perf_pipeline.metrics.survival.cell_medians import CellMedians
from perf_pipeline.metrics.survival.outcomes import ended_within, is_ended
from perf_pipeline.metrics.types.steady_state import (
    RESPONSE_TIME,
    SERVICE_TIME,
    THROUGHPUT,
    Drift,
    SteadyState,
)
from perf_pipeline.samples.record import Outcome

if TYPE_CHECKING:
    from perf_pipeline.metrics.survival.survival_curve import Floats, Ints

MAX_CELLS = 1000
MIN_CELL_NS = 100_000_000
CELLS_A_TURNOVER = 5
MIN_A_CELL = 4
"""Workflows in a cell; a median of fewer is too noisy."""

GREAT_RATIO = 0.5
"""A possible drift of more than this share of the mean makes the steady state undecided."""

CHANGING = ("ramp", "steps", "burst", "trace")
"""Schedules whose rate changes, so a series that follows the rate is no drift."""


def steady_state_of(
    frame: pl.DataFrame,
    *,
    go_ns: int,
    began_ns: int,
    window: tuple[int, int],
    slots: int | None,
    schedule: str = "",
    until: str = "",
) -> SteadyState:
    """Judge one level.

    Args:
        frame: Its records, ``SCHEMA``, without cold starts and workflows that never started.
        go_ns: Start of the level, CLOCK_MONOTONIC.
        began_ns: When the full load was reached: the end of the ramp-up.
        window: Start and end of the planned steady phase, or of its part before ``until``.
        slots: Workflows in flight at a closed level; None for an open one.
        schedule: Kind of the schedule of an open level.
        until: What ends the window before the steady phase ends, such as "the first failure".
    """
    planned_s = (window[0] - go_ns) / 1e9
    if schedule in CHANGING:
        why = f"the arrival rate changes as planned ({schedule}), so no steady state is looked for"
        return SteadyState(planned_s, "not_judged", why)
    cell_ns = _cell_ns(frame, began_ns, window[1], slots)
    cells = (window[1] - window[0]) // cell_ns if cell_ns else 0
    if cells < MIN_VALUES:
        return SteadyState(
            planned_s, "too_short", _too_short(window[1] - window[0], cell_ns, until)
        )
    all_cells = (window[1] - began_ns) // cell_ns
    series = _series(frame, window[1], cell_ns, all_cells, is_open=slots is None)
    return judge_series(
        series,
        planned=int(all_cells - cells),
        cell_s=cell_ns / 1e9,
        first_s=(window[1] - all_cells * cell_ns - go_ns) / 1e9,
        planned_s=planned_s,
    )


def judge_series(
    series: dict[str, Floats],
    *,
    planned: int,
    cell_s: float,
    first_s: float = 0.0,
    planned_s: float | None = None,
) -> SteadyState:
    """Judge series of the same cells.

    Args:
        series: Name to float64[n], n >= ``MIN_VALUES``.
        planned: The cell with which the steady phase should begin.
        cell_s: Length of a cell.
        first_s: When the first cell begins.
        planned_s: When the planned steady phase begins; None for the beginning of its cell.
    """
    count = len(next(iter(series.values())))
    planned_s = first_s + planned * cell_s if planned_s is None else planned_s
    latest = planned + (count - planned) // 2
    ends = {name: end_of_warm_up(values, latest) for name, values in series.items()}
    endless = [name for name, end in ends.items() if end is None]
    if endless:
        why = (
            f"the warm-up goes on beyond half of the steady phase ({' and '.join(endless)}): "
            "what is left of it is no steady state"
        )
        return SteadyState(None, "not_steady", why)
    name, end = max(((name, end or 0) for name, end in ends.items()), key=lambda pair: pair[1])
    starts_s = planned_s if end <= planned else first_s + end * cell_s
    rest = {each: values[max(end, planned) :] for each, values in series.items()}
    drifts = {each: drift_of(values) for each, values in rest.items() if values.mean() > 0}
    found = [_drift_sentence(each, drift) for each, drift in drifts.items() if drift.found]
    if found:
        return SteadyState(None, "not_steady", "; ".join(found), drifts)
    remarks = []
    if end > planned:
        remarks.append(
            f"the warm-up went on {starts_s - planned_s:.1f} s into the planned steady phase of "
            f"{(count - planned) * cell_s:.1f} s ({name}); the numbers are of what follows"
        )
    widest = max(drifts, key=lambda each: drifts[each].max_change, default=None)
    if widest is None or drifts[widest].max_change <= GREAT_RATIO:
        return SteadyState(starts_s, "steady", "; ".join(remarks), drifts)
    remarks.append(_doubt_sentence(widest, drifts[widest]))
    return SteadyState(starts_s, "undecided", "; ".join(remarks), drifts)


def _drift_sentence(name: str, drift: Drift) -> str:
    return (
        f"the {name} changes by {drift.change_ratio:+.0%} over the steady phase "
        f"(99.5 % interval {drift.low_ratio:+.0%} to {drift.high_ratio:+.0%}; at most 5 %)"
    )


def _doubt_sentence(name: str, drift: Drift) -> str:
    return (
        f"no drift of the {name} was found, but one of {drift.max_change:.0%} cannot be ruled out "
        f"(99.5 % interval {drift.low_ratio:+.0%} to {drift.high_ratio:+.0%})"
    )


def _too_short(length_ns: int, cell_ns: int, until: str) -> str:
    """Return the reason, with the length that would be enough by the records of this level."""
    if not cell_ns:
        return "no workflow ended in the steady phase, so it shows no warm-up and no drift"
    needed_s = math.ceil(MIN_VALUES * cell_ns / 1e9)
    what = f"a steady phase of {length_ns / 1e9:.3g} s{' before ' if until else ''}{until}"
    how = f"at = {needed_s}" if until else f"--duration {needed_s}"
    return (
        f"{what} is too short to test for warm-up and drift; "
        f"here it takes about {needed_s:,} s ({how})"
    )


def _cell_ns(frame: pl.DataFrame, start_ns: int, end_ns: int, slots: int | None) -> int:
    """Return the length of a cell; 0 where nothing ended."""
    lasted = pl.col("end_ns") - pl.col("start_ns")
    ended = ended_within(frame.lazy(), start_ns, end_ns)
    count, lasted_ns = ended.select(count=pl.len(), lasted=lasted.sum()).collect().row(0)
    length_ns = end_ns - start_ns
    if not count or length_ns <= 0:
        return 0
    # Where slots are known, by Little's law: workflows that never end count too.
    average_ns = float(lasted_ns) / count if slots is None else slots * length_ns / count
    shortest_ns = length_ns * MIN_A_CELL / count
    return int(max(length_ns / MAX_CELLS, average_ns / CELLS_A_TURNOVER, shortest_ns, MIN_CELL_NS))


def _series(
    frame: pl.DataFrame, end_ns: int, cell_ns: int, count: int, *, is_open: bool
) -> dict[str, Floats]:
    """Return the values of each cell; the last one ends at ``end_ns``.

    The median of a cell without ends is interpolated; its throughput of 0 shows the gap.
    """
    times = {SERVICE_TIME: "start_ns", **({RESPONSE_TIME: "intended_start_ns"} if is_open else {})}
    columns = frame.select({"end_ns", "outcome", *times.values()})

    def count_half(half: pl.DataFrame) -> tuple[Ints, list[CellMedians]]:
        return _counted(half, end_ns, cell_ns, count, list(times.values()))

    middle = len(columns) // 2
    with ThreadPoolExecutor(2) as cores:
        halves = list(cores.map(count_half, (columns[:middle], columns[middle:])))
    found = {THROUGHPUT: (halves[0][0] + halves[1][0]).astype(np.float64)}
    for name, first, second in zip(times, halves[0][1], halves[1][1], strict=True):
        first.merge(second)
        known, values = first.values()
        found[name] = np.interp(np.arange(count), known, values)
    return found


def _counted(
    frame: pl.DataFrame, end_ns: int, cell_ns: int, count: int, since: list[str]
) -> tuple[Ints, list[CellMedians]]:
    """Count the ok ends of each cell, and the times since each column of ``since``."""
    throughput = np.zeros(count, dtype=np.int64)
    medians = [CellMedians(count) for _ in since]
    for part in frame.iter_slices(SLICE):
        at_ns, outcome = part["end_ns"].to_numpy(), part["outcome"].to_numpy()
        cell = count - 1 - (end_ns - 1 - at_ns) // cell_ns
        inside = is_ended(outcome) & (at_ns < end_ns) & (cell >= 0)
        which = slice(None) if inside.all() else inside
        cell = cell[which]
        throughput += np.bincount(cell[outcome[which] == Outcome.OK], minlength=count)
        for name, median in zip(since, medians, strict=True):
            median.add(cell, (at_ns - part[name].to_numpy())[which])
    return throughput, medians
