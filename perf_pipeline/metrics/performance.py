"""``PerformanceMetrics``: one level under the names and units that users know.

Latency in seconds, ``error_rate`` in percent, memory in MB. A field that was not measured is
None, and ``not_measured`` says why.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.server_use import ConnectionUse
    from perf_pipeline.metrics.types.service_times import Percentile


PERCENTILES = {
    "p50_latency": 0.5,
    "p90_latency": 0.9,
    "p95_latency": 0.95,
    "p99_latency": 0.99,
    "p99_9_latency": 0.999,
}


@dataclass(frozen=True)
class PerformanceMetrics:
    """Metrics of the steady phase of one level.

    Counts are of workflows that ended in the steady phase; ``samples`` is their number.
    ``database_errors`` are errors of class connection, timeout or resource exhaustion, which is
    how a server's trouble reaches a workflow. Pool utilisation is percent of the limit.
    ``network_io_sent_mb`` is what the target sent to its servers and ``network_io_recv_mb`` what
    it got back between the first and the last sample of the phase, by the kernel's count of every
    TCP connection; ``network_io_at_least`` says why the two are lower bounds, and is empty if they
    are not.
    Latencies are service times of a closed level and response times of an open one:
    ``latency_is`` says which. ``intervals`` holds the lower and upper end of the 95 % interval of
    every field that has one, the upper end None where it lies among workflows that had not ended;
    ``samples_needed`` how many workflows it would take for a percentile that has too few beyond
    it. ``workflows`` has family and complexity of each kind. An open level has what arrived and
    what was achieved in ``open_loop``, with its service times; it is empty for a closed one.
    """

    total_workflows: int
    successful_workflows: int
    failed_workflows: int
    execution_time: float | None
    throughput: float | None
    avg_latency: float | None
    min_latency: float | None
    max_latency: float | None
    p50_latency: float | None
    p90_latency: float | None
    p99_latency: float | None
    peak_memory_mb: float | None
    avg_cpu_percent: float | None
    peak_cpu_percent: float | None
    disk_io_read_mb: float | None
    disk_io_write_mb: float | None
    network_io_sent_mb: float | None
    network_io_recv_mb: float | None
    active_connections: float | None
    peak_connections: int | None
    connection_pool_utilization: float | None
    database_errors: int
    error_rate: float | None
    timeout_errors: int
    connection_errors: int
    resource_exhaustion_errors: int
    test_start_time: str
    test_end_time: str
    run_id: str
    scenario: str
    target: str
    nodes: str
    workflows: tuple[str, ...]
    concurrency: int
    validity: str
    reasons: tuple[str, ...]
    samples: int
    in_flight_median: float | None
    in_flight_at_end: int
    latency_at_least: tuple[str, ...] = ()
    latency_is: str = "service time (closed loop)"
    not_measured: dict[str, str] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    samples_needed: dict[str, int] = field(default_factory=dict)
    open_loop: dict[str, Any] = field(default_factory=dict)
    p95_latency: float | None = None
    p99_9_latency: float | None = None
    network_io_at_least: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return all fields, ready for JSON."""
        return asdict(self)


