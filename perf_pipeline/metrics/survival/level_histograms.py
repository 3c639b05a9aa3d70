"""The histograms of a level on disk, and what comes out when many levels are merged.

``levels/LEVEL/histograms.bin`` is derived from the records, as ``records.parquet`` is; it is what
remains comparable when records are too many to keep, and what merges over levels, repeats, hours
and hosts.

The service time of a workflow counts in the phase in which it ended, as long as it took; what is
in flight when a phase ends counts in that phase as "at least this long". The percentiles of a level
in ``metrics.json`` differ a little: they count what was in flight at the start of the steady phase
from then on only, which histograms cannot tell. The longer the phase, the less that matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.metrics.survival.histogram import BUCKETS, QUANTITIES, Histogram
from perf_pipeline.metrics.survival.histogram_block import (
    IN_FLIGHT,
    PHASES,
    HistogramBlock,
    Phase,
    blocks_from,
)
from perf_pipeline.metrics.survival.histogram_builder import HistogramBuilder
from perf_pipeline.samples.level_records import LevelRecords, read_level
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST, Outcome
from perf_pipeline.samples.run_folder import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.metrics.survival.histogram import Quantity

FILE = "histograms.bin"
CUT = {
    "service_time": (Outcome.DROPPED, Outcome.ABANDONED, IN_FLIGHT),
    "response_time": (Outcome.TIMEOUT, Outcome.DROPPED, Outcome.ABANDONED),
}
"""Outcomes of which a time is known only as "at least"; a timeout that was answered late has a
service time all the same, but nobody waited for its response."""


@dataclass(frozen=True)
class HistogramKey:
    """What a merged histogram is of.

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
    log, frame = records.log, records.frame
    if log["go_ns"] is None or not len(frame):
        return
    last_ns = int(frame.select(pl.col("end_ns").max()).item()) + 1
    phases = {
        name: (start_ns, max(start_ns, last_ns) if end_ns is None else end_ns)
        for name, (start_ns, end_ns) in log["phases_ns"].items()
        if name in PHASES
    }
    is_open = log["plan"].get("loop") == "open"
    builder = HistogramBuilder(log["go_ns"], phases, is_open=is_open)
    yield from builder.add(frame)
    for name, (_, end_ns) in phases.items():
        unfinished = frame.lazy().filter(
            (pl.col("flags") & (COLD | NOT_STARTED | TIMES_LOST)) == 0,
            pl.col("start_ns") < end_ns,
            pl.col("end_ns") >= end_ns,
        )
        kinds, starts = unfinished.select(pl.col("kind").cast(pl.Int64), "start_ns").collect()
        builder.add_in_flight(name, end_ns, kinds.to_numpy(), starts.to_numpy())
    yield from builder.finish()


def merged(
    blocks: Iterator[HistogramBlock], phase: Phase, into: dict[HistogramKey, Histogram]
) -> None:
    """Add the histograms of one phase to those that are there already, without loss.

    Args:
        blocks: Of one level.
        phase: Which.
        into: Changed.
    """
    for block in blocks:
        of_phase = block.select(block.cells["phase"] == PHASES.index(phase))
        cells = of_phase.cells
        for quantity, kind in np.unique(cells[["quantity", "kind"]]).tolist():
            key = HistogramKey(QUANTITIES[quantity], kind)
            own = (cells["quantity"] == quantity) & (cells["kind"] == kind)
            is_cut = np.isin(cells["outcome"], [int(outcome) for outcome in CUT[key.quantity]])
            histogram = into.setdefault(key, Histogram(key.quantity))
            for cut, wanted in ((False, own & ~is_cut), (True, own & is_cut)):
                _add(of_phase.select(wanted), histogram, cut=cut)


def _add(block: HistogramBlock, histogram: Histogram, *, cut: bool) -> None:
    if not len(block.cells):
        return
    counts = np.zeros(BUCKETS, dtype=np.int64)
    np.add.at(counts, block.buckets, block.counts)
    least, most = int(block.cells["min_ns"].min()), int(block.cells["max_ns"].max())
    histogram.add_counts(counts, least, most, cut=cut)
