"""Hosts of a run in shards: containers with a network of their own, a Redis, and a shared folder.

Each is what infra/kubernetes/shards.yaml says of a pod: its command, variables, user and rights.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import read_settings
from perf_pipeline.shards.cut import cut
from perf_pipeline.shards.shard_order import write_order
from tests.docker.faulted_containers import docker
from tests.sandbox import until
from tests.unit.shards.test_kubernetes import read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from tests.docker.engine import Engine

HOSTS = ("gen-a", "gen-b")
_REDIS = ("redis-server", "--protected-mode", "no", "--save", "")
_REDIS_HOST = "meeting"
_SECRETS = {"perf-pipeline-shards": {"url": f"redis://{_REDIS_HOST}:6379/0"}}
_ARRIVE_WITHIN_S = 10.0
"""Less than by default, for the test that waits for a shard in vain."""


@dataclass(frozen=True)
class ShardHosts:
    """Two hosts, and a run that was cut for them.

    Attributes:
        engine: Where the containers run.
        image: Of the project.
        name: With which the names of containers begin; that of the network.
        run: The run's folder, in the folder that both share.
        settings: Of this machine, which cuts and merges.
    """

    engine: Engine
    image: str
    name: str
    run: Path
    settings: Settings

    def docker(self, *words: str) -> str:
        """Run ``docker``; it must succeed."""
        return docker(Path(self.engine.socket), *words)

    def start(self, index: int) -> None:
        """Start the container that plays a shard."""
        pod = read("shards.yaml")["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        user = pod["securityContext"]
        drop = container["securityContext"]["capabilities"]["drop"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        command = [word.replace("RUN_ID", self.run.name) for word in container["command"]]
        environ = {"JOB_COMPLETION_INDEX": str(index)}
        for one in container["env"]:
            secret = one.get("valueFrom", {}).get("secretKeyRef")
            environ[one["name"]] = (
                _SECRETS[secret["name"]][secret["key"]] if secret else one["value"]
            )
        self.docker(
            *("run", "--detach", "--name", self._container(index), "--hostname", HOSTS[index]),
            *("--network", self.name, "--label", self.name, "--cpus", "1", "--init"),
            *("--user", f"{user['runAsUser']}:{user['runAsGroup']}", "--read-only"),
            *(option for one in drop for option in ("--cap-drop", one)),
            *("--security-opt", "no-new-privileges"),
            *(option for one in environ.items() for option in ("--env", "=".join(one))),
            *("--volume", f"{self.run.parent}:/results", "--tmpfs", "/scratch:exec,mode=1777"),
            *(self.image, *command),
        )

    def kill(self, index: int) -> None:
        """End a container by SIGKILL, as the engine does: its processes can write nothing."""
        self.docker("kill", "--signal", "KILL", self._container(index))
        assert self.exit_code(index) == 137

    def exit_code(self, index: int) -> int:
        """Wait for the end of a container."""
        return int(self.docker("wait", self._container(index)))

    def log(self, index: int) -> str:
        """Return what a container wrote."""
        return self.docker("logs", self._container(index))

    def arrived(self, level: str) -> set[str]:
        """Return the indices of the shards that have arrived at the barrier before a level."""
        key = f"perf_pipeline:shards:{self.run.name}:{level}:arrived"
        return set(self.docker("exec", f"{self.name}_redis", "redis-cli", "hkeys", key).split())

    def _container(self, index: int) -> str:
        return f"{self.name}_{HOSTS[index]}"


@contextmanager
def shard_hosts(
    engine: Engine, images: tuple[str, str], folder: Path, scenario: Scenario
) -> Iterator[ShardHosts]:
    """Cut a run for two hosts, and provide the hosts; removed afterwards.

    Args:
        engine: Where their containers run.
        images: Of the project, and of servers.
        folder: Of the test.
        scenario: What the run does.
    """
    results = folder / "results"
    results.mkdir()
    settings = read_settings(
        {**os.environ, "PERF_PIPELINE_RESULTS": str(results), "XDG_STATE_HOME": f"{folder}/state"},
        current_dir=folder,
    )
    name = f"pphosts{os.getpid()}"
    run = results / f"{scenario.name}-1"
    order = cut(scenario, settings, HOSTS, run_id=run.name, arrive_within_s=_ARRIVE_WITHIN_S)
    write_order(run, order)
    for path in (results, *results.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)  # the user of the containers is another one
    project, servers = images
    hosts = ShardHosts(engine, project, name, run, settings)
    hosts.docker("network", "create", name)
    try:
        redis = ("--name", f"{name}_redis", "--label", name, "--network-alias", _REDIS_HOST)
        entry = ("--entrypoint", _REDIS[0], servers, *_REDIS[1:])
        hosts.docker("run", "--detach", "--network", name, *redis, *entry)
        ask = ("exec", f"{name}_redis", "redis-cli", "ping")
        assert until(lambda: "PONG" in hosts.docker(*ask), 30.0)
        yield hosts
    finally:
        left = hosts.docker("ps", "--all", "--quiet", "--filter", f"label={name}").split()
        if left:
            hosts.docker("rm", "--force", "--volumes", *left)
        hosts.docker("network", "rm", name)
