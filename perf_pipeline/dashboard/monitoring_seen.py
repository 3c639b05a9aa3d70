"""What Prometheus and Alertmanager say of the runs that go on, as people see it.

A run without an alert is only said to have none where Prometheus scrapes it and both answer.
"""

from __future__ import annotations

import http.client
import json
from collections import defaultdict
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.report.text.table import Tone

ROWS_MAX = 20
"""Alerts of a run that are shown, the gravest ones; others are counted."""
_ANSWER_S = 1.0
_BYTES_MAX = 1 << 20
_SCRAPED = "/api/v1/query?query=" + quote('up{job="runs"} == 1')
_FIRING = "/api/v2/alerts?active=true&silenced=false&inhibited=false&unprocessed=false"
_TONES: dict[str, Tone] = {"critical": "bad", "warning": "warn", "info": "plain"}
_SEVERITIES = list(_TONES)
_WRONG = (OSError, http.client.HTTPException, ValueError, LookupError, TypeError, AttributeError)
"""What a program that does not answer, or is another one, raises here."""


class FiringAlert(NamedTuple):
    """One alert that fires; every text is inert.

    Attributes:
        name: Its name.
        severity: ``critical``, ``warning`` or ``info``.
        text: What it says.
        since: Since when, UTC.
    """

    name: str
    severity: Cell
    text: str
    since: str


class RunAlerts(NamedTuple):
    """What fires for one run.

    Attributes:
        firing: The gravest first.
        more: How many are not among them.
        sentence: Why there may be others, or that there is none; empty where there are some.
    """

    firing: tuple[FiringAlert, ...]
    more: int
    sentence: Cell


@dataclass(frozen=True)
class MonitoringSeen:
    """What was found of the monitoring that was started.

    Attributes:
        is_started: Whether it was.
        pages: Name to address of what answers.
        scraped: Ids of the runs that Prometheus scrapes now; None where it does not answer.
        firing: Id of a run to its alerts; None where Alertmanager does not answer.
    """

    is_started: bool = False
    pages: Mapping[str, str] = field(default_factory=dict)
    scraped: frozenset[str] | None = None
    firing: Mapping[str, tuple[FiringAlert, ...]] | None = None

    def of_run(self, run_id: str) -> RunAlerts | None:
        """Return what fires for a run; None where no monitoring was started."""
        if not self.is_started:
            return None
        firing = (self.firing or {}).get(run_id, ())
        return RunAlerts(firing[:ROWS_MAX], len(firing[ROWS_MAX:]), self._sentence(run_id, firing))

    def _sentence(self, run_id: str, firing: tuple[FiringAlert, ...]) -> Cell:
        if self.firing is None:
            return Cell("Alertmanager does not answer: which alerts fire is not known.", "warn")
        if self.scraped is None:
            return Cell("Prometheus does not answer: it raises no alert now.", "warn")
        if run_id not in self.scraped:
            text = "Prometheus does not scrape this run now: alerts on it may be missing."
            return Cell(text, "warn")
        return Cell("" if firing else "No alert fires.", "quiet")


def scraped_runs(prometheus_url: str) -> frozenset[str] | None:
    """Return the ids of the runs that a Prometheus scrapes now; None where it does not answer."""
    try:
        found = _answer(prometheus_url, _SCRAPED)["data"]["result"]
        return frozenset(str(one["metric"]["run_id"]) for one in found)
    except _WRONG:
        return None


def firing_alerts(alertmanager_url: str) -> dict[str, tuple[FiringAlert, ...]] | None:
    """Return the alerts that fire by the id of their run; None where nothing answers."""
    by_run: dict[str, list[FiringAlert]] = defaultdict(list)
    try:
        for one in _answer(alertmanager_url, _FIRING):
            if run_id := one["labels"].get("run_id"):
                by_run[str(run_id)].append(_alert(one))
    except _WRONG:
        return None
    return {run_id: tuple(sorted(found, key=_gravest_first)) for run_id, found in by_run.items()}


def _answer(url: str, path: str) -> Any:
    """Return what a program on loopback answers; no redirect is followed, and no proxy asked."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_ANSWER_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise ValueError(f"status {answer.status}")
        return json.loads(answer.read(_BYTES_MAX))
    finally:
        connection.close()


def _alert(found: Mapping[str, Any]) -> FiringAlert:
    severity = str(found["labels"].get("severity", ""))
    return FiringAlert(
        name=escape.name(found["labels"]["alertname"]),
        severity=Cell(escape.name(severity), _TONES.get(severity, "warn")),
        text=escape.visible(found["annotations"].get("summary", "")),
        since=escape.name(quantity.moment(str(found["startsAt"]))),
    )


def _gravest_first(alert: FiringAlert) -> tuple[int, str]:
    severity = alert.severity.text
    known = severity in _SEVERITIES
    return (_SEVERITIES.index(severity) if known else len(_SEVERITIES), alert.name)
