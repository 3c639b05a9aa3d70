"""Names of the framework that this project replaces."""

from __future__ import annotations

PERFORMANCE_METRICS = [
    "total_workflows",
    "successful_workflows",
    "failed_workflows",
    "execution_time",
    "throughput",
    "avg_latency",
    "min_latency",
    "max_latency",
    "p50_latency",
    "p90_latency",
    "p99_latency",
    "peak_memory_mb",
    "avg_cpu_percent",
    "peak_cpu_percent",
    "disk_io_read_mb",
    "disk_io_write_mb",
    "network_io_sent_mb",
    "network_io_recv_mb",
    "active_connections",
    "peak_connections",
    "connection_pool_utilization",
    "database_errors",
    "error_rate",
    "timeout_errors",
    "connection_errors",
    "resource_exhaustion_errors",
    "test_start_time",
    "test_end_time",
]
"""Fields of ``PerformanceMetrics`` and keys of its result files."""
