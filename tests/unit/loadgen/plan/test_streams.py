"""Streams are drawn apart and merged in time: the same seed, the same arrivals, each its work."""

from __future__ import annotations

from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.scenario import Workload
from perf_pipeline.loadgen.plan.plan import mixed_kinds
from perf_pipeline.loadgen.plan.streams import MergedStreams, merged_streams

ORDER, REFUND = Workload("shop:order", ""), Workload("shop:refund", "")
A = Arrivals("a", "poisson", 50.0, 4.0)
B = Arrivals("b", "burst", 0.0, 4.0, burst_size=3, burst_every_s=1.0, workloads=("shop:refund",))


def _merged(*streams: Arrivals) -> MergedStreams:
    return merged_streams(streams, (ORDER, REFUND), "7/0", mixed_kinds)


def test_a_second_stream_changes_no_arrival_of_the_first() -> None:
    alone, both = _merged(A), _merged(A, B)
    first = [at for at, one in zip(both.intended_ns, both.stream_of, strict=True) if one == 0]
    assert first == list(alone.intended_ns)
    assert list(both.stream_of).count(1) == 12
    assert list(both.intended_ns) == sorted(both.intended_ns)
    assert _merged(A, B) == both


def test_a_stream_has_its_own_workloads_or_the_whole_mix() -> None:
    both = _merged(A, B)
    pairs = list(zip(both.stream_of, both.kinds, strict=True))
    assert {kind for stream, kind in pairs if stream == 1} == {1}
    assert {kind for stream, kind in pairs if stream == 0} == {0, 1}
