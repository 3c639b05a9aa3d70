"""Values as Prometheus takes them: one family a metric of the registry."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from perf_pipeline.monitoring.level_counts import BOUNDS_S, Buckets
from perf_pipeline.monitoring.metric_registry import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perf_pipeline.monitoring import metric_registry
    from perf_pipeline.monitoring.sample import Sample

BOUNDS = (*(f"{bound:.9g}" for bound in BOUNDS_S), "+Inf")


def families(samples: Iterable[Sample], timestamp_s: float | None = None) -> Iterator[Metric]:
    """Group values by metric.

    Args:
        samples: In any order.
        timestamp_s: When they were so, seconds of the epoch; None for now.

    Raises:
        KeyError: A value is of a metric that the registry does not have.
    """
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.metric, []).append(sample)
    for name, values in found.items():
        yield _family(BY_NAME[name], values, timestamp_s)


def _family(
    metric: metric_registry.Metric, values: list[Sample], timestamp_s: float | None
) -> Metric:
    histogram = HistogramMetricFamily(metric.name, metric.text, labels=metric.labels)
    plain = (CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily)(
        metric.name, metric.text, labels=metric.labels
    )
    for one in values:
        if isinstance(one.value, Buckets):
            counts = accumulate(one.value.counts.tolist())
            buckets = list(zip(BOUNDS, counts, strict=True))
            histogram.add_metric(one.labels, buckets, one.value.sum_s, timestamp_s)
        else:
            plain.add_metric(one.labels, one.value, timestamp=timestamp_s)
    return histogram if metric.kind == "histogram" else plain
