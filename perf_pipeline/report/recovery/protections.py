"""The same failure with and without a protection of the target, as the report shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.target_spec import parse_target, target_facts
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Table, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.protection import (
        Change,
        ProtectionEffect,
        ProtectionVerdict,
    )
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.text.table import Tone

QUESTION = "Do its protections protect?"
TEXTS: dict[ProtectionVerdict, tuple[str, Tone]] = {
    "protected": ("protected", "good"),
    "no_effect": ("no effect on this workflow", "warn"),
    "mixed": ("mixed", "warn"),
    "worse": ("worse", "bad"),
    "unclear": ("unclear", "warn"),
    "no_data": ("not known", "quiet"),
}
NOTE = (
    "Levels with the same arrivals and the same failure, whose target has other settings. Failed: "
    "seconds of arrivals that failed, timed out or were dropped, from the injection until service "
    "was back. Lost service counts late answers too. protected: less of one of the two and not "
    "more of the other; mixed: less of one and more of the other; no effect on this workflow: both "
    "differ by less than a quarter, or than a twentieth of that time; unclear: the "
    "95 % interval of a difference is wider than that, so let the failure be longer or the rate "
    "higher."
)
COLUMNS = (
    *("Setting", "Failure", "Levels", "Effect", "Failed", "Lost service"),
    *("Attempts a workflow", "Validity"),
)


def protection_table(metrics: RunMetrics) -> Table:
    """Return a row for each protection and failure; none for a run without such levels."""
    rows = tuple(map(_row, metrics.protections))
    title = "Protections: the same failure with and without"
    return Table(title, COLUMNS, rows, note=NOTE if rows else "")


def protection_answer(metrics: RunMetrics) -> tuple[Cell, tuple[str, ...]] | None:
    """Return the answer with a sentence for each comparison; None for a run without any."""
    found = metrics.protections
    if not found:
        return None
    order: tuple[ProtectionVerdict, ...] = (
        *("worse", "mixed", "no_data", "unclear", "no_effect", "protected"),
    )
    worst = min((one.verdict for one in found), key=order.index)
    text, tone = TEXTS[worst]
    count = sum(one.verdict == worst for one in found)
    of = f": {count} of {quantity.counted(len(found), 'comparison')}" if count < len(found) else ""
    return Cell(f"{text}{of}", tone), tuple(map(_sentence, found))


def _sentence(one: ProtectionEffect) -> str:
    text = f"{switched_text(one)} under {protected_failure(one)}: {TEXTS[one.verdict][0]}"
    if one.failed_s is None or one.lost_service_s is None:
        return f"{text}, since {escape.visible(one.why)}."
    failed, lost = one.failed_s, one.lost_service_s
    return (
        f"{text}: failed {quantity.seconds(failed.off)} without and {quantity.seconds(failed.on)} "
        f"with it, lost service {quantity.seconds(lost.off)} and {quantity.seconds(lost.on)}."
    )


def _row(one: ProtectionEffect) -> tuple[Cell, ...]:
    text, tone = TEXTS[one.verdict]
    return (
        Cell(switched_text(one), note=_meaning(one)),
        Cell(protected_failure(one)),
        Cell(f"{escape.name(one.on)} against {escape.name(one.off)}"),
        Cell(text, tone, escape.visible(one.why)),
        _change_cell(one.failed_s),
        _change_cell(one.lost_service_s),
        _attempts_cell(one),
        labels.validity_cell(one.validity),
    )


def switched_text(one: ProtectionEffect) -> str:
    """Return the settings of the level with the protection: ``retries = 3``."""
    pairs = one.switched.items()
    return ", ".join(f"{escape.name(name)} = {escape.name(str(value))}" for name, value in pairs)


def _meaning(one: ProtectionEffect) -> str:
    """Return what the settings are, by the target's own list; empty where it is another version."""
    try:
        settings = target_facts(parse_target(one.target).name).settings
    except ValueError:
        return ""
    rows = (settings[name]["meaning"] for name in one.switched if name in settings)
    return "; ".join(str(meaning) for meaning in rows)


def protected_failure(one: ProtectionEffect) -> str:
    """Return the failure for people."""
    kind = escape.name(one.kind)
    return f"{kind} on {labels.service_name(one.server)}" if one.server else kind


def _change_cell(change: Change | None) -> Cell:
    if change is None:
        return Cell(quantity.NOT_MEASURED, "quiet")
    interval = quantity.between(change.difference.low, change.difference.high, "s")
    counts = f"a difference counts from {quantity.seconds(change.matters)} on"
    shown = f"{quantity.seconds(change.off)} → {quantity.seconds(change.on)}"
    return number(shown, f"difference, 95 %: {interval}; {counts}")


def _attempts_cell(one: ProtectionEffect) -> Cell:
    pair = (one.attempts_off, one.attempts_on)
    if pair == (None, None):
        return Cell(quantity.NOT_MEASURED, "quiet", "no workflow counted its attempts")
    off, on = ("not counted" if n is None else quantity.significant(n) for n in pair)
    return number(f"{off} → {on}", "while the failure lasted")
