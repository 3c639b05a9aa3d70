"""Starts, stops and looks at the Compose stack of this project."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.stack_ports import PROFILES
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.held_folder import read_own
from perf_pipeline.servers.lifecycle.persistent_servers import write_private
from perf_pipeline.servers.stack.compose import ComposeError, compose
from perf_pipeline.servers.stack.env_file import ensure_env_file
from perf_pipeline.servers.stack.images import build_images, chosen_profiles, read_services
from perf_pipeline.servers.stack.service_state import ServiceState, explain, service_states
from perf_pipeline.servers.stack.stack_engine import StackEngine, StackEngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from perf_pipeline.config.settings import Settings

_STOP_S = 300.0
_HEALTHY_S = 300
_PULL_S = 3600.0
"""Images come over the network on the first start."""
_NO_CONTAINER = (
    "No container was made. Images come from a registry on the first start; where none can be "
    "reached, README.md (The production-like stack) says how to use those of Debian's packages."
)


class StackError(PerfPipelineError):
    """The stack did not become healthy; the text says which service, and why."""


@dataclass(frozen=True)
class StackStatus:
    """The stack now.

    Attributes:
        name: Its project name.
        services: The state of each service that was started; empty if none was.
        why_not: Why nothing is known of it, though it was started; empty otherwise.
    """

    name: str
    services: tuple[ServiceState, ...] = ()
    why_not: str = ""

    @property
    def is_good(self) -> bool:
        """Whether every service that was started is healthy."""
        return not self.why_not and all(one.is_good for one in self.services)


def start_stack(
    settings: Settings, profiles: Sequence[str], notify: Callable[[str], None]
) -> list[ServiceState]:
    """Start services of the stack, and wait until each is healthy.

    Args:
        settings: Name the stack.
        profiles: Parts of it; empty for all.
        notify: Called with a sentence for each thing that takes time or was done beside.

    Raises:
        ScenarioError: There is no such profile.
        ComposeError: There is no Compose, or it refused.
        StackError: A service did not become healthy.
    """
    chosen = chosen_profiles(profiles)
    if ensure_env_file(settings.stack.env_file):
        notify(f"passwords generated: {settings.stack.env_file}")
    services = read_services(settings, chosen)
    _write_started(settings, services)
    notify(f"starting {len(services)} services of the stack {settings.stack.name}")
    build_images(settings, chosen, services, notify)
    try:
        up = ["up", "--detach", "--wait", "--wait-timeout", str(_HEALTHY_S)]
        compose(settings, chosen, up, timeout_s=_PULL_S)
    except ComposeError as error:
        raise StackError(_why_unhealthy(settings, services, str(error))) from error
    return service_states(StackEngine(settings.stack), services)


def stop_stack(settings: Settings, *, volumes: bool) -> bool:
    """Stop and remove the stack's containers and network, and on request its data.

    Only what carries the label of this project is removed.

    Returns:
        Whether there was anything.

    Raises:
        ComposeError: There is no Compose, or it refused.
        StackEngineError: The engine does not answer, though a stack was started.
    """
    engine = StackEngine(settings.stack)
    if not engine.is_there():
        if _read_started(settings):
            raise StackEngineError(
                f"the stack {settings.stack.name} was started, and no Docker engine is at "
                f"{settings.stack.docker_socket}: start the engine, or set DOCKER_HOST"
            )
        return False
    removed = engine.remove_runs()
    if not (engine.containers() or (volumes and engine.volumes())):
        _started_file(settings).unlink(missing_ok=True)
        return removed > 0
    down = ["down", "--remove-orphans", *(["--volumes"] if volumes else [])]
    compose(settings, PROFILES, down, timeout_s=_STOP_S)
    _started_file(settings).unlink(missing_ok=True)
    return True


def stack_status(settings: Settings) -> StackStatus:
    """Return the state of each service that was started; nothing is started."""
    started = _read_started(settings)
    engine = StackEngine(settings.stack)
    name = settings.stack.name
    if not engine.is_there():
        why = f"no Docker engine is at {settings.stack.docker_socket}" if started else ""
        return StackStatus(name, why_not=why)
    try:
        return StackStatus(name, tuple(service_states(engine, started)))
    except StackEngineError as error:
        return StackStatus(name, why_not=str(error) if started else "")


def _why_unhealthy(settings: Settings, services: Iterable[str], said: str) -> str:
    """Return what Compose said, then which services are not healthy and why."""
    engine = StackEngine(settings.stack)
    try:
        states = service_states(engine, services)
        if not engine.containers():
            _started_file(settings).unlink(missing_ok=True)
            return f"{said}\n{_NO_CONTAINER}"
        lacking = [state for state in states if not state.is_good]
        # Compose ends its wait with the first that fails, while the others still start.
        failed = [state for state in lacking if state.state != "starting"] or lacking
        reasons = [explain(engine, state) for state in failed]
    except StackEngineError as error:
        reasons = [str(error)]
    return "\n".join([said, *reasons, "`perf-pipeline stop` removes what was started."])


def _started_file(settings: Settings) -> Path:
    return settings.state_dir / "stack" / f"{settings.stack.name}.json"


def _write_started(settings: Settings, services: Iterable[str]) -> None:
    """Remember what was started, so that a container that was removed is missed."""
    path = _started_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    together = sorted({*services, *_read_started(settings)})
    write_private(path, json.dumps({"services": together}))


def _read_started(settings: Settings) -> tuple[str, ...]:
    try:
        return tuple(json.loads(read_own(_started_file(settings)) or "{}").get("services", ()))
    except (ValueError, AttributeError):
        return ()  # no file that we wrote
