"""The runs of a results folder as series: one for each scenario, level and target.

Two points of a series are comparable only when the plan (its hash), the environment of the target
(the hash of its lock file) and the machine are the same. The others are compared with the newest
point; a point that is not comparable stays in the series, with the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES
from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.samples.damage import damage_named
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.run_record import MAY_GO_ON

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.service_times import Percentile
    from perf_pipeline.samples.host_record import HostFacts
    from perf_pipeline.samples.run_folder import RunFolder

RUNS_MAX = 50
"""Maximum number of runs that are read, the newest ones."""


class SeriesKey(NamedTuple):
    """What identifies a series."""

    scenario: str
    level: str
    target: str

    def __str__(self) -> str:
        return f"{self.scenario} {self.level} {self.target}"


@dataclass(frozen=True)
class HistoryPoint:
    """One level of one run.

    Attributes:
        run_id: The run.
        validity: Whether its numbers are a measurement.
        samples: Workflows that ended in the steady phase.
        throughput_per_s: Ended ok per second; None if not measured, here and below.
        average_s: Mean time of a workflow: response time in an open loop, else service time.
        p99_s: 99th percentile of the same.
        p99_doubt: Why the P99 is not comparable: it is a lower bound, or fewer than 10 samples
            lie beyond it; empty if it is comparable.
        memory_mb: Peak PSS of the workers, 1 MB = 1e6 bytes.
        error_ratio: Ended not ok / ended, 0 to 1.
        plan: Hash of the level's plan.
        environment: Hash of the target's locked packages.
        machine: Processor, usable cores and memory, as text.
    """

    run_id: str
    validity: str
    samples: int
    throughput_per_s: float | None
    average_s: float | None
    p99_s: float | None
    p99_doubt: str
    memory_mb: float | None
    error_ratio: float | None
    plan: str
    environment: str
    machine: str

    def differs_from(self, other: HistoryPoint) -> tuple[str, ...]:
        """Return why the two are not comparable; empty if they are. Unknown values differ."""
        pairs = (
            ("another plan", self.plan, other.plan),
            ("another target environment", self.environment, other.environment),
            ("another machine", self.machine, other.machine),
        )
        return tuple(what for what, mine, theirs in pairs if not mine or mine != theirs)


@dataclass(frozen=True)
class Series:
    """One level of a scenario on one target, run after run.

    Attributes:
        key: Scenario, level and target.
        points: Oldest first; not empty.
    """

    key: SeriesKey
    points: tuple[HistoryPoint, ...]

    @property
    def newest(self) -> HistoryPoint:
        """The point with which the others are compared."""
        return self.points[-1]

    def why_not(self, point: HistoryPoint) -> tuple[str, ...]:
        """Return why a point is not comparable with the newest; empty if it is."""
        return () if point is self.newest else point.differs_from(self.newest)


@dataclass(frozen=True)
class History:
    """All series of a results folder.

    Attributes:
        series: In the order of their first points.
        runs: Runs that were read.
        unread: A line for each run that could not be read, or has no metrics.
        older: Runs beyond the maximum, which were not read.
    """

    series: tuple[Series, ...]
    runs: int
    unread: tuple[str, ...]
    older: int


def read_history(results: Path, runs_max: int = RUNS_MAX) -> History:
    """Read the metrics of the newest runs of a results folder.

    Args:
        results: The results folder.
        runs_max: Maximum number of runs to read, > 0.
    """
    runs_there = read_runs(results)
    folders = runs_there.folders
    wanted = folders[-runs_max:]
    lines: dict[SeriesKey, list[HistoryPoint]] = {}
    unread = list(runs_there.passed_over)
    runs = 0
    for folder in wanted:
        try:
            with damage_named(folder):
                found = _points(folder)
        except RunFolderError as error:
            unread.append(str(error))
            continue
        runs += bool(found)
        for key, point in found:
            lines.setdefault(key, []).append(point)
    series = tuple(Series(key, tuple(points)) for key, points in lines.items())
    return History(series, runs, tuple(unread), len(folders) - len(wanted))


def _points(folder: RunFolder) -> Sequence[tuple[SeriesKey, HistoryPoint]]:
    """Return the levels and arms of a run; none while it is running.

    Raises:
        RunFolderError: It has no metrics, or its metrics file is malformed.
    """
    if folder.read_status()["status"] in MAY_GO_ON:
        return ()
    metrics = read_metrics(folder)
    return [_point(metrics, level) for level in metrics.levels]


def _point(metrics: RunMetrics, level: LevelMetrics) -> tuple[SeriesKey, HistoryPoint]:
    manifest = metrics.manifest
    again = f" repeat {level.repeat + 1}" if level.repeat else ""
    key = SeriesKey(manifest.scenario, f"{level.label}{again}", level.target)
    times = level.response_times or level.service_times
    point = HistoryPoint(
        run_id=metrics.run_id,
        validity=level.validity,
        samples=times.samples,
        throughput_per_s=level.throughput_per_s,
        average_s=times.avg_s,
        p99_s=times.p99.value_s,
        p99_doubt=_doubt(times.p99),
        memory_mb=level.resources.workers_pss_peak_mb,
        error_ratio=level.error_ratio,
        plan=manifest.plan_hashes.get(f"{level.index:02d}-{level.label}", ""),
        environment=manifest.lock_hashes.get(level.target, ""),
        machine=_machine(manifest.host),
    )
    return key, point


def _doubt(p99: Percentile) -> str:
    if p99.at_least:
        return "at least this long"
    if p99.value_s is not None and p99.is_weak:
        return f"{p99.samples_beyond} samples beyond, {MIN_TAIL_SAMPLES} needed"
    return ""


def _machine(host: HostFacts) -> str:
    """Return the identity of a machine for comparisons."""
    # Rounded: another kernel on the same machine reserves a few megabytes more or less.
    quota = host.cgroup_cpu_limit_cores
    cores = f"{host.cores_usable} cores" + ("" if quota is None else f" (quota {quota:.3g})")
    return f"{host.cpu_model}, {cores}, {host.memory_total_bytes / 1e9:.1f} GB"
