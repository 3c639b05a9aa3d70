"""The failures of a level: those of its plan, each with what its injector logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.samples.fault_log import FaultRecord, read_faults
from perf_pipeline.samples.record import FAULTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NO_LOG = "its injector logged nothing"


def level_faults(folder: Path, log: Mapping[str, Any]) -> list[FaultRecord]:
    """Return the failures of the level in ``folder``, in the order of its plan.

    One of which nothing was logged is among them: what was planned and never happened must not
    look as if nothing had been planned.

    Args:
        folder: The level's folder.
        log: Its ``level.json``.
    """
    logged = {record.number: record for record in read_faults(folder)}
    planned = [FaultWindow(**window) for window in log["plan"].get("faults", ())]
    for number, window in enumerate(planned):
        logged.setdefault(number, FaultRecord(number, window, reason=NO_LOG))
    return [record for _, record in sorted(logged.items())]


def with_faults_marked(frame: pl.DataFrame, records: Sequence[FaultRecord]) -> pl.DataFrame:
    """Return the records of a level with the flag ``FAULTED`` where a failure was there meanwhile.

    Args:
        frame: Records, ``SCHEMA``.
        records: The failures of the level; one that was never seen to be gone lasts to its end.
    """
    flags = pl.col("flags")
    for record in records:
        if record.injecting_ns is not None:
            gone_ns = 2**63 - 1 if record.gone_ns is None else record.gone_ns
            meets = (pl.col("end_ns") >= record.injecting_ns) & (
                pl.col("intended_start_ns") < gone_ns
            )
            flags = pl.when(meets).then(flags | pl.lit(FAULTED, pl.UInt8)).otherwise(flags)
    return frame.with_columns(flags=flags)
