"""A run that has ended, as Python code reads it: metrics, records, and where the report is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.pruned import pruned_sentence, run_pruned_at
from perf_pipeline.samples.record import COLD, FAULTED, ErrorClass, Outcome
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.steps.level_steps import STEP_SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.validity import Validity
    from perf_pipeline.report.run.files import ReportFiles


@dataclass(frozen=True)
class FinishedRun:
    """A run that has ended, by itself or not.

    Attributes:
        metrics: Everything that was measured.
        folder: Folder of the run; its name is the run's id.
        report: The report's files: ``html``, ``markdown``, ``json``.
    """

    metrics: RunMetrics
    folder: Path
    report: ReportFiles

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.metrics.run_id

    @property
    def validity(self) -> Validity:
        """The worst validity of its levels: its figures count where this is ``valid``."""
        return self.metrics.validity

    @property
    def levels(self) -> tuple[LevelMetrics, ...]:
        """Metrics of each load level, in the order in which they ran."""
        return self.metrics.levels

    def records(self) -> pl.DataFrame:
        """Return the record of every scheduled workflow, cold starts and warm-up included.

        Returns:
            One row a workflow: ``level`` (its label), ``repeat`` (from 0), ``worker``,
            ``number`` (negative for a cold start), ``workload`` (``family/complexity``, or the
            function), ``outcome``, ``error_class``, ``is_cold``,
            ``met_failure`` (it waited or was in flight while one was there), ``slot``, and
            ``intended_start_ns``, ``start_ns``, ``end_ns`` (int64, CLOCK_MONOTONIC of the host).

        Raises:
            RunFolderError: They were pruned.
            OSError: The run's ``records.parquet`` was removed.
        """
        folder = RunFolder(self.folder)
        if not folder.records.exists() and (at := run_pruned_at(folder)):
            raise RunFolderError(f"run {folder.run_id} has no records: {pruned_sentence(at)}")
        levels = {level.index: level for level in self.levels}
        labels = {index: level.label for index, level in levels.items()}
        repeats = {index: level.repeat for index, level in levels.items()}
        workloads = [
            "/".join(filter(None, (one.family, one.complexity)))
            for one in self.metrics.manifest.workloads
        ]
        index, number = pl.col("level"), pl.Int64()
        return pl.read_parquet(folder.records).select(
            index.replace_strict(labels, return_dtype=pl.String()).alias("level"),
            index.replace_strict(repeats, return_dtype=number).alias("repeat"),
            "worker",
            "number",
            _words(pl.col("kind"), workloads).alias("workload"),
            _words(pl.col("outcome"), [one.name.lower() for one in Outcome]),
            _words(pl.col("error_class"), [one.name.lower() for one in ErrorClass]),
            ((pl.col("flags") & COLD) != 0).alias("is_cold"),
            ((pl.col("flags") & FAULTED) != 0).alias("met_failure"),
            "slot",
            "intended_start_ns",
            "start_ns",
            "end_ns",
        )

    def steps(self) -> pl.DataFrame:
        """Return every step and count of the workflows; no rows where they have none.

        Returns:
            One row a step: ``level``, ``repeat``, ``worker``, ``workload``, ``number`` (null
            outside of a workflow, negative in a cold start), ``name``, ``start_ns``,
            ``duration_ns`` (null for a count), ``value`` (null for a step) and ``failed``.

        Raises:
            RunFolderError: They were pruned.
        """
        folder = RunFolder(self.folder)
        if not folder.steps.exists():
            if at := run_pruned_at(folder):
                raise RunFolderError(f"run {folder.run_id} has no steps: {pruned_sentence(at)}")
            frame = pl.DataFrame(schema=STEP_SCHEMA)
        else:
            frame = pl.read_parquet(folder.steps)
        labels = {level.index: level.label for level in self.levels}
        repeats = {level.index: level.repeat for level in self.levels}
        workloads = {
            kind: "/".join(filter(None, (one.family, one.complexity)))
            for kind, one in enumerate(self.metrics.manifest.workloads)
        }
        is_count, index = pl.col("is_count"), pl.col("level")
        return frame.select(
            index.replace_strict(labels, return_dtype=pl.String()).alias("level"),
            index.replace_strict(repeats, return_dtype=pl.Int64()).alias("repeat"),
            "worker",
            pl.col("kind").replace_strict(workloads, return_dtype=pl.String()).alias("workload"),
            "number",
            "name",
            "start_ns",
            pl.when(~is_count).then("value").alias("duration_ns"),
            pl.when(is_count).then("value").alias("value"),
            "failed",
        )


def _words(column: pl.Expr, words: list[str]) -> pl.Expr:
    """Return a column of indices as the words that they stand for."""
    return column.replace_strict(dict(enumerate(words)), return_dtype=pl.Enum(words))
