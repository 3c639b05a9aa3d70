"""What Prometheus has of a run that has ended, compared with the run's own files."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.monitoring.boards.every_board import panel_queries
from perf_pipeline.monitoring.families import families
from perf_pipeline.monitoring.level_counts import Buckets
from perf_pipeline.monitoring.metric_registry import BY_NAME, MAX_SERIES
from perf_pipeline.monitoring.run_history import RunHistory
from perf_pipeline.selftest.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.samples.run_folder import RunFolder
    from perf_pipeline.selftest.monitoring.asked_prometheus import AskedPrometheus

WIDTH = 1.25
"""Upper by lower end of the widest bucket."""
PERCENTILES = (0.5, 0.9, 0.95, 0.99)
_WHOLE = "30m"
_RATE_INTERVAL = "4s"
"""Of Grafana: four scrapes."""


class ScrapedValues:
    """What Prometheus has of a run that has ended."""

    def __init__(self, asked: AskedPrometheus, played: RunFolder) -> None:
        self._asked, self._played = asked, played
        self._of_run = f'{{run_id="{played.run_id}"}}'

    def _last(self, metric: str) -> dict[tuple[str, ...], float]:
        """Return the last scraped values of a metric, by its own labels."""
        found = self._asked.query(f"last_over_time({metric}{self._of_run}[{_WHOLE}])")
        return {
            tuple(dict(key).get(label, "") for label in _labels(metric)): value
            for key, value in found.items()
        }

    def counts(self, levels: Sequence[LevelMetrics]) -> list[Figure]:
        """Return how far counts differ, and how many were counted."""
        done = self._last("loadtest_workflows_completed_total")
        errors = self._last("loadtest_workflow_errors_total")
        times = self._last("loadtest_service_time_seconds_count")
        off = total = 0.0
        for level in levels:
            name = f"{level.index:02d}-{level.label}"
            for outcome, count in level.outcomes.items():
                found = sum(n for key, n in done.items() if (key[0], key[2]) == (name, outcome))
                off, total = off + abs(found - count), total + count
            failed = sum(n for key, n in errors.items() if key[0] == name)
            off += abs(failed - level.outcomes["error"])
            answered = sum(n for what, n in level.outcomes.items() if what != "abandoned")
            off += abs(times[name,] - answered)
        counts = "workflows counted otherwise than in the report, by outcome, error or time"
        return [
            Figure(counts, off, "", 0),
            Figure("workflows that were counted", total, "", 1, at_most=False),
        ]

    def percentiles(self, levels: Sequence[LevelMetrics]) -> Figure:
        """Return by how much percentiles of the buckets are off those of the records."""
        frame = pl.read_parquet(self._played.records)
        worst, note = 1.0, ""
        for level in levels:
            name = f"{level.index:02d}-{level.label}"
            rows = frame.filter(pl.col("level") == level.index)
            times_s = (rows["end_ns"] - rows["start_ns"]).to_numpy() / 1e9
            for p in PERCENTILES:
                buckets = f'loadtest_service_time_seconds_bucket{{level="{name}"}}[{_WHOLE}]'
                asked = f"histogram_quantile({p}, sum by (le) (last_over_time({buckets})))"
                (found,) = self._asked.query(asked).values()
                true = float(np.quantile(times_s, p, method="inverted_cdf"))
                ratio = max(found / true, true / found)
                if ratio >= worst:
                    worst, note = ratio, f"{name}: p{100 * p:g} {found:.4g} s for {true:.4g} s"
        what = "percentile of scraped buckets by that of the records, or the other way, at most"
        return Figure(what, worst, "", WIDTH, note=note)

    def figures(self, levels: Sequence[LevelMetrics]) -> Figure:
        """Return how many figures of the report were scraped with another value, or not at all."""
        wrong = 0
        for level in levels:
            name = f"{level.index:02d}-{level.label}"
            shown = self._last("loadtest_level_throughput_per_second").get((name,))
            wrong += shown != level.throughput_per_s
            served = self._last("loadtest_level_service_time_seconds")
            for one in level.service_times.percentiles:
                expected = None if one.is_weak else one.value_s
                wrong += served.get((name, f"{100 * one.p:g}")) != expected
        return Figure("figures of the report with another value, or missing", wrong, "", 0)

    def dump(self) -> Figure:
        """Return how many counters and buckets differ at the end of the run's dump."""
        *_, (_, last) = RunHistory(self._played).moments(3600.0)
        wrong = 0
        for family in families(one for one in last if _is_counted(one.metric, one.value)):
            for name in {one.name for one in family.samples if not one.name.endswith("_sum")}:
                served, labels = self._last(name), _labels(name)
                wrong += sum(
                    served.get(tuple(one.labels[label] for label in labels)) != one.value
                    for one in family.samples
                    if one.name == name
                )
        return Figure("counters and buckets that end otherwise in the dump", wrong, "", 0)

    def boards(self) -> list[Figure]:
        """Return how many panels' queries were refused, and how many panels had no data."""
        begin_s = datetime.fromisoformat(self._played.read_status()["started_at"]).timestamp()
        refused: list[str] = []
        series: Counter[str] = Counter()
        queries = list(panel_queries())
        for one in queries:
            expression = one.asked_of(self._played.run_id, _RATE_INTERVAL)
            panel = f"{one.board}: {one.panel}"
            try:
                found = self._asked.drawn(expression, begin_s, time.time())
            except PerfPipelineError:
                refused.append(f"{panel}: {one.expr}")
            else:
                series[panel] += found + bool(one.needs)
        empty = [panel for panel, found in series.items() if not found]
        return [
            Figure("queries of dashboards that Prometheus refused", len(refused), "", 0,
                   note="; ".join(refused) or f"of {len(queries)}"),
            Figure("panels without data that every run has", len(empty), "", 0,
                   note="; ".join(empty)),
        ]  # fmt: skip

    def cost(self, max_core_share: float) -> list[Figure]:
        """Return what the exporter cost, and how much it served."""
        cpu = f"loadtest_exporter_cpu_seconds_total{self._of_run}[{_WHOLE}]"
        at = f"timestamp(loadtest_exporter_cpu_seconds_total{self._of_run})"
        first_s = self._one(f"min_over_time({cpu})")
        used_s = self._one(f"max_over_time({cpu})") - first_s
        scrapes = self._one(f"count_over_time({cpu})")
        length_s = self._one(f"max_over_time({at}[{_WHOLE}:1s])") - self._one(
            f"min_over_time({at}[{_WHOLE}:1s])"
        )
        series = self._one(f"max_over_time(scrape_samples_scraped{self._of_run}[{_WHOLE}])")
        share = used_s / length_s if length_s > 0 else None
        note = f"{1000 * used_s / max(1, scrapes - 1):.3g} ms a scrape of {scrapes:g}"
        return [
            Figure("CPU time of the exporter, one scrape a second", share, "cores", max_core_share,
                   note=note),
            Figure("CPU time of the exporter until its first scrape", first_s, "s", None),
            Figure("samples of a scrape", series, "", MAX_SERIES),
        ]  # fmt: skip

    def _one(self, expression: str) -> float:
        (found,) = self._asked.query(expression).values()
        return found


def _labels(metric: str) -> tuple[str, ...]:
    """Return the labels of a metric, or of the buckets or count of a histogram."""
    name = metric.removesuffix("_bucket").removesuffix("_count")
    return (*BY_NAME[name].labels, *(("le",) if metric.endswith("_bucket") else ()))


def _is_counted(metric: str, value: float | Buckets) -> bool:
    """Return whether a value comes from the records alone."""
    return isinstance(value, Buckets) or metric.startswith("loadtest_workflow")
