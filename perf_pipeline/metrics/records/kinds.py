"""Figures of each kind of workflow: in the steady phase, and of its cold starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.metrics.types.records import ColdStart, FamilyMetrics
from perf_pipeline.samples.record import COLD, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.records.record_figures import RecordFigures


def families_of(
    figures: RecordFigures,
    window: tuple[int, int],
    kinds: Sequence[tuple[str, str]],
) -> tuple[FamilyMetrics, ...]:
    """Return the figures of each kind in the steady phase; ``kinds`` has family and complexity."""
    length_s = (window[1] - window[0]) / 1e9
    return tuple(
        FamilyMetrics(
            family=family,
            complexity=complexity,
            throughput_per_s=ok / length_s if length_s else None,
            error_ratio=1 - ok / times.samples if times.samples else None,
            service_times=times,
        )
        for (family, complexity), ok, times in zip(kinds, figures.ok, figures.kinds, strict=True)
    )


def cold_starts_of(frame: pl.DataFrame, kinds: Sequence[tuple[str, str]]) -> tuple[ColdStart, ...]:
    """Return the cold starts of every worker process, in their order."""
    cold = frame.filter((pl.col("flags") & COLD) != 0).sort("worker", "start_ns")
    return tuple(
        ColdStart(
            worker=row["worker"],
            family=kinds[row["kind"]][0],
            complexity=kinds[row["kind"]][1],
            service_time_s=(row["end_ns"] - row["start_ns"]) / 1e9,
            outcome=Outcome(row["outcome"]).name.lower(),
        )
        for row in cold.iter_rows(named=True)
    )
