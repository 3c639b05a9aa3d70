"""A panel and a board as data, and the queries that most panels are made of.

Plain data and one function to JSON (``grafana_json.py``): Grafana's own SDK for Python (80 MB of
generated builders, versions by Grafana's) would check types that ``@grafana/schema`` checks as
well, and no package is then needed where the boards are only shown.

A query aggregates as ``over_shards.py`` says: the panels of a run in shards show the whole run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from perf_pipeline.monitoring.over_shards import OVER_SHARDS, OverShards

Kind = Literal["timeseries", "stat", "table", "heatmap", "state-timeline"]
Step = tuple[float | None, str]
"""From this value on, this colour; None for the lowest."""

FULL, HALF, THIRD, QUARTER = 24, 12, 8, 6
"""Widths, of 24 columns."""

OK = 'outcome="ok"'
BAD = 'outcome=~"error|timeout|dropped"'
ENDED = 'outcome!="abandoned"'
"""Abandoned workflows were cut short by our own stop: neither good nor bad."""
OF_THE_TARGET = 'role="target"'
_FOLDS: dict[OverShards, str] = {"sum": "sum", "same": "max", "host": "max", "shard": "max"}
_ROLE, _BY_ROLE = "role, service", ('role!="server"', 'role="server"')


@dataclass(frozen=True)
class Query:
    """One query of a panel.

    Attributes:
        expr: PromQL; ``$run_id`` is the chosen run.
        legend: What a series is called, with its labels in double braces.
    """

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        title: What it shows.
        text: What it means and what to do, for whoever points at it.
        queries: What is drawn.
        unit: As Grafana calls it.
        kind: How it is drawn.
        steps: Colours by value, lowest first; of our targets and limits.
        width: Columns.
        needs: What a run must have so that the panel has data; empty if every run has it.
    """

    title: str
    text: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: Kind = "timeseries"
    steps: tuple[Step, ...] = ()
    width: int = HALF
    needs: str = ""


@dataclass(frozen=True)
class Board:
    """One board.

    Attributes:
        name: Of its file; its uid is made from it and never changes.
        title: In Grafana's list.
        text: What it is for.
        panels: From left to right, then down.
        takes_many_runs: Several runs can be chosen, and all are at first.
        is_of_runs: Its panels are about runs: they can be chosen, and their faults are marked.
    """

    name: str
    title: str
    text: str
    panels: tuple[Panel, ...]
    takes_many_runs: bool = False
    is_of_runs: bool = True


def of_run(metric: str, matchers: str = "") -> str:
    """Return the selector of a metric of the chosen run."""
    return f'{metric}{{run_id=~"$run_id"{"," if matchers else ""}{matchers}}}'


def gauge(metric: str, by: str, matchers: str = "") -> str:
    """Return a gauge of the run, by labels: of the values of its shards what they make together."""
    return f"{_FOLDS[OVER_SHARDS[metric]]} by ({by}) ({of_run(metric, matchers)})"


def rate(metric: str, by: str, matchers: str = "") -> str:
    """Return the rate of a counter, or of the buckets of a histogram, likewise."""
    fold = _FOLDS[OVER_SHARDS[metric.removesuffix("_bucket")]]
    return f"{fold} by ({by}) ({_rate(metric, matchers)})"


def of_roles(metric: str) -> str:
    """Return a gauge of processes by role: several shards see the processes of one server."""
    ours, servers = (of_run(metric, matchers) for matchers in _BY_ROLE)
    return f"sum by ({_ROLE}) ({ours}) or max by ({_ROLE}) ({servers})"


def rate_of_roles(metric: str) -> str:
    """Return the rate of a counter of processes by role, likewise."""
    ours, servers = (_rate(metric, matchers) for matchers in _BY_ROLE)
    return f"sum by ({_ROLE}) ({ours}) or max by ({_ROLE}) ({servers})"


def _rate(metric: str, matchers: str = "") -> str:
    return f"rate({of_run(metric, matchers)}[$__rate_interval])"


def quantile(share: float, histogram: str, by: str = "level") -> str:
    """Return a percentile of a histogram's latest observations, by labels."""
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', f'{by}, le')})"


def falls_below(amber: float, red: float) -> tuple[Step, ...]:
    """Return colours of a value that should be large."""
    return ((None, "red"), (red, "orange"), (amber, "green"))


def rises_above(amber: float, red: float) -> tuple[Step, ...]:
    """Return colours of a value that should be small."""
    return ((None, "green"), (amber, "orange"), (red, "red"))


def is_bad_from(red: float) -> tuple[Step, ...]:
    """Return colours of a value that is good below a limit alone."""
    return ((None, "green"), (red, "red"))
