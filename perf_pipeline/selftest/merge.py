"""Percentiles of 16 merged workers equal those of one, bit for bit, and are 0.8 % off at most.

The same records go through the same code twice: dealt out to sixteen builders, whose histograms go
through bytes and are added in an order drawn by the seed, and all to one. Their times are spread
evenly over the logarithm from 1 us to 1 h, or log-normal, or equal, and a tenth was cut short; the
truth of those that were not is the sorted times themselves.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from perf_pipeline.metrics.survival.histogram import SUB_BITS, Histogram, buckets_of
from perf_pipeline.metrics.survival.histogram_block import Phase, blocks_from
from perf_pipeline.metrics.survival.histogram_builder import HistogramBuilder
from perf_pipeline.metrics.survival.level_histograms import HistogramKey, merged
from perf_pipeline.metrics.survival.log_buckets import LogBuckets
from perf_pipeline.samples.level_records import RECORD_DTYPE
from perf_pipeline.samples.record import Outcome
from perf_pipeline.selftest.figure import Figure, Size

if TYPE_CHECKING:
    import numpy.typing as npt

WORKERS = 16
LEVELS = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999)
MAX_ERROR_RATIO = 0.008
_RECORDS = {Size.CI: 100_000, Size.FULL: 4_000_000}
_SHORTEST_NS = 1_000
_HOUR_NS = 3_600_000_000_000
_KEY = HistogramKey("service_time", 0)


def run(size: Size, seed: int) -> list[Figure]:
    """Merge and compare.

    Args:
        size: 100,000 or 4 million records a shape of times.
        seed: Source of the times and of the order in which workers are added.
    """
    rng = np.random.default_rng(seed)
    count = _RECORDS[size]
    shapes = {
        "log-uniform": np.exp(rng.uniform(math.log(_SHORTEST_NS), math.log(_HOUR_NS), count)),
        "log-normal": np.exp(rng.normal(math.log(5e6), 1.5, count)),
        "equal": np.full(count, float(rng.integers(1_000, 1_000_000_000))),
    }
    figures = []
    for name, drawn in shapes.items():
        times_ns = np.clip(drawn, _SHORTEST_NS, _HOUR_NS).astype(np.int64)
        figures += _merged_equals_one(name, times_ns, rng)
        figures.append(_error_against_exact(name, times_ns))
    figures.append(_error_of_a_bucket())
    return figures


def _merged_equals_one(
    name: str, times_ns: npt.NDArray[np.int64], rng: np.random.Generator
) -> list[Figure]:
    records = _records(times_ns, rng)
    one = _histogram([_file(records)])
    files = [_file(records[worker::WORKERS]) for worker in range(WORKERS)]
    many = _histogram([files[worker] for worker in rng.permutation(WORKERS)])
    differing = sum(one.percentile(p) != many.percentile(p) for p in LEVELS)
    same = one.to_bytes() == many.to_bytes()
    return [
        Figure(f"{name}: percentiles that differ, of {len(LEVELS)}", differing, "", 0),
        Figure(f"{name}: histograms that differ in any bit", float(not same), "", 0),
        Figure(
            f"{name}: records that were not counted once",
            abs(many.count - len(records)),
            "",
            0,
        ),
    ]


def _records(times_ns: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[Any]:
    records = np.zeros(len(times_ns), dtype=RECORD_DTYPE)
    records["end_ns"] = _HOUR_NS + np.sort(rng.integers(0, 60_000_000_000, len(times_ns)))
    records["start_ns"] = records["end_ns"] - times_ns
    cut = rng.random(len(times_ns)) < 0.1  # noqa: PLR2004 a tenth
    records["outcome"][cut] = Outcome.ABANDONED
    return records


def _file(records: npt.NDArray[Any]) -> bytes:
    """Return what a run would write of these records."""
    phases_ns = {"steady": (_HOUR_NS, 2 * _HOUR_NS)}
    builder = HistogramBuilder(_HOUR_NS, phases_ns, is_open=False)
    blocks = [*builder.add_payload(records.tobytes()), *builder.finish()]
    return b"".join(block.to_bytes() for block in blocks)


def _histogram(files: list[bytes]) -> Histogram:
    into: dict[HistogramKey, Histogram] = {}
    for data in files:
        merged(blocks_from(data, "a worker's histograms"), Phase.STEADY, into)
    return Histogram.from_bytes(into[_KEY].to_bytes())


def _error_against_exact(name: str, times_ns: npt.NDArray[np.int64]) -> Figure:
    """Return the greatest error of a percentile against the nearest rank of the sorted times."""
    histogram = Histogram("service_time")
    histogram.add(times_ns)
    exact = np.sort(times_ns)
    errors = []
    for p in (*LEVELS, *np.arange(1, 100) / 100):
        truth_ns = int(exact[math.ceil(round(p * len(exact), 6)) - 1])
        found_s = histogram.percentile(float(p)).value_s
        errors.append(math.inf if found_s is None else abs(found_s * 1e9 - truth_ns) / truth_ns)
    return Figure(
        f"{name}: error of a percentile against exact", max(errors), "ratio", MAX_ERROR_RATIO
    )


def _error_of_a_bucket() -> Figure:
    """Return the greatest distance of a time to the middle of its bucket, from 1 us to 1 h."""
    edges = LogBuckets(SUB_BITS).edges_ns()
    within = (edges[:-1] >= _SHORTEST_NS) & (edges[1:] <= _HOUR_NS * 1.01)
    first_ns, last_ns = np.ceil(edges[:-1])[within], (np.ceil(edges[1:]) - 1)[within]
    worst = 0.0
    for times_ns in (first_ns.astype(np.int64), last_ns.astype(np.int64)):
        places = buckets_of(times_ns)
        middle = (edges[places] + edges[places + 1]) / 2
        worst = max(worst, float((np.abs(middle - times_ns) / times_ns).max()))
    return Figure(
        "error of any time from 1 us to 1 h, at its bucket's ends",
        worst,
        "ratio",
        MAX_ERROR_RATIO,
    )
