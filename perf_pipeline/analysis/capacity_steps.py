"""The steps of a capacity search, read from a run's folder; also of a killed run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.analysis.capacity import LoadPoint, find_capacity, judge_step
from perf_pipeline.analysis.capacity_search import Ask, CapacitySearch
from perf_pipeline.analysis.level import measure_level
from perf_pipeline.analysis.queueing import little_of
from perf_pipeline.config.scenario.capacity_question import Space
from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.metrics_file import read_level_metrics, write_level_metrics
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.analysis.capacity import CapacityFinding
    from perf_pipeline.analysis.capacity_search import Answer
    from perf_pipeline.analysis.queueing import Little
    from perf_pipeline.config.scenario.capacity_question import CapacityQuestion
    from perf_pipeline.metrics.level_context import LevelContext
    from perf_pipeline.metrics.types.level import LevelMetrics

FILE = "capacity.json"
SCHEMA_VERSION = 1


def space_of(question: CapacityQuestion) -> Space:
    """Return the loads that a question allows."""
    whole = question.of == "in_flight"
    return Space(question.start, question.min_load, question.max_load, whole)


def measure_step(folder: Path, ask: Ask, context: LevelContext) -> tuple[LoadPoint, Answer]:
    """Measure one level of a search, store its metrics, and judge it.

    Args:
        folder: The level's.
        ask: The load that it ran.
        context: What the summary needs from the run.

    Raises:
        RunFolderError: The level's log or a journal cannot be read.
    """
    level = read_level_metrics(folder)
    if level is None:
        level = measure_level(folder, context)
        write_level_metrics(folder, level)
    return _judged(folder, ask, level, len(context.kinds))


def _judged(folder: Path, ask: Ask, level: LevelMetrics, kinds: int) -> tuple[LoadPoint, Answer]:
    little = _little(folder, level, kinds)
    answer = judge_step(level, little)
    start_s, end_s = level.phases.get("steady", (0.0, 0.0))
    point = LoadPoint(
        load=ask.load,
        level=level.shown,
        longer=ask.longer,
        verdict=answer.verdict,
        why=answer.why,
        slos=level.slos,
        little=little,
        throughput_per_s=level.throughput_per_s,
        steady_s=end_s - start_s,
        validity=level.validity,
    )
    return point, answer


def measure_capacity(folder: RunFolder, levels: Sequence[LevelMetrics]) -> CapacityFinding:
    """Return the finding of a run's search, from the metrics of its steps.

    Args:
        folder: The run's.
        levels: The metrics of its levels, in order.

    Raises:
        RunFolderError: The run was no capacity search, or a file of it cannot be read.
    """
    manifest = read_manifest(folder)
    searched = manifest.capacity
    if searched is None:
        raise RunFolderError(f"run {folder.run_id} did not search for capacity")
    search, points = CapacitySearch(searched.space), list[LoadPoint]()
    for path, level in zip(folder.level_folders(), levels, strict=True):
        load = _load_of(path)
        ask = Ask(load, longer=bool(points) and points[-1].load == load)
        point, answer = _judged(path, ask, level, len(manifest.kinds))
        points.append(point)
        search = search.with_answer(ask, answer)
    return find_capacity(search, searched.of, [slo.text for slo in manifest.slos], points)


def write_capacity(folder: RunFolder, finding: CapacityFinding) -> Path:
    """Write ``capacity.json`` into the run's folder, whole or not at all."""
    path = folder.root / FILE
    write_json(
        path,
        {
            "schema_version": SCHEMA_VERSION,
            "summary": finding.summary,
            "noise": finding.noise,
            **asdict(finding),
        },
    )
    return path


def _load_of(path: Path) -> float:
    plan = read_json(path / "level.json")["plan"]
    arrivals = plan["arrivals"]
    return float(arrivals["rate_per_s"] if arrivals else plan["concurrency"])


def _little(folder: Path, level: LevelMetrics, kinds: int) -> Little | None:
    records = read_level(folder, kinds)
    go_ns = records.log["go_ns"]
    if go_ns is None or "steady" not in level.phases:
        return None
    start_ns, end_ns = (go_ns + round(at_s * 1e9) for at_s in level.phases["steady"])
    served = records.frame.filter((pl.col("flags") & (COLD | NOT_STARTED | TIMES_LOST)) == 0)
    since = "intended_start_ns" if level.loop == "open" else "start_ns"
    return little_of(served, start_ns, end_ns, since)
