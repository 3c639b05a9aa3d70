"""The page of a differential profile: functions that moved, and a flame graph. It has no script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from perf_pipeline.metrics.profile_file import profile_path
from perf_pipeline.report.page_environment import page_environment
from perf_pipeline.report.profile.flame_graph import flame_graph
from perf_pipeline.report.profile.sentences import function, headline, path, sentences
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Fact, Table, number
from perf_pipeline.samples.run_file import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.profile import ArmProfile, DifferentialProfile, FunctionMove

NOTE = (
    "Own time is spent in a function and in native code that it calls directly; the second pair of "
    "columns includes every function that it calls. CPU time per workflow = share of the samples x "
    "the CPU time per workflow that was measured without sampling. The intervals hold for all "
    "functions at once (bootstrap over windows, Bonferroni). Threads that waited do not count; "
    "threads that were ready and had no core do."
)
GRAPH_NOTE = (
    "Each box is a function on one call path, what it calls is below it. Width: mean of both "
    "sides' CPU time per workflow. Colour: how much that moved; red takes more now, blue less, the "
    "strongest shade a twentieth of a workflow or more. Point at a box for its figures."
)

COLUMNS = (
    *("Function", "Called by", "Move", "Baseline", "Candidate"),
    *("With calls, baseline", "With calls, candidate", "Samples"),
)
ROWS_FIRST = 10
"""Functions that the page shows at once, and more where more moved clearly; the others unfold."""


def profile_page(results: Path, comparison_id: str) -> Path:
    """Return where the page of a profile is, or will be."""
    return profile_path(results, comparison_id).with_suffix(".html")


def write_profile_page(results: Path, profile: DifferentialProfile) -> Path:
    """Write ``profiles/ID.html`` into a results folder, whole or not at all; return the file.

    Raises:
        OSError: The folder cannot be written to.
    """
    page = profile_page(results, profile.comparison_id)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(page, render_html(profile).encode())
    return page


def render_html(profile: DifferentialProfile) -> str:
    """Return the page; it opens offline and loads nothing."""
    baseline, candidate = profile.baseline, profile.candidate
    return (
        page_environment()
        .get_template("profile.html.jinja")
        .render(
            title=f"Why {escape.name(candidate.name)} differs from {escape.name(baseline.name)}",
            comparison_id=profile.comparison_id,
            tone=tone(profile),
            headline=headline(profile),
            sentences=sentences(profile)[1:],
            table=moves_table(profile),
            others=other_moves_table(profile),
            graph=Markup(flame_graph(profile.stacks)),  # noqa: S704 - every text in it is escaped
            graph_note=GRAPH_NOTE,
            facts=facts(profile),
        )
    )


def tone(profile: DifferentialProfile) -> str:
    """Return how the headline is coloured."""
    if profile.problem:
        return "quiet"
    return "warn" if any(move.is_clear for move in profile.moves) else "plain"


def moves_table(profile: DifferentialProfile) -> Table:
    """Return a row for each of the first functions, the greatest move first."""
    return Table(
        "Functions by the move of their own CPU time per workflow",
        COLUMNS,
        tuple(map(_row, profile.moves[: _shown_first(profile)])),
        note=NOTE,
    )


def other_moves_table(profile: DifferentialProfile) -> Table:
    """Return a row for each of the other functions, none of which moved clearly."""
    moves = profile.moves[_shown_first(profile) :]
    return Table("Functions that did not move clearly", COLUMNS, tuple(map(_row, moves)))


def _shown_first(profile: DifferentialProfile) -> int:
    clear = [place for place, move in enumerate(profile.moves, 1) if move.is_clear]
    return max([ROWS_FIRST, *clear])


def _row(move: FunctionMove) -> tuple[Cell, ...]:
    native = f"mostly in {escape.name(move.native)}" if move.native else ""
    sign = "+" if move.move_s > 0 else ""
    moved = f"{sign}{quantity.seconds(move.move_s)}"
    interval = quantity.between(move.low_s, move.high_s, "s")
    return (
        Cell(function(move), note=native),
        Cell(path(move)),
        Cell(moved, "warn", interval) if move.is_clear else number(moved, f"{interval}, not clear"),
        number(quantity.seconds(move.baseline_s)),
        number(quantity.seconds(move.candidate_s)),
        number(quantity.seconds(move.inclusive_baseline_s)),
        number(quantity.seconds(move.inclusive_candidate_s)),
        number(f"{move.baseline_samples:,}, {move.candidate_samples:,}"),
    )


def facts(profile: DifferentialProfile) -> list[Fact]:
    """Return how both sides were sampled, and what that cost."""
    found = [
        Fact(
            "Levels",
            Cell(
                f"{profile.in_flight} in flight, one worker process",
                note=f"role {profile.role}: they count in no verdict, history or baseline",
            ),
        )
    ]
    if profile.sampler:
        frames = "with native frames" if profile.is_native else "holders of the interpreter lock"
        rate = f"{escape.visible(profile.sampler)}, {profile.rate_hz} samples a second, {frames}"
        found.append(Fact("Sampler", Cell(rate)))
    for arm in (profile.baseline, profile.candidate):
        found.append(Fact(escape.name(arm.name), _arm(arm)))
        found.append(Fact("Cost of sampling it", _cost(arm)))
    return found


def _arm(arm: ArmProfile) -> Cell:
    if arm.cpu_per_workflow_s is None:
        return Cell(quantity.NOT_MEASURED, "quiet")
    samples = (
        f"{quantity.counted(arm.samples, 'sample')} that count, {arm.waiting_samples:,} of waiting "
        f"threads, {quantity.counted(arm.workflows, 'workflow')}, "
        f"{quantity.counted(arm.pairs, 'pair')} of windows"
    )
    spent = f"{quantity.seconds(arm.cpu_per_workflow_s)} of CPU time per workflow"
    return Cell(f"{escape.visible(arm.target)}: {spent}", note=samples)


def _cost(arm: ArmProfile) -> Cell:
    cost = arm.cost
    if cost.throughput_ratio is None:
        return Cell(quantity.NOT_MEASURED, "quiet")
    interval = "too few pairs of windows for an interval"
    if cost.low is not None and cost.high is not None:
        interval = f"95 % interval {100 * cost.low:.0f} to {100 * cost.high:.0f} %"
    cpu = "" if cost.cpu_ratio is None else f"; CPU time per workflow {100 * cost.cpu_ratio:.0f} %"
    return Cell(
        f"throughput {100 * cost.throughput_ratio:.0f} % of that beside it", note=interval + cpu
    )
