"""The workflows of a job as kailash executes them, and the pools behind their nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kailash.nodes.data.sql import SQLDatabaseNode

from perf_pipeline.targets.job_tasks import JobTasks, reads_files
from perf_pipeline.targets.kailash import (
    analytics_code,
    data_processing_code,
    database_nodes,
    lean_nodes,
    transformation_code,
)
from perf_pipeline.targets.pooled_servers import PooledServers, job_servers

if TYPE_CHECKING:
    from perf_pipeline.targets.kailash.written import WrittenWorkflow
    from perf_pipeline.targets.target import Job, Kind

_NOT_SQL = {"redis", "mongodb"}
"""Servers whose pools are ours with code nodes too; SQLDatabaseNode has its own pool, and knows no
transaction over several nodes, so that units of work need ours."""


class Workflows:
    """Built once a process and shared by its threads or tasks.

    Attributes:
        written: The workflow of each kind.
        tasks: Inputs and right outputs.
    """

    def __init__(self, job: Job) -> None:
        """Build the workflows, as code nodes or as lean nodes.

        Raises:
            ValueError: ``job.nodes`` is neither, a server that a workflow needs is missing, or its
                files lie where kailash reads none.
        """
        if job.nodes not in {"code", "lean"}:
            raise ValueError(f"nodes are written as 'code' or 'lean', not {job.nodes!r}")
        if job.nodes == "code" and reads_files(job):
            data_processing_code.allow_files(job.servers.files_dir)
        self.tasks = JobTasks(job)
        self._job = job
        servers = job_servers(job)
        units = any(kind.family == "database" for kind in job.kinds)
        own = servers if job.nodes == "lean" or units else servers & _NOT_SQL
        self._servers = PooledServers(job, own)
        self.written = [self.write(kind) for kind in range(len(job.kinds))]

    def write(self, index: int) -> WrittenWorkflow:
        """Return a new workflow of the kind with this index; its pools are those of the others."""
        return self._write(self._job.kinds[index], self._job)

    def _write(self, kind: Kind, job: Job) -> WrittenWorkflow:
        if kind.family == "database":
            branching = bool(job.settings.get("branching"))
            return database_nodes.write(
                kind.complexity, job.nodes, self._servers, kind.without, branching=branching
            )
        return self._code(kind, job) if job.nodes == "code" else self._lean(kind)

    def _code(self, kind: Kind, job: Job) -> WrittenWorkflow:
        match kind.family:
            case "transformation":
                return transformation_code.write_code(kind.complexity)
            case "analytics":
                return analytics_code.write_code(kind.complexity, job, self._servers, kind.without)
        return data_processing_code.write_code(kind.complexity, job, kind.without)

    def _lean(self, kind: Kind) -> WrittenWorkflow:
        match kind.family:
            case "transformation":
                return lean_nodes.write_transformation(kind.complexity)
            case "analytics":
                return lean_nodes.write_analytics(kind.complexity, self._servers, kind.without)
        return lean_nodes.write_data_processing(kind.complexity, self._servers, kind.without)

    def close(self) -> None:
        """Close every pool of the process; called after every runtime has been closed."""
        self._servers.close()
        SQLDatabaseNode.cleanup_pools()
