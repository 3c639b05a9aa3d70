"""Compares the writes of ok workflows with the servers, by workflow number and not by sum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.metrics.records.counted_writes import writing_kinds
from perf_pipeline.metrics.types.records import Writes
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.samples.stages.stage_records import IS_CARRIED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.metrics.records.counted_writes import CountedWrites
    from perf_pipeline.targets.target import Kind

_LOST_ANSWERS = (ErrorClass.TIMEOUT, ErrorClass.CONNECTION, ErrorClass.TARGET_CRASH)
_HAS_FAILED = pl.col("outcome") == int(Outcome.ERROR)
_ANSWER_IS_LOST = pl.col("error_class").is_in([int(one) for one in _LOST_ANSWERS])
_FAILED = _HAS_FAILED & ~_ANSWER_IS_LOST
_UNKNOWN = (pl.col("outcome") != int(Outcome.OK)) & ~_FAILED


def reconcile_levels(
    folders: Sequence[Path], kinds: Sequence[Kind], counted: Mapping[str, CountedWrites]
) -> list[Writes]:
    """Compare the records of levels that the same workers played with what is on the servers.

    Args:
        folders: Of a level; of stages, those of all that were begun.
        kinds: As of ``reconcile``.
        counted: Likewise.

    Raises:
        RunFolderError: The records cannot be read.
    """
    frames = [read_level(one, len(kinds)).frame.filter(~IS_CARRIED) for one in folders]
    return reconcile(pl.concat(frames), kinds, counted)


def reconcile(
    frame: pl.DataFrame, kinds: Sequence[Kind], counted: Mapping[str, CountedWrites]
) -> list[Writes]:
    """Compare a level's records with what is on the servers.

    Args:
        frame: All records of the level, cold starts included.
        kinds: Every kind of workflow, by index.
        counted: What each server has to which a kind writes.
    """
    ok = frame.filter(pl.col("outcome") == int(Outcome.OK))
    failed, unknown = (
        set(frame.filter(which)["number"].to_list()) for which in (_FAILED, _UNKNOWN)
    )
    written = writing_kinds(kinds)
    results = []
    for server, count in counted.items():
        writing = pl.col("kind").is_in(written[server])
        expected = set(ok.filter(writing)["number"].to_list())
        if count.problem:
            results.append(Writes(server, len(expected), None, None, None, count.problem))
            continue
        found = count.numbers
        results.append(
            Writes(
                server=server,
                expected=len(expected),
                found=len(found),
                missing=len(expected - found),
                extra=len(found - expected),
                extra_failed=len((found - expected) & failed),
                extra_unknown=len((found - expected) & unknown),
            )
        )
    return results
