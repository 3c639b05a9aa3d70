"""Percentiles of 16 merged workers equal those of one, bit for bit, and are at most 0.4 % off.

The same records go through the same code twice: dealt out to sixteen builders, whose histograms are
written to bytes, read and added in an order drawn by the seed, and all to one builder. Their times
are spread evenly over the logarithm from 1 us to 1 h, or log-normal, or equal. A tenth is
right-censored, and what was in flight when the phase began has a delayed entry. The percentiles
without censoring are compared to the sorted times.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from perf_pipeline.metrics.records.level_histograms import HistogramKey, merged
from perf_pipeline.metrics.survival.histogram import Histogram
from perf_pipeline.metrics.survival.histogram_block import Phase, blocks_from
from perf_pipeline.metrics.survival.histogram_builder import HistogramBuilder
from perf_pipeline.metrics.survival.log_buckets import bucket_of, edges_ns
from perf_pipeline.samples.level_records import RECORD_DTYPE
from perf_pipeline.samples.record import Outcome
from perf_pipeline.selftest.figure import Figure, Size

if TYPE_CHECKING:
    import numpy.typing as npt

WORKERS = 16
LEVELS = (0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999)
MAX_ERROR_RATIO = 0.004
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
    same = _is_same(one, many)
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
    censored = rng.random(len(times_ns)) < 0.1  # noqa: PLR2004 a tenth
    records["outcome"][censored] = Outcome.ABANDONED
    return records


def _file(records: npt.NDArray[Any]) -> bytes:
    """Return what a run would write of these records."""
    phases_ns = {"steady": (_HOUR_NS, 2 * _HOUR_NS)}
    builder = HistogramBuilder(_HOUR_NS, phases_ns, is_open=False)
    blocks = [*builder.add_payload(records.tobytes())]
    entered = records[(records["start_ns"] < _HOUR_NS) & (records["outcome"] == Outcome.OK)]
    kinds = entered["kind"].astype(np.int64)
    builder.add_delayed_entries("steady", _HOUR_NS, kinds, entered["start_ns"], entered["end_ns"])
    blocks += builder.finish()
    return b"".join(block.to_bytes() for block in blocks)


def _histogram(files: list[bytes]) -> Histogram:
    into: dict[HistogramKey, Histogram] = {}
    for data in files:
        merged(blocks_from(data, "a worker's histograms"), Phase.STEADY, into)
    return into[_KEY]


def _is_same(one: Histogram, other: Histogram) -> bool:
    counts = (
        (one.ended, other.ended),
        (one.censored, other.censored),
        (one.delayed_entries, other.delayed_entries),
    )
    extremes = {(each.min_ns, each.min_censored_ns, each.max_ns) for each in (one, other)}
    return all(np.array_equal(*pair) for pair in counts) and len(extremes) == 1


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
    """Return the greatest width of a bucket as a share of its times, from 1 us to 1 h."""
    edges = edges_ns()
    within = (edges[:-1] >= _SHORTEST_NS) & (edges[1:] <= _HOUR_NS * 1.01)
    first_ns, last_ns = np.ceil(edges[:-1])[within], (np.ceil(edges[1:]) - 1)[within]
    worst = 0.0
    for times_ns in (first_ns.astype(np.int64), last_ns.astype(np.int64)):
        places = bucket_of(times_ns)
        for bound_ns in (edges[places], edges[places + 1]):
            worst = max(worst, float((np.abs(bound_ns - times_ns) / times_ns).max()))
    return Figure(
        "error of any time from 1 us to 1 h, at its bucket's ends",
        worst,
        "ratio",
        MAX_ERROR_RATIO,
    )
