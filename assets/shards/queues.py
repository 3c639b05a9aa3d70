"""Executors that send each shard to the queue of its host, and notice when a host is gone.

A mapped step has no tags of its own, so its queue follows from its number: hosts are in the
configuration of the run. What is no shard is executed by the run itself.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg
from celery import Celery
from celery.exceptions import TaskRevokedError
from dagster._core.events import DagsterEvent
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.handle import ResolvedFromDynamicStepHandle
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.execution.retries import RetryMode
from dagster_celery.config import DEFAULT_CONFIG, dict_wrapper
from dagster_celery.core_execution_loop import core_celery_execution_loop
from dagster_celery.executor import _submit_task as submit_step
from dagster_celery.make_app import make_app
from dagster_celery_docker.executor import _submit_task_docker as submit_container
from dagster_shared.serdes import deserialize_value

from assets.shards.awaited import say_awaited
from assets.shards.container_fields import container_fields, shown_container
from assets.shards.ops import PLAN
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import ShardMissingError
from perf_pipeline.program.failure_note import note_failure
from perf_pipeline.shards.play_shard import barrier_url

ANSWER_S = 2.0
LOOK_EVERY_S = 4.0
SILENT_LOOKS = 4
"""A host whose worker did not answer so often in a row is gone: after about 20 s."""

Submit = Callable[..., Any]


def app_arguments() -> dict[str, Any]:
    """Return the arguments of the Celery application, the same for workers and for runs."""
    url = barrier_url(current_settings())
    return {"broker": url, "backend": url, "config_source": dict_wrapper(dict(DEFAULT_CONFIG))}


class Hosts:
    """The hosts of a run, whether their workers answer, and the shards that they play."""

    def __init__(
        self, app: Celery, names: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Look at the hosts, until all answer or the time for that is over.

        Raises:
            ShardMissingError: One does not answer; with its name.
        """
        self._app, self._clock = app, clock
        self._silent = dict.fromkeys(names, 0)
        self._due_s = 0.0
        self.shards: list[ShardResult] = []
        while missing := [host for host in names if not self.answers(host)]:
            if all(self._silent[host] >= SILENT_LOOKS for host in missing):
                raise _noted(
                    f"no worker serves the queue of {', '.join(missing)}: start `perf-pipeline "
                    "host NAME` there, with the same PERF_PIPELINE_SHARDS_URL"
                )
            time.sleep(max(0.0, self._due_s - clock()))

    def answers(self, host: str) -> bool:
        """Return whether a host's worker answered when the hosts were last looked at."""
        self._look_if_due()
        return self._silent[host] == 0

    def is_lost(self, host: str) -> bool:
        """Return whether a host's worker is gone."""
        self._look_if_due()
        return self._silent[host] >= SILENT_LOOKS

    def _look_if_due(self) -> None:
        if self._clock() < self._due_s:
            return
        found = self._app.control.inspect(timeout=ANSWER_S).active_queues() or {}
        served = {queue["name"] for queues in found.values() for queue in queues}
        for host, silent in self._silent.items():
            self._silent[host] = 0 if host in served else silent + 1
        waited_for = (shard.task for shard in self.shards if not shard.has_result())
        say_awaited(self._app.backend.client, waited_for)
        self._due_s = self._clock() + LOOK_EVERY_S


def _noted(why: str) -> ShardMissingError:
    """Return why a run ends, and note it for the command that started the run, if one did."""
    error = ShardMissingError(why)
    note_failure(current_settings().failure_note, error)
    return error


class ShardResult:
    """The result of a shard on a host, as Celery's loop of Dagster asks for it."""

    def __init__(self, result: Any, index: int, host: str, hosts: Hosts) -> None:
        self._result, self._index, self._host, self._hosts = result, index, host, hosts

    @property
    def task(self) -> str:
        """Celery's id of it."""
        return str(self._result.id)

    def has_result(self) -> bool:
        """Return whether it has ended."""
        return bool(self._result.ready())

    def ready(self) -> bool:
        """Return whether it has ended, or will never."""
        return self._hosts.is_lost(self._host) or self.has_result()

    def get(self) -> list[str]:
        """Return the events of its step.

        Raises:
            ShardMissingError: Its process was killed, or its host is gone; the others are ended.
            TaskRevokedError: It was ended on request, or after another was lost.
        """
        if not self.has_result():
            raise self._lost("the worker of its host does not answer any more")
        try:
            events: list[str] = self._result.get()
        except TaskRevokedError:
            raise
        except Exception as error:
            raise self._lost(str(error)) from error
        for event in (deserialize_value(one, DagsterEvent) for one in events):
            if event.is_step_failure and (why := event.step_failure_data.error):
                _noted(f"shard {self._index} on host {self._host}: {why.message.strip()}")
        return events

    def _lost(self, why: str) -> ShardMissingError:
        """End the other shards, and return why they end."""
        for shard in self._hosts.shards:
            shard.revoke()
        return _noted(f"shard {self._index} on host {self._host} is lost: {why}")

    def revoke(self) -> None:
        """End it in order, also when it has begun."""
        self._result.revoke(terminate=True, signal="SIGTERM")


class QueueAHost(dg.Executor):
    """Sends shards to the queues of their hosts; a step of Celery or of a container of its own."""

    def __init__(self, submit: Submit, docker_config: dict[str, Any] | None = None) -> None:
        self._submit = submit
        self.docker_config = docker_config

    @property
    def retries(self) -> RetryMode:
        """No shard is played twice."""
        return RetryMode.DISABLED

    def app_args(self) -> dict[str, Any]:
        """Return the arguments of the Celery application."""
        return app_arguments()

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        """Execute the steps of a run."""
        run_config: dict[str, Any] = dict(plan_context.dagster_run.run_config)
        names = run_config["ops"][PLAN]["config"]["hosts"]
        here = make_app(self.app_args())
        here.conf.task_always_eager = True
        found: list[Hosts] = []

        def submit(
            app: Celery, context: Any, step: ExecutionStep, queue: str, priority: int, known: Any
        ) -> Any:
            if not isinstance(step.handle, ResolvedFromDynamicStepHandle):
                return submit_step(here, context, step, queue, priority, known)
            if not found:
                found.append(Hosts(app, names))
            (hosts,), index = found, int(step.handle.mapping_key)
            result = self._submit(app, context, step, names[index], priority, known)
            hosts.shards.append(ShardResult(result, index, names[index], hosts))
            return hosts.shards[-1]

        events: Iterator[DagsterEvent] = core_celery_execution_loop(
            plan_context, execution_plan, step_execution_fn=submit
        )
        return events


@dg.executor(
    name="queue_a_host", config_schema={}, requirements=dg.multiple_process_executor_requirements()
)
def queue_a_host(_context: dg.InitExecutorContext) -> QueueAHost:
    """Play each shard in a worker of its host."""
    return QueueAHost(submit_step)


CONTAINER = shown_container(os.environ, current_settings())


@dg.executor(
    name="container_a_shard",
    config_schema={"docker": container_fields(CONTAINER)},
    requirements=dg.multiple_process_executor_requirements(),
)
def container_a_shard(context: dg.InitExecutorContext) -> QueueAHost:
    """Play each shard in a fresh container of its host."""
    config: dict[str, Any] = dict(context.executor_config)
    return QueueAHost(submit_container, config["docker"])
