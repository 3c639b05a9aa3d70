"""The command ab: two arms whose levels take turns, until the effect is known well enough."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.ab_run import explain_ab, finish_ab, open_ab
from perf_pipeline.ci.comparison_cases import note_comparison
from perf_pipeline.cli.child_end import end_of
from perf_pipeline.cli.completion import offer_scenarios
from perf_pipeline.cli.dagster_child import DagsterChild, ab_job
from perf_pipeline.cli.flag_options import takes_flags
from perf_pipeline.cli.interruptions import Interruptions, interruptions_noted
from perf_pipeline.cli.lines.comparison_lines import comparison_lines
from perf_pipeline.cli.lines.lines import line_width
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.outcome import reported
from perf_pipeline.cli.output import (
    AsJson,
    ExplainRegression,
    Junit,
    Results,
    Summary,
    Wait,
    answer,
    bad_input_explained,
    settings_with,
)
from perf_pipeline.cli.regression.compare import CODES, show_why
from perf_pipeline.cli.run import check_everything, make_results_folder
from perf_pipeline.cli.views import LinesView
from perf_pipeline.config.duration import DEFAULT_WAIT, parse_duration
from perf_pipeline.config.flags.ab_flags import AbFlags, flags_for_ab
from perf_pipeline.config.flags.flag import check_flags
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.interleaved.question import ab_question, scenario_of_arm
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.errors import PerfPipelineError, RunFolderError, ScenarioError
from perf_pipeline.loadgen.checked_run import CheckedRun
from perf_pipeline.loadgen.environment.revisions import with_commit
from perf_pipeline.loadgen.environment.target_environments import made_and_tried
from perf_pipeline.program.dagster_home import VARIABLE, dagster_environment
from perf_pipeline.report.profile.sentences import sentences
from perf_pipeline.samples.run_folder import RunFolder, new_run_id
from perf_pipeline.servers.lifecycle.resolve import users_url_variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.ab_run import ComparedRun
    from perf_pipeline.config.interleaved.arms import AbQuestion
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.metrics.types.profile import DifferentialProfile


@dataclass(frozen=True)
class _Arms:
    """Both arms, as they can be played again."""

    scenario: Scenario
    question: AbQuestion
    settings: Settings
    environments: dict[str, TargetEnvironment]

    def explain(
        self, found: ComparedRun, noted: Interruptions, *, as_json: bool
    ) -> DifferentialProfile | None:
        """Sample both arms; a failure, or a request to end, is shown and costs no result."""

        def notify(text: str) -> None:
            if noted:
                raise PerfPipelineError("interrupted")
            show(text, as_json=as_json)

        try:
            return explain_ab(
                found,
                self.scenario,
                self.question,
                self.settings,
                notify=notify,
                environments=self.environments,
            )
        except PerfPipelineError as error:
            show(f"explain: {error}", as_json=as_json)
            return None


@takes_flags("overrides", Overrides, flags_for_ab())
@takes_flags("asked", AbFlags)
def ab(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|FILE.toml",
            help="What both arms play, by name or file: its smallest level, or --concurrency N.",
            autocompletion=offer_scenarios,
        ),
    ],
    asked: AbFlags,
    overrides: Overrides,
    wait: Wait = DEFAULT_WAIT,
    junit: Junit = None,  # noqa: ARG001 - of the program, which ends after this
    summary: Summary = None,  # noqa: ARG001
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
    explain: ExplainRegression = None,
) -> None:
    """Compare two arms, A and B: releases, packages, settings, or revisions of your own code.

    Levels of both arms take turns (ABBA), each in an environment of its own, until throughput and
    CPU time per workflow are known to --width, or the budget is spent. The rule looks at the widths
    of the intervals and never at the effects, so it does not raise the error rates.

    Exit codes: 0 no change or an improvement; 1 a regression; 2 bad input; 3 undecided, or nothing
    was measured; 70 a defect of ours; 75 gave up waiting for another load run; 129, 130, 143
    interrupted.
    """
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        parse_duration(wait, "--wait")
        checked = _check(scenario, overrides, asked, settings)
        question = ab_question(checked, read_machine_limits(), asked)
        for arm in (question.a, question.b):
            shown = with_commit(arm, checked, settings.search_path).shown
            show(f"arm {arm.name.upper()}: {shown}", as_json=as_json)
        make_results_folder(settings.results_dir)
        folder = RunFolder(settings.results_dir / new_run_id(datetime.now(UTC)))
        made = _environments(checked, question, scenario, settings, as_json=as_json)
        ready = CheckedRun(folder.run_id, checked, made)
        environ = dagster_environment(
            {**os.environ, **users_url_variables(settings)}, settings.state_dir
        )
    job = ab_job(scenario, overrides, asked, folder, wait=wait)
    arms = _Arms(checked, question, settings, made)
    child = DagsterChild(job, LinesView(as_json=as_json), ready, environ)
    with interruptions_noted() as noted:
        child.run(noted)
        with reported(folder, child, noted, as_json=as_json):
            _finish(folder, child, noted, arms, as_json=as_json, explain=explain)


def _check(scenario: str, overrides: Overrides, asked: AbFlags, settings: Settings) -> Scenario:
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


def _environments(
    checked: Scenario, question: AbQuestion, file: str, settings: Settings, *, as_json: bool
) -> dict[str, TargetEnvironment]:
    """Make the environments of both arms, and try the user's own functions in them.

    Functions of a revision are tried when it is checked out: in the run.

    Raises:
        PerfPipelineError: An environment cannot be made, or a function cannot be called.
    """

    def notify(text: str) -> None:
        show(text, as_json=as_json)

    arms = (question.a, question.b)
    if question.has_revision:
        return {}
    made: dict[str, TargetEnvironment] = {}
    for arm in arms:
        if arm.target not in made:
            show(f"target {arm.target}: finding or making its environment", as_json=as_json)
            played = scenario_of_arm(checked, arm)
            made |= made_and_tried(
                played, [arm.target], name=file, settings=settings, notify=notify
            )
    return made


def _finish(
    folder: RunFolder,
    child: DagsterChild,
    noted: Interruptions,
    arms: _Arms,
    *,
    as_json: bool,
    explain: bool | None,
) -> None:
    """Report the comparison, or that of what was measured before it was interrupted or failed.

    Raises:
        typer.Exit: With the exit code, unless that is 0.
    """
    interrupted = noted.code
    failed = None if interrupted else end_of(child, os.environ.get(VARIABLE, ""))
    code = interrupted or (failed.code if failed else None)
    why = "interrupted" if interrupted else failed.text if failed else None
    if why:
        show(why, as_json=as_json)
    try:
        compared = open_ab(folder)
        comparison = compared.comparison
        note_comparison(comparison, compared.page)
        for line in comparison_lines(
            comparison, line_width(as_json=as_json), explain=bool(explain)
        ):
            show(line, as_json=as_json)
        profile = None
        is_regression = comparison.verdict == "regression"
        if why is None and (is_regression if explain is None else explain):
            profile = arms.explain(compared, noted, as_json=as_json)
            compared = finish_ab(folder) if profile else compared  # its page, with the answer
    except (RunFolderError, OSError) as error:
        if why is None:
            raise
        show(f"nothing was measured: {error}", as_json=as_json)
        answer({"run_id": folder.run_id, "error": why, "problems": [str(error)]}, as_json=as_json)
    else:
        said = sentences(profile) if profile else ()
        _show(compared, folder, said, as_json=as_json, explain=bool(explain), error=why)
        code = code or CODES[compared.comparison.verdict]
    if code:
        raise typer.Exit(code)


def _show(
    compared: ComparedRun,
    folder: RunFolder,
    said: Sequence[str],
    *,
    as_json: bool,
    explain: bool,
    error: str | None,
) -> None:
    comparison = compared.comparison
    show_why(said, as_json=as_json, explain=explain)
    show(f"comparison: {compared.page}", as_json=as_json)
    answer(
        {
            "run_id": folder.run_id,
            "folder": str(folder.root),
            "report": str(compared.page),
            "file": str(compared.file),
            "why": list(said),
            **({"error": error} if error else {}),
            "pairs": max((len(one.baseline) for one in comparison.changes), default=0),
            **asdict(comparison),
        },
        as_json=as_json,
    )
