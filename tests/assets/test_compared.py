"""What the page of a comparison, and of a history, says is in Dagster's metadata as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assets.shown.compared import comparison_metadata
from assets.shown.history import trend_metadata
from perf_pipeline.report.trend.files import TrendPage
from perf_pipeline.report.trend.page import drawn_levels
from tests.assets.test_headline import images, records
from tests.unit.report.comparison.conftest import hostile, planted  # noqa: F401 - fixtures
from tests.unit.report.conftest import baseline  # noqa: F401 - a fixture
from tests.unit.report.trend.conftest import falling, hostile_trend, run_id  # noqa: F401

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.trend import Trend


def test_a_comparison_is_shown_with_verdict_advice_tables_charts_and_effects(
    planted: Comparison,  # noqa: F811
    baseline: RunMetrics,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    page = tmp_path / "results/comparisons/20260114_093012-4f2c.html"
    shown: dict[str, Any] = comparison_metadata(planted, page, [baseline], [baseline])
    assert (shown["verdict"].value, shown["severity"].value) == ("regression", "critical")
    assert shown["what to do"].value.startswith("find the cause before it ships. CPU time per")
    assert shown["open"].value.endswith("/comparisons/20260114_093012-4f2c.html")
    assert len(images(shown["effects"].value)) == 3
    assert len(images(shown["distributions"].value)) >= 1
    rows = records(shown["every metric"])
    assert len(rows) == len(planted.changes)
    assert rows[0]["Verdict"] == "regression, critical (The interval lies beyond 1 %.)"
    assert records(shown["what differs"])[1]["Role"] == "overridden (--despite packages)"
    assert shown["change (%): throughput at 500"].value == -14.0
    assert shown["change (points): error ratio at 500"].value == 0.1


def test_a_history_is_shown_with_verdict_change_points_alerts_and_charts(
    falling: Trend,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    page = tmp_path / "results/trends/baseline-kailash.html"
    shown: dict[str, Any] = trend_metadata(TrendPage(falling, drawn_levels(falling), page))
    assert shown["verdict: baseline kailash"].value.startswith("regression, confirmed. Since run")
    assert shown["open: baseline kailash"].value.endswith("/trends/baseline-kailash.html")
    assert len(images(shown["history: baseline kailash"].value)) == 3
    assert [row["Tier"] for row in records(shown["change points: baseline kailash"])] == [
        "worse, fast",
        "worse, confirmed",
    ]
    assert records(shown["alerts: baseline kailash"])[0]["First bad run"] == run_id(20)


def test_hostile_names_stay_text(
    hostile: Comparison,  # noqa: F811
    hostile_trend: Trend,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    page = tmp_path / "results/trends/x.html"
    shown = (
        *comparison_metadata(hostile, page).items(),
        *trend_metadata(TrendPage(hostile_trend, drawn_levels(hostile_trend), page)).items(),
    )
    assert not any("\x1b" in f"{name} {value}" for name, value in shown)
