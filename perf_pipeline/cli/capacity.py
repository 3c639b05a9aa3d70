"""The command capacity: the greatest load that keeps objectives, on any target."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perf_pipeline.analysis.capacity import NOT_REACHED
from perf_pipeline.analysis.measure import metrics_of
from perf_pipeline.capacity_run import finish_capacity, search_capacity
from perf_pipeline.ci.measured import note_capacity
from perf_pipeline.cli.completion import offer_scenarios
from perf_pipeline.cli.flag_options import takes_flags
from perf_pipeline.cli.outcome import give_up
from perf_pipeline.cli.output import (
    AsJson,
    Junit,
    Results,
    Summary,
    Wait,
    answer,
    bad_input_explained,
    settings_with,
    show,
)
from perf_pipeline.cli.run import (
    check_everything,
    checked_run,
    make_results_folder,
)
from perf_pipeline.config.duration import DEFAULT_WAIT, parse_duration
from perf_pipeline.config.flags.capacity_flags import CapacityFlags
from perf_pipeline.config.flags.flag import check_flags
from perf_pipeline.config.flags.overrides import FOR_CAPACITY, Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.capacity_question import FAILURES, capacity_question
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.errors import (
    GaveUpWaitingError,
    PerfPipelineError,
    RunFolderError,
    ScenarioError,
)
from perf_pipeline.exit_code import Exit
from perf_pipeline.host.load_lock import GAVE_UP
from perf_pipeline.program.ending import interrupted_code
from perf_pipeline.run import new_run_id
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.analysis.capacity import CapacityFinding, LoadPoint, Verdict
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings

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
) -> None:
    """Search for the greatest load that keeps the objectives: growing steps, then bisection.

    Unless an objective is about error_ratio, error_ratio <= 0.05 is added to them.

    Exit codes: 0 found, or the greatest load allowed keeps them; 1 even the smallest load misses;
    2 bad input; 3 nothing above could be judged, or nothing at all; 70 a defect of ours; 75 gave up
    waiting for another load run; 129, 130, 143 interrupted.
    """
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        wait_s = parse_duration(wait, "--wait")
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

    def notify(text: str) -> None:
        if not text.startswith(GAVE_UP):  # the reason of the end is shown with it
            show(text, as_json=as_json)

    with _partial_results_reported(folder, as_json=as_json):
        finding = search_capacity(
            checked,
            question,
            settings,
            run_id=run_id,
            environments=ready.environments,
            notify=notify,
            wait_s=wait_s,
        )
    _show(finding, folder, as_json=as_json)
    if code := CODES[finding.verdict]:
        raise typer.Exit(code)


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


@contextmanager
def _partial_results_reported(folder: RunFolder, *, as_json: bool) -> Iterator[None]:
    """Report what was measured if it is interrupted or fails.

    Raises:
        typer.Exit: With the exit code of that.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        _report_partly("interrupted", folder, as_json=as_json)
        raise typer.Exit(interrupted_code()) from error
    except GaveUpWaitingError as error:
        give_up(str(error), folder.run_id, as_json=as_json)
    except PerfPipelineError as error:
        _report_partly(str(error), folder, as_json=as_json)
        raise typer.Exit(Exit.NOT_A_MEASUREMENT) from error


def _report_partly(why: str, folder: RunFolder, *, as_json: bool) -> None:
    show(why, as_json=as_json)
    try:
        finding = finish_capacity(folder).finding
    except (RunFolderError, OSError) as error:
        show(f"nothing was measured: {error}", as_json=as_json)
        answer({"run_id": folder.run_id, "error": why, "problems": [str(error)]}, as_json=as_json)
        return
    _show(finding, folder, as_json=as_json, error=why)


def _show(
    finding: CapacityFinding, folder: RunFolder, *, as_json: bool, error: str | None = None
) -> None:
    show(finding.summary, as_json=as_json)
    if finding.noise:
        show(finding.noise, as_json=as_json)
    knee = finding.knee
    if knee is not None and not knee.is_reached:
        show(f"no knee was reached: {NOT_REACHED}", as_json=as_json)
    elif knee is not None:
        show(
            f"knee at {knee.in_flight:.4g} in flight: {knee.per_s:.4g}/s x {knee.time_s:.4g} s",
            as_json=as_json,
        )
    page = folder.root / "capacity.html"
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
