"""Which alerts are new, confirmed, worse again or cleared, by what is worse now.

A second look at an unchanged history changes nothing. An alert is announced again only when a
metric is worse than announced by more than both intervals, when more runs confirm a warning that
nobody acknowledged, or when it was cleared and is confirmed after all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.alerts.comparison_evidence import covers
from perf_pipeline.alerts.drifts import (
    alert_of_drift,
    alert_of_part,
    is_on_the_way,
    with_drifts,
)
from perf_pipeline.alerts.worse import is_beyond, worsening_interval
from perf_pipeline.metrics.types.alert import SEVERITIES, Alert, MetricKey, Movement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from perf_pipeline.alerts.comparison_evidence import Restored
    from perf_pipeline.alerts.seen import Seen
    from perf_pipeline.metrics.types.alert import AlertEvent, AlertTier


@dataclass(frozen=True)
class Evidence:
    """All that is known now.

    Attributes:
        seen: What is worse, by the history and by comparisons.
        watched: Scenario and metric of each history that was looked at, with the ids of its runs.
        restored: What comparisons found to be as before.
    """

    seen: Sequence[Seen]
    watched: Mapping[tuple[str, MetricKey], Sequence[str]]
    restored: Sequence[Restored]


class Changed(NamedTuple):
    """An alert that is new, or other than it was stored.

    Attributes:
        alert: As it is now.
        event: What to announce; None where nothing is.
    """

    alert: Alert
    event: AlertEvent | None


def changed_alerts(stored: Iterable[Alert], evidence: Evidence, now: str) -> tuple[Changed, ...]:
    """Return the alerts that are not as they were stored, each once.

    Args:
        stored: All alerts, in any state.
        evidence: What is worse now.
        now: Wall clock, ISO 8601 UTC.
    """
    known = {alert.alert_id: alert for alert in stored}
    raised: dict[str, Alert] = {}
    of_alert: dict[str, list[Movement]] = {}
    # A history says better than a comparison which run is the first bad one.
    histories = [one for one in evidence.seen if not one.movement.comparison]
    comparisons = [one for one in evidence.seen if one.movement.comparison]
    for found in (histories, comparisons):
        new: list[Seen] = []
        joining: list[Seen] = []
        for seen in found:
            alert = _alert_of(seen, (*known.values(), *raised.values()))
            if alert is not None:
                of_alert.setdefault(alert.alert_id, []).append(seen.movement)
            else:
                (new if seen.may_raise else joining).append(seen)
        raised |= {one.alert_id: one for one in (_raised(group, now) for group in _groups(new))}
        for seen in joining:
            alert = _alert_of(seen, raised.values())
            if alert is not None:
                of_alert.setdefault(alert.alert_id, []).append(seen.movement)
    changed = [
        Changed(
            replace(alert, movements=_merged(alert.movements, of_alert.get(alert.alert_id, ()))),
            "raised",
        )
        for alert in raised.values()
    ]
    for alert in known.values():
        changed += _updated(alert, _worst_first(of_alert.get(alert.alert_id, ())), evidence, now)
    return tuple(changed)


def _alert_of(seen: Seen, alerts: Iterable[Alert]) -> Alert | None:
    """Return the alert that a movement belongs to; None for a new one.

    It is the alert of its first bad run, or of a run beside it. A comparison leaves a longer time
    open: what it finds belongs to an alert of that time that announced it already, or that nobody
    has acknowledged and that says nothing of this metric.
    """
    movement = seen.movement
    mine = [alert for alert in alerts if alert.scenario == seen.scenario]
    if movement.is_drift:
        return alert_of_drift(seen, mine)
    announced = (movement.key, movement.first_bad)
    near = [
        alert
        for alert in mine
        if seen.is_near(alert.alert_id, alert.tier)
        or announced in {(one.key, one.first_bad) for one in alert.movements}
    ]
    if near:
        # One that announced the metric: else a second look could choose another one.
        return min(
            near,
            key=lambda alert: (
                movement.key not in {one.key for one in alert.movements},
                alert.alert_id != movement.first_bad,
            ),
        )
    if not movement.comparison:
        return alert_of_part(movement, mine)
    active = [alert for alert in mine if alert.state != "cleared"]
    known = [alert for alert in active if _announced_in(alert, movement)]
    if known and not _is_beyond_all(movement, known):
        return max(known, key=lambda alert: alert.alert_id)
    between = [
        alert
        for alert in active
        if alert.state == "open"
        and not movement.pair
        and movement.last_good < alert.alert_id <= movement.first_bad
        and movement.key not in {one.key for one in alert.movements}
    ]
    return max(between, key=lambda alert: alert.alert_id, default=None)


def _announced_in(alert: Alert, movement: Movement) -> Movement | None:
    """Return what an alert announced of the metric of a comparison, in the time that it covers."""
    sides = (movement.last_good, movement.first_bad, movement.pair)
    mine = (one for one in alert.movements if one.key == movement.key)
    return next((one for one in mine if covers(*sides, one)), None)


def _is_beyond_all(movement: Movement, known: Iterable[Alert]) -> bool:
    """Return whether a comparison finds more than what is known explains.

    Steps of a history add up between its sides; comparisons with the same baseline do not.
    """
    announced = [one for alert in known if (one := _announced_in(alert, movement))]
    steps = sum(worsening_interval(one)[1] for one in announced if not one.comparison)
    compared = (worsening_interval(one)[1] for one in announced if one.comparison)
    return worsening_interval(movement)[0] > max(steps, *compared, 0.0)


def _groups(seen: Iterable[Seen]) -> Iterator[list[Seen]]:
    """Yield movements that belong together: those with one first bad run, or with one beside it.

    The run that most movements name is the first bad one; what is confirmed counts first.
    """
    left = list(seen)
    while left:
        votes = Counter((one.scenario, one.movement.first_bad) for one in left)
        confirmed = Counter(
            (one.scenario, one.movement.first_bad)
            for one in left
            if one.movement.tier == "confirmed"
        )
        scenario, run = min(votes, key=lambda at: (-confirmed[at], -votes[at], at))
        tier: AlertTier = "confirmed" if confirmed[scenario, run] else "fast"
        near = [one for one in left if one.scenario == scenario and one.is_near(run, tier)]
        group = with_drifts(near, left)
        left = [one for one in left if one not in group]
        yield sorted(group, key=lambda one: one.movement.first_bad != run)


def _raised(group: Sequence[Seen], now: str) -> Alert:
    """Return a new alert; the first of its movements names the first bad run."""
    first = group[0]
    movements = _merged(_worst_first([one.movement for one in group]))
    return Alert(first.movement.first_bad, first.scenario, "open", now, movements)


def _updated(
    alert: Alert, found: Sequence[Movement], evidence: Evidence, now: str
) -> Iterator[Changed]:
    """Yield a stored alert if it is other than it was."""
    is_confirmed = any(one.tier == "confirmed" for one in found)
    if alert.state == "cleared":
        if is_confirmed:  # a warning that comes and goes is announced once
            event: AlertEvent = "raised" if alert.tier == "confirmed" else "confirmed"
            yield Changed(_reopened(alert, found), event)
        return
    announced = {one.key: one for one in alert.movements}
    if any(_moved_again(one, announced.get(one.key)) for one in found):
        yield Changed(_reopened(alert, found), "moved_again")
        return
    kept = [one for one in alert.movements if not _is_gone(alert, one, found, evidence)]
    if not kept and not found:
        yield Changed(replace(alert, state="cleared", cleared_at=now), "cleared")
        return
    # What was announced stays as it was announced, to know later what is beyond.
    movements = _merged(kept, found)
    if movements != alert.movements:
        is_news = is_confirmed and alert.tier == "fast" and alert.state == "open"
        yield Changed(replace(alert, movements=movements), "confirmed" if is_news else None)


def _moved_again(movement: Movement, announced: Movement | None) -> bool:
    """Return whether a metric is worse than announced; a history is compared with a history.

    A drift is compared with a step on its way, but no step with a drift: it is a part of it.
    """
    return (
        announced is not None
        and movement.tier == announced.tier == "confirmed"
        and bool(movement.comparison) == bool(announced.comparison)
        and (movement.is_drift or not announced.is_drift)
        and is_beyond(movement, announced)
    )


def _reopened(alert: Alert, found: Sequence[Movement]) -> Alert:
    return replace(
        alert,
        state="open",
        movements=_merged(found, alert.movements),
        acknowledged_at="",
        note="",
        cleared_at="",
    )


def _merged(*movements: Iterable[Movement]) -> tuple[Movement, ...]:
    """Return each metric once, the worst first: as it came first, or as it was first confirmed."""
    found: dict[MetricKey, Movement] = {}
    for one in chain(*movements):
        before = found.get(one.key)
        if before is None or (before.tier, one.tier) == ("fast", "confirmed"):
            found[one.key] = one
    return _worst_first(found.values())


def _worst_first(movements: Iterable[Movement]) -> tuple[Movement, ...]:
    return tuple(sorted(movements, key=_rank))


def _rank(movement: Movement) -> tuple[object, ...]:
    is_warning = movement.tier == "fast"
    low, _ = worsening_interval(movement)
    of_one_kind = bool(movement.key.family)
    return is_warning, -SEVERITIES.index(movement.severity), of_one_kind, -low, movement.key


def _is_gone(
    alert: Alert, movement: Movement, found: Sequence[Movement], evidence: Evidence
) -> bool:
    """Return whether what was worse was looked at again, and is not worse any more."""
    drifts = (one.movement for one in evidence.seen if one.movement.is_drift)
    if any(one.key == movement.key for one in found) or any(
        is_on_the_way(movement, drift) for drift in drifts
    ):
        return False
    if movement.comparison:
        return any(one.restores(alert.scenario, movement) for one in evidence.restored)
    runs = evidence.watched.get((alert.scenario, movement.key), ())
    return movement.first_bad in runs
