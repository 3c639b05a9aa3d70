"""Which alert a drift belongs to, and which drift a step belongs to.

A drift has no first bad run that would identify it: with each run its line is a little other, and
with some runs more or fewer the same values are taken for steps. So a drift and the steps on its
way are one regression of a metric, and belong to the alert that announced the metric first; the
drifts of a scenario share one alert.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.alerts.worse import is_beyond

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perf_pipeline.alerts.seen import Seen
    from perf_pipeline.metrics.types.alert import Alert, Movement


def alert_of_drift(seen: Seen, alerts: Iterable[Alert]) -> Alert | None:
    """Return the alert of a drift; None where it is a new one, or not clear enough for any.

    Args:
        seen: A drift.
        alerts: Those of its scenario, in any state.
    """
    movement = seen.movement
    mine = sorted(alerts, key=lambda alert: alert.alert_id)
    known = [
        alert
        for alert in mine
        if any(is_on_the_way(one, movement) for one in alert.movements)
        and (alert.state != "cleared" or alert.alert_id > movement.last_good)
    ]
    if known or not seen.is_sure:
        return next((one for one in known if one.state != "cleared"), next(iter(known), None))
    return next(
        (one for one in mine if one.alert_id == movement.first_bad),
        next((one for one in mine if one.is_drift and one.state == "open"), None),
    )


def alert_of_part(movement: Movement, alerts: Iterable[Alert]) -> Alert | None:
    """Return the alert of the drift that a step is a part of; None where it is of none.

    A step that is greater than the drift that was announced is none of its parts.
    """
    return next(
        (
            alert
            for alert in alerts
            if alert.state != "cleared"
            and any(
                one.is_drift and is_on_the_way(movement, one) and not is_beyond(movement, one)
                for one in alert.movements
            )
        ),
        None,
    )


def with_drifts(group: list[Seen], left: Sequence[Seen]) -> list[Seen]:
    """Return movements that belong together with all drifts of their scenario, if one of them is.

    Args:
        group: Of one scenario.
        left: All movements that belong to no alert yet.
    """
    if not any(one.movement.is_drift for one in group):
        return group
    scenario = group[0].scenario
    others = (one for one in left if one.scenario == scenario and one.movement.is_drift)
    return group + [one for one in others if one not in group]


def is_on_the_way(movement: Movement, drift: Movement) -> bool:
    """Return whether a movement is the drift as it was before, or a step on its way."""
    return movement.key == drift.key and (
        movement.is_drift or (not movement.comparison and movement.first_bad > drift.last_good)
    )
