"""Boards use metrics that exist, show every metric, and are what infra/grafana has."""

from __future__ import annotations

import json
import re
from pathlib import Path

from perf_pipeline.monitoring.boards.every_board import BOARDS, panel_queries
from perf_pipeline.monitoring.boards.grafana_json import dashboard
from perf_pipeline.monitoring.boards.limits import GOAL_P99_S, MAX_ERROR_RATIO, throughput_targets
from perf_pipeline.monitoring.boards.panel import OK, Board, Panel, Query, quantile, rate
from perf_pipeline.monitoring.boards.write_boards import main, texts
from perf_pipeline.monitoring.metric_registry import BY_NAME

ROOT = Path(__file__).resolve().parents[4]
NAMES = frozenset(BY_NAME)
NOT_SHOWN: dict[str, str] = {}
"""Metric to the reason why no board shows it."""

OTHERS = re.compile(r"\b(up|(pg|mysql|redis|mongodb|container|node)_[a-z0-9_A-Z]+)\b")
"""Metrics of Prometheus and of the stack's exporters."""
IN_BRACES = re.compile(r"\{[^}]*\}|\[[^]]*\]|(by|ignoring|on|group_left) ?\([^)]*\)")
WORDS = re.compile(r"[a-z_][a-z0-9_A-Z]*")
PROMQL = {"sum", "rate", "increase", "avg", "max", "min", "time", "histogram_quantile", "or"}
PROMQL |= {"min_over_time"}
OF_THE_TARGET = {"run_id", "scenario", "shard", "host"}
"""Labels that Prometheus adds to what it scrapes."""


def metrics_in(expr: str) -> set[str]:
    """Return our metrics that a query uses; of a histogram without the suffix of its series."""
    found = set(re.findall(r"\bloadtest_[a-z0-9_]+", expr))
    return {one if one in NAMES else re.sub(r"_(bucket|sum|count)$", "", one) for one in found}


def test_every_metric_of_a_panel_exists_and_every_metric_is_on_a_panel() -> None:
    used = set().union(*(metrics_in(one.expr) for one in panel_queries()))
    assert used - NAMES == set()
    assert NAMES - used == set(NOT_SHOWN)


def test_a_query_uses_nothing_but_metrics_of_ours_and_of_the_exporters() -> None:
    """Words that are left once labels, ranges and grouping are taken away."""
    for one in panel_queries():
        words = set(WORDS.findall(IN_BRACES.sub("", one.expr))) - PROMQL
        strange = {word for word in words if not OTHERS.fullmatch(word)}
        assert {word for word in strange if not word.startswith("loadtest_")} == set(), one


def test_labels_in_queries_and_legends_are_those_of_the_metric() -> None:
    """A legend with a label that no series has is empty; those of the target are known."""
    for board in BOARDS:
        for query in (query for panel in board.panels for query in panel.queries):
            known = OF_THE_TARGET | {"le"}
            for name in metrics_in(query.expr):
                known |= set(BY_NAME[name].labels)
            if known == OF_THE_TARGET | {"le"}:
                continue  # of another exporter
            asked = set(re.findall(r"([a-z_]+)=~?\"|([a-z_]+)!=\"", query.expr))
            labels = {left or right for left, right in asked}
            labels |= set(re.findall(r"\{\{([a-z_]+)\}\}", query.legend))
            assert labels - known == set(), (board.name, query)


def test_counters_are_shown_as_rates_and_gauges_are_not() -> None:
    """A counter of few steps, and one that must stay 0, are shown as they are."""
    plain = {"loadtest_fault_transitions_total", "loadtest_results_dropped_total"}
    for one in panel_queries():
        for name in metrics_in(one.expr) - plain:
            is_rate = re.search(rf"(rate|increase)\({name}", one.expr) is not None
            assert is_rate == (BY_NAME[name].kind != "gauge"), one


def test_every_panel_says_what_it_means_and_panels_do_not_overlap() -> None:
    uids = set()
    for board in BOARDS:
        drawn = dashboard(board)
        uids.add(drawn["uid"])
        taken: set[tuple[int, int]] = set()
        for panel in drawn["panels"]:
            assert len(panel["description"]) > 20
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert max(x for x, _ in cells) < 24
            assert not cells & taken, (board.name, panel["title"])
            taken |= cells
    assert len(uids) == len(BOARDS)


def test_colours_are_those_of_the_shipped_targets() -> None:
    """15 s, 5 %, and 5/s for 100 in flight are in the table that users know."""
    assert (GOAL_P99_S, MAX_ERROR_RATIO) == (15.0, 0.05)
    minimum = next(one for one in throughput_targets() if one.legend.startswith("minimum"))
    assert '{run_id=~"$run_id"}) == 100) * 0 + 5 or ' in minimum.expr


def test_a_query_is_written_as_its_panel_needs_it() -> None:
    made = rate("loadtest_workflows_completed_total", "level", OK)
    chosen = 'loadtest_workflows_completed_total{run_id=~"$run_id",outcome="ok"}'
    assert made == f"sum by (level) (rate({chosen}[$__rate_interval]))"
    time = quantile(0.99, "loadtest_service_time_seconds")
    assert time.startswith("histogram_quantile(0.99, sum by (level, le) (rate(loadtest_service_tim")
    panel = Panel("Latest", "What it is at the moment.", (Query(made, "{{level}}"),), kind="stat")
    (drawn,) = dashboard(Board("one", "One", "Of a test.", (panel,)))["panels"]
    (target,) = drawn["targets"]
    assert (target["instant"], target["range"], target["expr"]) == (True, False, made)


def test_the_files_for_grafana_are_what_the_code_writes(tmp_path: Path) -> None:
    """After a change: make boards."""
    folder = ROOT / "infra/grafana/dashboards"
    assert {path.name: path.read_text() for path in folder.iterdir()} == texts()
    assert main([str(tmp_path)]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == texts()
    assert main([]) == 2
    for text in texts().values():
        assert json.loads(text)["templating"]["list"][0]["type"] == "datasource"
