"""The board of a run that goes on: load, response times, errors, resources, the harness itself."""

from __future__ import annotations

from perf_pipeline.monitoring.boards import limits
from perf_pipeline.monitoring.boards.panel import (
    BAD,
    ENDED,
    FULL,
    OK,
    QUARTER,
    THIRD,
    Board,
    Panel,
    Query,
    falls_below,
    gauge,
    is_bad_from,
    of_roles,
    of_run,
    quantile,
    rate,
    rate_of_roles,
    rises_above,
)

_RESPONSE = "loadtest_response_time_seconds"
_COMPLETED = "loadtest_workflows_completed_total"
_ENDED = rate(_COMPLETED, "level", ENDED)
_OPEN = "a level in open loop"
_HOST = "{{host}}"
_SHARD = f"{_HOST} {{{{shard}}}}"

_STATE = (
    Panel(
        "Status",
        "What the run is doing by now. killed: its process is gone and its folder has what it "
        "measured until then; read its report. Two where shards of a run differ.",
        (Query(gauge("loadtest_run_status", "status"), "{{status}}"),),
        kind="stat",
        width=QUARTER,
    ),
    Panel(
        "Process of the run",
        "1 while it lives. 0 with a status of running: it was killed; its guardian ends the load.",
        (Query(of_run("loadtest_run_process_up"), f"{_SHARD} lives"),),
        kind="stat",
        steps=falls_below(1, 1),
        width=QUARTER,
    ),
    Panel(
        "Since the last heartbeat",
        "Above 30 s the load or the machine hangs: look at pressure below, then at the run's log.",
        (
            Query(
                f"time() - {of_run('loadtest_heartbeat_timestamp_seconds')}", f"{_SHARD} silent for"
            ),
        ),
        "s",
        "stat",
        is_bad_from(limits.SILENT_S),
        QUARTER,
        needs="a level that is played at the moment",
    ),
    Panel(
        "Running for",
        "Time since the run began.",
        (
            Query(
                f"time() - min by (run_id) ({of_run('loadtest_run_started_timestamp_seconds')})",
                "runs for",
            ),
        ),
        "s",
        "stat",
        width=QUARTER,
    ),
    Panel(
        "What is measured, against which servers",
        "Target, revision of the harness and products that answered. Runs with other products "
        "cannot be compared.",
        (Query(gauge("loadtest_run_info", "target, git_revision, products"), ""),),
        kind="table",
    ),
    Panel(
        "Level and phase",
        "Only the steady phase is measured; ramp and warm-up are not in the report's figures.",
        (
            Query(gauge("loadtest_level_phase", "level, phase"), "{{level}} {{phase}}"),
            Query(
                gauge("loadtest_level_info", "level, label, target, loop"),
                "{{level}} {{label}} {{target}} {{loop}}",
            ),
        ),
        kind="state-timeline",
        needs="a level that is played at the moment",
    ),
)

_LOAD = (
    Panel(
        "Throughput: ended, ended ok, and the targets",
        "Workflows a second. Below the target lines the target (or its servers) is too slow for "
        "this many in flight: see what is saturated below. The lines apply to 100, 500, 1000 and "
        "2000 in flight alone.",
        (
            Query(_ENDED, "{{level}} ended"),
            Query(rate(_COMPLETED, "level", OK), "{{level}} ok"),
            *limits.throughput_targets(),
        ),
        "ops",
    ),
    Panel(
        "In flight: wanted and there",
        "In a closed loop the two are equal; fewer in flight means that workers start them late.",
        (
            Query(gauge("loadtest_wanted_workflows_in_flight", "level"), "{{level}} wanted"),
            Query(gauge("loadtest_workflows_in_flight", "level"), "{{level}} in flight"),
            Query(rate("loadtest_workflows_started_total", "level"), "{{level}} started a second"),
        ),
    ),
    Panel(
        "Arrivals: due and scheduled",
        "Open loop: the rate that is offered. Ended below it for long means a queue that grows.",
        (
            Query(gauge("loadtest_wanted_workflows_per_second", "level"), "{{level}} due"),
            Query(rate("loadtest_workflows_scheduled_total", "level"), "{{level}} scheduled"),
        ),
        "ops",
        needs=_OPEN,
    ),
    Panel(
        "Start lag, 99th percentile",
        "Open loop: from the intended to the real start. Above 10 ms it is part of what is "
        "measured; the report says whether the target or the generator was the cause.",
        (Query(quantile(0.99, "loadtest_start_lag_seconds"), "{{level}}"),),
        "s",
        steps=is_bad_from(limits.MAX_START_LAG_S),
        needs=_OPEN,
    ),
)

