"""Starts one program of the monitoring; it ends with this process, unless it is detached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.servers.lifecycle.embedded import start_embedded
from perf_pipeline.servers.lifecycle.unprivileged import NO_SWITCH
from perf_pipeline.servers.monitors.monitor import find_program
from perf_pipeline.servers.monitors.obtain import HOW_TO_GET

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.lifecycle.embedded import EmbeddedServer
    from perf_pipeline.servers.monitors.monitor import Monitor


def start_monitor(
    settings: Settings,
    monitor: Monitor,
    ports: Iterable[int],
    *,
    log_folder: Path | None = None,
) -> EmbeddedServer:
    """Start a program of the monitoring and wait until it answers.

    Args:
        settings: Where its program is looked for, and its folder is made.
        monitor: The program.
        ports: Ports to try.
        log_folder: Where its guardian logs; None for nowhere.

    Raises:
        ServiceUnavailableError: Its program is missing, or it does not start.
    """
    found = find_program(settings, monitor.program)
    if found is None:
        raise ServiceUnavailableError(f"{monitor.program} is missing: {HOW_TO_GET}")
    return start_embedded(
        monitor, found, settings.temp_dir, ports, as_user=NO_SWITCH, log_folder=log_folder
    )
