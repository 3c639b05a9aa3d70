"""A Prometheus Alertmanager, by its API v2: it groups, routes and silences as it is configured.

Alertmanager holds an alert to be over when nobody repeats it (``resolve_timeout``), and repeats an
alert that is not over (``repeat_interval``). Ours name their end instead: years ahead while they
are open, and now once they are cleared or acknowledged. What identifies an alert there are its
labels, so that a warning that is confirmed ends, and a critical one begins.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from perf_pipeline.alerts.sinks.http_post import post_json
from perf_pipeline.redaction.redact import redacted

if TYPE_CHECKING:
    from perf_pipeline.alerts.notice import Notice

_OPEN_FOR = timedelta(days=3650)
_PATH = "/api/v2/alerts"


class AlertmanagerSink:
    """Posts each alert, its confirmation and its end."""

    name = "alertmanager"
    takes_acknowledgements = True

    def __init__(self, url: str) -> None:
        """Post to the Alertmanager at a URL, which may hold a login."""
        self._url = url.rstrip("/") + _PATH

    def send(self, notice: Notice) -> None:
        """Post an alert."""
        post_json(self.name, self._url, posted_alerts(notice))


def posted_alerts(notice: Notice) -> list[dict[str, object]]:
    """Return the alerts that a notice begins and ends."""
    now = datetime.fromisoformat(notice.at)
    is_over = notice.event in ("cleared", "acknowledged")
    severity = "warning" if notice.alert.tier == "fast" else "critical"
    open_until = now if is_over else now + _OPEN_FOR
    posted = [_alert(notice, severity, open_until)]
    if severity == "critical" and notice.event != "raised":
        posted.append(_alert(notice, "warning", now))  # it may have begun as a warning
    return posted


def _alert(notice: Notice, severity: str, until: datetime) -> dict[str, object]:
    alert = notice.alert
    return {
        "labels": {
            "alertname": "PerformanceRegression",
            "scenario": alert.scenario,
            "first_bad_run": alert.alert_id,
            "severity": severity,
        },
        "annotations": {
            "summary": redacted(notice.title),
            "description": redacted("\n".join(notice.lines)),
        },
        "startsAt": alert.raised_at,
        "endsAt": until.isoformat(),
    }
