"""One value of one metric, as it is served to Prometheus or written into a dump."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from perf_pipeline.monitoring.level_counts import Buckets


class Sample(NamedTuple):
    """A value.

    Attributes:
        metric: A name of ``metric_registry.py``.
        labels: Values of its labels, in their order there.
        value: A number, or the buckets of a histogram.
    """

    metric: str
    labels: tuple[str, ...]
    value: float | Buckets
