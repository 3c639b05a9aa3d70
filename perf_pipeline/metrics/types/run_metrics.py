"""The metrics of a run: the content of ``metrics.json``, from which the report is made."""

from dataclasses import dataclass

from perf_pipeline.metrics.types.fault.protection import ProtectionEffect
from perf_pipeline.metrics.types.level import LevelMetrics
from perf_pipeline.metrics.types.repeats import LevelRepeats
from perf_pipeline.metrics.types.server_use import PoolRecovery
from perf_pipeline.metrics.types.targets import KpiGrade, TargetRow
from perf_pipeline.metrics.types.validity import Validity
from perf_pipeline.samples.manifest import Manifest


@dataclass(frozen=True)
class RunMetrics:
    """Everything that was measured in one run.

    Attributes:
        run_id: Name of the run and of its folder.
        status: ``complete``, ``interrupted``, ``failed`` or ``killed``, from ``run.json``, which
            is not the status of the Dagster run.
        validity: The worst of the levels'; ``incomplete`` unless the status is ``complete``.
        reasons: Why, each with its level.
        manifest: What ran, where and with which versions (``manifest.json``).
        levels: In the order in which they ran, arms last.
        targets: The tables of targets, line by line.
        kpis: The grades of the key performance indicators.
        repeats: Levels that ran more than once, with the intervals between their repeats.
        pool_recoveries: Exhausted connection pools with the same load before and after them.
        protections: Settings of the target that are on in one level and off in another, under the
            same failure.
    """

    run_id: str
    status: str
    validity: Validity
    reasons: tuple[str, ...]
    manifest: Manifest
    levels: tuple[LevelMetrics, ...]
    targets: tuple[TargetRow, ...]
    kpis: tuple[KpiGrade, ...]
    repeats: tuple[LevelRepeats, ...] = ()
    pool_recoveries: tuple[PoolRecovery, ...] = ()
    protections: tuple[ProtectionEffect, ...] = ()
