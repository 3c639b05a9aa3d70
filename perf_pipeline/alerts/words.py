"""The active alerts, in words: for the command, the asset check and the CI files."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.alerts.notice import Notice
from perf_pipeline.report.text.quantity import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.metrics.types.alert import Alert


class ActiveAlerts(NamedTuple):
    """The alerts that are not cleared, by what they decide.

    Attributes:
        confirmed: Open, and confirmed: a gate fails.
        warnings: Open, of the fast tier: undecided.
        acknowledged: Somebody knows of them.
    """

    confirmed: tuple[Alert, ...]
    warnings: tuple[Alert, ...]
    acknowledged: tuple[Alert, ...]

    @property
    def summary(self) -> str:
        """One line."""
        parts = (
            (self.confirmed, "open regression"),
            (self.warnings, "open warning"),
            (self.acknowledged, "acknowledged alert"),
        )
        return ", ".join(counted(len(alerts), what) for alerts, what in parts if alerts)


def active_alerts(alerts: Iterable[Alert]) -> ActiveAlerts:
    """Sort the alerts that are not cleared."""
    kept = [one for one in alerts if one.state != "cleared"]
    opened = [one for one in kept if one.state == "open"]
    return ActiveAlerts(
        tuple(one for one in opened if one.tier == "confirmed"),
        tuple(one for one in opened if one.tier == "fast"),
        tuple(one for one in kept if one.state == "acknowledged"),
    )


def alert_lines(alert: Alert) -> tuple[str, ...]:
    """Return an alert as it is now: its title, and what moved."""
    event = {"acknowledged": "acknowledged", "cleared": "cleared"}.get(alert.state, "raised")
    notice = Notice(event, alert, alert.raised_at)  # type: ignore[arg-type]  # of the closed list
    return (notice.title, *notice.lines)
