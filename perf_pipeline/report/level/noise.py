"""Whether something else used the machine while a level was measured: what was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Fact, Table, measured, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.noise import Noise, NoiseFigure
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

NOTE = "What has a limit decides; what has none is shown because it may explain."
TOLD = "This machine is known to be shared: noise is told of, and makes no level invalid."
JUDGED = (
    "They may have made the target look slower than it is. Run again on a quiet machine; on one "
    "that is always shared, PERF_PIPELINE_NOISE=tell shows who used it and makes no level invalid, "
    "so what others took is then in the numbers."
)
NOT_JUDGED = (
    "told and not judged, because this machine is known to be shared (PERF_PIPELINE_NOISE=tell)."
)
_WORDS = {
    "quiet": Cell("quiet", "good"),
    "noisy": Cell("noisy", "warn"),
    "unknown": Cell("not known", "quiet"),
}


def noise_of_run(metrics: RunMetrics) -> list[str]:
    """Say once at which levels others used the machine, and what to do about it."""
    told = _noisy(metrics, judged=False)
    found = [f"Others used the machine at {', '.join(told)}: {NOT_JUDGED}"] if told else []
    return [*judged_noise(metrics), *found]


def judged_noise(metrics: RunMetrics) -> list[str]:
    """Say once which levels are no measurement because others used the machine."""
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
    """Return whether the machine was the run's own; nothing where nothing looked for it."""
    return () if level.noise is None else (Fact("Machine", _word(level.noise)),)


def noise_told(level: LevelMetrics) -> str:
    """Return what is to be said of a level's machine in a line; empty if it was quiet."""
    if level.noise is None or level.noise.verdict == "quiet":
        return ""
    said = level.noise.causes or level.noise.not_measured
    told = "" if level.noise.judged else "; told and not judged"
    return f"{_WORDS[level.noise.verdict].text}: {escape.visible('; '.join(said))}{told}"


def noise_tables(level: LevelMetrics) -> tuple[Table, ...]:
    """Return everything that was looked at; nothing where nothing was."""
    if level.noise is None:
        return ()
    rows = tuple(_row(figure) for figure in level.noise.figures)
    columns = ("Looked at", "Seen", "Limit", "")
    note = NOTE if level.noise.judged else f"{NOTE} {TOLD}"
    title = "Was the machine the run's own?"
    return (Table(title, columns, rows, level.validity, note=note),)


def _word(noise: Noise) -> Cell:
    word = _WORDS[noise.verdict]
    said = noise.causes or noise.not_measured
    causes = "; ".join(escape.visible(cause) for cause in said)
    if noise.verdict == "noisy" and not noise.judged:
        causes = f"told and not judged: {causes}"
    return Cell(word.text, word.tone, causes)


def _row(figure: NoiseFigure) -> tuple[Cell, ...]:
    def form(value: float) -> str:
        return quantity.of_unit(value, figure.unit)

    note = escape.visible(figure.note)
    seen = measured(figure.value, form, note or "no reason was given")
    limit = Cell("none", "quiet")
    answer = Cell("", "quiet")
    if figure.limit is not None:
        limit = number(quantity.limit(figure.limit, figure.unit))
        answers = {
            True: Cell("noisy", "warn"),
            False: Cell("quiet", "good"),
            None: Cell("not known", "quiet"),
        }
        answer = answers[figure.noisy]
    what = Cell(escape.visible(figure.what), note=note if figure.value is not None else "")
    return (what, seen, limit, answer)
