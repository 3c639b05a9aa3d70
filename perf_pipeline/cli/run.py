"""The command run: launches the Dagster job in a child process and shows its progress."""

from __future__ import annotations

import os
import tempfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.cli.completion import offer_gates, offer_scenarios
from perf_pipeline.cli.dagster_child import DagsterChild, load_job
from perf_pipeline.cli.flag_options import takes_flags
from perf_pipeline.cli.interruptions import interruptions_noted
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import (
    AsJson,
    Explain,
    Junit,
    Results,
    Summary,
    Wait,
    bad_input_explained,
    settings_with,
)
from perf_pipeline.cli.shards.hosts_options import Hosts, Image, Shards, shard_hosts
from perf_pipeline.cli.views import choose_view
from perf_pipeline.config.duration import DEFAULT_WAIT, parse_duration
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.slo.shipped import GATES
from perf_pipeline.errors import RunFolderError, ScenarioError, ServiceUnavailableError
from perf_pipeline.loadgen.checked_run import CheckedRun
from perf_pipeline.loadgen.environment.target_environments import made_and_tried
from perf_pipeline.loadgen.left_out import servers_left_out, servers_needed
from perf_pipeline.monitoring.run_progress import RunWatch
from perf_pipeline.program.dagster_home import dagster_environment
from perf_pipeline.samples.run_folder import RunFolder, new_run_id
from perf_pipeline.servers.lifecycle.resolve import users_url_variables
from perf_pipeline.servers.lifecycle.status import server_status

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings


@takes_flags("overrides", Overrides)
def run(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|FILE.toml",
            help="A scenario, by name or file.",
            autocompletion=offer_scenarios,
        ),
    ],
    overrides: Overrides,
    gate: Annotated[
        str | None,
        typer.Option(
            help="production or goal: exit 1 unless its targets are met.",
            autocompletion=offer_gates,
        ),
    ] = None,
    accept_verdicts: Annotated[  # noqa: FBT002 typer's way of a flag
        bool,
        typer.Option(help="Exit 0 once everything was measured to its end, whatever the verdicts."),
    ] = False,
    shards: Shards = None,
    hosts: Hosts = None,
    image: Image = None,
    wait: Wait = DEFAULT_WAIT,
    junit: Junit = None,  # noqa: ARG001 - of the program, which ends after this
    summary: Summary = None,  # noqa: ARG001
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
    plain: Annotated[  # noqa: FBT002
        bool, typer.Option("--plain", help="Plain lines, also in a terminal; so does NO_COLOR.")
    ] = False,
    explain: Explain = False,  # noqa: FBT002
) -> None:
    """Run a scenario from servers to report, as one Dagster run.

    Ctrl-C once stops it in order and reports what was measured; twice ends it at once. Exit codes:
    0 complete, 1 a gate failed or an SLO was missed, 2 bad input, 3 not a measurement, or an SLO
    that is unclear or without data, 70 a defect of ours, 75 gave up waiting for another load run,
    129, 130, 143 interrupted.
    """
    launch_run(
        scenario,
        overrides,
        gate=gate,
        accept_verdicts=accept_verdicts,
        shards=shards,
        hosts=hosts,
        image=image,
        wait=wait,
        results=results,
        as_json=as_json,
        plain=plain,
        explain=explain,
    )


