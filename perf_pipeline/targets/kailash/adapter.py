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

from kailash.runtime.local import LocalRuntime

from perf_pipeline.targets.check import check_outputs
from perf_pipeline.targets.classification import classify
from perf_pipeline.targets.kailash import analytics_code, lean_nodes, transformation_code
from perf_pipeline.targets.pools import PooledStores, open_redis
from perf_pipeline.targets.target import WrongResultError
from perf_pipeline.workload.answers import answers_of
from perf_pipeline.workload.servers import servers_used
from perf_pipeline.workload.task import task_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis import Redis

    from perf_pipeline.targets.kailash.written import WrittenWorkflow
    from perf_pipeline.targets.target import Job, Slot, Target

__all__ = ["classify", "open_target"]


def open_target(job: Job) -> Target:
    """Build the workflows of ``job``, as code nodes or as lean nodes.

    Raises:
        ValueError: ``job.nodes`` is neither, or a server that a workflow needs is missing.
    """
    logging.getLogger("kailash").addHandler(logging.NullHandler())
    return KailashTarget(job)


class KailashTarget:
    """The workflows of a job, shared by the threads, and the runtimes of all threads."""

    def __init__(self, job: Job) -> None:
        self.job = job
        used = (servers_used(kind.family, kind.complexity) for kind in job.kinds)
        servers = frozenset().union(*used)
        self._lean_stores: PooledStores | None = None
        self._redis: Redis | None = None
        if job.nodes == "lean":
            self._lean_stores = PooledStores(job, servers)
        elif job.nodes != "code":
            raise ValueError(f"nodes are written as 'code' or 'lean', not {job.nodes!r}")
        elif "redis" in servers:
            self._redis = open_redis(job)
        self.written = [self._write(kind.family, kind.complexity) for kind in job.kinds]
        self.answers = [answers_of(kind.family, kind.complexity, job.seed) for kind in job.kinds]
        self._runtimes: list[LocalRuntime] = []
        self._lock = threading.Lock()

    def _write(self, family: str, complexity: str) -> WrittenWorkflow:
        if self._lean_stores is None:
            if family == "transformation":
                return transformation_code.write_code(complexity)
            return analytics_code.write_code(complexity, self.job, self._redis)
        if family == "transformation":
            return lean_nodes.write_transformation(complexity)
        return lean_nodes.write_analytics(complexity, self._lean_stores)

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
        if self._lean_stores is not None:
            self._lean_stores.close()
        if self._redis is not None:
            self._redis.connection_pool.disconnect()
        analytics_code.close_postgres_pools()


class KailashSlot:
    """One thread's runtime."""

    def __init__(self, target: KailashTarget, runtime: LocalRuntime) -> None:
        self._target = target
        self._runtime = runtime

    def execute(self, kind: int, number: int) -> None:
        """Execute one workflow and check what each of its nodes gave."""
        target = self._target
        job = target.job
        written = target.written[kind]
        task = task_of(
            number,
            seed=job.seed,
            run_id=job.run_id,
            level=job.level,
            redis_prefix=job.stores.redis_prefix,
        )
        results, _ = self._runtime.execute(written.workflow, parameters=written.inputs(task))
        outputs = read_outputs(results, written.ports)
        check_outputs(outputs, target.answers[kind].of(task))


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
