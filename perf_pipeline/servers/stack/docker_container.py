"""One container, as its Docker engine knows it; by docker-py, which is imported when it is used."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.errors import PerfPipelineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perf_pipeline.samples.manifest import ContainerRecord

API_VERSION = "1.41"
"""Docker 20.10; what is asked for here is in it."""
_ANSWER_S, _SOON_S = 4.0, 0.3
_PERIOD_US = 100_000


class ContainerGoneError(PerfPipelineError):
    """The engine has no such container any more."""


class EngineError(PerfPipelineError):
    """The engine refused or does not answer; the text is its own."""


@dataclass(frozen=True)
class Endpoint:
    """How a container is attached to a network."""

    network: str
    aliases: tuple[str, ...]
    ipv4_address: str | None


@dataclass(frozen=True)
class CpuLimit:
    """CPU time that a container may use, in the terms in which it was set; 0 for no limit.

    The engine refuses to change one in other terms.
    """

    nano_cpus: int
    quota_us: int
    period_us: int

    @property
    def cpus(self) -> float | None:
        """CPU seconds a second; None for no limit."""
        if self.nano_cpus:
            return self.nano_cpus / 1e9
        return self.quota_us / (self.period_us or _PERIOD_US) if self.quota_us > 0 else None

    def changed_to(self, cpus: float) -> CpuLimit:
        """Return another limit in the same terms."""
        if self.nano_cpus:
            return CpuLimit(round(1e9 * cpus), 0, 0)
        period_us = self.period_us or _PERIOD_US
        return CpuLimit(0, round(cpus * period_us), period_us)


@dataclass(frozen=True)
class ContainerState:
    """What the engine says of a container now.

    Attributes:
        status: ``running``, ``paused``, ``exited``, ...
        was_out_of_memory: The kernel killed its main process for want of memory.
        pid: Its main process as the host sees it; 0 if it does not run.
        name: Its name.
        image: The image that it was made of.
        endpoints: Its networks.
        cpu: Its CPU limit.
        memory_bytes: Its memory limit; 0 for none.
        memory_swap_bytes: The same with swap; -1 for no limit on that.
    """

    status: str
    was_out_of_memory: bool
    pid: int
    name: str
    image: str
    endpoints: tuple[Endpoint, ...]
    cpu: CpuLimit
    memory_bytes: int
    memory_swap_bytes: int


class DockerContainer:
    """A container and its engine.

    Every method raises ``ContainerGoneError`` or ``EngineError``.
    """

    def __init__(self, engine: str, container_id: str, answer_s: float = _ANSWER_S) -> None:
        """Name it; nothing is asked.

        Args:
            engine: Path of the engine's socket.
            container_id: The container.
            answer_s: How long each answer may take.
        """
        self._answer_s = answer_s
        self.engine = engine
        self.container_id = container_id

    def inspect(self) -> ContainerState:
        """Ask the engine what it is now."""
        return state_of(self._call("inspect_container", self.container_id))

    def pause(self) -> None:
        """Freeze all its processes."""
        self._call("pause", self.container_id)

    def unpause(self) -> None:
        """Let them go on."""
        self._call("unpause", self.container_id)

    def kill(self) -> None:
        """Send SIGKILL to its main process, with which all others end."""
        self._call("kill", self.container_id, signal="SIGKILL")

    def start(self) -> None:
        """Start it again; one that runs stays as it is."""
        self._call("start", self.container_id)

    def disconnect(self, network: str) -> None:
        """Detach it from a network."""
        self._call("disconnect_container_from_network", self.container_id, network)

    def connect(self, endpoint: Endpoint) -> None:
        """Attach it to a network as it was."""
        self._call(
            "connect_container_to_network",
            self.container_id,
            endpoint.network,
            aliases=list(endpoint.aliases),
            ipv4_address=endpoint.ipv4_address,
        )

    def limit_cpu(self, limit: CpuLimit) -> None:
        """Change its CPU limit; the terms must be those of the one that it has."""
        if limit.nano_cpus:
            self._update({"NanoCpus": limit.nano_cpus})
        else:  # 0 would change nothing
            period_us, quota_us = limit.period_us or _PERIOD_US, limit.quota_us or -1
            self._update({"CpuPeriod": period_us, "CpuQuota": quota_us})

    def limit_memory(self, memory_bytes: int, memory_swap_bytes: int) -> None:
        """Change its memory limit, and the one with swap."""
        self._update({"Memory": memory_bytes, "MemorySwap": memory_swap_bytes})

    def _update(self, limits: Mapping[str, int]) -> None:
        """Change limits; docker-py's own method for it has no NanoCpus."""
        self._ask(
            lambda: self._api._result(  # noqa: SLF001 - raises its errors
                self._api.post(
                    f"{self._api.base_url}/v{API_VERSION}/containers/{self.container_id}/update",
                    json=dict(limits),
                )
            )
        )

    def _call(self, method: str, *arguments: object, **options: object) -> Any:
        return self._ask(lambda: getattr(self._api, method)(*arguments, **options))

    def _ask(self, question: Callable[[], Any]) -> Any:
        from docker.errors import DockerException, NotFound  # noqa: PLC0415 - 0.1 s, rarely needed
        from requests.exceptions import RequestException  # noqa: PLC0415 - as docker

        try:
            return question()
        except NotFound as error:
            raise ContainerGoneError(f"container {self.container_id[:12]}: {error}") from error
        except (DockerException, RequestException, OSError) as error:
            raise EngineError(f"container {self.container_id[:12]}: {error}") from error

    @cached_property
    def _api(self) -> Any:
        from docker import APIClient  # noqa: PLC0415 - 0.1 s, rarely needed

        return APIClient(f"unix://{self.engine}", version=API_VERSION, timeout=self._answer_s)


def state_of(answer: Mapping[str, Any]) -> ContainerState:
    """Return what the engine's answer about a container says."""
    state, host = answer["State"], answer["HostConfig"]
    networks: Mapping[str, Mapping[str, Any]] = answer["NetworkSettings"]["Networks"] or {}
    return ContainerState(
        status=state["Status"],
        was_out_of_memory=bool(state.get("OOMKilled")),
        pid=state["Pid"],
        name=answer["Name"].removeprefix("/"),
        image=answer["Config"]["Image"],
        endpoints=tuple(_endpoint(name, one) for name, one in sorted(networks.items())),
        cpu=CpuLimit(host["NanoCpus"], max(host["CpuQuota"], 0), host["CpuPeriod"]),
        memory_bytes=host["Memory"],
        memory_swap_bytes=host["MemorySwap"],
    )


def _endpoint(network: str, values: Mapping[str, Any]) -> Endpoint:
    aliases: Sequence[str] = values.get("Aliases") or ()
    static = (values.get("IPAMConfig") or {}).get("IPv4Address") or None
    return Endpoint(network, tuple(aliases), static)


def container_processes(container: ContainerRecord) -> tuple[int, ...]:
    """Return the main process of a container now, as this machine has it; empty if it has none."""
    try:
        now = DockerContainer(container.engine, container.id, _SOON_S).inspect()
    except (ContainerGoneError, EngineError):
        return ()
    return host_processes(now.pid, container.id)


def host_processes(pid: int, container_id: str, proc: Path = Path("/proc")) -> tuple[int, ...]:
    """Return the main process of a container, if this machine has it.

    The engine may be that of a virtual machine, where the same number is another process.
    """
    try:
        groups = (proc / str(pid) / "cgroup").read_text(encoding="utf-8")
    except OSError:
        return ()
    return (pid,) if container_id in groups else ()
