"""Alerts and pinned baselines of the catalogues of results folders as rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.alerts.notice import movement_line
from perf_pipeline.alerts.words import alert_lines
from perf_pipeline.catalogue.alerts import read_alerts
from perf_pipeline.catalogue.baselines import list_baselines
from perf_pipeline.catalogue.store import stored_catalogue
from perf_pipeline.errors import CatalogueError
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.quantity import counted
from perf_pipeline.report.text.table import Cell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.catalogue.baselines import PinnedBaseline
    from perf_pipeline.metrics.types.alert import Alert
    from perf_pipeline.report.text.table import Tone

ROWS_MAX = 200
"""Alerts on the page, the newest ones; older ones are counted."""
_STATES: dict[str, Tone] = {"open": "bad", "acknowledged": "warn", "cleared": "good"}


@dataclass(frozen=True)
class AlertRow:
    """One alert; every text is inert.

    Attributes:
        alert_id: Id of the first bad run.
        link: Address of that run's report; empty where it is not here.
        scenario: Its scenario.
        state: ``open``, ``acknowledged`` or ``cleared``.
        severity: Of the worst movement, and whether it is confirmed.
        raised: When, UTC.
        lines: Since when, what moved, and what to do.
        moved: What moved most, by how much.
        note: Of whoever acknowledged it.
        is_open: Whether nobody has acknowledged it.
    """

    alert_id: str
    link: str
    scenario: str
    state: Cell
    severity: str
    raised: str
    lines: tuple[str, ...]
    moved: str
    note: str
    is_open: bool


@dataclass(frozen=True)
class BaselineRow:
    """What a pinned name stands for; every text is inert.

    Attributes:
        name: The name, as in ``pinned:NAME``.
        scenario: Of its runs.
        machine: Fingerprint of their machine.
        created: When it was pinned, UTC.
        note: Why; may be empty.
        runs: Id to address of the report of each run; empty where that is not here.
    """

    name: str
    scenario: str
    machine: str
    created: str
    note: str
    runs: tuple[tuple[str, str], ...]


class CatalogueRows(NamedTuple):
    """What the catalogues hold.

    Attributes:
        alerts: Newest first bad run first.
        older: How many alerts are not among them.
        baselines: By name.
        is_there: Whether there is a catalogue at all.
        damaged: A sentence for each that cannot be read.
    """

    alerts: tuple[AlertRow, ...]
    older: int
    baselines: tuple[BaselineRow, ...]
    is_there: bool
    damaged: tuple[str, ...]


def catalogue_rows(results: Sequence[Path], url: str | None = None) -> CatalogueRows:
    """Read the catalogues of results folders, or the database in their place; nothing is changed.

    Args:
        results: The folders.
        url: As ``stored_catalogue`` takes it.
    """
    alerts: list[Alert] = []
    baselines: list[PinnedBaseline] = []
    damaged: list[str] = []
    is_there = False
    for folder in results[:1] if url else results:
        try:
            catalogue = stored_catalogue(folder, url)
            if catalogue is None:
                continue
            with catalogue.reading() as session:
                alerts += read_alerts(session)
            baselines += list_baselines(catalogue)
            is_there = True
        except CatalogueError as error:
            damaged.append(escape.visible(error))
    alerts.sort(key=lambda one: one.alert_id, reverse=True)
    return CatalogueRows(
        tuple(_alert(one, results) for one in alerts[:ROWS_MAX]),
        len(alerts[ROWS_MAX:]),
        tuple(_baseline(one, results) for one in baselines),
        is_there,
        tuple(damaged),
    )


def _alert(alert: Alert, results: Sequence[Path]) -> AlertRow:
    _, *lines = alert_lines(alert)
    return AlertRow(
        alert_id=escape.name(alert.alert_id),
        link=_report(alert.alert_id, results),
        scenario=escape.name(alert.scenario),
        state=Cell(escape.name(alert.state), _STATES.get(alert.state, "warn")),
        severity=f"{escape.name(alert.severity)}, {escape.name(alert.tier)}",
        raised=quantity.moment(alert.raised_at).removesuffix(" UTC"),
        lines=tuple(map(escape.visible, lines)),
        moved=_moved(alert),
        note=escape.visible(alert.note),
        is_open=alert.state == "open",
    )


def _moved(alert: Alert) -> str:
    if not alert.movements:
        return ""
    others = len(alert.movements) - 1
    more = f", and {counted(others, 'metric')} more" if others else ""
    return escape.visible(f"{movement_line(alert.movements[0])}{more}")


def _baseline(one: PinnedBaseline, results: Sequence[Path]) -> BaselineRow:
    return BaselineRow(
        name=escape.name(one.name),
        scenario=escape.name(one.scenario),
        machine=escape.name(one.machine),
        created=quantity.moment(one.created).removesuffix(" UTC"),
        note=escape.visible(one.note),
        runs=tuple((escape.name(run), _report(run, results)) for run in one.runs),
    )


def _report(run_id: str, results: Sequence[Path]) -> str:
    """Return the address of a run's report; empty where it is in none of the folders."""
    if "/" in run_id or "\0" in run_id:
        return ""
    is_here = any((folder / run_id / "report.html").is_file() for folder in results)
    return f"/{run_id}/report.html" if is_here else ""
