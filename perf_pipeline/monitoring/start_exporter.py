"""Starts the exporter of a run, where there is a Prometheus that would scrape it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings

_MODULE = "perf_pipeline.monitoring.exporter"


def start_exporter(folder: Path, scenario: str, settings: Settings) -> int | None:
    """Start the process that serves a run's live metrics; it ends by itself after the run.

    It survives this process, so that a killed run is seen to be dead.

    Args:
        folder: The run's, or the campaign's.
        scenario: Name of the scenario.
        settings: Where to listen, and where Prometheus looks.

    Returns:
        Its process id; None where no Prometheus looks for runs.

    Raises:
        OSError: It cannot be started.
    """
    if (scrape_dir := settings.scrape_dir) is None:
        return None
    monitoring = settings.monitoring
    arguments = [
        *(sys.executable, "-I", "-m", _MODULE, str(folder.absolute())),
        *("--scrape-dir", str(scrape_dir.absolute()), "--scenario", scenario),
        *("--listen", monitoring.listen, "--port", str(monitoring.port)),
    ]
    nowhere = [
        (os.POSIX_SPAWN_OPEN, descriptor, os.devnull, flags, 0)
        for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY))
    ]
    # Not by subprocess, which would warn that nobody waits for it.
    return os.posix_spawn(sys.executable, arguments, os.environ, file_actions=nowhere, setsid=True)
