"""The command capacity: the greatest load that keeps objectives, on any target."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perf_pipeline.analysis.capacity_steps import measure_capacity
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.capacity_run import finish_capacity
from perf_pipeline.ci.measured import note_capacity
from perf_pipeline.cli.child_end import end_of
from perf_pipeline.cli.completion import offer_scenarios
from perf_pipeline.cli.dagster_child import DagsterChild, capacity_job
from perf_pipeline.cli.flag_options import takes_flags
from perf_pipeline.cli.interruptions import interruptions_noted
from perf_pipeline.cli.lines.capacity_lines import capacity_lines
from perf_pipeline.cli.lines.lines import line_width
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.outcome import reported
from perf_pipeline.cli.output import (
    AsJson,
    ExplainSteps,
    Junit,
    Results,
    Summary,
    Wait,
    answer,
    bad_input_explained,
    settings_with,
)
from perf_pipeline.cli.run import (
    check_everything,
    checked_run,
    make_results_folder,
)
from perf_pipeline.cli.views import LinesView
from perf_pipeline.config.duration import DEFAULT_WAIT, parse_duration
from perf_pipeline.config.flags.capacity_flags import CapacityFlags
from perf_pipeline.config.flags.flag import check_flags
from perf_pipeline.config.flags.overrides import FOR_CAPACITY, Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.capacity_question import FAILURES, capacity_question
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.errors import RunFolderError, ScenarioError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.dagster_home import VARIABLE, dagster_environment
from perf_pipeline.samples.run_folder import RunFolder, new_run_id
from perf_pipeline.servers.lifecycle.resolve import users_url_variables

if TYPE_CHECKING:
    from perf_pipeline.analysis.capacity import CapacityFinding, LoadPoint, Verdict
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings

PAGE = "capacity.html"
CODES: dict[Verdict, Exit] = {
    "found": Exit.COMPLETE,
    "at_least": Exit.COMPLETE,
    "none": Exit.GATE_FAILED,
    "not_bounded": Exit.NOT_A_MEASUREMENT,
    "no_data": Exit.NOT_A_MEASUREMENT,
}


@takes_flags("overrides", Overrides, FOR_CAPACITY)
@takes_flags("asked", CapacityFlags)
def capacity(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|FILE.toml",
            help="What the levels play, by name or file; its own levels are not played.",
            autocompletion=offer_scenarios,
        ),
    ],
    asked: CapacityFlags,
    overrides: Overrides,
    wait: Wait = DEFAULT_WAIT,
    junit: Junit = None,  # noqa: ARG001 - of the program, which ends after this
    summary: Summary = None,  # noqa: ARG001
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
    explain: ExplainSteps = False,  # noqa: FBT002
) -> None:
    """Search for the greatest load that keeps the objectives: growing steps, then bisection.

    Unless an objective is about error_ratio, error_ratio <= 0.05 is added to them.

    Exit codes: 0 found, or the greatest load allowed keeps them; 1 even the smallest load misses;
    2 bad input; 3 nothing above could be judged, or nothing at all; 70 a defect of ours; 75 gave up
    waiting for another load run; 129, 130, 143 interrupted.
    """
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        parse_duration(wait, "--wait")
        checked = _check(scenario, overrides, asked, settings)
        question = capacity_question(checked, read_machine_limits(), asked)
        if FAILURES in question.slos:
            added = f"objective {FAILURES.text} added: a target that fails at once would look fast"
            show(f"{added} (give your own error_ratio to replace it)", as_json=as_json)
        make_results_folder(settings.results_dir)
        show(f"target {checked.target}: finding or making its environment", as_json=as_json)
        run_id = new_run_id(datetime.now(UTC))
        ready = checked_run(run_id, checked, scenario, settings, as_json=as_json)
        folder = RunFolder(settings.results_dir / run_id)
        environ = dagster_environment(
            {**os.environ, **users_url_variables(settings)}, settings.state_dir
        )
    job = capacity_job(scenario, overrides, asked, folder, wait=wait)
    child = DagsterChild(job, LinesView(as_json=as_json), ready, environ)
    with interruptions_noted() as noted:
        child.run(noted)
        with reported(folder, child, noted, as_json=as_json):
            _finish(folder, child, noted.code, as_json=as_json, explain=explain)


def _check(
    scenario: str, overrides: Overrides, asked: CapacityFlags, settings: Settings
) -> Scenario:
    """Check scenario, flags and servers; a wrong scenario does not hide wrong flags.

    Raises:
        ScenarioError: With every problem of scenario and flags.
        ServiceUnavailableError: With a sentence for each server that is unavailable.
    """
    try:
        return check_everything(scenario, overrides, None, settings)
    except ScenarioError as error:
        problems = Problems(scenario)
        check_flags(asked, problems)
        raise ScenarioError([*problems.sentences(), *error.problems]) from error


def _finish(
    folder: RunFolder,
    child: DagsterChild,
    interrupted: Exit | None,
    *,
    as_json: bool,
    explain: bool,
) -> None:
    """Report what was found, or what was measured before it was interrupted or failed.

    Raises:
        typer.Exit: With the exit code, unless that is 0.
    """
    failed = None if interrupted else end_of(child, os.environ.get(VARIABLE, ""))
    code = interrupted or (failed.code if failed else None)
    why = "interrupted" if interrupted else failed.text if failed else None
    if why:
        show(why, as_json=as_json)
    try:
        finding = _finding(folder)
    except (RunFolderError, OSError) as error:
        if why is None:
            raise
        show(f"nothing was measured: {error}", as_json=as_json)
        answer({"run_id": folder.run_id, "error": why, "problems": [str(error)]}, as_json=as_json)
    else:
        _show(finding, folder, as_json=as_json, explain=explain, error=why)
        code = code or CODES[finding.verdict]
    if code:
        raise typer.Exit(code)


def _finding(folder: RunFolder) -> CapacityFinding:
    """Return what a search found; its page is written unless the search did so itself."""
    if not (folder.root / PAGE).exists():
        return finish_capacity(folder).finding
    return measure_capacity(folder, metrics_of(folder).levels)


def _show(
    finding: CapacityFinding,
    folder: RunFolder,
    *,
    as_json: bool,
    explain: bool,
    error: str | None = None,
) -> None:
    for line in capacity_lines(finding, line_width(as_json=as_json), explain=explain):
        show(line, as_json=as_json)
    knee = finding.knee
    page = folder.root / PAGE
    note_capacity(metrics_of(folder), finding, page)
    show(f"report: {page}", as_json=as_json)
    answer(
        {
            "run_id": folder.run_id,
            "folder": str(folder.root),
            "report": str(page),
            **({"error": error} if error else {}),
            "of": finding.of,
            "slos": list(finding.slos),
            "verdict": finding.verdict,
            "capacity": finding.value,
            "below": finding.below,
            "first_bad": finding.first_bad,
            "first_bad_why": finding.first_bad_why,
            "is_narrow": finding.is_narrow,
            "noise": finding.noise,
            "steps": finding.steps,
            "knee": knee and asdict(knee),
            "usl": finding.usl and asdict(finding.usl),
            "points": [_entry(point) for point in finding.points],
        },
        as_json=as_json,
    )


def _entry(point: LoadPoint) -> dict[str, Any]:
    little = point.little
    return {
        "load": point.load,
        "level": point.level,
        "longer": point.longer,
        "shows": point.verdict,
        "why": point.why,
        "throughput_per_s": point.throughput_per_s,
        "in_flight": little and little.in_flight,
        "time_s": little and little.time_s,
        "little_ratio": little and little.ratio,
        "metrics": {
            slo.slo.text: {"value": slo.value, "low": slo.low, "high": slo.high}
            for slo in point.slos
        },
    }
