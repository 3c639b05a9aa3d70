"""The board of a campaign of hours: leaks, degradation, and the signals that they are judged by."""

from __future__ import annotations

from perf_pipeline.monitoring.boards import limits
from perf_pipeline.monitoring.boards.panel import (
    OF_THE_TARGET,
    OK,
    QUARTER,
    Board,
    Panel,
    Query,
    gauge,
    is_bad_from,
    of_run,
    rate,
)

_CAMPAIGN = "a campaign of hours"
_JUDGED = "a campaign with enough hours for a verdict"

ENDURANCE_BOARD = Board(
    "endurance",
    "Endurance",
    "Hours of constant load: does anything grow, does anything get slower? A verdict needs hours; "
    "inconclusive says that it has too few, never that all is well.",
    (
        Panel(
            "Hours played",
            "Ended hours of the campaign. Leaks are judged from the fourth on.",
            (Query(of_run("loadtest_hours_played"), "hours"),),
            kind="stat",
            width=QUARTER,
            needs=_CAMPAIGN,
        ),
        Panel(
            "Since the last heartbeat",
            "Above 30 s between hours is normal; longer, the campaign stands still.",
            (Query(f"time() - {of_run('loadtest_heartbeat_timestamp_seconds')}", "silent for"),),
            "s",
            "stat",
            width=QUARTER,
            needs="a level that is played at the moment",
        ),
        Panel(
            "Verdicts on leaks",
            "leak: the lower end of the growth's interval is above the limit. Read the report for "
            "what was planted, how much it grows and the smallest leak that would be seen.",
            (Query(of_run("loadtest_leak_verdict"), ""),),
            kind="table",
            needs=_JUDGED,
        ),
        Panel(
            "Signals",
            "Latest values, each in its own unit: choose one in the legend.",
            (Query(of_run("loadtest_signal"), "{{signal}}"),),
            needs=_CAMPAIGN,
        ),
        Panel(
            "Growth an hour, with its 95 % interval",
            "A lower end that stays above 0 is growth; `perf-pipeline leaks` says what grows.",
            (
                Query(of_run("loadtest_leak_growth_per_hour_lower"), "{{signal}} lower"),
                Query(of_run("loadtest_leak_growth_per_hour"), "{{signal}}"),
                Query(of_run("loadtest_leak_growth_per_hour_upper"), "{{signal}} upper"),
            ),
            needs=_JUDGED,
        ),
        Panel(
            "Loss over 24 hours, with its 95 % interval",
            "10 % is the limit. A lower end above it is a degradation.",
            (
                Query(of_run("loadtest_degradation_ratio_lower"), "{{metric}} lower"),
                Query(of_run("loadtest_degradation_ratio"), "{{metric}}"),
                Query(of_run("loadtest_degradation_ratio_upper"), "{{metric}} upper"),
            ),
            "percentunit",
            steps=is_bad_from(limits.MAX_DEGRADATION),
            needs=_JUDGED,
        ),
        Panel(
            "Throughput",
            "Workflows a second that ended ok, averaged over an hour, by hour.",
            (
                Query(
                    "sum by (level) (rate("
                    f"{of_run('loadtest_workflows_completed_total', OK)}[1h]))",
                    "{{level}}",
                ),
            ),
            "ops",
        ),
        Panel(
            "Memory of the target",
            "The floor counts, not the peaks. It belongs to the same process through all hours.",
            (
                Query(
                    "sum by (run_id) (min_over_time("
                    f"{of_run('loadtest_process_pss_bytes', OF_THE_TARGET)}[5m]))",
                    "PSS, floor of 5 minutes",
                ),
                Query(
                    "sum by (run_id) (min_over_time("
                    f"{of_run('loadtest_process_uss_bytes', OF_THE_TARGET)}[5m]))",
                    "unshared, floor of 5 minutes",
                ),
            ),
            "bytes",
        ),
        Panel(
            "Threads, descriptors and sessions of the target",
            "Constant at a constant load.",
            (
                Query(gauge("loadtest_process_threads", "run_id", OF_THE_TARGET), "threads"),
                Query(gauge("loadtest_process_open_files", "run_id", OF_THE_TARGET), "descriptors"),
                Query(
                    gauge("loadtest_server_sessions", "service", 'state="total"'),
                    "{{service}} sessions",
                ),
            ),
        ),
        Panel(
            "CPU per workflow",
            "Seconds; steadier than throughput where other programs use the machine.",
            (
                Query(
                    f"{rate('loadtest_process_cpu_seconds_total', 'run_id', OF_THE_TARGET)} / "
                    f"{rate('loadtest_workflows_completed_total', 'run_id', OK)}",
                    "s per workflow",
                ),
            ),
            "s",
        ),
    ),
)
