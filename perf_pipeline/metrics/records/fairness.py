"""How evenly the slots were served."""

from __future__ import annotations

import numpy as np
import polars as pl

from perf_pipeline.metrics.types.records import Fairness


def fairness_of(ended: pl.DataFrame, slots: int, rows: int = 1 << 18) -> Fairness:
    """Compare the slots by how many workflows each ended.

    Args:
        ended: Records of the workflows that ended in the window.
        slots: Number of slots of all workers, those that ended nothing included.
        rows: Records that are counted together, which bounds the memory.

    Source:
        Jain, Chiu, Hawe, "A Quantitative Measure of Fairness", DEC-TR-301, 1984.
    """
    by_place = np.zeros(0, dtype=np.int64)
    width = 1 + (int(ended.select(pl.col("slot").max()).item()) if len(ended) else 0)
    for part in ended.iter_slices(rows):
        place = part["worker"].to_numpy().astype(np.int64) * width + part["slot"].to_numpy()
        more = np.bincount(place, minlength=len(by_place))
        more[: len(by_place)] += by_place
        by_place = more
    served = by_place[by_place > 0]
    counts = np.zeros(slots)
    counts[: len(served)] = served
    squares = float((counts**2).sum())
    return Fairness(
        slots=slots,
        starved=slots - len(served),
        median=float(np.median(counts)),
        maximum=int(counts.max()),
        jain_index=float(counts.sum()) ** 2 / (slots * squares) if squares else None,
    )
