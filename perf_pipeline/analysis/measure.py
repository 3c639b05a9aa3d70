"""From the folder of a run to its metrics, also of a run that was killed half-way.

Every load level is measured once: ``measure`` stores the metrics, and whoever needs them later
reads what was stored (``stored_metrics.py``).
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.analysis.kpi import kpi_grades
from perf_pipeline.analysis.level import measure_level
from perf_pipeline.analysis.logged_verdicts import log_verdicts
from perf_pipeline.analysis.pool_recovery import pool_recoveries
from perf_pipeline.analysis.recovery.protection import protection_effects
from perf_pipeline.analysis.repeats import repeats_of
from perf_pipeline.analysis.targets import target_rows
from perf_pipeline.config.names import check_names
from perf_pipeline.metrics.level_context import LevelContext, Machine
from perf_pipeline.metrics.metrics_file import read_level_metrics, write_run_metrics
from perf_pipeline.metrics.records.level_histograms import write_histograms
from perf_pipeline.metrics.records.stored_level import read_stored_level
from perf_pipeline.metrics.records.worker_facts import worker_facts
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.metrics.validity import worst
from perf_pipeline.samples.level_faults import level_faults, with_faults_marked
from perf_pipeline.samples.level_records import SCHEMA
from perf_pipeline.samples.manifest import Manifest, read_manifest
from perf_pipeline.samples.run_record import COMPLETE
from perf_pipeline.samples.shards.parquet_parts import write_parquet
from perf_pipeline.samples.shards.sharded_run import machine_name
from perf_pipeline.samples.stages.stage_records import IS_CARRIED
from perf_pipeline.samples.steps.level_steps import level_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perf_pipeline.metrics.records.stored_level import StoredLevel
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.validity import Validity
    from perf_pipeline.samples.run_folder import RunFolder


def measure_run(
    folder: RunFolder, write: Callable[[Path, StoredLevel], None] | None = None
) -> RunMetrics:
    """Compute the metrics of a run from its journals.

    Args:
        folder: The run.
        write: Called with the folder of each level and what it has stored, which is then read
            once, by a thread of its own while the level is measured; None where nothing else is
            made of it.

    Raises:
        RunFolderError: The folder does not hold a run, or a file of it cannot be read.
    """
    record = folder.read_status()
    manifest = read_manifest(folder)
    context = context_of(manifest)
    levels = tuple(_measured(path, context, write) for path in folder.level_folders())
    check_names(folder.root / "levels", (("level name", level.label) for level in levels))
    status = str(record["status"])
    validity, reasons = _judge_run(status, str(record.get("why", "")), manifest, levels)
    return RunMetrics(
        run_id=folder.run_id,
        status=status,
        validity=validity,
        reasons=reasons,
        manifest=replace(manifest, ended_at=record.get("ended_at"), runtime=worker_facts(folder)),
        levels=levels,
        targets=target_rows(levels, stress=manifest.stress),
        kpis=kpi_grades(levels),
        repeats=repeats_of(levels),
        pool_recoveries=pool_recoveries(levels),
        protections=protection_effects(levels),
    )


def measure(folder: RunFolder) -> RunMetrics:
    """Measure a run and store its metrics, histograms, records and steps, each file whole.

    Raises:
        RunFolderError: The folder does not hold a run, or a file of it cannot be read.
    """
    frames: list[pl.DataFrame] = []
    steps: list[pl.DataFrame] = []
    levels = folder.level_folders()
    sharded = read_manifest(folder).sharded
    shards = len(sharded.shards) if sharded else None

    def write(path: Path, stored: StoredLevel) -> None:
        write_histograms(path, stored.records)
        faults = level_faults(path, stored.records.log)
        frames.append(with_faults_marked(stored.records.frame.filter(~IS_CARRIED), faults))
        steps.append(level_steps(stored.steps, stored.records.log["plan"]["index"]))
        if path == levels[-1]:  # while that level is still measured
            writing.append(other_core.submit(_write_records, folder, frames, steps, shards))

    writing: list[Future[None]] = []
    with ThreadPoolExecutor(1) as other_core:
        metrics = measure_run(folder, write)
        write_run_metrics(folder, metrics)
        log_verdicts(folder.root, metrics)
        for each in writing or [other_core.submit(_write_records, folder, frames, steps, shards)]:
            each.result()
    return metrics


def _write_records(
    folder: RunFolder,
    frames: Sequence[pl.DataFrame],
    steps: Sequence[pl.DataFrame],
    shards: int | None,
) -> None:
    records = pl.concat(frames) if frames else pl.DataFrame(schema=SCHEMA)
    write_parquet(records, folder.records, shards)
    if any(len(frame) for frame in steps):
        write_parquet(pl.concat(steps), folder.steps, shards)


def _measured(
    path: Path, context: LevelContext, write: Callable[[Path, StoredLevel], None] | None
) -> LevelMetrics:
    """Return the metrics of the level in ``path``; what it has stored is handed on meanwhile."""
    known = read_level_metrics(path)
    if write is None:
        return known or measure_level(path, context)
    stored = read_stored_level(path, len(context.kinds))
    with ThreadPoolExecutor(1) as other_core:
        written = other_core.submit(write, path, stored)
        level = known or measure_level(path, context, stored)
        written.result()
    return level


def context_of(manifest: Manifest) -> LevelContext:
    """Take from a manifest what summarising a level needs."""
    machines = manifest.sharded.machines if manifest.sharded else ()
    return LevelContext(
        kinds=manifest.kinds,
        servers=[server.service for server in manifest.servers],
        pools=manifest.connections.pools,
        noise=manifest.noise.handling,
        cpu_limit_cores=manifest.host.cgroup_cpu_limit_cores,
        slos=manifest.slos,
        max_error_ratio=manifest.max_error_ratio,
        faults=manifest.faults,
        machines=tuple(
            Machine(
                machine_name(shards),
                next((one.facts.cgroup_cpu_limit_cores for one in shards if one.facts), None),
            )
            for shards in machines
        )
        if len(machines) > 1
        else (),
    )


def _judge_run(
    status: str, why: str, manifest: Manifest, levels: tuple[LevelMetrics, ...]
) -> tuple[Validity, tuple[str, ...]]:
    failed_first = sorted(levels, key=lambda level: level.validity != "target_failed")
    reasons = [
        f"level {one.shown_apart}: {reason}" for one in failed_first for reason in one.reasons
    ]
    validities = [level.validity for level in levels]
    if status != COMPLETE:
        reasons.insert(0, f"the run is {status}" + (f": {why}" if why else ""))
        validities.append("incomplete")
    planned, stopped = len(manifest.plan_hashes), manifest.stopped
    if len(levels) < planned:
        not_run = f"{planned - len(levels)} of {planned} levels were not run"
        if stopped:
            named = ", ".join(stopped.not_run)
            reasons.append(
                f"{not_run} ({named}): level {stopped.level} was ended: {stopped.detail}"
            )
        else:
            reasons.append(not_run)
            validities.append("incomplete")
    return worst(validities), tuple(reasons)
