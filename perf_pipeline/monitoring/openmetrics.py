"""Writes the values of runs over time as OpenMetrics text, which Prometheus takes as old blocks.

Source:
    https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
    https://prometheus.io/docs/prometheus/latest/storage/#backfilling-from-openmetrics-format
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from perf_pipeline.monitoring.families import BOUNDS
from perf_pipeline.monitoring.level_counts import Buckets
from perf_pipeline.monitoring.metric_registry import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from perf_pipeline.monitoring.metric_registry import Metric
    from perf_pipeline.monitoring.sample import Sample

_Value = float | Buckets


@dataclass
class MetricHistory:
    """Values of many moments, by metric and series: in the text those of a metric are together.

    Attributes:
        moments: How many were added.
        points: How many values.
    """

    moments: int = 0
    points: int = 0
    _found: dict[str, dict[tuple[str, ...], list[tuple[float, _Value]]]] = field(
        default_factory=dict
    )

    def add(self, at_s: float, samples: Iterable[Sample], target: Mapping[str, str]) -> None:
        """Add the values of one moment, which is later than those of its target before.

        Args:
            at_s: Seconds of the epoch.
            samples: The values.
            target: Labels that a scrape of the run's exporter would add.
        """
        self.moments += 1
        for sample in samples:
            names = BY_NAME[sample.metric].labels
            labels = tuple(
                f'{name}="{_escaped(value)}"'
                for name, value in (*zip(names, sample.labels, strict=True), *target.items())
            )
            series = self._found.setdefault(sample.metric, {})
            series.setdefault(labels, []).append((at_s, sample.value))
            self.points += 1

    def write(self, file: TextIO) -> None:
        """Write everything."""
        for name, series in sorted(self._found.items()):
            file.writelines(_head(BY_NAME[name]))
            for labels, values in sorted(series.items()):
                file.writelines(_lines(name, labels, values))
        file.write("# EOF\n")


def _head(metric: Metric) -> Iterator[str]:
    name = metric.name.removesuffix("_total") if metric.kind == "counter" else metric.name
    yield f"# HELP {name} {_escaped(metric.text)}\n"
    yield f"# TYPE {name} {metric.kind}\n"


def _lines(name: str, labels: tuple[str, ...], values: list[tuple[float, _Value]]) -> Iterator[str]:
    """Return the lines of a series, in order of time; those of one histogram are together."""
    inner = ",".join(labels)
    for at_s, value in values:
        if not isinstance(value, Buckets):
            yield f"{name}{{{inner}}} {value} {at_s:.3f}\n"
            continue
        counts = value.counts.cumsum().tolist()
        for bound, count in zip(BOUNDS, counts, strict=True):
            yield f'{name}_bucket{{{inner},le="{bound}"}} {count} {at_s:.3f}\n'
        yield f"{name}_count{{{inner}}} {counts[-1]} {at_s:.3f}\n"
        yield f"{name}_sum{{{inner}}} {value.sum_s} {at_s:.3f}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
