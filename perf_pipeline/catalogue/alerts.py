"""Alerts in the catalogue: read, stored and changed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from perf_pipeline.catalogue import tables
from perf_pipeline.metrics.types.alert import Alert, MetricKey, Movement, Undelivered

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def read_alerts(session: Session) -> tuple[Alert, ...]:
    """Return all alerts, the newest first bad run first."""
    metrics = selectinload(tables.Alert.metrics)
    rows = session.scalars(select(tables.Alert).order_by(tables.Alert.id.desc()).options(metrics))
    return tuple(map(_alert, rows))


def store_alert(session: Session, alert: Alert) -> None:
    """Store an alert in place of what is stored of it."""
    known = session.get(tables.Alert, alert.alert_id)
    if known is not None:
        # First: rows of the same keys take their place.
        known.metrics.clear()
        session.flush()
    session.merge(
        tables.Alert(
            id=alert.alert_id,
            scenario=alert.scenario,
            state=alert.state,
            raised=alert.raised_at,
            acknowledged=alert.acknowledged_at,
            note=alert.note,
            cleared=alert.cleared_at,
            undelivered=[asdict(one) for one in alert.undelivered],
            metrics=[
                tables.AlertMetric(alert_id=alert.alert_id, position=position, **_columns(one))
                for position, one in enumerate(alert.movements)
            ],
        )
    )


def _columns(movement: Movement) -> dict[str, Any]:
    values = {name: getattr(movement, name) for name in _SAME}
    return {
        **movement.key._asdict(),
        **values,
        "first_bad_run": movement.first_bad,
        "last_good_run": movement.last_good,
    }


_SAME = (
    *("unit", "higher_is_better", "kind", "effect", "low", "high", "tier", "severity"),
    *("comparison", "pair", "is_drift"),
)
"""Columns that are called as the fields of a movement."""


def _alert(row: tables.Alert) -> Alert:
    return Alert(
        alert_id=row.id,
        scenario=row.scenario,
        state=row.state,  # type: ignore[arg-type]  # a word of the closed list, as it was stored
        raised_at=row.raised,
        movements=tuple(
            Movement(
                key=MetricKey(one.target, one.level, one.family, one.metric),
                first_bad=one.first_bad_run,
                last_good=one.last_good_run,
                **{name: getattr(one, name) for name in _SAME},
            )
            for one in row.metrics
        ),
        acknowledged_at=row.acknowledged,
        note=row.note,
        cleared_at=row.cleared,
        undelivered=tuple(Undelivered(**one) for one in row.undelivered),
    )
