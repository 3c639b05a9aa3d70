"""A run in one line, stored beside its report: a list of 1,000 runs opens no metrics."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from perf_pipeline.report.run.run_verdict import run_verdict
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

FILE = "headline.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class RunHeadline:
    """A run in one line.

    Attributes:
        scenario: Its name.
        target: What executed the workflows.
        verdict: The verdict on its objectives, or its validity (``run_verdict.py``).
        validity: The worst of its levels'.
        level: Name of the level with the largest load, which the numbers are of; empty without any.
        throughput_per_s: Workflows that ended ok per second; None where not measured.
        times: ``service`` or, of an open level, ``response``.
        p99_s: 99th percentile of these times; None where not measured.
        p99_is_bound: The true value is ``p99_s`` or more.
        p99_is_weak: Fewer than 10 samples lie beyond it.
        ok: Workflows behind the throughput; None in a file of an older version, as are the next.
        ended: Workflows that ended in the steady phase: what the error ratio is of.
        timed: Workflows behind the p99: of an open level those that were answered.
        error_ratio: Ended not ok / ended, 0 to 1; None where not measured.
    """

    scenario: str
    target: str
    verdict: str
    validity: str
    level: str
    throughput_per_s: float | None
    times: str
    p99_s: float | None
    p99_is_bound: bool
    p99_is_weak: bool
    ok: int | None = None
    ended: int | None = None
    timed: int | None = None
    error_ratio: float | None = None


def headline_of(metrics: RunMetrics) -> RunHeadline:
    """Return a run in one line; its numbers are those of the largest load."""
    levels = [level for level in metrics.levels if level.role == "level"]
    largest = max(levels, key=_load, default=None)
    times = largest and (largest.response_times or largest.service_times)
    p99 = times.p99 if times else None
    return RunHeadline(
        scenario=metrics.manifest.scenario,
        target=metrics.manifest.target.name,
        verdict=run_verdict(metrics).word,
        validity=metrics.validity,
        level=largest.shown_apart if largest else "",
        throughput_per_s=largest.throughput_per_s if largest else None,
        times="response" if largest and largest.response_times else "service",
        p99_s=p99.value_s if p99 else None,
        p99_is_bound=bool(p99 and p99.at_least),
        p99_is_weak=bool(p99 and p99.is_weak),
        ok=largest.steady_outcomes.get("ok", 0) if largest else None,
        ended=largest.service_times.samples if largest else None,
        timed=times.samples if times else None,
        error_ratio=largest.error_ratio if largest else None,
    )


def write_headline(metrics: RunMetrics, folder: Path) -> None:
    """Write ``headline.json`` into a run's folder, whole or not at all.

    Raises:
        OSError: The folder cannot be written to.
    """
    whole = {"schema_version": SCHEMA_VERSION, **asdict(headline_of(metrics))}
    write_json(folder / FILE, whole)


def read_headline(folder: Path) -> RunHeadline:
    """Read the line of a run.

    Raises:
        RunFolderError: There is none, or it is not what this version writes.
    """
    return read_typed(folder / FILE, RunHeadline, SCHEMA_VERSION)


def _load(level: LevelMetrics) -> float:
    load = level.open_load
    offered = load.offered_per_s if load is not None else None
    return offered if offered is not None else float(level.concurrency)
