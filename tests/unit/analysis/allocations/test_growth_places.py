"""The places that a trace names, and what it says of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.metrics.allocations.growth_file import (
    growth_path,
    read_growth_places,
    write_growth_places,
)
from perf_pipeline.report.allocations.sentences import growth_headline, growth_sentences
from tests.simulated_trace import FILLED, LEAK, judged, trace

if TYPE_CHECKING:
    from pathlib import Path


def test_a_leak_is_named_and_a_cache_that_has_filled_is_not() -> None:
    found = judged(trace(LEAK, FILLED))
    assert [one.lines[0].line for one in found.places] == [3]
    assert found.places[0].size_bytes.per_1000 == found.places[0].size_bytes.low == 100_000
    assert found.places[0].blocks.per_1000 == 1000
    assert [(one.lines[0].line, one.pattern) for one in found.other_places] == [(5, "slowing")]
    assert growth_headline(found).startswith("shop.py:3 (order) grew to the end: 100 kB")
    assert (
        "Not named: shop.py:5 (order) grew less and less: 400 kB, 0 bytes, 0 bytes, 0 bytes, "
        "0 bytes, 0 bytes per 1000 workflows in the intervals."
    ) in growth_sentences(found)


def test_the_cost_of_tracing_is_that_of_the_interval_without_it() -> None:
    cost = judged(trace(LEAK)).cost
    assert cost is not None
    assert (cost.cpu_ratio, cost.throughput_ratio) == (pytest.approx(3), pytest.approx(0.5))
    assert (cost.tracer_bytes, cost.pauses_s) == (50_000, pytest.approx(3.5))


def test_a_leak_of_descriptors_leaves_the_heap_as_it_was_and_is_said() -> None:
    found = judged(trace(FILLED, files=[9 + 100 * at for at in range(7)]))
    assert found.places == ()
    assert growth_headline(found).startswith("No place grew to the end")
    said = [text for text in growth_sentences(found) if "open files" in text]
    assert said == ["100 more open files per 1000 workflows, which no place of the heap shows."]


def test_a_native_leak_is_outside_of_the_heap_and_said_to_be_invisible() -> None:
    found = judged(trace(FILLED, uss_each=3_000_000))
    assert found.places == ()
    assert found.process is not None
    assert found.process.outside_bytes is not None
    assert found.process.outside_bytes.low == pytest.approx(3e6)
    (said,) = [text for text in growth_sentences(found) if "native" in text]
    assert "grew by 3.00 MB" in said


@pytest.mark.parametrize("intervals", [0, 3])
def test_too_few_intervals_name_nothing(intervals: int) -> None:
    whole = trace(LEAK)
    cut = replace(
        whole,
        problem="the worker process of the traced level ended: exit code 3",
        snapshots=whole.snapshots[: intervals + 1],
        intervals=whole.intervals[:intervals],
        places=(),
    )
    found = judged(cut)
    assert "exit code 3; only" in found.problem
    assert (found.places, found.process, found.cost) == ((), None, None)
    assert growth_sentences(found) == (growth_headline(found),)


def test_what_weakens_a_trace_is_said_beside_it() -> None:
    whole = trace(LEAK)
    weak = replace(
        whole,
        problem="the time was over",
        warm_up_workflows=300,
        snapshots=tuple(replace(one, in_flight=1) for one in whole.snapshots),
        intervals=tuple(replace(one, failed=2) for one in whole.intervals),
    )
    text = " ".join(growth_sentences(judged(weak)))
    assert "300 of 1000 workflows" in text
    assert "12 of 6000 workflows failed" in text
    assert "up to 1 workflows did not end" in text
    assert "it ended early: the time was over" in text


def test_workflows_that_all_fail_name_nothing() -> None:
    whole = trace(LEAK)
    failing = tuple(replace(one, failed=one.workflows) for one in whole.intervals)
    assert "all 6000 workflows failed" in judged(replace(whole, intervals=failing)).problem


def test_places_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    found = judged(trace(LEAK, FILLED))
    path = growth_path(tmp_path, found.trace_id)
    write_growth_places(path, found)
    assert read_growth_places(path) == found
