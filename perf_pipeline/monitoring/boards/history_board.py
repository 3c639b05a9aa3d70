"""The board of the history of runs: their figures, as their reports have them, side by side."""

from __future__ import annotations

from perf_pipeline.monitoring.boards import limits
from perf_pipeline.monitoring.boards.panel import (
    FULL,
    Board,
    Panel,
    Query,
    is_bad_from,
    of_run,
    rises_above,
)

_MEASURED = "a measured level"

HISTORY_BOARD = Board(
    "regression_history",
    "History of runs",
    "Figures of ended levels over runs. A step between two points is a reason to look, not a "
    "verdict: `perf-pipeline compare` and `detect` decide, with intervals. Finished runs come here "
    "by `perf-pipeline export-metrics`.",
    (
        Panel(
            "Throughput",
            "Ended ok a second in the steady phase.",
            (Query(of_run("loadtest_level_throughput_per_second"), "{{scenario}} {{level}}"),),
            "ops",
            needs=_MEASURED,
        ),
        Panel(
            "Service time, 99th percentile",
            "Of the steady phase; only where at least 10 workflows were slower. The goal is 15 s.",
            (
                Query(
                    of_run("loadtest_level_service_time_seconds", 'percentile="99"'),
                    "{{scenario}} {{level}}",
                ),
            ),
            "s",
            steps=is_bad_from(limits.GOAL_P99_S),
            needs="a measured level with 1,000 workflows or more",
        ),
        Panel(
            "Service time, median",
            "Of the steady phase.",
            (
                Query(
                    of_run("loadtest_level_service_time_seconds", 'percentile="50"'),
                    "{{scenario}} {{level}}",
                ),
            ),
            "s",
            needs="a measured level with 20 workflows or more",
        ),
        Panel(
            "Share that did not end ok",
            "Of the steady phase: 5 % is the limit under normal load, 2 % the goal.",
            (Query(of_run("loadtest_level_error_ratio"), "{{scenario}} {{level}}"),),
            "percentunit",
            steps=rises_above(limits.GOAL_ERROR_RATIO, limits.MAX_ERROR_RATIO),
            needs=_MEASURED,
        ),
        Panel(
            "CPU time per workflow",
            "The figure to compare on a shared machine: neighbours change it least.",
            (Query(of_run("loadtest_level_cpu_seconds_per_workflow"), "{{scenario}} {{level}}"),),
            "s",
            needs=_MEASURED,
        ),
        Panel(
            "Since the last complete run",
            "By scenario. Long: scheduled runs fail or are off.",
            (
                Query(
                    "time() - max by (scenario) "
                    f"({of_run('loadtest_last_success_timestamp_seconds')})",
                    "{{scenario}}",
                ),
            ),
            "s",
            "stat",
            needs="a complete run",
        ),
        Panel(
            "Validity",
            "A level that is not valid is no measurement; its report says what to do.",
            (Query(of_run("loadtest_level_validity"), ""),),
            kind="table",
            width=FULL,
            needs=_MEASURED,
        ),
    ),
    takes_many_runs=True,
)
