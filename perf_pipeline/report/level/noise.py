"""Whether other programs used the machine while a level was measured, and what shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Fact, Table, measured, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.noise import Noise, NoiseFigure
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

NOTE = (
    "Cores that other programs used, or that the hypervisor took, above their limit make a level "
    "noisy. The calibration before and after the level only warns."
)
SHARED = "This machine is known to be shared: noise is shown and makes no level invalid."
JUDGED = (
    "A neighbour can only slow a target down: limits that were met remain met, missed ones are "
    "unclear, and CPU time per workflow hardly changes. For throughput and times run again on a "
    "quiet machine; on one that is always shared, PERF_PIPELINE_NOISE=tell makes no level "
    "invalid, and what others took is then in the numbers."
)
NOT_JUDGED = (
    "shown and not judged, because this machine is known to be shared (PERF_PIPELINE_NOISE=tell)."
)
_CELLS = {
    "quiet": Cell("quiet", "good"),
    "noisy": Cell("noisy", "warn"),
    "unknown": Cell("not known", "quiet"),
}


def noise_of_run(metrics: RunMetrics) -> list[str]:
    """Return once at which levels other programs used the machine, and what that means."""
    shared = _noisy(metrics, judged=False)
    sentences = judged_noise(metrics)
    if shared:
        sentences.append(f"Others used the machine at {', '.join(shared)}: {NOT_JUDGED}")
    warned = [labels.level_name(one) for one in metrics.levels if one.noise and one.noise.warnings]
    if warned:
        sentences.append(
            f"Warning: the calibration of the machine changed at {', '.join(warned)}; no counter "
            "shows that another program did it."
            if not (shared or sentences)
            else f"The calibration of the machine changed at {', '.join(warned)}."
        )
    return sentences


def judged_noise(metrics: RunMetrics) -> list[str]:
    """Return once which levels are not valid because other programs used the machine."""
    judged = _noisy(metrics, judged=True)
    if not judged:
        return []
    where = "every level" if len(judged) == len(metrics.levels) else ", ".join(judged)
    return [f"Other programs used this machine at {where}. {JUDGED}"]


def _noisy(metrics: RunMetrics, *, judged: bool) -> list[str]:
    """Return the names of the levels at which the machine was noisy, judged for it or not."""
    return [
        labels.level_name(level)
        for level in metrics.levels
        if level.noise and level.noise.verdict == "noisy" and level.noise.judged == judged
    ]


def noise_facts(level: LevelMetrics) -> tuple[Fact, ...]:
    """Return whether the machine was the run's own; empty where it was not watched."""
    return () if level.noise is None else (Fact("Machine", _cell(level.noise)),)


def noise_summary(level: LevelMetrics) -> str:
    """Return a line about the machine during a level; empty if it was quiet without a warning."""
    if level.noise is None:
        return ""
    cell = _cell(level.noise)
    return f"{cell.text}: {cell.note}" if cell.note else ""


def noise_tables(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the table of all figures about the machine; none where it was not watched."""
    if level.noise is None:
        return ()
    rows = tuple(_row(figure) for figure in level.noise.figures)
    columns = ("Quantity", "Value", "Limit", "")
    note = NOTE if level.noise.judged else f"{NOTE} {SHARED}"
    title = "Was the machine the run's own?"
    return (Table(title, columns, rows, level.validity, note=note),)


def _cell(noise: Noise) -> Cell:
    cell = _CELLS[noise.verdict]
    reasons = noise.causes or (noise.not_measured if noise.verdict == "unknown" else ())
    note = "; ".join(escape.visible(reason) for reason in reasons)
    if noise.verdict == "noisy" and not noise.judged:
        note = f"shown and not judged: {note}"
    if noise.warnings:
        warnings = "; ".join(escape.visible(warning) for warning in noise.warnings)
        note = "; ".join(filter(None, (note, f"warning, the calibration changed: {warnings}")))
    return Cell(cell.text, "warn" if noise.warnings else cell.tone, note)


def _row(figure: NoiseFigure) -> tuple[Cell, ...]:
    def form(amount: float) -> str:
        return quantity.of_unit(amount, figure.unit)

    note = escape.visible(figure.note)
    value = measured(figure.value, form, note or "no reason was given")
    limit = Cell("none", "quiet")
    answer = Cell("", "quiet")
    if figure.limit is not None:
        limit = number(quantity.limit(figure.limit, figure.unit))
        answers = {
            True: Cell("noisy" if figure.is_evidence else "warning", "warn"),
            False: Cell("quiet", "good"),
            None: Cell("not known", "quiet"),
        }
        answer = answers[figure.above_limit]
    what = Cell(escape.visible(figure.what), note=note if figure.value is not None else "")
    return (what, value, limit, answer)
