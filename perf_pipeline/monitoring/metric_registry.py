"""Every metric that a run's exporter serves: name, type, labels and what it says.

Rules and boards use these names alone, and a test compares them. Names and units follow
Prometheus' conventions (https://prometheus.io/docs/practices/naming/). Labels have closed lists of
values: level (its folder's name), workload, outcome, error class, role, service, fault, signal. The
run's id and scenario, and a shard's number and host, are labels of the scraped target, so that no
series carries them itself; ``over_shards.py`` says how the values of shards make that of their run.

A value that was not measured has no sample, never a zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: With its unit last; of a counter with ``_total``.
        kind: As Prometheus calls it.
        labels: Names of its labels.
        text: What it says, in a sentence.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    text: str


def _of(kind: Kind, name: str, labels: str, text: str) -> Metric:
    return Metric(f"loadtest_{name}", kind, tuple(labels.split()), text)


RUN = (
    _of(
        "gauge",
        "run_info",
        "target git_revision products",
        "1; what runs, and against which servers.",
    ),
    _of("gauge", "run_started_timestamp_seconds", "", "When the run began."),
    _of("gauge", "run_process_up", "", "1 while the run's process lives, 0 once it is gone."),
    _of(
        "gauge",
        "run_status",
        "status",
        "1 for the run's status: running, complete, interrupted, failed, killed.",
    ),
    _of(
        "gauge",
        "heartbeat_timestamp_seconds",
        "",
        "Latest report of progress; only while a level's load is on.",
    ),
    _of("gauge", "last_success_timestamp_seconds", "", "When the run was complete."),
)

LEVEL = (
    _of(
        "gauge", "level_info", "level label target loop", "1 for the level that is played: its arm."
    ),
    _of("gauge", "level_phase", "level phase", "1 for the phase of the level that is played."),
    _of("gauge", "wanted_workflows_in_flight", "level", "In flight as asked for, closed loop."),
    _of(
        "gauge",
        "wanted_workflows_per_second",
        "level",
        "Arrivals due in the last second, open loop.",
    ),
    _of(
        "counter",
        "workflows_scheduled_total",
        "level",
        "Arrivals that were due so far, open loop.",
    ),
    _of("counter", "workflows_started_total", "level", "Handed to the target."),
    _of("gauge", "workflows_in_flight", "level", "Handed to the target and not answered."),
    _of(
        "counter",
        "workflows_completed_total",
        "level workload outcome",
        "In the journal: ok, error, timeout, dropped or abandoned; cold starts included.",
    ),
    _of(
        "counter",
        "workflow_errors_total",
        "level error_class",
        "Workflows that ended with an error, by its class.",
    ),
    _of(
        "histogram",
        "response_time_seconds",
        "level workload",
        "From the intended start to the end, of all in the journal but abandoned ones. A dropped "
        "or timed-out workflow counts with the time that it had waited at least.",
    ),
    _of("histogram", "service_time_seconds", "level", "From the start to the end, of answered."),
    _of(
        "histogram",
        "start_lag_seconds",
        "level",
        "From the intended to the real start, open loop: the target's doing, unless the same "
        "arrivals lag on workflows that do nothing.",
    ),
    _of(
        "gauge",
        "journal_commit_gap_seconds",
        "level",
        "Longest time between two commits of a worker's journal.",
    ),
    _of(
        "counter",
        "results_dropped_total",
        "level",
        "Records that are lost: damaged blocks of a journal.",
    ),
)

ENDED_LEVEL = (
    _of(
        "gauge",
        "level_validity",
        "level validity",
        "1 for the validity of an ended level, as in the report.",
    ),
    _of(
        "gauge",
        "level_throughput_per_second",
        "level",
        "Ended ok a second in the steady phase, as in the report.",
    ),
    _of(
        "gauge",
        "level_service_time_seconds",
        "level percentile",
        "Percentile of the steady phase, as in the report.",
    ),
    _of(
        "gauge",
        "level_error_ratio",
        "level",
        "Not ok / ended in the steady phase, as in the report.",
    ),
    _of(
        "gauge",
        "level_cpu_seconds_per_workflow",
        "level",
        "CPU time of the target per workflow, as in the report.",
    ),
    _of(
        "gauge",
        "objective_verdict",
        "level objective verdict",
        "1 for the verdict on an objective: met, missed, unclear, no_data.",
    ),
)

RESOURCES = (
    _of("counter", "process_cpu_seconds_total", "role service", "CPU time of a role's processes."),
    _of("gauge", "process_rss_bytes", "role service", "Resident memory of a role's processes."),
    _of("gauge", "process_pss_bytes", "role service", "Proportional memory of a role's processes."),
    _of("gauge", "process_uss_bytes", "role service", "Unshared memory of a role's processes."),
    _of("gauge", "process_threads", "role service", "Threads of a role's processes."),
    _of("gauge", "process_open_files", "role service", "Descriptors of a role's processes."),
    _of("counter", "process_read_bytes_total", "role service", "Read from disks."),
    _of("counter", "process_written_bytes_total", "role service", "Written to disks."),
    _of("gauge", "server_sessions", "service state", "Sessions of the target on a server."),
    _of("gauge", "pool_connections_limit", "service", "Connections that the target may open."),
    _of("counter", "server_queries_total", "service", "Queries that a server executed."),
    _of("counter", "server_query_seconds_total", "service", "Time a server spent on them."),
    _of(
        "counter",
        "target_network_bytes_total",
        "service direction",
        "Sent to and received from a server by the target, by the kernel's TCP counts.",
    ),
)

HOST = (
    _of("counter", "host_cpu_seconds_total", "mode", "CPU time: busy, iowait, steal, idle."),
    _of("gauge", "host_cores", "", "Cores that this machine, container or quota allows."),
    _of("gauge", "host_memory_available_bytes", "", "Memory that programs can still get."),
    _of("gauge", "host_disk_free_bytes", "", "Free where results are written."),
    _of(
        "gauge",
        "host_limit_used_ratio",
        "what",
        "Share in use of a limit: threads, local ports, descriptors.",
    ),
    _of(
        "counter",
        "host_pressure_stall_seconds_total",
        "resource kind",
        "Time in which some or all tasks waited (PSI); only where the kernel counts it.",
    ),
)

FAULTS = (
    _of("gauge", "fault_active", "fault service", "1 from the injection until it is gone."),
    _of(
        "gauge",
        "fault_evidence_ratio",
        "fault service",
        "Share of the time since the injection in which signs say that it is in effect.",
    ),
    _of(
        "gauge",
        "fault_pending_rollbacks",
        "",
        "Failures whose time is over and that are not known to be gone.",
    ),
    _of("counter", "fault_transitions_total", "fault service step", "Steps of failures."),
    _of(
        "gauge",
        "fault_ended_timestamp_seconds",
        "fault service",
        "When it was gone, with everything as before.",
    ),
    _of(
        "gauge",
        "recovery_seconds",
        "fault service",
        "Time to recover of an ended level, as in the report.",
    ),
    _of(
        "gauge",
        "lost_service_seconds",
        "fault service",
        "Seconds without service that would have harmed as many, as in the report.",
    ),
    _of(
        "gauge",
        "retry_amplification_ratio",
        "fault service when",
        "Attempts per workflow before, during and after, as in the report.",
    ),
    _of(
        "gauge",
        "fault_verdict",
        "fault service verdict",
        "1 for the verdict: recovered, metastable, invalid, not_possible.",
    ),
    _of(
        "counter",
        "workflow_attempts_total",
        "level counted",
        "What workflows counted as attempts (one each) or retries (those after the first).",
    ),
)

ENDURANCE = (
    _of("gauge", "signal", "signal", "Latest value of a signal of the campaign, in its unit."),
    _of("gauge", "hours_played", "", "Hours of the campaign that have ended."),
    _of("gauge", "leak_growth_per_hour", "signal", "Growth of a signal, in its unit an hour."),
    _of("gauge", "leak_growth_per_hour_lower", "signal", "Lower end of its 95 % interval."),
    _of("gauge", "leak_growth_per_hour_upper", "signal", "Upper end of its 95 % interval."),
    _of("gauge", "leak_verdict", "signal verdict", "1 for leak, clean or inconclusive."),
    _of("gauge", "degradation_ratio", "metric", "Share of a metric lost over 24 hours."),
    _of("gauge", "degradation_ratio_lower", "metric", "Lower end of its 95 % interval."),
    _of("gauge", "degradation_ratio_upper", "metric", "Upper end of its 95 % interval."),
)

EXPORTER = (
    _of("counter", "exporter_cpu_seconds_total", "", "CPU time of the exporter itself."),
    _of("gauge", "exporter_read_timestamp_seconds", "", "When it last read the run's files."),
    _of(
        "gauge",
        "exporter_unreadable_files",
        "",
        "Files of the run that it could not read: what they hold is missing here.",
    ),
    _of(
        "gauge",
        "exporter_series_left_out",
        "",
        "Series of older levels that are left out, so that a run has 3,000 at most.",
    ),
)

METRICS = (*RUN, *LEVEL, *ENDED_LEVEL, *RESOURCES, *HOST, *FAULTS, *ENDURANCE, *EXPORTER)
"""All of them."""

BY_NAME = {metric.name: metric for metric in METRICS}

MAX_SERIES = 3000
"""Of one run."""
