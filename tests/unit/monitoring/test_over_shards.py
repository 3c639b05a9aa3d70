"""Rules and boards give for a run in shards what they give for the same run on one host."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from perf_pipeline.monitoring.boards.every_board import panel_queries
from perf_pipeline.monitoring.metric_registry import BY_NAME, METRICS, Metric
from perf_pipeline.monitoring.over_shards import OVER_SHARDS
from tests.unit.monitoring.test_rules import RULES, rules, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHOLE, CUT = "whole", "cut"
SHARDS = (("0", "gen-a"), ("1", "gen-b"))
PARTS = (1, 3)
"""What each shard has of a value that adds up."""
BOUNDS = {"0.1": (5, 0), "1": (9, 1), "20": (10, 18), "+Inf": (10, 20)}
"""Of a histogram: what the buckets of each shard grow by. One is fast, and the other slow."""
VALUES = {
    "level": ("00-100",),
    "workload": ("a", "b"),
    "outcome": ("ok", "error", "timeout", "dropped", "abandoned"),
    "counted": ("attempts", "retries"),
    "role": ("target", "harness", "server"),
    "state": ("total", "active"),
    "resource": ("cpu", "memory"),
    "kind": ("some", "full"),
    "percentile": ("50", "99"),
    "status": ("running", "killed"),
    "phase": ("steady",),
    "verdict": ("missed", "leak"),
}
FIXED = {
    "loadtest_run_process_up": 0,
    "loadtest_run_status": 1,
    "loadtest_level_phase": 1,
    "loadtest_run_info": 1,
    "loadtest_fault_active": 1,
    "loadtest_fault_evidence_ratio": 0.1,
    "loadtest_wanted_workflows_in_flight": 1000,
    "loadtest_objective_verdict": 1,
    "loadtest_leak_verdict": 1,
}
NEVER = {
    "GoodputDrop": "a fault is active",
    "NotRecovered": "a fault is active",
    "RetryStorm": "a fault is active",
    "level:workflows_ok_undisturbed:rate1m": "a fault is active",
}
"""What is empty for both runs, and why."""


class Asked(NamedTuple):
    """One query: what it is of, as asked of the run on one host, and as asked of the other."""

    name: str
    of_whole: str
    of_cut: str
    metrics: frozenset[str]


def asked() -> Iterator[Asked]:
    """Yield every query of a board and every rule that is about runs."""
    for one in panel_queries():
        exprs = [one.asked_of(run_id, "1m") for run_id in (WHOLE, CUT)]
        if metrics := metrics_in(one.expr):
            yield Asked(f"{one.board}: {one.panel}: {one.expr}", *exprs, metrics)
    for kind in ("record", "alert"):
        for rule in rules(kind):
            of = [f'({rule["expr"]}) and on (run_id) {{run_id="{one}"}}' for one in (WHOLE, CUT)]
            if re.search(r"loadtest_|:.+:", rule["expr"]):
                yield Asked(rule[kind], *of, metrics_in(rule["expr"]))


def metrics_in(expr: str) -> frozenset[str]:
    """Return the metrics of runs that an expression uses; of histograms without a suffix."""
    found = re.findall(r"\bloadtest_\w+", expr)
    return frozenset(n if n in BY_NAME else re.sub(r"_(bucket|sum|count)$", "", n) for n in found)


def series(metric: Metric) -> Iterator[tuple[str, str]]:
    """Yield the series of a metric of both runs, each with its values."""
    values = [VALUES.get(label, ("x",)) for label in metric.labels]
    for number, chosen in enumerate(product(*values), 2):
        labels = dict(zip(metric.labels, chosen, strict=True))
        how = "same" if labels.get("role") == "server" else OVER_SHARDS[metric.name]
        if metric.kind == "histogram":
            for le, parts in BOUNDS.items():
                name, of_le = f"{metric.name}_bucket", {**labels, "le": le}
                yield from both(name, of_le, "counter", "sum", sum(parts), parts)
            continue
        value = FIXED.get(metric.name, number * sum(PARTS))
        parts = tuple(value * part / sum(PARTS) for part in PARTS)
        yield from both(metric.name, labels, metric.kind, how, value, parts)


def both(
    name: str, labels: dict[str, str], kind: str, how: str, value: float, parts: tuple[float, ...]
) -> Iterator[tuple[str, str]]:
    """Yield a series of the run on one host, and those of the shards of the other."""
    yield written(name, {**labels, "run_id": WHOLE}, kind, value)
    if how == "run":
        yield written(name, {**labels, "run_id": CUT}, kind, value)
        return
    for (shard, host), part in zip(SHARDS, parts, strict=True):
        own = {**labels, "run_id": CUT, "shard": shard, "host": host}
        yield written(name, own, kind, part if how == "sum" else value)


def written(name: str, labels: dict[str, str], kind: str, value: float) -> tuple[str, str]:
    """Return a series as promtool takes it: a counter grows by the value every 15 s."""
    inner = ",".join(f'{label}="{text}"' for label, text in (labels | {"scenario": "s"}).items())
    return f"{name}{{{inner}}}", f"0+{value}x24" if kind == "counter" else f"{value}x24"


def compared(one: Asked) -> Iterator[tuple[str, float]]:
    """Yield expressions with the values that they have where both runs give the same.

    Of a machine and of a shard there is one series each with the same value; all else is one figure
    of the run, in as many series as without shards.
    """
    by_shard = {OVER_SHARDS[name] for name in one.metrics} & {"host", "shard"}
    for fold in ("max", "min") if by_shard else ("sum", "count"):
        whole, cut = (f"({fold}({expr}) or vector(0))" for expr in (one.of_whole, one.of_cut))
        yield f"round({whole} - {cut}, 0.000001)", 0
    yield f"(count({one.of_whole}) or vector(0)) > bool 0", float(one.name not in NEVER)


def promtool_file(queries: list[Asked]) -> dict[str, Any]:
    """Return a file of promtool's."""
    found = [line for metric in METRICS for line in series(metric)]
    for shards, run_id in (((None,), WHOLE), (SHARDS, CUT)):
        for shard in shards:
            own = {"shard": shard[0], "host": shard[1]} if shard else {}
            found.append(written("up", {"job": "runs", "run_id": run_id, **own}, "gauge", 0))
    checks = [
        {"expr": expr, "eval_time": "5m", "exp_samples": [{"labels": "{}", "value": value}]}
        for one in queries
        for expr, value in compared(one)
    ]
    lines = [{"series": name, "values": values} for name, values in found]
    test = {"interval": "15s", "input_series": lines, "promql_expr_test": checks}
    return {"rule_files": [f"{RULES}/*.yml"], "evaluation_interval": "15s", "tests": [test]}


