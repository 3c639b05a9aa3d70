"""Alerts in Dagster: a check of the history in every load job, and a sensor for what comes later.

Both look at the same history and raise each alert once, whichever comes first: the check needs no
daemon, and the sensor tries again what could not be delivered, and sees comparisons and runs that
no job measured.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from assets.history import metric_history
from assets.metrics import run_metrics as run_metrics_asset
from perf_pipeline.alerts.look import Look
from perf_pipeline.alerts.news import newest
from perf_pipeline.alerts.watch import watch
from perf_pipeline.alerts.words import ActiveAlerts, active_alerts, alert_lines
from perf_pipeline.config.settings import Settings, current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.host.load_lock import is_held
from perf_pipeline.redaction.redact import redacted
from perf_pipeline.report.text import escape

CHECK = "no_open_regression"
LOOK_EVERY_S = 60
"""A tick without news costs a query of the catalogue."""

_DESCRIPTION = (
    "No metric got worse since some run, unless somebody acknowledged it: an error once it is "
    "confirmed, a warning before. `perf-pipeline alerts` lists them."
)


@dg.multi_asset_check(
    name="history_alerts",
    specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=metric_history,
            additional_deps=[run_metrics_asset],
            description=_DESCRIPTION,
        )
    ],
)
def history_alerts(
    context: dg.AssetCheckExecutionContext, run_metrics: str
) -> Iterator[dg.AssetCheckResult]:
    """Raise alerts for what is worse, and say what stands open; it costs a run nothing."""
    results = Path(run_metrics).parents[1]
    yield checked(replace(current_settings(), results_dir=results), context.log.warning)


def checked(settings: Settings, warn: Callable[[str], None]) -> dg.AssetCheckResult:
    """Raise alerts, and return what stands open; where nobody could look, it is said.

    Args:
        settings: With the results folder.
        warn: Called with a line for what is new, not delivered, or could not be read.
    """
    found = raise_alerts(settings, warn)
    if isinstance(found, str):
        return dg.AssetCheckResult(
            asset_key=metric_history.key,
            check_name=CHECK,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description=escape.markdown(f"Nobody looked: {found}"),
        )
    now = active_alerts(found.alerts)
    return dg.AssetCheckResult(
        asset_key=metric_history.key,
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


def alert_sensor(settings_now: Callable[[], Settings]) -> dg.SensorDefinition:
    """Make the sensor that raises alerts and tries again what was not delivered.

    Args:
        settings_now: Reads the settings.
    """

    @dg.sensor(
        name="regression_alerts",
        minimum_interval_seconds=LOOK_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Raises one alert for each run since which something is worse, and sends it "
        "to the webhook, the mail server and the Alertmanager of the settings. It waits while a "
        "load run measures, and starts no load.",
    )
    def regression_alerts(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        settings = settings_now()
        if is_held(settings.lock_path):
            return dg.SkipReason("a load run measures on this host; looking when it has ended")
        news = newest(settings)
        if news and news == context.cursor:
            return dg.SkipReason("no new run and no new comparison, and everything is delivered")
        found = raise_alerts(settings, context.log.warning)
        if isinstance(found, str):
            return dg.SkipReason(found)
        now = active_alerts(found.alerts)
        return dg.SensorResult(
            skip_reason=f"{len(found.announced)} announced; {now.summary or 'no alert stands'}",
            cursor=newest(settings),
            asset_events=[
                dg.AssetCheckEvaluation(
                    asset_key=metric_history.key,
                    check_name=CHECK,
                    passed=not (now.confirmed or now.warnings),
                    metadata=numbers_of(now),
                    severity=severity_of(now),
                    description=description_of(now),
                )
            ],
        )

    return regression_alerts


regression_alerts = alert_sensor(current_settings)
