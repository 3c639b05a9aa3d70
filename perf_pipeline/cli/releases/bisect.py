"""The command bisect: the first bad release of a target, and whether code or packages caused it."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.analysis.comparison.compared_metric import METRICS
from perf_pipeline.analysis.comparison.judge import scaled
from perf_pipeline.bisect.arms import bisect_both
from perf_pipeline.bisect.bisection_file import (
    BisectionQuestion,
    bisection_entry,
    write_bisection,
)
from perf_pipeline.bisect.budget import Budget, comparison_s
from perf_pipeline.bisect.release_arm import ReleaseArm
from perf_pipeline.bisect.table import bisection_table
from perf_pipeline.cli.completion import offer_scenarios
from perf_pipeline.cli.flag_options import takes_flags
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.outcome import give_up
from perf_pipeline.cli.output import (
    AsJson,
    Results,
    Wait,
    answer,
    bad_input_explained,
    settings_with,
)
from perf_pipeline.cli.run import check_everything, make_results_folder
from perf_pipeline.config.duration import DEFAULT_WAIT, parse_duration
from perf_pipeline.config.flags.flag import flags_of
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.history_defaults import RELEASE_SCENARIO
from perf_pipeline.config.scenario.target_spec import parse_target, target_facts
from perf_pipeline.errors import GaveUpWaitingError, PerfPipelineError, ScenarioError
from perf_pipeline.exit_code import Exit
from perf_pipeline.loadgen.environment.releases import Wanted, list_releases, version_of
from perf_pipeline.samples.run_folder import new_run_id

if TYPE_CHECKING:
    from perf_pipeline.bisect.answer import AskedRelease
    from perf_pipeline.config.scenario.target_spec import TargetSpec

METRIC = "cpu_per_workflow_s"
"""What decides unless another metric is named: neighbours on the machine disturb it least."""

BUDGET = "2h"
DECIDED = ("found", "no_regression")
_FLAGS = tuple(
    one
    for one in flags_of(Overrides)
    if one.field in {"concurrency", "duration", "nodes", "complexity", "settings", "seed"}
)


@takes_flags("overrides", Overrides, _FLAGS)
def bisect(
    target: Annotated[
        str, typer.Argument(help="A target without a version: kailash, kailash+pandas.")
    ],
    good: Annotated[str, typer.Option("--good", metavar="RELEASE", help="A release that is good.")],
    bad: Annotated[str, typer.Option("--bad", metavar="RELEASE", help="A later one that is bad.")],
    overrides: Overrides,
    scenario: Annotated[
        str,
        typer.Option(
            "--scenario", help="What is played, by name or file.", autocompletion=offer_scenarios
        ),
    ] = RELEASE_SCENARIO,
    metric: Annotated[
        str,
        typer.Option("--metric", help="What decides.", autocompletion=lambda: list(METRICS)),
    ] = METRIC,
    limit: Annotated[
        float | None,
        typer.Option(
            "--limit",
            metavar="PERCENT",
            min=0.1,
            help="A release is bad if it is worse than the good one by more than this; default: "
            "half of the change of the bad one.",
        ),
    ] = None,
    budget: Annotated[
        str,
        typer.Option("--budget", metavar="TIME", help="Maximum time of everything together."),
    ] = BUDGET,
    pre_releases: Annotated[  # noqa: FBT002 typer's way of a flag
        bool, typer.Option("--pre-releases", help="Alpha, beta and candidate releases as well.")
    ] = False,
    yanked: Annotated[  # noqa: FBT002
        bool, typer.Option("--yanked", help="Releases that were withdrawn as well.")
    ] = False,
    wait: Wait = DEFAULT_WAIT,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Find the first bad release of a target by interleaved comparisons, the fewest possible.

    Twice: as published, each release with the packages that it requires, and pinned, each with
    those of the target's lock. What is only in the first was caused by dependencies. A release that
    does not install, or cannot execute the scenario, is skipped and named. What fits into the
    budget is said before; when it is spent, the answer is the range that is known by then.

    Exit codes: 0 the first bad release is named, or there is none; 2 bad input; 3 undecided: a
    range, or nothing; 75 gave up waiting for another load run; 129, 130, 143 interrupted.
    """

    def notify(line: str) -> None:
        show(line, as_json=as_json)

    def notify_answer(arm: str, one: AskedRelease) -> None:
        notify(f"{arm}: {one.release} is {one.answer}: {one.why}")

    with bad_input_explained(as_json=as_json):
        spec = checked_target(target)
        if metric not in METRICS:
            raise ScenarioError([f"--metric is {metric!r}; it must be one of {', '.join(METRICS)}"])
        settings = settings_with(results)
        checked = check_everything(scenario, replace(overrides, target=spec.text), None, settings)
        budget_s, wait_s = parse_duration(budget, "--budget"), parse_duration(wait, "--wait")
        in_flight = checked.concurrency[0] if checked.concurrency else 1
        time = Budget(budget_s, comparison_s(checked.phases, in_flight))
        package = target_facts(spec.name).package
        wanted = Wanted(platform.python_version(), good, pre_releases, yanked)
        releases = range_of(list_releases(package, wanted, os.environ), good, bad)
        make_results_folder(settings.results_dir)
    notify(f"{len(releases)} releases of {package} from {good} to {bad}")
    notify(time.announcement(len(releases)))
    published, pinned = (
        ReleaseArm(spec, is_pinned, checked, settings, metric, time, notify, wait_s)
        for is_pinned in (False, True)
    )
    pinned.package_of = published.package_with
    least = None if limit is None else scaled(METRICS[metric], limit / 100)
    identity = new_run_id(datetime.now(UTC))
    try:
        found = bisect_both(releases, published, pinned, metric, notify_answer, least, time)
    except GaveUpWaitingError as error:
        give_up(str(error), identity, as_json=as_json)
    except PerfPipelineError as error:
        notify(str(error))
        answer({"error": type(error).__name__, "problems": [str(error)]}, as_json=as_json)
        raise typer.Exit(Exit.NOT_A_MEASUREMENT) from error
    question = BisectionQuestion(identity, spec.text, checked.name, metric, releases)
    page = write_bisection(settings.results_dir, question, found)
    for line in bisection_table(found):
        notify(line)
    notify(f"table: {page}")
    answer(bisection_entry(question, found), as_json=as_json)
    if found.published.outcome not in DECIDED:
        raise typer.Exit(Exit.NOT_A_MEASUREMENT)


