"""What each sink has still to get of an alert."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.alert import Undelivered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.alerts.sinks.sink import Addressee, Sink
    from perf_pipeline.metrics.types.alert import Alert, AlertEvent

RETRY_AFTER = timedelta(seconds=30)
"""Longer than a delivery may take: meanwhile another process may be busy with it."""


def queued(alert: Alert, event: AlertEvent, sinks: Iterable[Addressee]) -> Alert:
    """Return an alert whose event all sinks have to get.

    A sink that missed an earlier one gets only what holds now; of an alert that was raised and
    cleared meanwhile it gets nothing.
    """
    missed = {one.sink: one.event for one in alert.undelivered}
    waiting = []
    for sink in sinks:
        before = missed.get(sink.name)
        now = event if event != "acknowledged" or sink.takes_acknowledgements else before
        if before == "raised" and event in ("confirmed", "moved_again"):
            now = "raised"
        if now is None or (before == "raised" and event == "cleared"):
            continue
        waiting.append(Undelivered(sink.name, now, ""))
    return replace(alert, undelivered=tuple(waiting))


def due(alert: Alert, sinks: Iterable[Sink], now: datetime) -> tuple[Undelivered, ...]:
    """Return what nobody tries to deliver at the moment; sinks that are gone get nothing."""
    names = {sink.name for sink in sinks}
    return tuple(
        one
        for one in alert.undelivered
        if one.sink in names
        and (not one.tried_at or now - datetime.fromisoformat(one.tried_at) >= RETRY_AFTER)
    )


def tried(alert: Alert, entries: Iterable[Undelivered], now: str) -> Alert:
    """Return an alert whose entries somebody tries to deliver now."""
    chosen = {(one.sink, one.event) for one in entries}
    return replace(
        alert,
        undelivered=tuple(
            replace(one, tried_at=now) if (one.sink, one.event) in chosen else one
            for one in alert.undelivered
        ),
    )


def ended(alert: Alert, sink: str, event: AlertEvent, why: str) -> Alert:
    """Return an alert after an attempt.

    Args:
        alert: As it is stored now.
        sink: Name of the sink.
        event: What it was to get.
        why: Why it did not; empty if it did.
    """
    kept = tuple(
        replace(one, why=why) if (one.sink, one.event) == (sink, event) else one
        for one in alert.undelivered
        if why or (one.sink, one.event) != (sink, event)
    )
    return replace(alert, undelivered=kept)
