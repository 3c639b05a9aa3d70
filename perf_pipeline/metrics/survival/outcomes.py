"""Which outcomes are the end of a workflow, and which are an answer to whoever waited for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import polars as pl

from perf_pipeline.samples.record import Outcome

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_Frame = TypeVar("_Frame", pl.DataFrame, pl.LazyFrame)

ENDED = (int(Outcome.OK), int(Outcome.ERROR), int(Outcome.TIMEOUT))
"""The workflow came to its end, so its service time is known. A timeout is such an end: the target
worked until then. A target that times out must not look fast."""

ANSWERED = (int(Outcome.OK), int(Outcome.ERROR))
"""The workflow came to its end while somebody still waited, so its response time is known. After a
timeout nobody waits any more: its response time is right-censored."""


def ended_within(frame: _Frame, start_ns: int, end_ns: int) -> _Frame:
    """Return the records of workflows that ended in ``[start_ns, end_ns)``."""
    return frame.filter(
        (pl.col("end_ns") >= start_ns) & (pl.col("end_ns") < end_ns),
        pl.col("outcome").is_in(ENDED),
    )


def is_ended(outcome: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Return for each outcome whether it is one of ``ENDED``."""
    ended: npt.NDArray[np.bool_] = (outcome != Outcome.DROPPED) & (outcome != Outcome.ABANDONED)
    return ended
