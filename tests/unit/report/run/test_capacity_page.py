"""The page of a search shows answer, interval, knee and every step, and nothing in it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.capacity import CapacityFinding, LoadPoint, find_capacity
from perf_pipeline.analysis.capacity_search import Answer, search
from perf_pipeline.analysis.queueing import Little
from perf_pipeline.config.scenario.capacity_question import Space
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.metrics.types.slo_verdict import SloVerdict
from perf_pipeline.report.charts import capacity_chart
from perf_pipeline.report.charts.capacity_chart import curve
from perf_pipeline.report.run.capacity_page import KNEE, answer, facts, render_html, render_markdown
from perf_pipeline.selftest.virtual.virtual_queues import true_times

if TYPE_CHECKING:
    from perf_pipeline.analysis.capacity_search import Ask
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

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
                verdict=found.verdict,
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


def test_neighbours_of_the_steps_are_named_beside_the_answer(
    finding: CapacityFinding, baseline: RunMetrics
) -> None:
    first, *others = finding.points
    noisy = replace(finding, points=(replace(first, validity="noisy_host"), *others))

    for page in (render_html(noisy, baseline), render_markdown(noisy, baseline)):
        assert f"ther programs used the machine at 1 of {len(finding.points)} step" in page
        assert "so the capacity may be higher than found" in page
    assert "ther programs used the machine" not in render_html(finding, baseline)


def test_the_output_of_a_target_is_inert_in_the_page(
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
    markdown = render_markdown(finding, baseline)

    assert "**79 in flight.** 79 in flight meets avg" in markdown
    assert markdown.count("| met |") + markdown.count("| missed ") == len(finding.points)


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
    assert "no load ran" in page
    assert "<svg" not in page


def two_loads(time_s: float, ratio: float, slo: SloVerdict) -> CapacityFinding:
    """Return a search that played 50 and 200; the second takes ``ratio`` times as long."""
    points = []
    for load, took_s in ((50.0, time_s), (200.0, ratio * time_s)):
        little = Little(load, load / took_s, took_s)
        points.append(
            LoadPoint(
                *(load, f"{load:g}", False, "met", "", (slo,), little, load / took_s),
                *(20.0, "valid"),
            )
        )
    state = search(Space(50, 1, 200, whole=True), lambda _: Answer("met"))
    return find_capacity(state, "in_flight", ["p99_s <= 0.5", "error_ratio <= 0.05"], points)


def test_no_knee_is_named_that_no_step_went_beyond(baseline: RunMetrics) -> None:
    """50 and 200 in flight at 10.1 and 10.3 ms: the asymptotes meet at 197.8 of 200."""
    slo = SloVerdict(
        *(Slo("p99_s", 0.5), "200", 0, "", "p99", 0.01146, 0.01136, None, False, 3, "valid"),
        *(None, "met", ""),
    )
    finding = two_loads(0.0101, 10.3 / 10.1, slo)
    assert finding.knee is not None
    assert not finding.knee.is_reached
    shown = {fact.term: fact.cell for fact in facts(finding)}
    assert shown[KNEE].text == "not reached"
    assert "grew about in proportion to the load" in shown[KNEE].note
    assert shown["p99_s there"].note == "11.4 ms or more, the upper end is not known"
    assert "error_ratio <= 0.05 is added" in shown["Objectives"].note
    drawn = curve(finding)
    assert drawn is not None
    assert "knee" not in drawn.note
    assert "198" not in render_markdown(finding, baseline)


def test_two_percent_are_no_climb_in_the_curve_and_a_decade_is_drawn_as_one() -> None:
    """Times near each other start at 0; where they are a decade apart the axis says that."""
    near, far = capacity_chart.time_axis([0.0101, 0.0103]), capacity_chart.time_axis([0.01, 0.4])
    assert near["scale"] == {"zero": True}
    assert far["scale"]["type"] == "log"
    assert "logarithmic" in far["title"]
