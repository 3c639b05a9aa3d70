"""An open level tells what arrived, what was dropped, and whose the lag was."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.service_times import Percentile
from perf_pipeline.report.level import level_view, open_level
from perf_pipeline.report.level.level_times import service_times
from perf_pipeline.report.run import headline, open_levels

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_drops_are_shown_at_the_top_of_the_level(opened: LevelMetrics) -> None:
    facts = {fact.term: fact.cell for fact in level_view.level_view(opened).facts}
    assert facts["Schedule"].text == "500/s (poisson)"
    assert facts["Offered"].text == "501/s"
    assert facts["Achieved"].text == "331/s"
    assert "Throughput" not in facts
    assert facts["p99 start lag"].note == ("generator unknown: the control target was not run")
    assert (facts["Dropped"].text, facts["Dropped"].tone) == ("12", "bad")


def test_lag_of_the_control_that_was_not_measured_says_why(opened: LevelMetrics) -> None:
    lags = open_level.open_tables(opened)[1]
    assert [cell.text for cell in lags.rows[0]] == [
        *("target", "1,488", "0.400 ms", "900 ms", "1.20 s"),
    ]
    assert (lags.rows[1][1].text, lags.rows[1][1].note) == (
        "not measured",
        "the control target was not run",
    )


def test_records_whose_times_do_not_add_up_are_flagged(opened: LevelMetrics) -> None:
    assert opened.open_load is not None
    wrong = replace(opened, open_load=replace(opened.open_load, unexplained=3))
    row = open_level.open_tables(wrong)[0].rows[-1]
    assert (row[0].text, row[1].text, row[1].tone) == (
        "records whose times do not add up",
        "3",
        "bad",
    )


def test_a_queue_that_grew_says_that_response_times_depend_on_the_length(
    opened: LevelMetrics,
) -> None:
    """480 of 501 a second left: less than 5 % were left over; 400 are too few."""
    assert opened.open_load is not None
    undropped = replace(opened, outcomes={**opened.outcomes, "dropped": 0})
    assert open_level.queue_cell(undropped, opened.open_load).text == "did not grow"
    full = open_level.queue_cell(opened, opened.open_load)
    assert (full.text, full.tone, full.note) == (
        "full",
        "bad",
        "12 dropped in the whole level",
    )
    grew = open_level.queue_cell(undropped, replace(opened.open_load, left_per_s=400.0))
    assert (grew.text, grew.tone) == ("grew", "bad")
    assert grew.note == (
        "arrivals 501/s, departures 400/s: response times grow with the length of the level"
    )


def test_response_and_service_times_have_two_tables_with_distinct_titles(
    opened: LevelMetrics,
) -> None:
    titles = [table.title for table in level_view.level_view(opened).tables[:2]]
    assert titles == ["Response time (open loop)", "Service time (open loop) in the steady phase"]


def test_a_closed_level_has_no_arrivals(baseline: RunMetrics) -> None:
    level = baseline.levels[0]
    assert open_level.open_tables(level) == ()
    assert open_level.open_facts(level) == ()


def test_an_open_level_is_called_by_what_it_offers(opened: LevelMetrics) -> None:
    view = level_view.level_view(opened)
    assert view.title == "100: 500/s (poisson)"
    assert "Turnovers" not in [fact.term for fact in view.facts]


def test_samples_of_an_open_level_are_those_of_its_response_times_everywhere(
    opened: LevelMetrics, baseline: RunMetrics
) -> None:
    """264 ended in the steady phase; 263 were to start in it and were answered."""
    service, response = (replace(opened.service_times, samples=n) for n in (264, 263))
    level = replace(opened, service_times=service, response_times=response)
    (row,) = headline.headline_table(replace(baseline, levels=(level,)))
    facts = {fact.term: fact.cell.text for fact in level_view.level_view(level).facts}
    assert (row.times, row.samples) == ("response", "263")
    assert facts["Samples of response times"] == "263"
    assert "Samples" not in facts
    assert "The two counts differ" in service_times(level).note
    assert "The two counts differ" not in service_times(replace(level, loop="closed")).note


def test_a_response_percentile_that_is_a_bound_reads_as_one_with_no_interval_asked_for(
    opened: LevelMetrics, baseline: RunMetrics
) -> None:
    """In the tables of open levels, the terminal and the answer at the top."""
    bound = Percentile(0.99, 5.0, at_least=True, samples_beyond=300)
    response = replace(opened.service_times, percentiles=(bound,), samples=700)
    run = replace(baseline, levels=(replace(opened, response_times=response),))
    (row,) = open_levels.open_headline(run).rows
    p99 = row[open_levels.COLUMNS.index("Response p99")]
    assert (p99.text, p99.note) == ("≥ 5.00 s", "")
    assert headline.headline_table(run)[0].p99 == "≥ 5.00 s"
    assert headline.interval_rows(run)[0]["p99"] == ""
    found = open_levels.waits_answer(run)
    assert found is not None
    assert found[0].text.startswith("p99 ≥ 5.00 s at")
    assert level_view.level_view(run.levels[0]).tables[0].rows[0][8].text == "≥ 5.00 s"
