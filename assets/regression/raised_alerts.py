"""Raises alerts, and returns what stands open as the result of a check."""

from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg

from perf_pipeline.alerts.look import Look
from perf_pipeline.alerts.watch import watch
from perf_pipeline.alerts.words import ActiveAlerts, active_alerts, alert_lines
from perf_pipeline.config.settings import Settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.redaction.redact import redacted
from perf_pipeline.report.text import escape

ASSET = dg.AssetKey("metric_history")
CHECK = "no_open_regression"


def checked(settings: Settings, warn: Callable[[str], None]) -> dg.AssetCheckResult:
    """Raise alerts, and return what stands open; where nobody could look, it is said.

    Args:
        settings: With the results folder.
        warn: Called with a line for what is new, not delivered, or could not be read.
    """
    found = raise_alerts(settings, warn)
    if isinstance(found, str):
        return dg.AssetCheckResult(
            asset_key=ASSET,
            check_name=CHECK,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description=escape.markdown(f"Nobody looked: {found}"),
        )
    now = active_alerts(found.alerts)
    return dg.AssetCheckResult(
        asset_key=ASSET,
        check_name=CHECK,
        passed=not (now.confirmed or now.warnings),
        severity=severity_of(now),
        description=description_of(now),
        metadata=numbers_of(now),
    )


def raise_alerts(settings: Settings, warn: Callable[[str], None]) -> Look | str:
    """Raise and announce alerts; where that is impossible, return why, which costs a run nothing.

    Args:
        settings: With the results folder.
        warn: As of ``checked``.
    """
    try:
        found = watch(settings, datetime.now(UTC), warn)
    except PerfPipelineError as error:
        warn(f"nobody looked for regressions: {error}")
        return str(error)
    for notice in found.announced:
        warn(redacted(f"announced: {notice.title}"))
    return found


def severity_of(now: ActiveAlerts) -> dg.AssetCheckSeverity:
    """Return an error for what is confirmed, and a warning for what may be taken back."""
    return dg.AssetCheckSeverity.ERROR if now.confirmed else dg.AssetCheckSeverity.WARN


def description_of(now: ActiveAlerts) -> str:
    """Return the alerts that stand for the UI, which reads Markdown; names stay texts."""
    alerts = (*now.confirmed, *now.warnings, *now.acknowledged)
    blocks = ["\n\n".join(map(escape.markdown, alert_lines(alert))) for alert in alerts]
    return "\n\n---\n\n".join(blocks) or "No alert stands."


def numbers_of(now: ActiveAlerts) -> dict[str, dg.MetadataValue]:
    """Return how many alerts stand."""
    return {
        "confirmed": dg.MetadataValue.int(len(now.confirmed)),
        "warnings": dg.MetadataValue.int(len(now.warnings)),
        "acknowledged": dg.MetadataValue.int(len(now.acknowledged)),
    }
