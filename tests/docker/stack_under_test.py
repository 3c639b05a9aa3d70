"""A stack of the project's own Compose file, from Debian's packages, beside any other."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from perf_pipeline.config.stack_ports import STACK_PORTS, port_variable
from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.docker.engine import Engine

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"


@dataclass(frozen=True)
class Answer:
    """What a command ended with.

    Attributes:
        code: Its exit code.
        out: Its standard output.
        err: Its standard error.
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The object in its last line."""
        lines = self.out.strip().splitlines()
        assert lines, (self.code, self.err)
        answer: dict[str, Any] = json.loads(lines[-1])
        return answer


@dataclass(frozen=True)
class StackUnderTest:
    """A stack with a project name, ports, passwords and state of its own.

    Attributes:
        name: Its project name, and how its containers' names begin.
        ports: Service to its port on 127.0.0.1.
        environ: With which ``perf-pipeline`` and Compose work on it.
    """

    name: str
    ports: dict[str, int]
    environ: dict[str, str]

    def beside(self, name: str, folder: Path, *files: Path) -> StackUnderTest:
        """Return another stack on the same engine, with Compose files that change this one's."""
        environ = {**self.environ, "XDG_STATE_HOME": str(folder / "state")}
        environ["PERF_PIPELINE_STACK_NAME"] = f"{self.name}{name}"
        environ["PERF_PIPELINE_STACK_FILES"] += "".join(f"{os.pathsep}{file}" for file in files)
        environ |= {port_variable(service): "0" for service in self.ports}
        return StackUnderTest(f"{self.name}{name}", {}, environ)

    def call(self, *words: str, timeout_s: float = 300.0) -> Answer:
        """Run ``perf-pipeline`` on this stack."""
        command = [sys.executable, "-m", "perf_pipeline.cli", *words]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def states(self) -> dict[str, str]:
        """Return the state of each service as ``perf-pipeline status`` has it."""
        stack = self.call("status", "--json").json["stack"]
        return {service["service"]: service["state"] for service in stack["services"]}

    def container(self, service: str) -> str:
        """Return the name of a service's container."""
        return f"{self.name}_{service}"

    def process(self, service: str) -> int:
        """Return the main process of a service, as this machine sees it."""
        return int(self.docker("inspect", "--format", "{{.State.Pid}}", self.container(service)))

    def docker(self, *words: str) -> str:
        """Run ``docker`` on this stack's engine; it must succeed."""
        done = subprocess.run(
            ["docker", *words], env=self.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def url(self, service: str, path: str = "") -> str:
        """Return an address of a service, as this machine sees it."""
        return f"http://127.0.0.1:{self.ports[service]}/{path}"

    def get_json(self, service: str, path: str) -> Any:
        """Ask a service of this stack."""
        with urllib.request.urlopen(self.url(service, path), timeout=10) as answer:  # noqa: S310 - http
            return json.load(answer)

    def query(self, promql: str) -> list[dict[str, Any]]:
        """Ask the stack's Prometheus for the values of an expression now."""
        told = self.get_json("prometheus", f"api/v1/query?query={quote(promql)}")
        series: list[dict[str, Any]] = told["data"]["result"]
        return series


def new_stack(
    name: str, engine: Engine, folder: Path, *, left_out: tuple[str, ...]
) -> StackUnderTest:
    """Prepare a stack, without starting anything.

    Args:
        name: Project name.
        engine: Where it runs.
        folder: For its state; its own.
        left_out: Services that cannot run here.
    """
    drawn = free_ports(random.Random(), ephemeral_range())
    ports = {service: next(drawn) for service in STACK_PORTS}
    files = [INFRA / "compose.yaml", INFRA / "compose.debian.yaml"]
    if left_out:
        lines = [f"  {one}: {{profiles: !override [not_in_debian]}}\n" for one in left_out]
        without = folder / "without.yaml"
        without.write_text("services:\n" + "".join(lines), encoding="utf-8")
        files.append(without)
    environ = {
        **os.environ,
        "DOCKER_HOST": engine.host,
        "PERF_PIPELINE_STACK_FILES": os.pathsep.join(map(str, files)),
        "PERF_PIPELINE_STACK_NAME": name,
        "PERF_PIPELINE_STACK_ENV": str(folder / "stack.env"),
        "PERF_PIPELINE_DOCKER_SOCKET": engine.socket,
        "PERF_PIPELINE_DOCKER_ROOT": engine.root,
        "XDG_STATE_HOME": str(folder / "state"),
        "PERF_PIPELINE_RESULTS": str(folder / "results"),
        **{port_variable(service): str(port) for service, port in ports.items()},
    }
    return StackUnderTest(name, ports, environ)


def eventually(is_so: Callable[[], object], timeout_s: float, what: str) -> None:
    """Wait until something is so."""
    until = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.5)
