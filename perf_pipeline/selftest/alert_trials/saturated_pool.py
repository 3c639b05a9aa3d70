"""A run whose few connections to its own PostgreSQL all execute something."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from perf_pipeline.selftest.alert_trials.played_run import played_run, why_no_server
from perf_pipeline.selftest.alert_trials.stage import Cause, CauseGroup

if TYPE_CHECKING:
    from perf_pipeline.selftest.alert_trials.stage import Looks, Stage

_SCENARIO = f"""
title = "a target whose connections are all in use"
target = "callable"
interpreter = "{sys.executable}"
servers = ["postgres"]
processes = 1
concurrency = [3]
[[workload]]
function = "perf_pipeline.selftest.alert_trials.sleeping_queries:query"
[connections]
max_db_connections = 3
[phases]
ramp_up_s = 0
warm_up_s = 0.2
steady_s = 120
"""


def _play(stage: Stage) -> Looks:
    with played_run(_SCENARIO, stage.folder / "saturated", stage.scrape_dir) as run:
        yield from run.until(lambda: run.phase() != "")
        stage.begin("PoolSaturated")
        yield from stage.until_fired("PoolSaturated")


SATURATED_POOL = CauseGroup(
    (
        Cause(
            "PoolSaturated",
            "three queries that sleep, on three connections",
            {"scenario": "saturated", "service": "postgres"},
        ),
    ),
    _play,
    why_not_here=partial(why_no_server, "postgres"),
)
