"""The headline table never shows a number without its validity and samples."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.service_times import Percentile
from perf_pipeline.report.level import level_cells
from perf_pipeline.report.level.resources import resource_tables
from perf_pipeline.report.run import headline
from perf_pipeline.report.run.open_levels import COLUMNS, open_headline

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.service_times import ServiceTimes


def _times(baseline: RunMetrics, *percentiles: Percentile) -> ServiceTimes:
    return replace(baseline.levels[0].service_times, percentiles=percentiles)


def test_a_percentile_among_censored_workflows_is_shown_as_a_lower_bound(
    baseline: RunMetrics,
) -> None:
    times = _times(baseline, Percentile(0.99, 31.6, at_least=True, samples_beyond=40))
    assert level_cells.percentile_cell(times, 0.99).text == "≥ 31.6 s"
    assert level_cells.percentile_cell(times, 0.99).note == ""


def test_a_percentile_with_nine_samples_beyond_is_weak_and_says_what_it_takes(
    baseline: RunMetrics,
) -> None:
    times = _times(baseline, Percentile(0.99, 1.0, at_least=False, samples_beyond=9))
    times = replace(times, samples=900, in_flight_at_end=0)
    assert level_cells.percentile_cell(times, 0.99).note == "weak: 9 beyond, needs 1,000 samples"
    enough = _times(baseline, Percentile(0.99, 1.0, at_least=False, samples_beyond=10))
    assert level_cells.percentile_cell(enough, 0.99).note == "no interval"


def test_a_terminal_row_marks_a_weak_percentile_with_a_star(baseline: RunMetrics) -> None:
    weak = tuple(
        Percentile(p, 1.0, at_least=False, samples_beyond=beyond)
        for p, beyond in ((0.5, 50), (0.9, 10), (0.99, 1))
    )
    level = replace(baseline.levels[0], service_times=_times(baseline, *weak))
    row = headline.headline_table(replace(baseline, levels=(level,)))[0]
    assert (row.p50, row.p90, row.p99) == ("1.00 s", "1.00 s", "1.00 s *")


def test_a_terminal_row_has_validity_and_samples_beside_its_numbers(baseline: RunMetrics) -> None:
    rows = headline.headline_table(baseline)
    assert len(headline.HEADLINE_COLUMNS) == len(rows[0].cells)
    assert rows[2].cells == (
        *("1000", "1,000", "not_steady", "21,420", "143/s", "service"),
        *("7.00 s", "5.19 s", "≥ 11.9 s", "≥ 31.6 s", "0.0794 %", "13.5 ms"),
        "1,000",
    )
    assert [row.level for row in rows[3:]] == ["lean (arm)", "control (arm)"]


def test_what_was_not_measured_is_never_zero(ugly: RunMetrics) -> None:
    row = headline.headline_table(ugly)[0]
    shown = (row.throughput, row.average, row.p50, row.p90, row.p99, row.errors)
    assert shown == ("not measured",) * 6


def test_a_reason_is_shown_once_in_a_row(ugly: RunMetrics) -> None:
    notes = [cell.note for cell in open_headline(ugly).rows[1] if cell.tone == "quiet"]
    notes = [note for note in notes if note]
    assert len(notes) == len(set(notes)) == 5


def test_a_terminal_row_holds_no_escape(ugly: RunMetrics) -> None:
    assert all(cell.isprintable() for row in headline.headline_table(ugly) for cell in row.cells)


def test_an_interval_is_shown_below_its_value_also_without_an_upper_end(
    baseline: RunMetrics,
) -> None:
    open_ended = Percentile(0.9, 2.0, at_least=True, samples_beyond=40, low_s=1.5)
    both = Percentile(0.5, 1.0, at_least=False, samples_beyond=50, low_s=0.875, high_s=1.25)
    times = _times(baseline, both, open_ended)
    level = replace(baseline.levels[0], throughput_low_per_s=320.0, throughput_high_per_s=341.5)
    assert level_cells.percentile_cell(times, 0.5).note == "[875 ms to 1.25 s]"
    assert level_cells.percentile_cell(times, 0.9).note == "[1.50 s or more]"
    assert level_cells.throughput_cell(level).note == "[320 to 342/s]"


def test_an_interval_is_no_weakness_in_a_terminal_row(baseline: RunMetrics) -> None:
    known = tuple(
        Percentile(p, 1.0, at_least=False, samples_beyond=50, low_s=0.9, high_s=1.1)
        for p in (0.5, 0.9, 0.99)
    )
    level = replace(baseline.levels[0], service_times=_times(baseline, *known))
    row = headline.headline_table(replace(baseline, levels=(level,)))[0]
    assert (row.p50, row.p90, row.p99) == ("1.00 s",) * 3


def test_below_a_terminal_row_is_the_interval_or_the_samples_that_it_needs(
    baseline: RunMetrics,
) -> None:
    known = Percentile(0.5, 1.0, at_least=False, samples_beyond=50, low_s=0.9, high_s=1.1)
    short = Percentile(0.9, 1.5, at_least=False, samples_beyond=10)
    weak = Percentile(0.99, 2.0, at_least=False, samples_beyond=9, samples_needed=1000)
    level = replace(
        baseline.levels[0],
        service_times=replace(_times(baseline, known, short, weak), in_flight_at_end=0),
        throughput_low_per_s=320.0,
        throughput_high_per_s=341.5,
    )
    (below,) = headline.interval_rows(replace(baseline, levels=(level,)))
    assert below == {
        "throughput": "[320 to 342/s]",
        "CPU each": "[5.73 to 5.88 ms]",
        "p50": "[900 ms to 1.10 s]",
        "p90": "no interval",
        "p99": "needs 1,000 samples",
    }
    assert set(below) <= set(headline.HEADLINE_COLUMNS)


def test_a_throughput_without_an_interval_says_why(baseline: RunMetrics) -> None:
    level = replace(baseline.levels[0], throughput_interval_why="7 batches, it takes 20")
    assert level_cells.throughput_cell(level).note == "no interval: 7 batches, it takes 20"


def test_what_senders_of_requests_use_is_not_called_the_servers(baseline: RunMetrics) -> None:
    """Their memory would pass for that of the server, whose own nobody has measured."""
    sent = tuple(replace(level, target="http") for level in baseline.levels)
    metrics = replace(baseline, levels=sent)
    assert headline.SENDERS_NOTE in headline.headline(metrics).note
    assert headline.SENDERS_NOTE in open_headline(metrics).note
    assert headline.SENDERS_NOTE not in headline.headline(baseline).note
    memory, *_ = resource_tables(sent[0])
    assert memory.rows[0][0].text == "workers (they send the requests)"


def test_open_levels_have_a_table_of_their_own(baseline: RunMetrics) -> None:
    waited = _times(
        baseline,
        Percentile(0.5, 4.0, at_least=False, samples_beyond=50),
        Percentile(0.99, 9.0, at_least=True, samples_beyond=50),
    )
    opened = replace(baseline.levels[0], loop="open", response_times=waited)
    run = replace(baseline, levels=(opened, baseline.levels[1]))
    assert [row[0].text for row in headline.headline(run).rows] == ["500"]
    (row,) = open_headline(run).rows
    cells = dict(zip(COLUMNS, row, strict=True))
    assert (cells["Response p50"].text, cells["Response p99"].text) == ("4.00 s", "≥ 9.00 s")
    assert cells["Service p99"].text == "1.36 s"
    assert open_headline(baseline).rows == ()


def test_two_weak_percentiles_of_a_row_both_say_so(baseline: RunMetrics) -> None:
    """A warning that stands beside the first number alone leaves the second looking sound."""
    weak = _times(baseline, Percentile(0.99, 9.0, at_least=False, samples_beyond=3))
    weak = replace(weak, samples=300, in_flight_at_end=0)
    opened = replace(baseline.levels[0], loop="open", response_times=weak, service_times=weak)
    (row,) = open_headline(replace(baseline, levels=(opened,))).rows
    cells = dict(zip(COLUMNS, row, strict=True))
    assert cells["Response p99"].note == cells["Service p99"].note
    assert cells["Service p99"].note == "weak: 3 beyond, needs 1,000 samples"


def test_a_percentile_lacks_answers_where_workflows_enough_came(baseline: RunMetrics) -> None:
    """Of 27,382 of which 24,169 were dropped no p50 is known, however long the level."""
    weak = _times(baseline, Percentile(0.5, 1.87, at_least=False, samples_beyond=0))
    times = replace(weak, samples=3213, in_flight_at_end=24_169)
    assert level_cells.percentile_cell(times, 0.5).note == "weak: 0 beyond, too many not ended"
