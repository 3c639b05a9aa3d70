"""The command releases: those of the index become partitions in Dagster, with what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from typing import Annotated, Any

import typer

from perf_pipeline.analysis.history import read_history
from perf_pipeline.analysis.release_history import (
    RUNS_MAX,
    MeasuredRelease,
    release_histories,
)
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import AsJson, Results, answer, bad_input_explained, settings_with
from perf_pipeline.config.history_defaults import RELEASE_SCENARIO
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.target_spec import parse_target, target_facts
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.loadgen.environment.releases import Wanted, list_releases
from perf_pipeline.program.dagster_home import dagster_environment
from perf_pipeline.program.dagster_job import run_job
from perf_pipeline.report.text.quantity import seconds

NEWEST = 10
"""Releases without --since, the newest ones."""


def releases(
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="RELEASE",
            help=f"This release and every later one; default: the newest {NEWEST}.",
        ),
    ] = None,
    pre_releases: Annotated[  # noqa: FBT002 typer's way of a flag
        bool, typer.Option("--pre-releases", help="Alpha, beta and candidate releases as well.")
    ] = False,
    yanked: Annotated[  # noqa: FBT002
        bool, typer.Option("--yanked", help="Releases that were withdrawn as well.")
    ] = False,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List the releases of kailash in the package index, and make them partitions in Dagster.

    There a backfill of `release_measurement` measures them; what was measured is shown here too.
    """
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        target = parse_target(open_scenario(RELEASE_SCENARIO).target).name
        wanted = Wanted(platform.python_version(), since, pre_releases, yanked)
        found = list_releases(target_facts(target).package, wanted, os.environ)
        found = found if since else found[-NEWEST:]
        environ = dagster_environment(os.environ, settings.state_dir)
        _add_partitions(found, environ)
        history = read_history(settings.results_dir, RUNS_MAX, settings.catalogue_url)
    measured = {
        one.release: one for level in release_histories(history, target) for one in level.releases
    }
    for line in history.unread:
        show(f"passed over: {line}", as_json=as_json)
    for release in found:
        show(f"{target}=={release:12} {_shown(measured.get(release))}", as_json=as_json)
    show(f"next: measure them in Dagster (release_measurement), {len(found)} partitions",
         as_json=as_json)  # fmt: skip
    answer(
        {
            "target": target,
            "scenario": RELEASE_SCENARIO,
            "releases": [_entry(one, measured.get(one)) for one in found],
        },
        as_json=as_json,
    )


def _entry(release: str, one: MeasuredRelease | None) -> dict[str, Any]:
    if one is None:
        return {"release": release, "run_id": None}
    metrics = {key.metric: value.value for key, value in one.point.values.items() if not key.family}
    return {
        "release": release,
        "run_id": one.point.run_id,
        "validity": one.point.validity,
        "why_not_comparable": list(one.why_not),
        "has_other_packages": one.has_other_packages,
        "metrics": metrics,
    }


def _add_partitions(releases: tuple[str, ...], environ: dict[str, str]) -> None:
    config = {"ops": {"add_releases": {"config": {"releases": list(releases)}}}}
    try:
        problem = run_job("releases", config, environ)
    except (OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        raise PerfPipelineError(f"the releases are not partitions in Dagster: {problem}")


def _shown(one: MeasuredRelease | None) -> str:
    if one is None:
        return "not measured"
    cpu_s = one.point.value("cpu_per_workflow_s")
    cpu = "CPU time not measured" if cpu_s is None else f"{seconds(cpu_s)} CPU per workflow"
    doubts = (f"not comparable: {', '.join(one.why_not)}",) if one.why_not else ()
    return "; ".join((f"{cpu}, {one.point.validity} (run {one.point.run_id})", *doubts))
