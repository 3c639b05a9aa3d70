"""The sinks that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.alerts.sinks.alertmanager import AlertmanagerSink
from perf_pipeline.alerts.sinks.email import EmailSink
from perf_pipeline.alerts.sinks.log import LogSink
from perf_pipeline.alerts.sinks.webhook import WebhookSink

if TYPE_CHECKING:
    from perf_pipeline.alerts.sinks.sink import Sink
    from perf_pipeline.config.settings import Settings


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
