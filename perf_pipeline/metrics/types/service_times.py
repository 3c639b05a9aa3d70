"""Service and response times of a load level: percentiles, averages, distribution."""

from dataclasses import dataclass

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES

ROUNDING = 1e-9


@dataclass(frozen=True)
class Percentile:
    """A percentile of service or response times (``survival/histogram.py``).

    Attributes:
        p: 0.5, 0.9, 0.95, 0.99, 0.999, and what an objective is about.
        value_s: The percentile, at most 0.4 % off; None without any sample.
        at_least: True when it lies among workflows that had not ended: the true value is
            ``value_s`` or more.
        samples_beyond: Workflows that rank above it, ended or not.
        low_s: Lower end of the 95 % interval (``survival/intervals.py``); None where there is
            none: fewer than 10 samples beyond, or too few batches of time to compare.
        high_s: Upper end; also None where it lies among workflows that had not ended.
        samples_needed: How many workflows it would take to have 10 beyond; None when there are.
    """

    p: float
    value_s: float | None
    at_least: bool
    samples_beyond: int
    low_s: float | None = None
    high_s: float | None = None
    samples_needed: int | None = None

    @property
    def name(self) -> str:
        """``p50``, ``p99.9``."""
        return f"p{100 * self.p:.6g}"

    @property
    def is_weak(self) -> bool:
        """Whether too few samples lie beyond it: shown with a warning, and not graded."""
        return self.samples_beyond < MIN_TAIL_SAMPLES


@dataclass(frozen=True)
class ServiceTimes:
    """Service or response times of the steady phase.

    The names are those of service times; of response times ``samples`` were answered,
    ``in_flight_at_end`` were not, and the average is over both.

    Attributes:
        samples: Workflows that ended in the steady phase.
        in_flight_at_end: Workflows that had not ended then, right-censored at their age.
        avg_s: Time spent in flight in the phase / workflows that ended in it (Little's law), so
            workflows that never ended count too.
        min_s: Shortest of those that ended.
        max_s: Longest of all, ended or not.
        percentiles: p50, p90, p95, p99, p99.9, and those of objectives, in this order.
    """

    samples: int
    in_flight_at_end: int
    avg_s: float | None
    min_s: float | None
    max_s: float | None
    percentiles: tuple[Percentile, ...]

    @property
    def p99(self) -> Percentile:
        """The 99th percentile."""
        found = self.percentile(0.99)
        if found is None:
            raise LookupError("the 99th percentile is among the metrics of every level")
        return found

    def percentile(self, p: float) -> Percentile | None:
        """Return a percentile, 0 to 1; None where the metrics do not have it."""
        return next((found for found in self.percentiles if abs(found.p - p) < ROUNDING), None)


@dataclass(frozen=True)
class Distribution:
    """How times are distributed, in buckets a twentieth of a decade wide.

    Attributes:
        edges_s: Where the buckets begin, and where the last one ends; one more than buckets.
        ended: Workflows that ended, by their time.
        not_ended: Right-censored workflows, by the time that they are known to have lasted.
        longer_ratio: Share of all workflows that last longer than each bucket, 0 to 1.
    """

    edges_s: tuple[float, ...]
    ended: tuple[int, ...]
    not_ended: tuple[int, ...]
    longer_ratio: tuple[float, ...]
