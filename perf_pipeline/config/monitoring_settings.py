"""Where a run's live metrics are served, and where Prometheus is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCRAPE_DIR = "PERF_PIPELINE_SCRAPE_DIR"
LISTEN = "PERF_PIPELINE_EXPORTER_LISTEN"
VARIABLES = (SCRAPE_DIR, LISTEN)
PORTS = 65536


@dataclass(frozen=True)
class MonitoringSettings:
    """How the exporter of a run is started.

    Attributes:
        scrape_dir: Folder that a Prometheus watches for files with addresses; None for that of
            ``perf-pipeline start --monitoring``, where it was started.
        listen: Address that the exporter listens on.
        port: Of it, plus the number of a shard; 0 for a free one.
    """

    scrape_dir: Path | None = None
    listen: str = "127.0.0.1"
    port: int = 0


def read_monitoring_settings(
    environ: Mapping[str, str], here: Path, problems: list[str]
) -> MonitoringSettings:
    """Read the settings; what is wrong with them is added to ``problems``."""
    given = environ.get(SCRAPE_DIR)
    listen, colon, port = (environ.get(LISTEN) or "127.0.0.1").rpartition(":")
    if not colon:
        listen, port = port, "0"
    if not listen or not (port.isdecimal() and int(port) < PORTS):
        problems.append(
            f"{LISTEN} is {environ[LISTEN]!r}; it must be an address, or address:port, with a "
            "port of 0 to 65535."
        )
        port = "0"
    return MonitoringSettings(here / given if given else None, listen, int(port))
