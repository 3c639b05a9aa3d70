"""Addresses of web pages that ours link to, as the reader's browser reaches them.

================================  ===============================================================
PERF_PIPELINE_REPORTS_URL         the performance dashboard, where it is not on this machine's
                                  loopback; links to reports lead there
PERF_PIPELINE_DAGSTER_URL         the Dagster UI, for a link from the dashboard
PERF_PIPELINE_GRAFANA_URL         Grafana, likewise
PERF_PIPELINE_PROMETHEUS_URL      Prometheus, likewise
PERF_PIPELINE_KIBANA_URL          Kibana, likewise
================================  ===============================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES = (
    "PERF_PIPELINE_REPORTS_URL",
    "PERF_PIPELINE_DAGSTER_URL",
    "PERF_PIPELINE_GRAFANA_URL",
    "PERF_PIPELINE_PROMETHEUS_URL",
    "PERF_PIPELINE_KIBANA_URL",
)


@dataclass(frozen=True)
class PageSettings:
    """Addresses of web pages, without a slash at the end; None where none was given.

    Attributes:
        reports: The performance dashboard.
        dagster: The Dagster UI.
        grafana: Grafana.
        prometheus: Prometheus.
        kibana: Kibana.
    """

    reports: str | None = None
    dagster: str | None = None
    grafana: str | None = None
    prometheus: str | None = None
    kibana: str | None = None

    @property
    def reports_host(self) -> str | None:
        """The host name by which readers reach the dashboard; None without an address of it."""
        return urlsplit(self.reports).hostname if self.reports else None


def read_page_settings(environ: Mapping[str, str], problems: list[str]) -> PageSettings:
    """Read the addresses; what is wrong with them is added to ``problems``."""
    return PageSettings(*(_address(environ, name, problems) for name in VARIABLES))


def _address(environ: Mapping[str, str], name: str, problems: list[str]) -> str | None:
    given = environ.get(name)
    if not given:
        return None
    try:
        parts = urlsplit(given)
        is_page = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_page = False
    # A login would be in every page that has the link.
    if not is_page or "@" in given or not (given.isascii() and given.isprintable()) or " " in given:
        problems.append(f"{name} is no address of a web page: write it like http://127.0.0.1:3000.")
        return None
    return given.rstrip("/")
