"""The command alerts: what is worse since some run, and who knows of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from perf_pipeline.alerts.look import acknowledge
from perf_pipeline.alerts.pages import renew_pages
from perf_pipeline.alerts.sinks.configured import configured_sinks
from perf_pipeline.alerts.words import active_alerts, alert_lines
from perf_pipeline.catalogue.alerts import read_alerts
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.ci.alert_cases import note_alerts
from perf_pipeline.cli.lines.lines import show_wrapped
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import (
    AsJson,
    Junit,
    Results,
    Summary,
    answer,
    bad_input_explained,
    settings_with,
)
from perf_pipeline.errors import AlertError
from perf_pipeline.exit_code import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.types.alert import Alert

Action = Annotated[
    Literal["list", "check", "ack"],
    typer.Argument(
        metavar="[list|check|ack]",
        help="list what stands; check the history and the comparisons, announce what is new, and "
        "exit 1 if a regression is open, or 3 for a warning alone; ack ID: somebody knows of it.",
    ),
]
AlertId = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="For ack: the first bad run of the alert.")
]
Note = Annotated[
    str, typer.Option("--note", metavar="TEXT", help="For ack: what is known, for the others.")
]


def alerts(
    action: Action = "list",
    alert_id: AlertId = None,
    note: Note = "",
    results: Results = None,
    junit: Junit = None,  # noqa: ARG001 - read by ``call``
    summary: Summary = None,  # noqa: ARG001 - likewise
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List, check or acknowledge alerts: one for each first bad run, however many metrics moved.

    An acknowledged alert is announced again only if it moves again.
    """
    code = Exit.COMPLETE
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        if (action == "ack") != (alert_id is not None) or (note and action != "ack"):
            raise AlertError("write `perf-pipeline alerts ack ID --note TEXT`; only ack takes both")
        if action == "ack" and alert_id is not None:
            found: Sequence[Alert] = (_acknowledge(settings, alert_id, note, as_json=as_json),)
        elif action == "check":
            found, code = _check(settings, as_json=as_json)
        else:
            found = _stored(settings)
        _show(found, as_json=as_json)
    answer({"action": action, "alerts": list(map(_as_json, found))}, as_json=as_json)
    if code:
        raise typer.Exit(code)


def _stored(settings: Settings) -> Sequence[Alert]:
    results, url = settings.results_dir, settings.catalogue_url
    if url is None and not results.is_dir():
        return ()  # no run yet
    with open_catalogue(results, url).reading() as session:
        return read_alerts(session)


def _acknowledge(settings: Settings, alert_id: str, note: str, *, as_json: bool) -> Alert:
    catalogue = open_catalogue(settings.results_dir, settings.catalogue_url)
    sinks = configured_sinks(settings)
    alert, undelivered = acknowledge(catalogue, alert_id, note, sinks, datetime.now(UTC))
    for line in undelivered:
        show(f"not delivered, and tried again later: {line}", as_json=as_json)
    renew_pages(settings, {alert.scenario}, lambda line: show(line, as_json=as_json))
    return alert


def _check(settings: Settings, *, as_json: bool) -> tuple[Sequence[Alert], Exit]:
    from perf_pipeline.alerts.watch import watch  # noqa: PLC0415 - numpy: 0.2 s

    def notify(line: str) -> None:
        show(line, as_json=as_json)

    found = watch(settings, datetime.now(UTC), notify)
    for notice in found.announced:
        show(f"announced: {notice.title}", as_json=as_json)
    now = active_alerts(found.alerts)
    note_alerts(now, settings.results_dir)
    if now.confirmed:
        return found.alerts, Exit.GATE_FAILED
    return found.alerts, Exit.NOT_A_MEASUREMENT if now.warnings else Exit.COMPLETE


def _show(alerts: Sequence[Alert], *, as_json: bool) -> None:
    now = active_alerts(alerts)
    for alert in (*now.confirmed, *now.warnings, *now.acknowledged):
        title, *lines = alert_lines(alert)
        late = [
            f"Not delivered yet, and tried again by the next run or check: {one.why}"
            for one in alert.undelivered
            if one.why
        ]
        shown = [title, *(f"  {line}" for line in (*lines, *late))]
        show_wrapped(shown, as_json=as_json, indent="    ")
    cleared = len(alerts) - len([one for one in alerts if one.state != "cleared"])
    more = f"; {cleared} cleared" if cleared else ""
    show(f"{now.summary or 'no alert stands'}{more}", as_json=as_json)


def _as_json(alert: Alert) -> dict[str, Any]:
    values = asdict(alert)
    values["movements"] = [
        {**{name: value for name, value in one.items() if name != "key"}, **moved.key._asdict()}
        for one, moved in zip(values["movements"], alert.movements, strict=True)
    ]
    return {**values, "tier": alert.tier, "severity": alert.severity, "last_good": alert.last_good}
