"""How the values that the shards of a run serve make the value of the run.

A run in shards has an exporter a shard, whose series have the labels ``shard`` and ``host``; a run
that one host plays has neither label. Rules and boards aggregate every metric as this table says,
which leaves the values of a run without shards as they are; a test asks every query of both kinds.

Source:
    https://prometheus.io/docs/practices/histograms/#quantiles: buckets add up, percentiles do not.
"""

from __future__ import annotations

from typing import Literal

OverShards = Literal["sum", "same", "host", "shard", "run"]
"""``sum``: each shard counts its own part, and the parts add up (histograms: bucket by bucket).
``same``: each shard tells the same of the plan or of a server, so that the largest is the run's.
What is wanted is of the plan, so that a shard that is missing is seen as what lacks.
``host``: of a machine; the shards of one machine tell the same, and machines are not added up.
``shard``: of one shard and its processes; shown, and alerted on, shard by shard.
``run``: of the run as a whole; served once, by a run without shards or by the merged run."""

_NAMES: dict[OverShards, str] = {
    "sum": """
        workflows_started_total workflows_in_flight workflows_completed_total
        workflow_errors_total workflow_attempts_total
        response_time_seconds service_time_seconds start_lag_seconds results_dropped_total
        process_cpu_seconds_total process_rss_bytes process_pss_bytes process_uss_bytes
        process_threads process_open_files process_read_bytes_total process_written_bytes_total
        target_network_bytes_total exporter_cpu_seconds_total exporter_unreadable_files
        exporter_series_left_out
    """,
    "same": """
        run_info level_info level_phase wanted_workflows_in_flight wanted_workflows_per_second
        workflows_scheduled_total server_sessions pool_connections_limit server_queries_total
        server_query_seconds_total
    """,
    "host": """
        host_cpu_seconds_total host_cores host_memory_available_bytes host_disk_free_bytes
        host_limit_used_ratio host_pressure_stall_seconds_total
    """,
    "shard": """
        run_started_timestamp_seconds run_process_up run_status heartbeat_timestamp_seconds
        journal_commit_gap_seconds exporter_read_timestamp_seconds
    """,
    "run": """
        last_success_timestamp_seconds level_validity level_throughput_per_second
        level_service_time_seconds level_error_ratio level_cpu_seconds_per_workflow
        objective_verdict fault_active fault_evidence_ratio fault_pending_rollbacks
        fault_transitions_total fault_ended_timestamp_seconds recovery_seconds
        lost_service_seconds retry_amplification_ratio fault_verdict signal hours_played
        leak_growth_per_hour leak_growth_per_hour_lower leak_growth_per_hour_upper leak_verdict
        degradation_ratio degradation_ratio_lower degradation_ratio_upper
    """,
}

OVER_SHARDS: dict[str, OverShards] = {
    f"loadtest_{name}": how for how, names in _NAMES.items() for name in names.split()
}
"""Each metric of the registry. Of ``process_...`` the role ``server`` is ``same``: every shard on
the machine of a server sees its processes."""