def test_every_metric_says_how_its_shards_make_the_run() -> None:
    assert set(OVER_SHARDS) == set(BY_NAME)


def test_every_query_gives_for_shards_what_it_gives_for_one_host(tmp_path: Path) -> None:
    """The shards have a quarter and three quarters of each count, and other response times."""
    queries = list(asked())
    assert len(queries) > 120
    (tmp_path / "tests.json").write_text(json.dumps(promtool_file(queries)))
    run("promtool", "test", "rules", tmp_path / "tests.json")


def test_queries_that_are_wrong_for_shards_are_seen(tmp_path: Path) -> None:
    """Not added up, averaged, percentiles averaged, plan and machine counted twice."""
    buckets = 'rate(loadtest_response_time_seconds_bucket{run_id="RUN"}[1m])'
    wrong = [
        'loadtest_workflows_in_flight{run_id="RUN"}',
        'avg by (level) (loadtest_workflows_in_flight{run_id="RUN"})',
        f"avg by (level) (histogram_quantile(0.99, sum by (level, shard, le) ({buckets})))",
        'sum by (level) (loadtest_wanted_workflows_in_flight{run_id="RUN"})',
        'sum by (mode) (rate(loadtest_host_cpu_seconds_total{run_id="RUN"}[1m]))',
    ]
    queries = [
        Asked(one, *(one.replace("RUN", run_id) for run_id in (WHOLE, CUT)), metrics_in(one))
        for one in wrong
    ]
    (tmp_path / "tests.json").write_text(json.dumps(promtool_file(queries)))
    with pytest.raises(AssertionError, match="FAILED") as failed:
        run("promtool", "test", "rules", tmp_path / "tests.json")
    said = str(failed.value).replace("\\", "")
    assert [one for one in wrong if one.replace("RUN", CUT) not in said] == []
