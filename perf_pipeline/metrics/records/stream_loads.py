"""From the records of an open level to the figures of each of its arrival streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.metrics.records.open_level import lag_within
from perf_pipeline.metrics.survival.window_times import scheduled_within, window_responses
from perf_pipeline.metrics.types.open_load import StreamLoad
from perf_pipeline.samples.open_records import read_streams
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.samples.level_records import LevelRecords


def stream_loads_of(
    records: LevelRecords, folder: Path, window: tuple[int, int], percentiles: Sequence[float]
) -> tuple[StreamLoad, ...]:
    """Return the figures of each stream; none for a level with one schedule.

    Args:
        records: Of the level, one for every arrival.
        folder: Its folder.
        window: The steady phase, CLOCK_MONOTONIC ns.
        percentiles: Of the response times, 0 to 1.
    """
    streams = records.log["plan"]["arrivals"].get("streams", ())
    stream_of = read_streams(folder)
    if not streams or not len(stream_of):
        return ()
    warm = records.frame.filter((pl.col("flags") & COLD) == 0)
    warm = warm.with_columns(stream=pl.Series(stream_of[warm["number"].to_numpy()]))
    length_s = (window[1] - window[0]) / 1e9
    loads = []
    for index, stream in enumerate(streams):
        own = warm.filter(pl.col("stream") == index).drop("stream")
        started = own.filter((pl.col("flags") & (NOT_STARTED | TIMES_LOST)) == 0)
        ended_ok = started.filter(
            pl.col("end_ns").is_between(*window, closed="left"),
            pl.col("outcome") == int(Outcome.OK),
        )
        counts = own.group_by("outcome").len()
        by_outcome = dict(zip(counts["outcome"].to_list(), counts["len"].to_list(), strict=True))
        due = scheduled_within(own, *window)
        loads.append(
            StreamLoad(
                label=stream["label"],
                offered=stream["offered"],
                outcomes={one.name.lower(): by_outcome.get(int(one), 0) for one in Outcome},
                offered_per_s=len(due) / length_s if length_s else None,
                throughput_per_s=len(ended_ok) / length_s if length_s else None,
                response_times=window_responses(own, *window).summary(percentiles),
                lag=lag_within(started, *window),
            )
        )
    return tuple(loads)
