"""What is announced about an alert, in the words of people: a title and a few lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.report.text import changes, escape
from perf_pipeline.report.text.quantity import counted

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.alert import Alert, AlertEvent, Movement

MOVEMENTS_MAX = 8
"""Metrics that a notice lists; `perf-pipeline alerts` shows all."""

_TITLES: dict[AlertEvent, str] = {
    "raised": "Regression",
    "confirmed": "Regression confirmed",
    "moved_again": "Regression, worse again",
    "acknowledged": "Acknowledged",
    "cleared": "Cleared",
}


@dataclass(frozen=True)
class Notice:
    """Something to announce.

    Attributes:
        event: What happened.
        alert: The alert, as it is after that.
        at: Wall clock, ISO 8601 UTC.
    """

    event: AlertEvent
    alert: Alert
    at: str

    @property
    def title(self) -> str:
        """One line: what happened, how bad it is, where, since when."""
        alert = self.alert
        what = _TITLES[self.event]
        if self.event == "raised" and alert.tier == "fast":
            what = "Possible regression"
        where = f"{escape.name(alert.scenario)} ({', '.join(map(escape.name, alert.targets))})"
        return f"{what}, {alert.severity}: {where} since run {alert.alert_id}"

    @property
    def lines(self) -> tuple[str, ...]:
        """What moved and by how much, where to look, and what to do."""
        alert = self.alert
        moved = alert.movements[:MOVEMENTS_MAX]
        more = len(alert.movements) - len(moved)
        return (
            self._since,
            *map(movement_line, moved),
            *((f"and {counted(more, 'metric')} more",) if more else ()),
            *((f"Note: {escape.visible(alert.note)}",) if alert.note else ()),
            self._to_do,
        )

    @property
    def _since(self) -> str:
        alert = self.alert
        if alert.is_drift:
            return (
                f"It drifts, so no single run is to blame; {alert.alert_id} is the first that is "
                "worse by more than is negligible."
            )
        last_good = f" after {alert.last_good}, the last good one" if alert.last_good else ""
        return f"First bad run: {alert.alert_id}{last_good}."

    @property
    def _to_do(self) -> str:
        if self.event == "cleared":
            return "Later runs are as before again."
        if self.event == "acknowledged":
            return "It is announced again only if it moves again."
        doubt = ""
        if self.alert.tier == "fast":
            doubt = "This is a warning of few runs; more runs will confirm it or take it back. "
        ack = f"perf-pipeline alerts ack {self.alert.alert_id}"
        return f"{doubt}Charts: perf-pipeline history. To acknowledge it: {ack}"


def movement_line(movement: Movement) -> str:
    """Return one line about a metric: what moved where, how much, and with which interval."""
    key = movement.key
    names = (f"at {key.level}", key.family, key.target)
    where = ", ".join(escape.name(one) for one in names if one)
    effect, low, high = (
        changes.effect_text(value, movement.kind)
        for value in (movement.effect, movement.low, movement.high)
    )
    tier = ", a warning" if movement.tier == "fast" else ""
    if movement.is_drift:
        tier = f", drifting since {movement.last_good}"
    return f"{changes.metric_name(key.metric)} {where}: {effect} ({low} to {high}){tier}"
