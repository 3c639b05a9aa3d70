"""kailash's LocalRuntime: one a thread, all of them kept until every thread has ended.

Closing or collecting any LocalRuntime disposes the SQL pools of the whole process, so the target
holds them and closes them together. Monitoring is off: it writes 2 KiB a workflow to a file of
the home folder.

kailash logs a warning of a kilobyte each time that a SQLDatabaseNode with pool options runs, and
a traceback for every failure. The adapter gives these nowhere to go; what a workflow raised is
in its record.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from kailash.nodes.data.sql import SQLDatabaseNode
from kailash.runtime.local import LocalRuntime

from perf_pipeline.targets.classification import classify
from perf_pipeline.targets.job_tasks import JobTasks, reads_files
from perf_pipeline.targets.kailash import (
    analytics_code,
    data_processing_code,
    lean_nodes,
    transformation_code,
)
from perf_pipeline.targets.pooled_stores import PooledStores, job_servers
from perf_pipeline.targets.target import WrongResultError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.targets.kailash.written import WrittenWorkflow
    from perf_pipeline.targets.target import Job, Kind, Slot, Target

__all__ = ["classify", "open_target"]

_NOT_SQL = {"redis", "mongodb"}
"""Servers whose pools are ours with code nodes too; SQLDatabaseNode keeps its own."""


def open_target(job: Job) -> Target:
    """Build the workflows of ``job``, as code nodes or as lean nodes.

    Raises:
        ValueError: ``job.nodes`` is neither, a server that a workflow needs is missing, or its
            files lie where kailash reads none.
    """
    logging.getLogger("kailash").addHandler(logging.NullHandler())
    return KailashTarget(job)


class KailashTarget:
    """The workflows of a job, shared by the threads, and the runtimes of all threads."""

    def __init__(self, job: Job) -> None:
        if job.nodes not in {"code", "lean"}:
            raise ValueError(f"nodes are written as 'code' or 'lean', not {job.nodes!r}")
        if job.nodes == "code" and reads_files(job):
            data_processing_code.allow_files(job.stores.files_dir)
        self.tasks = JobTasks(job)
        servers = job_servers(job)
        own = servers & _NOT_SQL if job.nodes == "code" else servers
        self._stores = PooledStores(job, own)
        self.written = [self._write(kind, job) for kind in job.kinds]
        self._runtimes: list[LocalRuntime] = []
        self._lock = threading.Lock()

    def _write(self, kind: Kind, job: Job) -> WrittenWorkflow:
        match job.nodes, kind.family:
            case "code", "transformation":
                return transformation_code.write_code(kind.complexity)
            case "code", "analytics":
                return analytics_code.write_code(kind.complexity, job, self._stores, kind.without)
            case "code", _:
                return data_processing_code.write_code(kind.complexity, job, kind.without)
            case _, "transformation":
                return lean_nodes.write_transformation(kind.complexity)
            case _, "analytics":
                return lean_nodes.write_analytics(kind.complexity, self._stores, kind.without)
        return lean_nodes.write_data_processing(kind.complexity, self._stores, kind.without)

    def open_slot(self) -> Slot:
        """Make the thread's runtime."""
        runtime = LocalRuntime(enable_monitoring=False).mark_externally_managed()
        with self._lock:
            self._runtimes.append(runtime)
        return KailashSlot(self, runtime)

    def close(self) -> None:
        """Close the runtimes of all threads and every pool of the process."""
        for runtime in self._runtimes:
            runtime.close()
        self._runtimes.clear()
        self._stores.close()
        SQLDatabaseNode.cleanup_pools()


class KailashSlot:
    """One thread's runtime."""

    def __init__(self, target: KailashTarget, runtime: LocalRuntime) -> None:
        self._target = target
        self._runtime = runtime

    def execute(self, kind: int, number: int) -> None:
        """Execute one workflow and check what each of its nodes gave."""
        target = self._target
        written = target.written[kind]
        task = target.tasks.task(number)
        results, _ = self._runtime.execute(written.workflow, parameters=written.inputs(task))
        target.tasks.check(kind, task, read_outputs(results, written.ports))


def read_outputs(
    results: Mapping[str, Mapping[str, Any]], ports: Mapping[str, str]
) -> dict[str, Any]:
    """Take each node's output from what ``LocalRuntime.execute`` returned.

    A node without successors that fails raises nothing in LocalRuntime: its error stands in the
    results, and is raised here.

    Args:
        results: Node name to its output dictionary.
        ports: Node name to the key that holds its output.

    Returns:
        Node name to its output; nodes that did not run are absent.

    Raises:
        WrongResultError: A node failed without an exception, or says that it had no success.
        Exception: What a failed node raised.
    """
    outputs = {}
    for node, port in ports.items():
        result = results.get(node)
        if result is None:
            continue
        if result.get("failed"):
            error = result.get("_exception")
            if isinstance(error, Exception):
                raise error
            raise WrongResultError(f"node {node}: failed: {result.get('error')}")
        if result.get("success") is False:
            raise WrongResultError(f"node {node}: no success: {result.get('error')}")
        if port in result:
            outputs[node] = result[port]
    return outputs
