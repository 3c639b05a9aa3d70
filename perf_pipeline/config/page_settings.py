"""Addresses of web pages that ours link to, as the reader's browser reaches them.

================================  ===============================================================
PERF_PIPELINE_REPORTS_URL         the performance dashboard, where it is not on this machine's
                                  loopback; links to reports lead there
PERF_PIPELINE_DAGSTER_URL         the Dagster UI, for a link from the dashboard
PERF_PIPELINE_GRAFANA_URL         Grafana, likewise
PERF_PIPELINE_PROMETHEUS_URL      Prometheus, likewise
PERF_PIPELINE_KIBANA_URL          Kibana, likewise
PERF_PIPELINE_PAGES_ASKED         where the dashboard asks whether those are there, NAME=HOST:PORT
                                  for each; set by the stack, whose parts may be off
================================  ===============================================================
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_ADDRESSES = (
    "PERF_PIPELINE_REPORTS_URL",
    "PERF_PIPELINE_DAGSTER_URL",
    "PERF_PIPELINE_GRAFANA_URL",
    "PERF_PIPELINE_PROMETHEUS_URL",
    "PERF_PIPELINE_KIBANA_URL",
)
_ASKED = "PERF_PIPELINE_PAGES_ASKED"
VARIABLES = (*_ADDRESSES, _ASKED)

_NAMES = ("Dagster", "Grafana", "Prometheus", "Kibana")
_PLACE = re.compile(rf"({'|'.join(_NAMES)})=([A-Za-z0-9_.-]+):([0-9]{{1,5}})")


@dataclass(frozen=True)
class PageSettings:
    """Addresses of web pages, without a slash at the end; None where none was given.

    Attributes:
        reports: The performance dashboard.
        dagster: The Dagster UI.
        grafana: Grafana.
        prometheus: Prometheus.
        kibana: Kibana.
        asked: Name of a page to the host and port at which the dashboard finds its program, if it
            runs; a page that is not in it is linked to without asking.
    """

    reports: str | None = None
    dagster: str | None = None
    grafana: str | None = None
    prometheus: str | None = None
    kibana: str | None = None
    asked: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def reports_host(self) -> str | None:
        """The host name by which readers reach the dashboard; None without an address of it."""
        return urlsplit(self.reports).hostname if self.reports else None


def read_page_settings(environ: Mapping[str, str], problems: list[str]) -> PageSettings:
    """Read the addresses; what is wrong with them is added to ``problems``."""
    reports, dagster, grafana, prometheus, kibana = (
        _address(environ, name, problems) for name in _ADDRESSES
    )
    asked = _places(environ.get(_ASKED, ""), problems)
    return PageSettings(reports, dagster, grafana, prometheus, kibana, asked)


def _places(given: str, problems: list[str]) -> dict[str, tuple[str, int]]:
    found = {word: _PLACE.fullmatch(word) for word in given.split()}
    problems += [
        f"{_ASKED} has {word!r}; it must be NAME=HOST:PORT with {', '.join(_NAMES[:-1])} or "
        f"{_NAMES[-1]}."
        for word, place in found.items()
        if place is None
    ]
    return {place[1]: (place[2], int(place[3])) for place in found.values() if place}


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
