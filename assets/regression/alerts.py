"""Alerts in Dagster: a check of the history in every load job, and a sensor for what comes later.

Both look at the same history and raise each alert once, whichever comes first: the check needs no
daemon, and the sensor tries again what could not be delivered, and sees comparisons and runs that
no job measured.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg

from assets.history import metric_history
from assets.metrics import run_metrics as run_metrics_asset
from perf_pipeline.config.settings import Settings, current_settings
from perf_pipeline.host.load_lock import is_locked

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
    from assets.regression.raised_alerts import checked

    results = Path(run_metrics).parents[1]
    yield checked(replace(current_settings(), results_dir=results), context.log.warning)


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
        from assets.regression import raised_alerts as raised
        from perf_pipeline.alerts.news import newest
        from perf_pipeline.alerts.words import active_alerts

        settings = settings_now()
        if is_locked(settings.lock_path):
            return dg.SkipReason("a load run measures on this host; looking when it has ended")
        news = newest(settings)
        if news and news == context.cursor:
            return dg.SkipReason("no new run and no new comparison, and everything is delivered")
        found = raised.raise_alerts(settings, context.log.warning)
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
                    metadata=raised.numbers_of(now),
                    severity=raised.severity_of(now),
                    description=raised.description_of(now),
                )
            ],
        )

    return regression_alerts


regression_alerts = alert_sensor(current_settings)
