"""A limit is shown with what was used, so that a reader can check that it was enforced."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.run.limits import limit_facts
from tests.manifests import changed

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def _limited(metrics: RunMetrics, memory_mb: float | None, cpu_percent: float | None) -> RunMetrics:
    limits = {"memory_mb": memory_mb, "cpu_percent": cpu_percent}
    levels = tuple(
        replace(one, limits={**limits, "mechanism": "control group (memory, CPU)"})
        for one in metrics.levels[:1]
    )
    return replace(metrics, levels=levels, manifest=changed(metrics.manifest, limits=limits))


def test_a_limit_is_shown_with_its_use_and_its_mechanism(baseline: RunMetrics) -> None:
    """The level used 192.4 % CPU and 412.6 MB."""
    memory, cpu = limit_facts(_limited(baseline, 512, 200))

    assert (memory.term, memory.cell.text) == ("Memory limit", "512 MB for all workers together")
    assert memory.cell.note == (
        "enforced by control group (memory, CPU); used at 100: 413 MB peak (PSS)"
    )
    assert cpu.cell.note == "enforced by control group (memory, CPU); used at 100: 192 %"
    assert (memory.cell.tone, cpu.cell.tone) == ("plain", "plain")


def test_a_limit_that_was_exceeded_is_flagged(baseline: RunMetrics) -> None:
    (cpu,) = limit_facts(_limited(baseline, None, 150))

    assert cpu.cell.tone == "bad"
    assert cpu.cell.text == "150 % of a core for all workers together, exceeded"


def test_a_worker_killed_by_the_limit_is_counted(baseline: RunMetrics) -> None:
    metrics = _limited(baseline, 512, None)
    (level,) = metrics.levels
    ended = replace(level.workers[0], reason="memory limit: 612 MB resident, share of ...")
    level = replace(level, workers=(ended, level.workers[1]))
    (memory,) = limit_facts(replace(metrics, levels=(level,)))

    assert memory.cell.note.endswith("413 MB peak (PSS), 1 worker killed by the limit")


def test_use_that_was_not_measured_proves_nothing(baseline: RunMetrics) -> None:
    metrics = _limited(baseline, None, 150)
    (level,) = metrics.levels
    unknown = replace(level.resources, workers_cpu_mean_percent=None)
    metrics = replace(metrics, levels=(replace(level, resources=unknown),))
    (cpu,) = limit_facts(metrics)

    assert cpu.cell.note.endswith("used at 100: not measured")


def test_a_run_without_limits_shows_none(baseline: RunMetrics) -> None:
    assert limit_facts(baseline) == ()
    assert limit_facts(_limited(baseline, None, None)) == ()
