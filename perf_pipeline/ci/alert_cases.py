"""Alerts as test cases: an open regression fails, and a warning or a known one is skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.alerts.words import alert_lines
from perf_pipeline.ci.cases import Case
from perf_pipeline.ci.notes import NotedRun, are_wanted, note_run
from perf_pipeline.report.text.escape import markdown as inert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.alerts.words import ActiveAlerts
    from perf_pipeline.ci.cases import Outcome
    from perf_pipeline.metrics.types.alert import Alert

NAME = "alerts"


def note_alerts(now: ActiveAlerts, results: Path) -> None:
    """Note the alerts that stand; of no effect where no command writes CI files.

    Args:
        now: The alerts.
        results: Where their runs are.
    """
    if not are_wanted():
        return
    alerts = (*now.confirmed, *now.warnings, *now.acknowledged)
    blocks = ["\n".join(f"- {inert(line)}" for line in alert_lines(alert)) for alert in alerts] or [
        "No alert stands."
    ]
    note_run(
        NotedRun(
            run_id="",
            scenario=NAME,
            started_at="",
            report=str(results),
            cases=tuple(_cases(now)),
            summary="\n\n".join(blocks),
            what=now.summary or "none",
        )
    )


def _cases(now: ActiveAlerts) -> Iterator[Case]:
    found: tuple[tuple[tuple[Alert, ...], Outcome], ...] = (
        (now.confirmed, "failed"),
        (now.warnings, "skipped"),
        (now.acknowledged, "skipped"),
    )
    for alerts, outcome in found:
        for alert in alerts:
            yield Case(
                alert.scenario, f"since {alert.alert_id}", outcome, " ".join(alert_lines(alert))
            )
    if not any(alerts for alerts, _ in found):
        yield Case(NAME, "no regression since any run", "passed")
