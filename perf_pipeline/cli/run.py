"""The command run: launches the Dagster job in a child process and watches its journal."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perf_pipeline.cli.completion import offer_gates, offer_scenarios, offer_targets
from perf_pipeline.cli.dagster_child import DagsterChild
from perf_pipeline.cli.interruptions import EndAtOnceError, interruptions_noted
from perf_pipeline.cli.output import (
    AsJson,
    Exit,
    Results,
    answer,
    bad_input_explained,
    settings_with,
    tell,
)
from perf_pipeline.cli.standing import RunWatch
from perf_pipeline.cli.summary import show_summary
from perf_pipeline.cli.views import choose_view
from perf_pipeline.config.builtin import open_scenario
from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.config.overrides import Overrides
from perf_pipeline.config.target_spec import parse_target, target_names
from perf_pipeline.errors import RunFolderError, ScenarioError, ServiceUnavailableError
from perf_pipeline.infrastructure.services import server_status
from perf_pipeline.loadgen.environment import find_uv, make_environment
from perf_pipeline.loadgen.left_out import servers_left_out, servers_needed
from perf_pipeline.loadgen.plan import plan_levels
from perf_pipeline.metrics.performance import performance_metrics
from perf_pipeline.report.result_file import level_file_name
from perf_pipeline.run import measure, new_run_id
from perf_pipeline.run import report as write_files
from perf_pipeline.samples.run_folder import COMPLETE, INTERRUPTED, RunFolder

if TYPE_CHECKING:
    from perf_pipeline.config.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.level import TargetRow
    from perf_pipeline.metrics.run_metrics import RunMetrics

GATES = {"production": "minimum", "goal": "goal"}


TARGET_HELP = f"{', '.join(target_names())}; with ==version and +package: kailash==2.19.0+pandas."

Text = str | None


def run(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|FILE.toml",
            help="A scenario, by name or file.",
            autocompletion=offer_scenarios,
        ),
    ],
    concurrency: Annotated[
        list[str] | None,
        typer.Option("--concurrency", metavar="N...", help="Levels: workflows in flight."),
    ] = None,
    max_concurrency: Annotated[
        Text, typer.Option(help="Leave out levels above this; above all of them, add one.")
    ] = None,
    target: Annotated[Text, typer.Option(help=TARGET_HELP, autocompletion=offer_targets)] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A setting of the target; may be repeated."),
    ] = None,
    nodes: Annotated[Text, typer.Option(help="code or lean.")] = None,
    complexity: Annotated[Text, typer.Option(help="simple, medium or complex.")] = None,
    duration: Annotated[
        Text, typer.Option(help="Least length of a level's steady phase, seconds.")
    ] = None,
    seed: Annotated[Text, typer.Option(help="Source of every random choice.")] = None,
    repeats: Annotated[Text, typer.Option(help="How many times the levels run.")] = None,
    processes: Annotated[Text, typer.Option(help="Worker processes a level; one a core.")] = None,
    memory_limit_mb: Annotated[
        Text, typer.Option(help="Memory of all workers of a level, MB; one above is ended.")
    ] = None,
    cpu_limit_percent: Annotated[
        Text, typer.Option(help="CPU of all workers of a level, percent of one core.")
    ] = None,
    gate: Annotated[
        Text,
        typer.Option(
            help="production or goal: exit 1 unless its targets are met.",
            autocompletion=offer_gates,
        ),
    ] = None,
    accept_verdicts: Annotated[  # noqa: FBT002 typer's way of a flag
        bool,
        typer.Option(help="Exit 0 once everything was measured to its end, whatever the verdicts."),
    ] = False,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
    plain: Annotated[  # noqa: FBT002
        bool, typer.Option("--plain", help="Plain lines, also in a terminal; so does NO_COLOR.")
    ] = False,
) -> None:
    """Run a scenario from servers to report, as one Dagster run.

    Ctrl-C once stops it in order and reports what was measured; twice ends it at once. Exit codes:
    0 complete, 1 a gate failed, 2 bad input, 3 not a measurement, 130 interrupted.
    """
    with bad_input_explained(as_json=as_json):
        overrides = Overrides(
            concurrency=tuple(map(number, concurrency)) if concurrency else None,
            max_concurrency=number(max_concurrency),
            target=target,
            nodes=nodes,
            complexity=complexity,
            duration_s=number(duration),
            seed=number(seed),
            repeats=number(repeats),
            settings=tuple(setting) if setting else None,
            processes=number(processes),
            memory_limit_mb=number(memory_limit_mb),
            cpu_limit_percent=number(cpu_limit_percent),
        )
        settings = settings_with(results)
        checked = check_everything(scenario, overrides, gate, settings)
        make_results_folder(settings.results_dir)
        tell(f"target {checked.target}: finding or making its environment", as_json=as_json)
        make_environment(
            parse_target(checked.target),
            cache_dir=settings.cache_dir,
            environ=os.environ,
            uv=find_uv(os.environ),
            interpreter=Path(checked.interpreter) if checked.interpreter else None,
        )
    folder = RunFolder(settings.results_dir / new_run_id(datetime.now(UTC)))
    plans = plan_levels(checked, processes_of(checked, read_machine_limits()))
    view = choose_view(
        RunWatch(folder, plans),
        title=checked.title or checked.name,
        levels=len(plans),
        plain=plain,
        as_json=as_json,
        no_color=bool(os.environ.get("NO_COLOR")),
    )
    child = DagsterChild(scenario, overrides, folder, view)
    with interruptions_noted() as noted:
        with view:
            child.run(noted)
        try:
            noted.raise_at_once()  # nobody looks while results are written
            finish(folder, child, gate, accept_verdicts, interrupted=bool(noted), as_json=as_json)
        except EndAtOnceError as error:
            end_at_once(folder, as_json=as_json)
            raise typer.Exit(Exit.INTERRUPTED) from error


def number(text: str | None) -> Any:
    """Return the number that a flag's text means; other text stays, to be complained of."""
    if text is None:
        return None
    for meaning in (int, float):
        try:
            return meaning(text)
        except ValueError:
            continue
    return text


