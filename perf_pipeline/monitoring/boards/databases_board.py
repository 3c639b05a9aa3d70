"""The board of the servers: as the run sees them, and as their own exporters do."""

from __future__ import annotations

from perf_pipeline.monitoring.boards.panel import (
    FULL,
    QUARTER,
    Board,
    Panel,
    Query,
    falls_below,
    gauge,
    is_bad_from,
    rate,
    rises_above,
)

_SERVER = "a server"
_STACK = "the exporters of the stack"


def _per_second(metric: str, matchers: str = "", by: str = "") -> str:
    selector = f"{metric}{{{matchers}}}" if matchers else metric
    return f"sum by ({by}) (rate({selector}[$__rate_interval]))"


_SEEN_BY_THE_RUN = (
    Panel(
        "Sessions of the target, and its limit",
        "At the limit workflows wait for a connection: raise max_db_connections or shorten the "
        "transactions. MongoDB's own watchers are among them.",
        (
            Query(gauge("loadtest_server_sessions", "service, state"), "{{service}} {{state}}"),
            Query(gauge("loadtest_pool_connections_limit", "service"), "{{service}} limit"),
        ),
        needs=_SERVER,
    ),
    Panel(
        "Queries",
        "As each server counts them.",
        (Query(rate("loadtest_server_queries_total", "service"), "{{service}}"),),
        "ops",
        needs=_SERVER,
    ),
    Panel(
        "Time in queries",
        "Sessions that are executing, on average; near the number of cores it is the limit.",
        (Query(rate("loadtest_server_query_seconds_total", "service"), "{{service}}"),),
        "none",
        needs="a server that times its queries",
    ),
    Panel(
        "Traffic between target and servers",
        "By the kernel's counts of the target's connections.",
        (
            Query(
                rate("loadtest_target_network_bytes_total", "service, direction"),
                "{{service}} {{direction}}",
            ),
        ),
        "Bps",
        needs=_SERVER,
    ),
)

_SEEN_BY_EXPORTERS = (
    Panel(
        "Do they answer?",
        "1: the exporter reaches its server. 0: see `make status`.",
        (
            Query("pg_up", "PostgreSQL"),
            Query("mysql_up", "MySQL"),
            Query("redis_up", "Redis"),
            Query("mongodb_up", "MongoDB"),
        ),
        kind="stat",
        steps=falls_below(1, 1),
        width=FULL,
        needs=_STACK,
    ),
    Panel(
        "PostgreSQL: connections of 500",
        "By state; idle in transaction holds locks.",
        (
            Query("sum by (state) (pg_stat_activity_count)", "{{state}}"),
            Query("pg_settings_max_connections", "limit"),
        ),
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "PostgreSQL: transactions",
        "Rollbacks beside commits are failed workflows or deadlocks.",
        (
            Query(_per_second("pg_stat_database_xact_commit"), "commits"),
            Query(_per_second("pg_stat_database_xact_rollback"), "rollbacks"),
            Query(_per_second("pg_stat_database_deadlocks"), "deadlocks"),
        ),
        "ops",
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "PostgreSQL: found in its cache",
        "Below 95 % its data no longer fit into shared_buffers.",
        (
            Query(
                f"{_per_second('pg_stat_database_blks_hit')} / "
                f"({_per_second('pg_stat_database_blks_hit')} + "
                f"{_per_second('pg_stat_database_blks_read')})",
                "share",
            ),
        ),
        "percentunit",
        steps=falls_below(0.95, 0.8),
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "PostgreSQL: locks",
        "By mode; exclusive ones that stay are a fault or a long transaction.",
        (Query("sum by (mode) (pg_locks_count)", "{{mode}}"),),
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "MySQL: threads of its limit",
        "Connected and running; many running at once wait for each other.",
        (
            Query("mysql_global_status_threads_connected", "connected"),
            Query("mysql_global_status_threads_running", "running"),
            Query("mysql_global_variables_max_connections", "limit"),
        ),
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "MySQL: queries",
        "Slow ones took longer than long_query_time.",
        (
            Query(_per_second("mysql_global_status_queries"), "queries"),
            Query(_per_second("mysql_global_status_slow_queries"), "slow"),
        ),
        "ops",
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "MySQL: read from disk per request",
        "Above 1 % its data no longer fit into the buffer pool.",
        (
            Query(
                f"{_per_second('mysql_global_status_innodb_buffer_pool_reads')} / "
                f"{_per_second('mysql_global_status_innodb_buffer_pool_read_requests')}",
                "share",
            ),
        ),
        "percentunit",
        steps=rises_above(0.01, 0.05),
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "MySQL: waits for rows",
        "Workflows that wait for each other's rows.",
        (Query(_per_second("mysql_global_status_innodb_row_lock_waits"), "waits"),),
        "ops",
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "Redis: clients and blocked ones",
        "Blocked clients wait in a blocking command.",
        (
            Query("redis_connected_clients", "clients"),
            Query("redis_blocked_clients", "blocked"),
        ),
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "Redis: commands",
        "It executes them one after the other: one core is its limit.",
        (Query(_per_second("redis_commands_processed_total"), "commands"),),
        "ops",
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "Redis: memory of its limit",
        "At the limit it evicts keys.",
        (
            Query("redis_memory_used_bytes", "used"),
            Query("redis_memory_max_bytes", "limit"),
        ),
        "bytes",
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "Redis: evicted keys",
        "Not 0: workflows find less than they stored.",
        (Query(_per_second("redis_evicted_keys_total"), "evicted"),),
        "ops",
        steps=is_bad_from(1),
        width=QUARTER,
        needs=_STACK,
    ),
    Panel(
        "MongoDB: connections",
        "Of the real product; FerretDB does not report them.",
        (Query("mongodb_ss_connections", "{{conn_type}}"),),
        needs=_STACK,
    ),
    Panel(
        "MongoDB: operations",
        "By kind.",
        (Query(_per_second("mongodb_ss_opcounters", by="legacy_op_type"), "{{legacy_op_type}}"),),
        "ops",
        needs=_STACK,
    ),
)

DATABASES_BOARD = Board(
    "databases",
    "Databases",
    "The four servers under load. The upper panels are what a run measured of them, wherever they "
    "run; the lower ones are those of the stack's exporters.",
    (*_SEEN_BY_THE_RUN, *_SEEN_BY_EXPORTERS),
)
