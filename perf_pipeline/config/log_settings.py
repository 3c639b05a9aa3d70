"""Where logs are shipped to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from perf_pipeline.redaction.redact import remember_url

if TYPE_CHECKING:
    from collections.abc import Mapping

LOGS_URL = "PERF_PIPELINE_LOGS_URL"
KIBANA_URL = "PERF_PIPELINE_KIBANA_URL"
VARIABLES = (LOGS_URL, KIBANA_URL)
_SCHEMES = ("http", "https")


@dataclass(frozen=True)
class LogSettings:
    """Addresses of the store of logs and of its user interface; None where there is none.

    Attributes:
        url: Elasticsearch or OpenSearch.
        kibana_url: Kibana or OpenSearch Dashboards.
    """

    url: str | None = None
    kibana_url: str | None = None


def read_log_settings(environ: Mapping[str, str], problems: list[str]) -> LogSettings:
    """Read the settings; what is wrong with them is added to ``problems``."""
    for name in VARIABLES:
        given = environ.get(name, "")
        remember_url(given)
        if given and (wrong := _wrong_part(given)):
            problems.append(
                f"{name} has {wrong}: write it like http://user:password@host:9200, with a "
                "password's special characters as %40 and the like."
            )
    return LogSettings(environ.get(LOGS_URL) or None, environ.get(KIBANA_URL) or None)


def _wrong_part(url: str) -> str:
    """Return what is wrong with a URL, without its text, which may be a password; empty if none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "a host or port that cannot be read (ports are 1 to 65535)"
    if parts.scheme not in _SCHEMES:
        return "another scheme than http or https"
    if not parts.hostname:
        return "no host"
    return "port 0" if port == 0 else ""
