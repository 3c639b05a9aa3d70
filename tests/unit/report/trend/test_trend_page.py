"""The page of a history: what got worse since which run, every metric drawn, nothing in it runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.change_points.recent import MIN_LEVEL_POINTS, MIN_RECENT_POINTS
from perf_pipeline.metrics.types.alert import MetricKey
from perf_pipeline.metrics.types.trend import TrendDrift, TrendPoint
from perf_pipeline.report.trend.files import trend_page, write_trend_page
from perf_pipeline.report.trend.index_rows import trend_rows
from perf_pipeline.report.trend.page import CHARTS_MAX, drawn_levels, render_html
from perf_pipeline.report.trend.tables import (
    MIN_VALUES,
    alerts_table,
    answers,
    baselines_table,
    changes_table,
    metrics_table,
)
from tests.unit.dashboard.conftest import page_of, site_of
from tests.unit.report.trend.conftest import FIRST_BAD, run_id

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.trend import Trend

BYTES_MAX = 2_500_000


def test_the_answer_names_the_first_bad_run_what_moved_and_the_range(falling: Trend) -> None:
    worse, to_do = answers(falling)
    bad, good = run_id(FIRST_BAD), run_id(FIRST_BAD - 1)
    assert (worse.answer.text, worse.answer.tone) == ("regression, confirmed", "bad")
    assert worse.sentences[0] == f"Since run {bad}: throughput at 500 −10.0 %."  # noqa: RUF001
    (advice,) = to_do.sentences
    assert advice.startswith(f"`perf-pipeline compare {good} {bad}` (2.17.0 → 2.18.0) names what")


def test_what_is_not_confirmed_is_a_warning_and_what_is_cleared_is_none(falling: Trend) -> None:
    (alert,) = falling.alerts
    fast = replace(alert, movements=(replace(alert.movements[0], tier="fast"),))
    worse, to_do = answers(replace(falling, alerts=(fast,)))
    assert (worse.answer.text, worse.answer.tone) == ("may be worse, not confirmed", "warn")
    assert to_do.answer.text == "run it again"
    worse, _ = answers(replace(falling, alerts=(replace(alert, state="cleared"),)))
    assert worse.answer.text == "no alert stands"
    assert worse.sentences[0] == "2 change points for the worse so far."
    known = replace(alert, state="acknowledged", note="pandas left")
    worse, _ = answers(replace(falling, alerts=(known,)))
    assert (worse.answer.text, worse.answer.tone) == ("regression, confirmed, acknowledged", "warn")
    assert worse.sentences[1] == "pandas left"


def test_a_worse_level_that_nobody_looked_at_is_not_called_fine(falling: Trend) -> None:
    worse, to_do = answers(replace(falling, alerts=()))
    assert (worse.answer.text, worse.answer.tone) == ("worse, and no alert was raised yet", "warn")
    assert "perf-pipeline alerts check" in to_do.sentences[0]
    fast = tuple(replace(one, changes=one.changes[1:]) for one in falling.metrics)
    worse, _ = answers(replace(falling, alerts=(), metrics=fast))
    assert worse.answer.text == "no alert stands"


def test_a_history_too_short_for_any_change_to_be_seen_has_no_good_verdict(falling: Trend) -> None:
    """Seven valid values show nothing, whatever they are; invalid ones do not count."""
    assert MIN_VALUES == MIN_LEVEL_POINTS + MIN_RECENT_POINTS

    def short(count: int, validity: str = "valid") -> Trend:
        points = tuple(TrendPoint(run, 1.0, validity, "") for run in range(count))
        kept = (replace(one, points=points, changes=()) for one in falling.metrics)
        return replace(falling, alerts=(), metrics=tuple(kept))

    for trend in (short(MIN_VALUES - 1), short(50, "noisy_host"), replace(short(9), metrics=())):
        worse, to_do = answers(trend)
        assert (worse.answer.text, worse.answer.tone) == ("too few runs to see a change", "quiet")
        assert to_do.answer.text == "run it again"
    assert "from 8 valid runs" in answers(short(3))[0].sentences[0]
    assert answers(short(MIN_VALUES))[0].answer.text == "no alert stands"


def test_what_raises_no_alert_is_not_said_to_lack_one(falling: Trend) -> None:
    """It is negligible, or older than the runs in which a change point raises an alert."""
    first, *others = falling.metrics
    quiet = replace(first, changes=(replace(first.changes[0], raises_alert=False),))
    worse, to_do = answers(replace(falling, alerts=(), metrics=(quiet, *others)))
    assert (worse.answer.text, to_do.answer.text) == ("no alert stands", "nothing")
    assert worse.sentences[0] == "2 change points for the worse so far."


def test_of_a_metric_without_a_direction_a_change_is_neither_worse_nor_better(
    falling: Trend,
) -> None:
    bytes_sent = replace(
        falling.metrics[0],
        metric="network_sent_mb",
        unit="MB",
        changes=(replace(falling.metrics[0].changes[0], is_worse=None, raises_alert=False),),
        drift=TrendDrift(2, 1.08, 1.06, 1.1, is_worse=None),
    )
    moved = replace(falling, alerts=(), metrics=(bytes_sent,))
    assert [(row[6].text, row[6].tone) for row in changes_table(moved).rows] == [
        ("moved, confirmed", "quiet")
    ]
    assert [cell.tone for cell in metrics_table(moved).rows[0][-2:]] == ["quiet", "quiet"]
    worse, _ = answers(moved)
    assert worse.sentences[0] == "0 change points for the worse so far."
    assert "moved (−10.0 %) since run 21" in render_html(moved, drawn_levels(moved))  # noqa: RUF001


def test_each_change_point_has_its_run_range_effect_and_tier_the_newest_first(
    falling: Trend,
) -> None:
    fast, fell = changes_table(falling).rows
    assert [cell.text for cell in fast] == [
        *("P99 latency", "500", "all", f"29: {run_id(28)}"),
        *("+40.0 %", "+20.0 to +60.0 %", "worse, fast", "28 to 30"),
    ]
    assert [cell.text for cell in fell] == [
        *("throughput", "500", "all", f"21: {run_id(20)}"),
        *("−10.0 %", "−12.0 to −8.0 %", "worse, confirmed", "20 to 22"),  # noqa: RUF001
    ]
    assert (fast[6].tone, fell[6].tone, fell[3].note) == ("warn", "bad", "2.18.0")


def test_a_change_between_levels_without_a_ratio_is_shown_as_one(falling: Trend) -> None:
    metric = falling.metrics[0]
    change = replace(metric.changes[0], effect=None, low=None, high=None)
    odd = replace(falling, metrics=(replace(metric, changes=(change,)),))
    assert changes_table(odd).rows[0][4].text == "no ratio"
    assert "worse (no ratio) since run 21" in render_html(odd, drawn_levels(odd))


def test_alerts_and_baselines_are_tables(falling: Trend) -> None:
    (alert,) = alerts_table(falling).rows
    assert [cell.text for cell in alert[:4]] == [
        run_id(FIRST_BAD),
        "open",
        "confirmed, minor",
        f"after {run_id(FIRST_BAD - 1)}",
    ]
    (baseline,) = baselines_table(falling).rows
    assert (baseline[0].text, baseline[0].note, baseline[2].text) == ("pinned:main", "2.17", "3")


def test_every_metric_with_a_value_has_a_row_drawn_or_not(falling: Trend) -> None:
    """28 of 30 runs count: one is of another machine, one is no measurement."""
    rows = [[cell.text for cell in row] for row in metrics_table(falling).rows]
    assert rows[0] == [
        *("throughput", "500", "all", "180/s", "180/s to 200/s", "28", "run 21, confirmed", "none")
    ]
    assert [row[0] for row in rows] == ["throughput", "P99 latency", "peak memory"]
    assert rows[2][-2] == "none"


def test_a_drift_is_shown_with_its_metric_and_asks_for_its_alert(falling: Trend) -> None:
    *others, memory, disk = falling.metrics
    drift = TrendDrift(2, 1.08, 1.06, 1.1, is_worse=True)
    drifting = replace(
        falling,
        alerts=(),
        metrics=(
            *(replace(one, changes=()) for one in others),
            replace(memory, drift=drift),
            disk,
        ),
    )
    cell = metrics_table(drifting).rows[2][-1]
    assert (cell.text, cell.tone, cell.note) == ("+8.0 % since run 3", "warn", "+6.0 to +10.0 %")
    worse, _ = answers(drifting)
    assert worse.answer.text == "no alert stands"
    assert worse.sentences[0].endswith("so far. 1 drift to the worse.")
    raising = replace(memory, drift=replace(drift, raises_alert=True))
    drifting = replace(drifting, metrics=(raising,))
    worse, _ = answers(drifting)
    assert worse.answer.text == "worse, and no alert was raised yet"
    (fell,) = falling.alerts[0].movements
    moved = replace(
        fell, key=MetricKey("kailash", "500", "", "memory_peak_mb"), effect=1.08, is_drift=True
    )
    worse, to_do = answers(
        replace(drifting, alerts=(replace(falling.alerts[0], movements=(moved,)),))
    )
    assert worse.answer.text == "regression, confirmed"
    assert worse.sentences[0].startswith(f"Drifting since run {moved.last_good}: peak memory")
    assert f"compare {moved.last_good} {run_id(29)}`" in to_do.sentences[0]


def test_every_metric_with_a_value_is_drawn_with_its_change_points_and_baselines(
    falling: Trend,
) -> None:
    ((name, differences, charts),) = drawn_levels(falling)
    assert (name, differences) == ("500", "")
    assert [chart.title for chart in charts] == [
        "Throughput, workflows/s: 500",
        "P99 latency, ms: 500",
        "Peak memory, MB: 500",
    ]
    assert f"since run 21 ({run_id(FIRST_BAD)}), confirmed" in charts[0].svg
    assert ">−10.0 %<" in charts[0].svg  # noqa: RUF001 - a minus sign
    assert ">main<" in charts[0].svg
    assert ["Vertical" in chart.note for chart in charts] == [True, True, False]


def test_the_page_leads_to_the_reports_that_are_there_and_counts_what_is_not_drawn(
    falling: Trend,
) -> None:
    page = render_html(falling, drawn_levels(falling), reported={run_id(3)})
    assert page.count("<svg ") == 3
    assert "3 metrics, drawn or not (1 further metric not drawn)" in page
    assert page.count('/report.html"') == 1
    assert f'href="../{run_id(3)}/report.html"' in page


def test_a_history_of_many_metrics_stays_small_and_what_changed_is_drawn_first(
    falling: Trend,
) -> None:
    changed, flat = falling.metrics[0], falling.metrics[2]
    many = [replace(flat, level=str(number)) for number in range(400)]
    whole = replace(falling, metrics=(*many, replace(changed, level="last")))
    page = render_html(whole, drawn_levels(whole))
    assert page.count("<svg ") == CHARTS_MAX
    assert "Throughput, workflows/s: last" in page
    assert len(page.encode()) < BYTES_MAX


def test_runs_of_an_earlier_setup_are_drawn_apart_and_what_differs_is_said(falling: Trend) -> None:
    """Their lines would else lead from one setup into the other; one run alone is no line."""
    throughput, p99, memory, _ = falling.metrics
    earlier = replace(
        memory, points=memory.points[:9], setup=1, differences=("another seed", "other nodes")
    )
    single = replace(earlier, points=memory.points[:1], setup=2)
    newest = replace(memory, points=memory.points[9:])
    whole = replace(falling, metrics=(throughput, p99, newest, earlier, single))
    levels = drawn_levels(whole)
    assert [(one.name, one.differences, len(one.charts)) for one in levels] == [
        ("500", "", 3),
        ("500", "another seed, other nodes", 1),
    ]
    assert levels[1].charts[0].title == "Peak memory, MB: 500, another seed, other nodes"
    worse, _ = answers(whole)
    assert worse.sentences[-1].endswith("of 3 setups, which do not compare with each other.")
    page = render_html(whole, levels)
    assert "Level 500: another seed, other nodes" in page
    assert "which do not compare with the newest ones" in page
    rows = [row for row in metrics_table(whole).rows if row[0].text == "peak memory"]
    assert [row[1].note for row in rows] == ["", *["another seed, other nodes"] * 2]


def test_every_text_is_inert(hostile_trend: Trend) -> None:
    page = render_html(hostile_trend, drawn_levels(hostile_trend))
    assert page.count("<script") == 1
    assert "<img" not in page
    assert "\x1b" not in page


def test_the_page_is_listed_beside_the_runs_whatever_the_names(
    falling: Trend, hostile_trend: Trend, tmp_path: Path
) -> None:
    page = write_trend_page(tmp_path, falling, ())
    odd = write_trend_page(tmp_path, hostile_trend, ())
    assert page.parent == odd.parent == tmp_path / "trends"
    rows = {row.link: row for row in trend_rows([tmp_path])[0]}
    shown = rows[f"trends/{page.name}"]
    assert (shown.name, shown.verdict) == ("baseline on kailash", "regression, confirmed")
    assert shown.tone == "bad"
    listed = page_of(site_of(tmp_path), "/trends/")
    assert f'href="/trends/{page.name}"' in listed
    assert "<script" not in listed
    assert 'href="http' not in listed


def test_another_machine_has_a_page_of_its_own(falling: Trend, tmp_path: Path) -> None:
    other = replace(falling, machine="another")
    assert trend_page(tmp_path, other) != trend_page(tmp_path, falling)


def test_a_damaged_headline_is_named_and_hides_no_other(falling: Trend, tmp_path: Path) -> None:
    page = write_trend_page(tmp_path, falling, ())
    (tmp_path / "trends/other.html").touch()
    (tmp_path / "trends/other.json").write_text("{", encoding="utf-8")
    rows, damaged = trend_rows([tmp_path])
    assert [row.link for row in rows] == [f"trends/{page.name}"]
    assert "other.json" in damaged[0]
