"""The state of each service of the stack, and why one is not healthy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perf_pipeline.servers.stack.stack_engine import SERVICE_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perf_pipeline.servers.stack.stack_engine import StackEngine

_OUTPUT_CHARACTERS = 300
_LOG_LINES = 10
_SIGNALLED = 128
_GOOD = ("healthy", "running")


@dataclass(frozen=True)
class ServiceState:
    """One service of the stack now.

    Attributes:
        service: As in the Compose file.
        state: ``healthy``, ``unhealthy``, ``starting``, ``running`` (it has no healthcheck),
            ``paused``, ``exited``, ``created``, ... (the engine's words), or ``missing``: it was
            started, and has no container any more.
        container: The container's name; None if it is missing.
        exit_code: What it exited with; None unless it has.
        detail: What is wrong; empty if nothing is.
    """

    service: str
    state: str
    container: str | None = None
    exit_code: int | None = None
    detail: str = ""

    @property
    def is_good(self) -> bool:
        """Whether it does what it was started for, as far as anybody can tell."""
        return self.state in _GOOD


def service_states(engine: StackEngine, expected: Iterable[str]) -> list[ServiceState]:
    """Return the state of each service that has a container, or was started.

    Raises:
        StackEngineError: The engine does not answer.
    """
    states = {one["Config"]["Labels"][SERVICE_LABEL]: _state_of(one) for one in engine.containers()}
    for service in expected:
        lost = ServiceState(service, "missing", detail="its container was removed")
        states.setdefault(service, lost)
    return [states[service] for service in sorted(states)]


def explain(engine: StackEngine, state: ServiceState) -> str:
    """Return why a service is not healthy: its last healthcheck, and the end of its log."""
    text = f"{state.service} is {state.state}"
    text += f": {state.detail}" if state.detail else ""
    if state.container is None:
        return text
    lines = engine.log_lines(state.container, _LOG_LINES)
    return "\n".join([text, *(f"    {line}" for line in lines or ["(its log is empty)"])])


def _state_of(container: Mapping[str, Any]) -> ServiceState:
    service = container["Config"]["Labels"][SERVICE_LABEL]
    name = container["Name"].removeprefix("/")
    now = container["State"]
    status: str = now["Status"]
    health = now.get("Health") or {}
    if status == "running" and health.get("Status") in {"healthy", "unhealthy", "starting"}:
        status = health["Status"]
    if status in {"exited", "dead"}:
        code = now["ExitCode"]
        return ServiceState(service, status, name, code, _ending(code, now))
    detail = "" if status in _GOOD else _last_check(health)
    return ServiceState(service, status, name, detail=detail)


def _ending(code: int, now: Mapping[str, Any]) -> str:
    if now.get("OOMKilled"):
        return f"exit code {code}: it used more memory than its limit, and the kernel killed it"
    if now.get("Error"):
        return f"exit code {code}: {now['Error']}"
    signalled = f", signal {code - _SIGNALLED}" if code > _SIGNALLED else ""
    return f"exit code {code}{signalled}"


def _last_check(health: Mapping[str, Any]) -> str:
    """Return what the last healthcheck said."""
    log = health.get("Log") or ()
    if not log:
        return ""
    said = " ".join(log[-1]["Output"].split())[:_OUTPUT_CHARACTERS] or "(nothing)"
    times = health.get("FailingStreak", 0)
    return f"its healthcheck failed {times} times, the last with {log[-1]['ExitCode']}: {said}"
