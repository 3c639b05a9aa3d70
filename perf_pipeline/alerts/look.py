"""One look at what is worse now: alerts are stored, announced, and what failed is tried again.

An alert is stored with what is to be announced before anybody is told: a process that is killed in
between delays an announcement, and loses none. Two processes that look at the same time announce
once: only one of them writes at a time, and the other finds the alert there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perf_pipeline.alerts.changes import changed_alerts
from perf_pipeline.alerts.deliver import deliver
from perf_pipeline.alerts.notice import Notice
from perf_pipeline.alerts.queue import due, ended, queued, tried
from perf_pipeline.catalogue.alerts import read_alerts, store_alert
from perf_pipeline.catalogue.filing import utc_text
from perf_pipeline.errors import AlertError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from perf_pipeline.alerts.changes import Evidence
    from perf_pipeline.alerts.sinks.sink import Addressee, Sink
    from perf_pipeline.catalogue.store import Catalogue
    from perf_pipeline.metrics.types.alert import Alert


@dataclass(frozen=True)
class Look:
    """What a look found.

    Attributes:
        alerts: All alerts as they are after it, the newest first bad run first.
        announced: What happened since the look before.
        undelivered: A sentence for each sink that did not take what it should get.
    """

    alerts: tuple[Alert, ...]
    announced: tuple[Notice, ...]
    undelivered: tuple[str, ...]


def look(
    catalogue: Catalogue,
    evidence: Evidence,
    sinks: Sequence[Sink],
    now: datetime,
    absent: Sequence[Addressee] = (),
) -> Look:
    """Raise, update and clear alerts, and announce it.

    Args:
        catalogue: Has the alerts.
        evidence: What is worse now.
        sinks: Where it is announced.
        now: Wall clock.
        absent: Kinds of sinks that this process cannot reach: a look of another one that can
            announces there what is open then, and not acknowledged.

    Raises:
        CatalogueError: The catalogue cannot be read or written.
    """
    at = utc_text(now)
    announced = []
    with catalogue.writing() as session:
        for alert, event in changed_alerts(read_alerts(session), evidence, at):
            to = sinks if event == "cleared" else (*sinks, *absent)
            store_alert(session, queued(alert, event, to) if event else alert)
            announced += [Notice(event, alert, at)] if event else []
    undelivered = deliver_due(catalogue, sinks, now)
    with catalogue.reading() as session:
        return Look(read_alerts(session), tuple(announced), undelivered)


def acknowledge(
    catalogue: Catalogue, alert_id: str, note: str, sinks: Sequence[Sink], now: datetime
) -> tuple[Alert, tuple[str, ...]]:
    """Acknowledge an alert: somebody knows of it, and it is announced again only if it moves again.

    Returns:
        The alert, and a sentence for each sink that was to know and did not take it.

    Raises:
        AlertError: There is none such, or it was cleared.
        CatalogueError: The catalogue cannot be read or written.
    """
    with catalogue.writing() as session:
        alerts = {one.alert_id: one for one in read_alerts(session)}
        alert = alerts.get(alert_id)
        if alert is None:
            known = [one.alert_id for one in alerts.values() if one.state == "open"]
            what = f"open ones are {', '.join(known)}" if known else "none is open"
            raise AlertError(f"there is no alert {alert_id}; {what}")
        if alert.state == "cleared":
            raise AlertError(f"alert {alert_id} was cleared at {alert.cleared_at}")
        known_since = alert.acknowledged_at or utc_text(now)
        alert = replace(alert, state="acknowledged", acknowledged_at=known_since, note=note)
        store_alert(session, queued(alert, "acknowledged", sinks))
    return alert, deliver_due(catalogue, sinks, now)


def deliver_due(catalogue: Catalogue, sinks: Sequence[Sink], now: datetime) -> tuple[str, ...]:
    """Deliver what sinks have not got yet; returns a sentence for each that did not take it.

    Raises:
        CatalogueError: The catalogue cannot be read or written.
    """
    at = utc_text(now)
    with catalogue.writing() as session:
        waiting: dict[str, list[Notice]] = {sink.name: [] for sink in sinks}
        for alert in reversed(read_alerts(session)):  # the oldest first
            entries = due(alert, sinks, now)
            for one in entries:
                waiting[one.sink].append(Notice(one.event, alert, at))
            if entries:
                store_alert(session, tried(alert, entries, at))
    found = deliver({sink: waiting[sink.name] for sink in sinks if waiting[sink.name]})
    if found:
        with catalogue.writing() as session:
            alerts = {one.alert_id: one for one in read_alerts(session)}
            for sink, (taken, why) in found.items():
                for notice in waiting[sink]:
                    identifier = notice.alert.alert_id
                    failed = "" if notice in taken else why
                    alerts[identifier] = ended(alerts[identifier], sink, notice.event, failed)
            for identifier in {one.alert.alert_id for its in waiting.values() for one in its}:
                store_alert(session, alerts[identifier])
    return tuple(why for _, why in found.values() if why)
