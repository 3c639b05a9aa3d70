"""The fresh container of a shard: made, watched and removed by the worker of its host.

The task has the name and the arguments of dagster-celery-docker's, which leaves its container
behind when the worker ends, and shows what it plays, and its variables, in ``docker inspect``.
"""

import json
import os
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

import dagster as dg
import docker
from celery import Celery, Task
from dagster._core.events import EngineEventData
from dagster._core.events.utils import filter_dagster_events_from_cli_logs
from dagster._grpc.types import ExecuteStepArgs
from dagster_celery.core_execution_loop import DELEGATE_MARKER
from dagster_shared.serdes import serialize_value, unpack_value
from docker.errors import NotFound

from assets.shards.container_fields import HANDED_ON
from assets.shards.shard_in_container import END
from perf_pipeline.config.settings import SHARDS_URL, current_settings
from perf_pipeline.errors import ShardMissingError
from perf_pipeline.redaction.redact import redacted
from perf_pipeline.shards.play_shard import barrier_url

COMMAND = ("python", "-m", "assets.shards.shard_in_container")
HOST_LABEL = "perf_pipeline.host"
SIGKILLED = 137
KILLED = "it was killed, such as by `docker kill`, or for want of memory"
LAST_LINES = 5
"""What a container that failed wrote last is in the error."""


class Ended(NamedTuple):
    """How a container ended.

    Attributes:
        code: Its exit code.
        output: What it wrote to standard output.
        last_lines: Of standard error.
    """

    code: int
    output: str
    last_lines: str


def create_container_task(app: Celery) -> None:
    """Register the task under the name by which dagster-celery-docker submits a step."""

    @app.task(bind=True, name="execute_step_docker")  # type: ignore[untyped-decorator]
    def execute_step_docker(
        self: Task, execute_step_args_packed: Mapping[str, Any], docker_config: dict[str, Any]
    ) -> list[str]:
        step = unpack_value(execute_step_args_packed, as_type=ExecuteStepArgs)
        assert step.instance_ref, "a run that others play is stored"
        (key,) = step.step_keys_to_execute or ()
        with dg.DagsterInstance.from_ref(step.instance_ref) as instance:
            begun = instance.report_engine_event(
                f"Playing it in a fresh container of {docker_config['image']}",
                instance.get_run_by_id(step.run_id),
                EngineEventData(marker_end=DELEGATE_MARKER),
                step_key=key,
            )
        (variable,) = step.get_command_env()
        names = (*HANDED_ON, *docker_config["env_vars"])
        handed = {variable["name"]: variable["value"], **_own_variables(names)}
        host = self.request.hostname.partition("@")[0]
        ended = play_in_container(docker_config, host, handed)
        if ended.code:
            why = KILLED if ended.code == SIGKILLED else ended.last_lines
            raise ShardMissingError(f"its container ended with {ended.code}: {why}")
        logged = filter_dagster_events_from_cli_logs(ended.output.splitlines())  # type: ignore[no-untyped-call]
        return [serialize_value(event) for event in (begun, *logged)]


def _own_variables(names: Iterable[str]) -> dict[str, str]:
    """Return the variables of this host that are set, and where its worker meets the others."""
    given = {name: value for name in names if (value := os.environ.get(name))}
    return {**given, SHARDS_URL: barrier_url(current_settings())}


def play_in_container(config: Mapping[str, Any], host: str, handed: Mapping[str, str]) -> Ended:
    """Play a shard in a fresh container that ends, and is removed, with this process.

    Args:
        config: The container, as the run's configuration has it.
        host: Whose worker this is.
        handed: Variables of the shard, what it plays among them.
    """
    client = docker.from_env()
    own = {"hostname": host, "init": True, **config["container_kwargs"]}
    own["labels"] = {**own.get("labels", {}), HOST_LABEL: host}
    container = client.containers.create(
        config["image"],
        list(COMMAND),
        network=config["network"],
        stdin_open=True,
        auto_remove=True,
        **own,
    )
    output, errors = bytearray(), deque[str](maxlen=LAST_LINES)
    with ThreadPoolExecutor(1) as beside:
        # Asked before the start: afterwards the container may be gone, and with it the answer.
        removed = beside.submit(client.api.wait, container.id, None, "removed")
        try:
            # docker-py returns a file for reading, around a socket that is for both.
            pipe = client.api.attach_socket(container.id, {"stdin": 1, "stream": 1})._sock  # noqa: SLF001
            pieces = client.api.attach(container.id, stream=True, demux=True)
            container.start()
        except BaseException:
            with suppress(NotFound):  # Docker itself removes one that did not start
                container.remove(force=True)
            raise
        try:
            pipe.sendall(json.dumps(handed).encode() + b"\n")
            for written, said in pieces:
                output += written or b""
                errors += (said or b"").decode(errors="replace").splitlines()
        except BaseException:
            with suppress(OSError):  # it has ended
                pipe.sendall(END)
            raise
        code: int = removed.result()["StatusCode"]
    return Ended(code, output.decode(errors="replace"), redacted("\n".join(errors)))
