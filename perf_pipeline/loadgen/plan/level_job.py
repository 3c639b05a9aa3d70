"""What a level's workers have to execute: the kinds of workflow and what they may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.loadgen.left_out import workload_without
from perf_pipeline.logs.log import NO_LOG, LogContext
from perf_pipeline.targets.target import Job, Kind, ServerAccess, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.run_data import RunData


def kinds_of(scenario: Scenario, left_out: tuple[str, ...]) -> tuple[Kind, ...]:
    """Return the kinds of workflow, without the servers that are left out."""
    return tuple(
        Kind(
            w.family, w.complexity, workload_without(w, left_out), w.data, w.data_sha256, w.request
        )
        for w in scenario.workloads
    )


def level_job(
    plan: LevelPlan,
    *,
    run_id: str,
    kinds: tuple[Kind, ...],
    run_data: Mapping[str, RunData],
    files: Path,
    log: LogContext = NO_LOG,
) -> Job:
    """Return what the workers of a level execute; each has its own number of slots.

    Args:
        plan: The level.
        run_id: The run.
        kinds: The kinds of workflow.
        run_data: Service to what the run stores there.
        files: Folder for the files that workflows read.
        log: What the processes of the run log with.
    """
    servers = ServerAccess(
        {
            name: ServerAddress(one.workers_url, one.name, one.server.facts.is_pooler)
            for name, one in run_data.items()
        },
        connections=plan.connections.max_db_connections // plan.processes,
        connection_timeout_s=plan.connections.connection_timeout_s,
        files_dir=str(files),
        transaction_think_time_s=plan.connections.transaction_think_time_s,
    )
    return Job(
        kinds=kinds,
        nodes=plan.nodes,
        seed=plan.seed,
        run_id=run_id,
        level=plan.index,
        servers=servers,
        settings=plan.settings,
        log_detail=plan.log_detail,
        setup=plan.setup,
        teardown=plan.teardown,
        log=log,
    )