_TIMES = (
    Panel(
        "Response time",
        "From the intended start to the end; a dropped or timed-out workflow counts with the time "
        "that it had waited. The goal for the 99th percentile is 15 s.",
        (
            Query(quantile(0.5, _RESPONSE), "{{level}} p50"),
            Query(quantile(0.95, _RESPONSE), "{{level}} p95"),
            Query(quantile(0.99, _RESPONSE), "{{level}} p99"),
        ),
        "s",
        steps=is_bad_from(limits.GOAL_P99_S),
    ),
    Panel(
        "Response times of all workloads",
        "How many fell into which range. Two bands are two kinds of workflows or a slow server; "
        "look at the workloads beside it.",
        (
            Query(
                f"sum by (le) (increase({of_run(_RESPONSE + '_bucket')}[$__rate_interval]))",
                "{{le}}",
            ),
        ),
        "s",
        "heatmap",
    ),
    Panel(
        "Response time by workload, 95th percentile",
        "Which kind of workflow is slow.",
        (Query(quantile(0.95, _RESPONSE, "workload"), "{{workload}}"),),
        "s",
    ),
    Panel(
        "Service time, 99th percentile",
        "From the real start to the end, of answered workflows: without the wait before the start.",
        (Query(quantile(0.99, "loadtest_service_time_seconds"), "{{level}}"),),
        "s",
    ),
)

_ERRORS = (
    Panel(
        "Share that did not end ok",
        "5 % is the limit under normal load (15 % under stress), 2 % the goal.",
        (Query(f"{rate(_COMPLETED, 'level', BAD)} / {_ENDED}", "{{level}}"),),
        "percentunit",
        steps=rises_above(limits.GOAL_ERROR_RATIO, limits.MAX_ERROR_RATIO),
        width=THIRD,
        needs="a workflow that did not end ok",
    ),
    Panel(
        "Outcomes",
        "ok, error, timeout, dropped (no free slot in time), abandoned (our own stop).",
        (Query(rate(_COMPLETED, "outcome"), "{{outcome}}"),),
        "ops",
        width=THIRD,
    ),
    Panel(
        "Errors by class",
        "connection and pool classes: the servers or their limits; code: the workflow itself.",
        (Query(rate("loadtest_workflow_errors_total", "error_class"), "{{error_class}}"),),
        "ops",
        width=THIRD,
        needs="a workflow that ended with an error",
    ),
)

