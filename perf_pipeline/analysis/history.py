"""The runs of a results folder as series: one a scenario, level and target, oldest run first.

Two points of a series compare only when the plan (its hash), the target's environment (the hash
of its lock) and the machine are the same. The newest point is what the others are held against;
a point that differs stays in the series and says in what.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES
from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.samples.run_folder import RUNNING, RunFolder, list_runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.service_times import Percentile
    from perf_pipeline.samples.manifest import HostFacts

RUNS_MAX = 50
"""Runs that are read, the newest ones: a line of more points shows no more, and costs time."""


class SeriesKey(NamedTuple):
    """What one line is drawn of."""

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
        throughput_per_s: Ended ok per second; None was not measured, here and below.
        average_s: Mean time of a workflow: response time in an open loop, else service time.
        p99_s: 99th percentile of the same.
        p99_doubt: Why the P99 is not one to compare: it is a lower bound, or fewer than 10
            samples lie beyond it; empty if it is one.
        memory_mb: Peak PSS of the workers, 1 MB = 1e6 bytes.
        error_ratio: Ended not ok / ended, 0 to 1.
        plan: Hash of the level's plan.
        environment: Hash of the target's locked packages.
        machine: Processor, usable cores and memory, in words.
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
        """Return why the two do not compare; empty if they do. What is not known differs."""
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
        """What the other points are held against."""
        return self.points[-1]

    def why_not(self, point: HistoryPoint) -> tuple[str, ...]:
        """Return why a point does not compare with the newest; empty if it does."""
        return () if point is self.newest else point.differs_from(self.newest)


@dataclass(frozen=True)
class History:
    """All series of a results folder.

    Attributes:
        series: In the order in which they are first met.
        runs: Runs that were read.
        unread: A line for each run that could not be read, or has no metrics.
        older: Runs beyond ``RUNS_MAX``, which were not looked at.
    """

    series: tuple[Series, ...]
    runs: int
    unread: tuple[str, ...]
    older: int


def read_history(results: Path, runs_max: int = RUNS_MAX) -> History:
    """Read the metrics of the newest runs of a results folder.

    Args:
        results: The results folder.
        runs_max: Most runs to read, > 0.
    """
    folders = list_runs(results)
    wanted = folders[-runs_max:]
    lines: dict[SeriesKey, list[HistoryPoint]] = {}
    unread: list[str] = []
    runs = 0
    for folder in wanted:
        try:
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
    """Return the levels and arms of a run; none of a run that still goes on.

    Raises:
        RunFolderError: It has no metrics, or they are not what metrics look like.
    """
    if folder.read_status()["status"] == RUNNING:
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
    """Return what makes two machines the same for a comparison."""
    # Another kernel on the same machine keeps some other megabytes to itself.
    return f"{host.cpu_model}, {host.cores_usable} cores, {host.memory_total_bytes / 1e9:.1f} GB"
