"""The page of a search shows answer, interval, knee and every step, and nothing in it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.loadgen.capacity_search import Answer, Space, search
from perf_pipeline.metrics.capacity import CapacityFinding, LoadPoint, find_capacity
from perf_pipeline.metrics.queueing import Little
from perf_pipeline.report.capacity import answer, render_html, render_markdown
from perf_pipeline.selftest.virtual_queues import true_times

if TYPE_CHECKING:
    from perf_pipeline.loadgen.capacity_search import Ask
    from perf_pipeline.metrics.run_metrics import RunMetrics

HOSTILE = "<script>alert(1)</script><img src=http://evil.example/p.png> | `code`\x1b[31m"


@pytest.fixture
def finding() -> CapacityFinding:
    """4 servers of 20 ms behind 200 ms: the mean time passes 0.4 s above 79 in flight."""
    times, points = true_times(4, 0.02, 0.2, 400), list[LoadPoint]()

    def play(ask: Ask) -> Answer:
        time_s = times[int(ask.load) - 1]
        found = Answer("met") if time_s <= 0.4 else Answer("missed", HOSTILE)
        little = Little(ask.load, ask.load / time_s, time_s)
        points.append(
            LoadPoint(
                load=ask.load,
                level=f"{ask.load:g}",
                longer=ask.longer,
                word=found.word,
                why=found.why,
                slos=(),
                little=little,
                throughput_per_s=little.ended_per_s,
                steady_s=20.0,
                validity="valid",
            )
        )
        return found

    state = search(Space(10, 1, 400, whole=True), play)
    return find_capacity(state, "in_flight", ["avg_s <= 0.4"], points)


def test_the_page_says_the_capacity_its_interval_and_the_knee(
    finding: CapacityFinding, baseline: RunMetrics
) -> None:
    page = render_html(finding, baseline)

    assert answer(finding).text == "79 in flight"
    assert "79 in flight and 80 in flight" in page
    assert "44.01 in flight: 200" in page
    assert page.count("<svg ") == 1
    assert page.count("<tr>") == 1 + len(finding.points)


def test_what_a_target_said_does_nothing_in_the_page(
    finding: CapacityFinding, baseline: RunMetrics
) -> None:
    page = render_html(finding, baseline)

    assert "<script" not in page
    assert "<img" not in page
    assert "default-src 'none'" in page
    assert "<script>" not in render_markdown(finding, baseline).replace("\\<", "")


def test_markdown_holds_the_same_answer_and_steps(
    finding: CapacityFinding, baseline: RunMetrics
) -> None:
    told = render_markdown(finding, baseline)

    assert "**79 in flight.** 79 in flight keeps avg" in told
    assert told.count("| met |") + told.count("| missed ") == len(finding.points)


def test_a_search_that_found_nothing_draws_nothing_and_says_so(baseline: RunMetrics) -> None:
    space = Space(1, 1, 400, whole=True)
    nothing = find_capacity(
        search(space, lambda _ask: Answer("not_measured", "noisy_host: stolen")),
        "in_flight",
        ["avg_s <= 0.4"],
        [],
    )

    assert answer(nothing).text == "no data"
    page = render_html(nothing, baseline)
    assert "no load was played" in page
    assert "<svg" not in page
