"""The board of the stack's containers and of the machine below them."""

from __future__ import annotations

from perf_pipeline.monitoring.boards import limits
from perf_pipeline.monitoring.boards.panel import (
    FULL,
    THIRD,
    Board,
    Panel,
    Query,
    falls_below,
    is_bad_from,
    rises_above,
)

_STACK = "the stack's cAdvisor"
_NODE = "the stack's node exporter"
_OURS = 'name=~"perf_pipeline_.+"'
_RUNS = 'name!=""'

CONTAINERS_BOARD = Board(
    "containers",
    "Containers and machine",
    "What each container of the stack uses of its limits, and what the machine has left.",
    (
        Panel(
            "CPU",
            "Cores in use by container, load runs in containers of their own among them.",
            (
                Query(
                    f"sum by (name) (rate(container_cpu_usage_seconds_total{{{_RUNS}}}"
                    "[$__rate_interval]))",
                    "{{name}}",
                ),
            ),
            "none",
            needs=_STACK,
        ),
        Panel(
            "Throttled",
            "Share of the periods in which a container had to wait for its CPU quota. Of a server "
            "under test it is a limit that the measurement includes; of a load run it is invalid.",
            (
                Query(
                    f"sum by (name) (rate(container_cpu_cfs_throttled_periods_total{{{_RUNS}}}"
                    "[$__rate_interval])) / sum by (name) (rate("
                    f"container_cpu_cfs_periods_total{{{_RUNS}}}[$__rate_interval]))",
                    "{{name}}",
                ),
            ),
            "percentunit",
            steps=rises_above(0.05, 0.25),
            needs=_STACK,
        ),
        Panel(
            "Memory of its limit",
            "At 100 % the kernel ends a process of the container.",
            (
                Query(
                    f"sum by (name) (container_memory_working_set_bytes{{{_OURS}}}) / "
                    f"sum by (name) (container_spec_memory_limit_bytes{{{_OURS}}} > 0)",
                    "{{name}}",
                ),
            ),
            "percentunit",
            steps=rises_above(0.8, 0.95),
            needs=_STACK,
        ),
        Panel(
            "Memory",
            "Working set: without what the kernel can take back at once.",
            (Query(f"sum by (name) (container_memory_working_set_bytes{{{_RUNS}}})", "{{name}}"),),
            "bytes",
            needs=_STACK,
        ),
        Panel(
            "Network",
            "Received and sent by container.",
            (
                Query(
                    f"sum by (name) (rate(container_network_receive_bytes_total{{{_RUNS}}}"
                    "[$__rate_interval]))",
                    "{{name}} received",
                ),
                Query(
                    f"sum by (name) (rate(container_network_transmit_bytes_total{{{_RUNS}}}"
                    "[$__rate_interval]))",
                    "{{name}} sent",
                ),
            ),
            "Bps",
            needs=_STACK,
        ),
        Panel(
            "Running for",
            "A short bar is a container that was started anew: see `make status`.",
            (Query(f"time() - container_start_time_seconds{{{_OURS}}}", "{{name}}"),),
            "s",
            needs=_STACK,
        ),
        Panel(
            "Scraped?",
            "0: Prometheus does not reach it, so its panels are empty. Missing data are no pass.",
            (Query("up", "{{job}} {{instance}}"),),
            kind="stat",
            steps=falls_below(1, 1),
            width=FULL,
        ),
        Panel(
            "CPU of the machine",
            "Share in use, by mode.",
            (
                Query(
                    'avg by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[$__rate_interval]))',
                    "{{mode}}",
                ),
            ),
            "percentunit",
            steps=is_bad_from(0.95),
            width=THIRD,
            needs=_NODE,
        ),
        Panel(
            "Memory that is left",
            "Of the machine.",
            (
                Query("node_memory_MemAvailable_bytes", "available"),
                Query("node_memory_MemTotal_bytes", "of"),
            ),
            "bytes",
            width=THIRD,
            needs=_NODE,
        ),
        Panel(
            "Disk that is left",
            "Below 2 GiB runs are refused.",
            (
                Query(
                    'node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs"}',
                    "{{mountpoint}}",
                ),
            ),
            "bytes",
            steps=falls_below(limits.MIN_DISK_BYTES, limits.MIN_DISK_BYTES),
            width=THIRD,
            needs=_NODE,
        ),
    ),
    is_of_runs=False,
)
