"""Hosts of a run whose shards have a fresh container each: Celery workers on this machine.

The containers are in a network that is made for the test, as is the Redis in it, which this machine
reaches by its address.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.shards.shard_order import shard_folder
from tests.docker.faulted_containers import docker
from tests.integration.shards.hosts_environment import host_python
from tests.sandbox import ROOT, WAIT_S, Sandbox, last_object, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docker.engine import Engine

HOSTS = ("gen-a", "gen-b")
_REDIS = 'printf "requirepass %s\\nsave \\"\\"\\n" "$REDIS_PASSWORD" | redis-server -'
_SCENARIO = """
target = "control"
nodes = "lean"
processes = 2
[[workload]]
family = "transformation"
complexity = "simple"
[phases]
ramp_up_s = 0.2
warm_up_s = 0.3
drain_s = 1
[environment]
pass = ["SHOP_TOKEN"]
"""
"""A shard without the variable refuses to begin."""
_ARRIVALS = """
[[arrivals]]
label = "{label}"
schedule = "constant"
rate_per_s = 40
slots = 20
steady_s = {steady_s}
"""


class CeleryHosts:
    """Workers, and runs whose shards they play in containers.

    Attributes:
        sandbox: Settings, results and Dagster's history, which hosts and containers share.
        workers: The worker of each host.
        password: Of the Redis.
    """

    def __init__(
        self, engine: Engine, name: str, image: str, folder: Path, to_end: ExitStack
    ) -> None:
        """Prepare; neither Redis nor workers are started."""
        self._engine, self._name, self._image, self._to_end = engine, name, image, to_end
        self.sandbox = Sandbox(folder)
        self.sandbox.results.mkdir()
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        self.password = secrets.token_urlsafe(12)
        self.sandbox.environ |= {
            "DOCKER_HOST": engine.host,
            "SHOP_TOKEN": secrets.token_urlsafe(12),
            "PERF_PIPELINE_LOAD_LOCK": str(self.sandbox.results / ".load.lock"),
            "DAGSTER_CONTAINER_CONTEXT": json.dumps({"docker": {"networks": [name]}}),
        }

    def docker(self, *words: str) -> str:
        """Run ``docker``; it must succeed."""
        return docker(Path(self._engine.socket), *words)

    def start_redis(self, image: str) -> None:
        """Start the Redis at which shards are sent and meet."""
        password = f"REDIS_PASSWORD={self.password}"
        own = ("--name", f"{self._name}_redis", "--network", self._name, "--env", password)
        self.docker("run", "--detach", *own, image, "sh", "-c", _REDIS)
        where = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        address = self.docker("inspect", "--format", where, f"{self._name}_redis").strip()
        url = f"redis://:{self.password}@{address}:6379/0"
        self.sandbox.environ["PERF_PIPELINE_SHARDS_URL"] = url

    def work(self, host: str) -> None:
        """Start the worker of a host, unless it runs."""
        if host in self.workers and self.workers[host].poll() is None:
            return
        with self.log_of(host).open("ab") as log:
            command, env = self._command("host", host), self.sandbox.environ
            worker = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        self.workers[host] = worker
        self._to_end.callback(worker.wait)
        self._to_end.callback(worker.kill)

    def log_of(self, host: str) -> Path:
        """Return the file with what the worker of a host wrote."""
        return self.sandbox.folder / f"{host}.log"

    def run(self, *labels: str, steady_s: float) -> subprocess.Popen[str]:
        """Start a run on both hosts, with a level for each label."""
        scenario = self.sandbox.folder / "containers.toml"
        levels = (_ARRIVALS.format(label=label, steady_s=steady_s) for label in labels)
        scenario.write_text(_SCENARIO + "".join(levels), encoding="utf-8")
        hosts = ("--hosts", *HOSTS, "--image", self._image, "--json", "--accept-verdicts")
        return subprocess.Popen(
            self._command("run", str(scenario), *hosts),
            cwd=ROOT,
            env=self.sandbox.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _command(self, *arguments: str) -> list[str]:
        return [str(host_python()), "-I", "-m", "perf_pipeline.cli", *arguments]

    def answer(self, ran: subprocess.Popen[str]) -> tuple[dict[str, Any], str]:
        """Wait for the end of a run; returns its answer, and what it wrote for people."""
        output, errors = ran.communicate(timeout=WAIT_S)
        return last_object(output), errors

    def runs(self) -> list[Path]:
        """Return the folders of the runs, oldest first."""
        orders = self.sandbox.results.glob("*/shards/order.json")
        return sorted(order.parents[1] for order in orders)

    def folder(self) -> Path:
        """Return the folder of the newest run."""
        return self.runs()[-1]

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what Docker knows of the containers of shards, by host."""
        chosen = ("--filter", f"network={self._name}", "--filter", f"ancestor={self._image}")
        ids = self.docker("ps", "--all", "--quiet", *chosen).split()
        asked, env = ["docker", "inspect", *ids], self.sandbox.environ
        # Without a check: one that is removed just now is not found.
        done = subprocess.run(asked, env=env, capture_output=True, text=True, check=False)
        found = json.loads(done.stdout) if ids else []
        return {one["Config"]["Labels"]["perf_pipeline.host"]: one for one in found}

    def wait_until_steady(self, ran: subprocess.Popen[str], runs_before: int) -> None:
        """Wait until both shards of a run are steady."""

        def is_steady() -> bool:
            if len(self.runs()) <= runs_before:
                return False
            files = [shard_folder(self.folder(), one) / "progress.jsonl" for one in (0, 1)]
            return all(one.exists() and '"steady"' in one.read_text("utf-8") for one in files)

        assert until(lambda: is_steady() or ran.poll() is not None, WAIT_S), "never steady"
        assert ran.poll() is None, ran.communicate()


@contextmanager
def celery_hosts(
    engine: Engine, project_image: str, servers_image: str, folder: Path
) -> Iterator[CeleryHosts]:
    """Provide a network with a Redis, and hosts whose workers are not started yet."""
    name = f"ppcelery{os.getpid()}"
    with ExitStack() as to_end:
        # By its id: who builds the image anew meanwhile does not change what the hosts play.
        there = docker(Path(engine.socket), "inspect", "--format", "{{.Id}}", project_image)
        hosts = CeleryHosts(engine, name, there.strip(), folder, to_end)
        to_end.callback(hosts.sandbox.close)
        hosts.docker("network", "create", name)
        to_end.callback(hosts.docker, "network", "rm", name)
        to_end.callback(_remove_all, hosts, name)
        hosts.start_redis(servers_image)
        yield hosts


def _remove_all(hosts: CeleryHosts, network: str) -> None:
    """Remove the Redis, and what shards left: their containers end with the workers."""

    def are_gone() -> bool:
        ids = hosts.docker("ps", "--all", "--quiet", "--filter", f"network={network}").split()
        subprocess.run(
            ["docker", "rm", "--force", *ids],
            env=hosts.sandbox.environ,
            capture_output=True,
            check=False,  # one that ends just now is removed by Docker itself
        )
        return not ids

    assert until(are_gone, WAIT_S)