def checked_target(text: str) -> TargetSpec:
    """Return a target whose releases can be compared.

    Raises:
        ScenarioError: It is none, has a version, or has no package of its own.
    """
    try:
        spec = parse_target(text)
    except ValueError as error:
        raise ScenarioError([f"target {text!r} {error}."]) from error
    if spec.version is not None:
        raise ScenarioError([f"target {text!r} has a version; --good and --bad name the releases."])
    if not target_facts(spec.name).package:
        raise ScenarioError([f"target {text!r} has no package of its own, so no releases."])
    return spec


def range_of(releases: tuple[str, ...], good: str, bad: str) -> tuple[str, ...]:
    """Return the releases from the good to the bad one, both among them.

    Raises:
        ScenarioError: One is no release of the index, or the bad one is not the later one.
    """
    first, last = version_of(good, "--good"), version_of(bad, "--bad")
    if last <= first:
        raise ScenarioError([f"--bad is {bad}, which is not later than --good ({good})."])
    found = tuple(one for one in releases if first <= version_of(one, "a release") <= last)
    ends = {version_of(one, "a release") for one in (*found[:1], *found[-1:])}
    if missing := [str(one) for one in (first, last) if one not in ends]:
        why = (
            "no such release in the index for this Python, or it was withdrawn or is a pre-release"
        )
        options = "--yanked, --pre-releases"
        raise ScenarioError([f"{' and '.join(missing)}: {why} ({options})."])
    return found