def performance_metrics(level: LevelMetrics, run_id: str, scenario: str) -> PerformanceMetrics:
    """Return the metrics of a level under the names of the old framework."""
    times, resources = level.service_times, level.resources
    shown = level.response_times or times
    known = {name: shown.percentile(p) for name, p in PERCENTILES.items()}
    latency = {name: found for name, found in known.items() if found is not None}
    steady = level.phases.get("steady")
    classes = level.steady_error_classes
    postgres = next((use for use in level.connections if use.server == "postgres"), None)
    errors = {
        name: classes.get(name, 0) for name in ("timeout", "connection", "resource_exhaustion")
    }
    fields: dict[str, float | None] = {
        "execution_time": steady[1] - steady[0] if steady else None,
        "throughput": level.throughput_per_s,
        "avg_latency": shown.avg_s,
        "min_latency": shown.min_s,
        "max_latency": shown.max_s,
        **{name: None if p is None else p.value_s for name, p in known.items()},
        "peak_memory_mb": resources.workers_pss_peak_mb,
        "avg_cpu_percent": resources.workers_cpu_mean_percent,
        "peak_cpu_percent": resources.workers_cpu_peak_percent,
        "disk_io_read_mb": resources.disk_read_mb,
        "disk_io_write_mb": resources.disk_write_mb,
        "network_io_sent_mb": resources.network_sent_mb,
        "network_io_recv_mb": resources.network_recv_mb,
        "active_connections": postgres.mean if postgres else None,
        "connection_pool_utilization": postgres.utilisation_percent if postgres else None,
        "error_rate": None if level.error_ratio is None else 100 * level.error_ratio,
    }
    peak_connections = postgres.peak if postgres else None
    unmeasured = [name for name, value in fields.items() if value is None]
    unmeasured += ["peak_connections"] if peak_connections is None else []
    unmeasured += ["in_flight_median"] if level.in_flight.median is None else []
    return PerformanceMetrics(
        total_workflows=times.samples,
        successful_workflows=level.steady_outcomes["ok"],
        failed_workflows=times.samples - level.steady_outcomes["ok"],
        **fields,
        peak_connections=peak_connections,
        database_errors=sum(errors.values()),
        timeout_errors=errors["timeout"] + level.steady_outcomes["timeout"],
        connection_errors=errors["connection"],
        resource_exhaustion_errors=errors["resource_exhaustion"],
        test_start_time=level.started_at,
        test_end_time=level.ended_at,
        run_id=run_id,
        scenario=scenario,
        target=level.target,
        nodes=level.nodes,
        workflows=tuple(sorted(one.name for one in level.families)),
        concurrency=level.concurrency,
        validity=level.validity,
        reasons=level.reasons,
        samples=times.samples,
        in_flight_median=level.in_flight.median,
        in_flight_at_end=times.in_flight_at_end,
        latency_at_least=tuple(name for name, p in latency.items() if p.at_least),
        latency_is=f"{'response' if level.response_times else 'service'} time ({level.loop} loop)",
        not_measured={name: _why_not(name, level, postgres) for name in unmeasured},
        intervals=_intervals(level, latency),
        samples_needed={
            name: p.samples_needed for name, p in latency.items() if p.samples_needed is not None
        },
        open_loop=_open_loop(level),
        network_io_at_least=resources.network_at_least,
    )


def _intervals(
    level: LevelMetrics, latency: dict[str, Percentile]
) -> dict[str, tuple[float, float | None]]:
    ends = {"throughput": (level.throughput_low_per_s, level.throughput_high_per_s)}
    ends |= {name: (p.low_s, p.high_s) for name, p in latency.items()}
    return {name: (low, high) for name, (low, high) in ends.items() if low is not None}


def _open_loop(level: LevelMetrics) -> dict[str, Any]:
    load, times = level.open_load, level.service_times
    if load is None:
        return {}
    own = load.control_lag
    return {
        "offered": load.offered,
        "offered_per_s": load.offered_per_s,
        "left_per_s": load.left_per_s,
        "queue_grew": load.queue_grew,
        "slots": load.slots,
        "scheduled": load.scheduled,
        **{name: level.outcomes.get(name, 0) for name in ("timeout", "dropped", "abandoned")},
        "start_lag_p99_s": load.lag.p99_s,
        "start_lag_of_generator_p99_s": None if own is None else own.p99_s,
        "service_time_s": {
            "avg": times.avg_s,
            **{p.name: p.value_s for p in times.percentiles},
        },
    }


def _why_not(name: str, level: LevelMetrics, postgres: ConnectionUse | None) -> str:
    if name in level.not_measured:
        return level.not_measured[name]
    if "connection" in name:
        return "PostgreSQL could not be asked" if postgres else "the workloads use no PostgreSQL"
    if "steady" not in level.phases:
        return "the level did not reach its steady phase"
    if name.endswith(("_mb", "_percent")):
        return "no complete sample of the workers in the steady phase"
    return "no workflow ended in the steady phase"