_PROCESSES = (
    Panel(
        "CPU of target, servers and harness",
        "Cores in use. The harness near the target's share makes the machine the limit.",
        (Query(rate_of_roles("loadtest_process_cpu_seconds_total"), "{{role}} {{service}}"),),
        "none",
    ),
    Panel(
        "Memory",
        "Proportional memory (PSS) of the target: 1 GB is the limit, 500 MB the goal.",
        (
            Query(of_roles("loadtest_process_pss_bytes"), "{{role}} {{service}} PSS"),
            Query(of_roles("loadtest_process_uss_bytes"), "{{role}} {{service}} unshared"),
            Query(of_roles("loadtest_process_rss_bytes"), "{{role}} {{service}} resident"),
        ),
        "bytes",
        steps=rises_above(limits.GOAL_MEMORY_BYTES, limits.MAX_MEMORY_BYTES),
    ),
    Panel(
        "Threads and descriptors",
        "Both grow with what is in flight; growth at a constant load is a leak (endurance board).",
        (
            Query(of_roles("loadtest_process_threads"), "{{role}} {{service}} threads"),
            Query(of_roles("loadtest_process_open_files"), "{{role}} {{service}} descriptors"),
        ),
        width=THIRD,
    ),
    Panel(
        "Disk traffic by process",
        "Bytes read and written a second.",
        (
            Query(
                rate_of_roles("loadtest_process_read_bytes_total"),
                "{{role}} {{service}} read",
            ),
            Query(
                rate_of_roles("loadtest_process_written_bytes_total"),
                "{{role}} {{service}} written",
            ),
        ),
        "Bps",
        width=THIRD,
    ),
    Panel(
        "CPU of the machine",
        "Cores by mode against those that may be used. Steal is time that the hypervisor took.",
        (
            Query(
                rate("loadtest_host_cpu_seconds_total", "host, mode"),
                f"{_HOST} {{{{mode}}}}",
            ),
            Query(gauge("loadtest_host_cores", "host"), f"{_HOST} usable cores"),
        ),
        "none",
        width=THIRD,
    ),
    Panel(
        "Time that tasks waited (PSI)",
        "Share of the time in which tasks waited for CPU, memory or disk. Memory full above 10 %: "
        "the machine swaps or reclaims, and nothing that it measures holds.",
        (
            Query(
                rate("loadtest_host_pressure_stall_seconds_total", "host, resource, kind"),
                f"{_HOST} {{{{resource}}}} {{{{kind}}}}",
            ),
        ),
        "percentunit",
        steps=is_bad_from(limits.MAX_STALLED_RATIO),
        width=THIRD,
        needs="a kernel that counts pressure (PSI)",
    ),
    Panel(
        "Room that is left",
        "Memory that programs can still get, and free disk where the results are written.",
        (
            Query(gauge("loadtest_host_memory_available_bytes", "host"), f"{_HOST} memory"),
            Query(gauge("loadtest_host_disk_free_bytes", "host"), f"{_HOST} disk"),
        ),
        "bytes",
        steps=falls_below(limits.MIN_DISK_BYTES, limits.MIN_DISK_BYTES),
        width=THIRD,
    ),
    Panel(
        "Limits of the machine in use",
        "Threads, local ports, descriptors. Near 100 % raise the limit or lower the level.",
        (Query(gauge("loadtest_host_limit_used_ratio", "host, what"), f"{_HOST} {{{{what}}}}"),),
        "percentunit",
        steps=rises_above(0.8, 0.95),
        width=THIRD,
    ),
)

_HARNESS = (
    Panel(
        "Longest time between two commits of the journal",
        "Above 1 s a killed worker would lose more than a second of records: the disk is slow.",
        (Query(gauge("loadtest_journal_commit_gap_seconds", "level"), "{{level}}"),),
        "s",
        steps=is_bad_from(limits.MAX_COMMIT_GAP_S),
        width=THIRD,
    ),
    Panel(
        "Lost records",
        "Damaged blocks of a journal. Not 0: the disk or the file system has a fault.",
        (Query(gauge("loadtest_results_dropped_total", "level"), "{{level}}"),),
        steps=is_bad_from(1),
        width=THIRD,
    ),
    Panel(
        "The exporter itself",
        "Its CPU, how old what it serves is, files that it cannot read, series that it left out.",
        (
            Query(rate("loadtest_exporter_cpu_seconds_total", "run_id"), "cores"),
            Query(
                f"time() - {of_run('loadtest_exporter_read_timestamp_seconds')}",
                f"{_SHARD} age in s",
            ),
            Query(gauge("loadtest_exporter_unreadable_files", "run_id"), "unreadable files"),
            Query(gauge("loadtest_exporter_series_left_out", "run_id"), "series left out"),
        ),
        width=THIRD,
    ),
    Panel(
        "Objectives of ended levels",
        "met, missed, unclear (the interval contains the limit) or no_data, as in the report.",
        (Query(of_run("loadtest_objective_verdict"), ""),),
        kind="table",
        width=FULL,
        needs="a measured level with objectives",
    ),
)

RUN_BOARD = Board(
    "run",
    "Load run",
    "One run while it goes on: is the load what was asked for, is the target fast enough, and what "
    "is the limit? The report decides; this shows the same counts live.",
    (*_STATE, *_LOAD, *_TIMES, *_ERRORS, *_PROCESSES, *_HARNESS),
)