def launch_run(
    scenario: str,
    overrides: Overrides,
    *,
    gate: str | None = None,
    accept_verdicts: bool = False,
    shards: int | None = None,
    hosts: list[str] | None = None,
    image: str | None = None,
    wait: str = DEFAULT_WAIT,
    results: Path | None = None,
    run_id: str | None = None,
    as_json: bool = False,
    plain: bool = False,
    explain: bool = False,
) -> None:
    """Run a scenario as one Dagster run, show its progress, and print what it wrote.

    Args:
        scenario: Name or file.
        overrides: Flags.
        gate: Table of targets that must be met; None for none.
        accept_verdicts: Return, whatever the verdicts, once everything was measured to its end.
        shards: In how many shards this machine plays it; None for a run that is not cut.
        hosts: Hosts that play a shard each; None for this machine.
        image: Of the container of each of these shards; None for no containers.
        wait: How long to wait for another load run on this host to end.
        results: Folder of the runs; None for that of the settings.
        run_id: Id of the run; None for a new one.
        as_json: Print one JSON object at the end, and everything else on standard error.
        plain: Plain lines, also in a terminal.
        explain: Print intervals and the legend as well.

    Raises:
        typer.Exit: With the exit code, unless that is 0.
    """
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        parse_duration(wait, "--wait")
        cut_for = shard_hosts(shards, hosts, image)
        checked = check_everything(scenario, overrides, gate, settings)
        make_results_folder(settings.results_dir)
        show(f"target {checked.target}: finding or making its environment", as_json=as_json)
        folder = RunFolder(settings.results_dir / (run_id or new_run_id(datetime.now(UTC))))
        environ = dagster_environment(
            {**os.environ, **users_url_variables(settings)}, settings.state_dir
        )
        ready = checked_run(folder.run_id, checked, scenario, settings, as_json=as_json)
        if cut_for:
            from perf_pipeline.cli.shards import (  # noqa: PLC0415 - of such runs
                launch,
                shards_watch,
            )

            in_shards = launch.shards_job(
                *(scenario, overrides, ready, settings, folder, cut_for),
                is_elsewhere=bool(hosts),
                image=image,
                wait=wait,
                gate=gate,
            )
    watch = shards_watch.ShardsWatch(folder, len(cut_for)) if cut_for else RunWatch(folder)
    view = choose_view(
        watch,
        title=checked.title or checked.name,
        plain=plain,
        as_json=as_json,
        no_color=bool(os.environ.get("NO_COLOR")),
    )
    if cut_for:
        launch.launch_shards(
            *(in_shards, view, ready, settings, environ, folder),
            gate=gate,
            accept_verdicts=accept_verdicts,
            as_json=as_json,
            explain=explain,
        )
        return
    if checked.endurance is not None:
        from perf_pipeline.cli.endurance.campaign import (  # noqa: PLC0415 - of such scenarios
            launch_campaign,
        )

        launch_campaign(scenario, ready, settings, wait=wait, as_json=as_json)
        return
    job = load_job(scenario, overrides, folder, wait=wait, gate=gate)
    child = DagsterChild(job, view, ready, environ)
    with interruptions_noted() as noted:
        with view:
            child.run(noted)
        folder.remove_unless_begun()  # the child may have been killed before it began
        from perf_pipeline.cli import outcome  # noqa: PLC0415 - imported while the run began

        with outcome.reported(folder, child, noted, as_json=as_json):
            outcome.finish(
                *(folder, child, gate, accept_verdicts),
                interrupted=noted.code,
                as_json=as_json,
                explain=explain,
            )


def check_everything(
    scenario: str, overrides: Overrides, gate: str | None, settings: Settings
) -> Scenario:
    """Check scenario, flags and servers before anything is started.

    Raises:
        ScenarioError: With every problem of scenario and flags.
        ServiceUnavailableError: With a sentence for each server that is unavailable.
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


def checked_run(
    run_id: str, checked: Scenario, file: str, settings: Settings, *, as_json: bool
) -> CheckedRun:
    """Make the target's environment unless it is there, and try the user's own functions in it.

    The targets of arms are made and tried when the run has begun.

    Args:
        run_id: The run.
        checked: The scenario.
        file: As the user named it.
        settings: Where environments are cached.
        as_json: Lines for people go to standard error.

    Raises:
        TargetEnvironmentError: The environment cannot be made.
        ScenarioError: A function cannot be called, or every call of it raised.
    """

    def notify(text: str) -> None:
        show(text, as_json=as_json)

    made = made_and_tried(checked, [checked.target], name=file, settings=settings, notify=notify)
    return CheckedRun(run_id, checked, made, settings.results_dir.absolute())


def make_results_folder(folder: Path) -> None:
    """Make the results folder, unless it is there, and check that it can be written to.

    Raises:
        RunFolderError: It cannot be written to.
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
