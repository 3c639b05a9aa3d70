"""The command compare: has a candidate become worse than its baseline?"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.ci.comparison_cases import note_comparison
from perf_pipeline.cli.completion import offer_runs
from perf_pipeline.cli.lines.comparison_lines import comparison_lines
from perf_pipeline.cli.lines.lines import line_width, wrapped
from perf_pipeline.cli.lines.terminal import show, show_report
from perf_pipeline.cli.output import (
    AsJson,
    ExplainRegression,
    Junit,
    Results,
    Summary,
    answer,
    bad_input_explained,
    settings_with,
)
from perf_pipeline.comparison_run import compare_named, explained
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.ending import interrupted_code
from perf_pipeline.report.profile.sentences import sentences
from perf_pipeline.samples.run_folder import new_run_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.comparison_run import StoredComparison
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.types.comparison import ComparisonVerdict

CODES: dict[ComparisonVerdict, Exit] = {
    "no_change": Exit.COMPLETE,
    "improvement": Exit.COMPLETE,
    "regression": Exit.GATE_FAILED,
    "unstable": Exit.NOT_A_MEASUREMENT,
    "no_data": Exit.NOT_A_MEASUREMENT,
}
_SIDE = "Run ids or folders, result files, archives, pinned:NAME, ...; several joined by commas."


def compare(
    baseline: Annotated[str, typer.Argument(help=_SIDE, autocompletion=offer_runs)],
    candidate: Annotated[
        str, typer.Argument(help="Likewise, the newer side.", autocompletion=offer_runs)
    ],
    despite: Annotated[
        list[str] | None,
        typer.Option(
            "--despite",
            metavar="WHAT",
            help="Compare although WHAT differs (packages, machine, ...); recorded; repeatable.",
        ),
    ] = None,
    matters: Annotated[
        float,
        typer.Option(
            "--matters",
            metavar="PERCENT",
            min=0.0,
            max=1000.0,
            help="The smallest change that must not be missed; at least 5 (P95, P99: 10).",
        ),
    ] = 0.0,
    junit: Junit = None,  # noqa: ARG001 - of the program, which ends after this
    summary: Summary = None,  # noqa: ARG001
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
    explain: ExplainRegression = None,
) -> None:
    """Compare a candidate with its baseline: effects with intervals, verdict, what moved.

    Exit codes: 0 no change or an improvement; 1 a regression; 2 the sides differ in what must
    match, or bad input; 3 unstable, which is doubt, or no data.
    """
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        stored = compare_named(
            baseline,
            candidate,
            settings,
            comparison_id=new_run_id(datetime.now(UTC)),
            despite=despite or (),
            matters=matters / 100,
            notify=lambda line: show(line, as_json=as_json),
        )
    found, page = stored.comparison, stored.page
    note_comparison(found, page)
    for line in comparison_lines(found, line_width(as_json=as_json), explain=bool(explain)):
        show(line, as_json=as_json)
    is_explained = found.verdict == "regression" if explain is None else explain
    code: int = CODES[found.verdict]
    why: Sequence[str] = ()
    if is_explained:
        why, code = _why(stored, settings, code, as_json=as_json)
    show_why(why, as_json=as_json, explain=bool(explain))
    show_report(page, as_json=as_json)
    files = {"file": str(stored.file), "report": str(page), "why": list(why)}
    answer({**files, **asdict(found)}, as_json=as_json)
    if code:
        raise typer.Exit(code)


def _why(
    stored: StoredComparison, settings: Settings, code: int, *, as_json: bool
) -> tuple[Sequence[str], int]:
    """Explain a comparison that was shown and stored; Ctrl-C ends that, and keeps the result.

    Returns:
        What was found, and the exit code.
    """
    try:
        found = explained(stored, settings, lambda line: show(line, as_json=as_json))
    except KeyboardInterrupt:
        show("explain: interrupted; the comparison stands", as_json=as_json)
        return (), interrupted_code()
    return sentences(found.profile) if found.profile else (), code


def show_why(said: Sequence[str], *, as_json: bool, explain: bool) -> None:
    """Show what a profile found: the first sentence, or with ``explain`` all of them."""
    for sentence in said if explain else said[:1]:
        for line in wrapped(f"Why: {sentence}", line_width(as_json=as_json)):
            show(line, as_json=as_json)
