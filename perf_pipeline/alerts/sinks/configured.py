"""The sinks that the settings name, and those that they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.alerts.sinks.alertmanager import AlertmanagerSink
from perf_pipeline.alerts.sinks.email import EmailSink
from perf_pipeline.alerts.sinks.log import LogSink
from perf_pipeline.alerts.sinks.sink import AbsentSink
from perf_pipeline.alerts.sinks.webhook import WebhookSink

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.alerts.sinks.sink import Sink
    from perf_pipeline.config.settings import Settings

_KINDS = (LogSink, WebhookSink, EmailSink, AlertmanagerSink)


def configured_sinks(settings: Settings) -> tuple[Sink, ...]:
    """Return where alerts are announced: always in the log of the results folder."""
    to = settings.alerts
    sinks: list[Sink] = [LogSink(settings.results_dir)]
    if to.webhook_url:
        sinks.append(WebhookSink(to.webhook_url))
    if to.email:
        sinks.append(EmailSink(to.email))
    if to.alertmanager_url:
        sinks.append(AlertmanagerSink(to.alertmanager_url))
    return tuple(sinks)


def absent_sinks(sinks: Iterable[Sink]) -> tuple[AbsentSink, ...]:
    """Return every other kind: a process that can reach one hands over what is open then."""
    names = {sink.name for sink in sinks}
    return tuple(
        AbsentSink(kind.name, kind.takes_acknowledgements)
        for kind in _KINDS
        if kind.name not in names
    )