def check_everything(
    scenario: str, overrides: Overrides, gate: str | None, settings: Settings
) -> Scenario:
    """Check scenario, flags and servers before anything is started.

    Raises:
        ScenarioError: With every problem of scenario and flags.
        ServiceUnavailableError: With a sentence for each server that cannot be had.
    """
    problems = []
    if gate is not None and gate not in GATES:
        problems.append(f"--gate is {gate!r}; it must be one of {', '.join(GATES)}")
    try:
        checked = open_scenario(scenario, read_machine_limits(), overrides)
    except ScenarioError as error:
        raise ScenarioError([*problems, *error.problems]) from error
    if problems:
        raise ScenarioError(problems)
    needed = servers_needed(checked, servers_left_out(checked, settings))
    found = server_status(settings, sorted(needed))
    missing = [status.detail for status in found if status.state == "unavailable"]
    if missing:
        raise ServiceUnavailableError("\n".join(missing))
    return checked


def make_results_folder(folder: Path) -> None:
    """Make the results folder, unless it is there, and see that it can be written to.

    Raises:
        RunFolderError: It cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise RunFolderError(
            f"no results can be written to {folder}: {(error.strerror or str(error)).lower()}; "
            "name another folder with --results"
        ) from error


def end_at_once(folder: RunFolder, *, as_json: bool) -> None:
    """Say what is kept of a run that was ended without waiting for anything."""
    told = [f"ended at once; what was committed to the journals is kept in {folder.root}"]
    if folder.status_file.exists():
        told.append(f"`perf-pipeline report {folder.run_id}` writes its report")
        told.append("what it left on servers of your own, `make clear` removes")
    else:
        told = ["ended at once, before anything was measured"]
    for line in told:
        tell(line, as_json=as_json)
    answer(
        {
            "run_id": folder.run_id,
            "folder": str(folder.root),
            "error": "EndedAtOnce",
            "problems": told,
            "levels": [],
        },
        as_json=as_json,
    )


def finish(
    folder: RunFolder,
    child: DagsterChild,
    gate: str | None,
    accept_verdicts: bool,  # noqa: FBT001
    *,
    interrupted: bool,
    as_json: bool,
) -> None:
    """Say what came out of the run, and exit with the code that says so too.

    Raises:
        typer.Exit: With the exit code, unless that is 0.
    """
    try:
        metrics = measure(folder)
    except RunFolderError as error:
        tell(f"nothing was measured: {error}", as_json=as_json)
        tell(child.log_tail(), as_json=as_json)
        if child.end:
            tell(child.end, as_json=as_json)
        answer(
            {
                "run_id": folder.run_id,
                "error": type(error).__name__,
                "problems": list(filter(None, [str(error), child.end])),
                "levels": [],
            },
            as_json=as_json,
        )
        raise typer.Exit(Exit.INTERRUPTED if interrupted else Exit.NOT_A_MEASUREMENT) from error
    failed = None if interrupted else child.end  # stopped by us, it ends as we wanted
    if failed:
        tell(failed, as_json=as_json)
    if metrics.status != COMPLETE:
        tell(f"the run is {metrics.status}; what was measured is kept", as_json=as_json)
    elif failed:  # the load was complete, so the log alone says what failed
        tell(child.log_tail(), as_json=as_json)
    files = write_files(folder, metrics)
    show_summary(metrics, as_json=as_json)
    for reason in metrics.reasons:
        tell(f"not valid: {reason}", as_json=as_json)
    failed_gate = gate_failures(metrics, gate)
    for line in failed_gate:
        tell(f"gate {gate}: {line}", as_json=as_json)
    tell(f"report: {files.html}", as_json=as_json)
    answer(
        {
            "run_id": metrics.run_id,
            "folder": str(folder.root),
            "report": str(files.html),
            "status": metrics.status,
            "dagster": "interrupted" if interrupted else failed or "succeeded",
            "validity": metrics.validity,
            "reasons": list(metrics.reasons),
            "gate_failures": failed_gate,
            "levels": level_entries(folder, metrics),
        },
        as_json=as_json,
    )
    code = exit_code(metrics, failed_gate, accept_verdicts=accept_verdicts, interrupted=interrupted)
    if code == Exit.COMPLETE and failed:
        code = Exit.NOT_A_MEASUREMENT
    if code:
        raise typer.Exit(code)


def exit_code(
    metrics: RunMetrics, failed_gate: list[str], *, accept_verdicts: bool, interrupted: bool
) -> Exit:
    """Return what the run's exit code is."""
    if interrupted or metrics.status == INTERRUPTED:
        return Exit.INTERRUPTED
    if metrics.validity == "incomplete":
        return Exit.NOT_A_MEASUREMENT
    if metrics.validity != "valid" and not accept_verdicts:
        return Exit.NOT_A_MEASUREMENT
    return Exit.GATE_FAILED if failed_gate else Exit.COMPLETE


def gate_failures(metrics: RunMetrics, gate: str | None) -> list[str]:
    """Return a line for each target of the gate that was not met; undecided is not met."""
    if gate is None:
        return []
    rows = [row for row in metrics.targets if row.table == GATES[gate]]
    return [
        f"{row.what} at {row.level}: {_shown(row)}, limit {row.limit:g} {row.unit} ({row.verdict})"
        for row in rows
        if row.verdict != "met"
    ]


def _shown(row: TargetRow) -> str:
    return "not measured" if row.value is None else f"{row.value:.3g} {row.unit}"


def level_entries(folder: RunFolder, metrics: RunMetrics) -> list[dict[str, Any]]:
    """Return what a program wants to know of each level and arm."""
    scenario = str(metrics.manifest["scenario"])
    return [
        {
            "label": level.label,
            "role": level.role,
            "result_file": str(folder.root.parent / level_file_name(metrics, level.label)),
            **performance_metrics(level, metrics.run_id, scenario).to_dict(),
        }
        for level in metrics.levels
    ]
