"""The histograms of a level on disk, and the merging of many levels.

``levels/LEVEL/histograms.bin`` is derived from the records, as ``records.parquet`` is. It remains
comparable when there are too many records to keep, and merges over levels, repeats, hours and
hosts.

A service time counts in the phase in which the workflow ended. Workflows in flight at the end of a
phase are right-censored in it; those in flight at its start that ended within it have a delayed
entry. A response time counts in the phase in which the workflow was to start. The phases are those
of ``level_phases.py``, so that the percentiles of a kind of workflow in ``metrics.json`` are those
of the histograms of its steady phase, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.metrics.records.record_figures import TIMED
from perf_pipeline.metrics.steady.level_phases import phases_of
from perf_pipeline.metrics.survival.histogram import QUANTITIES, Histogram
from perf_pipeline.metrics.survival.histogram_block import (
    ENTERED,
    PHASES,
    HistogramBlock,
    Phase,
    blocks_from,
)
from perf_pipeline.metrics.survival.histogram_builder import HistogramBuilder
from perf_pipeline.metrics.survival.log_buckets import BUCKETS
from perf_pipeline.metrics.survival.outcomes import ANSWERED, ENDED
from perf_pipeline.samples.level_records import LevelRecords, read_level
from perf_pipeline.samples.run_file import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from perf_pipeline.metrics.survival.histogram import Quantity

FILE = "histograms.bin"
KNOWN = {"service_time": ENDED, "response_time": ANSWERED}
"""Outcomes with which a time is known; with any other it is right-censored."""


@dataclass(frozen=True)
class HistogramKey:
    """The times that a merged histogram holds.

    Attributes:
        quantity: Service or response time.
        kind: Index of the kind of workflow.
    """

    quantity: Quantity
    kind: int


def write_histograms(folder: Path, records: LevelRecords) -> None:
    """Write the histograms of the level in ``folder``, whole or not at all."""
    content = b"".join(block.to_bytes() for block in histograms_of(records))
    write_atomically(folder / FILE, content)


def read_histograms(folder: Path, kinds: int) -> Iterator[HistogramBlock]:
    """Yield the histograms of a level: as written, or made from its records when there are none.

    Args:
        folder: The level's folder.
        kinds: How many kinds of workflow the run has.

    Raises:
        HistogramError: The file is damaged.
        RunFolderError: There is none, and the level's records cannot be read either.
    """
    path = folder / FILE
    if path.exists():
        yield from blocks_from(path.read_bytes(), str(path))
    else:
        yield from histograms_of(read_level(folder, kinds))


def histograms_of(records: LevelRecords) -> Iterator[HistogramBlock]:
    """Yield the histograms of a level's records."""
    if records.log["go_ns"] is None or not len(records.frame):
        return
    timed = records.frame.filter(TIMED)
    phases = phases_of(records, timed)
    is_open = records.log["plan"]["loop"] == "open"
    builder = HistogramBuilder(phases.go_ns, phases.bounds_ns, is_open=is_open)
    yield from builder.add(records.frame)
    start, end = pl.col("start_ns"), pl.col("end_ns")
    columns = timed.lazy().select(pl.col("kind").cast(pl.Int64), start, end, "outcome")
    for name, (start_ns, end_ns) in phases.bounds_ns.items():
        in_flight = columns.filter(start < end_ns, end >= end_ns).collect()
        kinds, starts = (in_flight[column].to_numpy() for column in ("kind", "start_ns"))
        builder.add_in_flight(name, end_ns, kinds, starts)
        entered = columns.filter(
            start < start_ns, end >= start_ns, end < end_ns, pl.col("outcome").is_in(ENDED)
        ).collect()
        kinds, starts, ends = (
            entered[column].to_numpy() for column in ("kind", "start_ns", "end_ns")
        )
        builder.add_delayed_entries(name, start_ns, kinds, starts, ends)
    yield from builder.finish()


def merged(
    blocks: Iterator[HistogramBlock], phase: Phase, into: dict[HistogramKey, Histogram]
) -> None:
    """Add the histograms of one phase to those that are there already, without loss.

    Args:
        blocks: Of one level.
        phase: The phase.
        into: Changed.
    """
    for block in blocks:
        of_phase = block.select(block.cells["phase"] == PHASES.index(phase))
        cells = of_phase.cells
        for quantity, kind in np.unique(cells[["quantity", "kind"]]).tolist():
            key = HistogramKey(QUANTITIES[quantity], kind)
            of_key = (cells["quantity"] == quantity) & (cells["kind"] == kind)
            entered = of_key & (cells["outcome"] == ENTERED)
            known = of_key & np.isin(cells["outcome"], KNOWN[key.quantity])
            histogram = into.setdefault(key, Histogram(key.quantity))
            histogram.delayed_entries += _counts(of_phase.select(entered))
            for censored, wanted in ((False, known), (True, of_key & ~known & ~entered)):
                part = of_phase.select(wanted)
                if len(part.cells):
                    min_ns, max_ns = part.cells["min_ns"].min(), part.cells["max_ns"].max()
                    histogram.add_counts(_counts(part), int(min_ns), int(max_ns), censored=censored)


def _counts(block: HistogramBlock) -> npt.NDArray[np.int64]:
    """Return int64[BUCKETS], the counts of all cells of a block together."""
    counts = np.zeros(BUCKETS, dtype=np.int64)
    np.add.at(counts, block.buckets, block.counts)
    return counts
