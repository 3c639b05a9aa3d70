"""Starts the exporter of a run, where there is a Prometheus that would scrape it."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from perf_pipeline.config.monitoring_settings import PORTS
from perf_pipeline.lifeline import is_in_container
from perf_pipeline.loadgen.plan.share import WHOLE, Share

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings

_MODULE = "perf_pipeline.monitoring.exporter"
LAST_SCRAPES_S = 35.0
"""How long a container waits for the last scrapes: two usual intervals of 15 s."""
_POLL_S = 0.1


def start_exporter(
    folder: Path, scenario: str, settings: Settings, share: Share = WHOLE
) -> int | None:
    """Start the process that serves a run's live metrics; it ends by itself after the run.

    It survives this process, so that a killed run is seen to be dead.

    Args:
        folder: The run's, or the campaign's.
        scenario: Name of the scenario.
        settings: Where to listen, and where Prometheus looks.
        share: What this host plays; one that has a host's name is told apart by it.

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
        *("--listen", monitoring.listen, "--port", str(port_of(monitoring.port, share))),
        *(("--shard", str(share.index), "--host", share.host) if share.host else ()),
    ]
    nowhere = [
        (os.POSIX_SPAWN_OPEN, descriptor, os.devnull, flags, 0)
        for descriptor, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY))
    ]
    # Not by subprocess, which would warn that nobody waits for it.
    return os.posix_spawn(sys.executable, arguments, os.environ, file_actions=nowhere, setsid=True)


def port_of(port: int, share: Share) -> int:
    """Return the port of a shard's exporter: no two shards of a run have one address.

    Else one of two hosts that serve on loopback by mistake would be scraped in place of the other.

    Args:
        port: The one that was asked for; 0 for a free one.
        share: The shard.
    """
    own = port + share.index
    return own if port and own < PORTS else 0


def outlast_exporter(process: int, longest_s: float) -> None:
    """In a container, wait for the end of a run's exporter; elsewhere it survives its parent.

    A container ends with its first process: the last values would not be scraped, and the file by
    which Prometheus finds the exporter would stay for ever.

    Args:
        process: What ``start_exporter`` returned.
        longest_s: How long it has; then it is asked to end.
    """
    if not is_in_container():
        return
    end_s = time.monotonic() + longest_s
    while os.waitpid(process, os.WNOHANG) == (0, 0):
        if time.monotonic() > end_s:
            os.kill(process, signal.SIGINT)
            os.waitpid(process, 0)
            return
        time.sleep(_POLL_S)
