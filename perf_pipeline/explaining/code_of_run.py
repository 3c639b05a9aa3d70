"""A user's own functions as a finished run executed them: the files as they are, or its commit."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.interleaved.arms import AbArm
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.host.facts import read_git_state
from perf_pipeline.host.scratch import scratch_folder
from perf_pipeline.loadgen.environment.revisions import checked_out
from perf_pipeline.samples.manifest import VariablesRecord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.samples.manifest import Manifest


class NotPlayedAgainError(PerfPipelineError):
    """A side cannot be played again as it was; the text says why."""


@contextmanager
def code_of_run(name: str, manifest: Manifest, settings: Settings) -> Iterator[Scenario]:
    """Open the scenario of a run of a user's functions, with the code that the run executed.

    That is its commit, checked out beside the user's files for the time of the block; or these
    files, where they are as they were then, changes included.

    Args:
        name: As the comparison calls the side.
        manifest: Of the run.
        settings: Where temporary files belong, and where git is looked for.

    Yields:
        The scenario of today's file; what differs from the run is only what it plays how long.

    Raises:
        NotPlayedAgainError: The code is in no repository, was changed and not committed, or the
            scenario has other functions or variables now.
        ScenarioError: The commit cannot be checked out.
    """
    run, code = manifest.run_id, manifest.user_code
    measure = "`perf-pipeline ab` measures two versions of them and explains the difference"
    if code is None or not manifest.scenario_file:
        raise NotPlayedAgainError(
            f"{name}: of the code of run {run} nothing but names is stored, as its functions are "
            f"in no git repository, or its scenario is no file; {measure}"
        )
    scenario = _opened(name, manifest)
    now = read_git_state(Path(code.folder), settings.search_path)
    if (now.commit, now.changes_sha256) == (code.git_commit, code.changes_sha256):
        yield scenario
        return
    if code.git_dirty:
        raise NotPlayedAgainError(
            f"{name}: run {run} executed changes of {code.folder} that were in no commit, and the "
            f"files are others now; {measure}"
        )
    commit = AbArm("a", scenario.target, revision=code.git_commit, commit=code.git_commit)
    with (
        scratch_folder(settings.temp_dir, run) as folder,
        checked_out(commit, scenario, folder / "code", settings.search_path) as at_commit,
    ):
        yield at_commit


def _opened(name: str, manifest: Manifest) -> Scenario:
    """Open the scenario's file, and refuse one that means something else now."""
    scenario = open_scenario(manifest.scenario_file)
    variables = VariablesRecord(scenario.variables.stored(), scenario.variables.passed)
    differing = [
        what
        for what, then, today in (
            ("functions", manifest.workloads, scenario.workloads),
            ("setup", manifest.setup, scenario.setup or None),
            ("teardown", manifest.teardown, scenario.teardown or None),
            ("environment", manifest.variables, variables),
        )
        if then != today
    ]
    if differing:
        raise NotPlayedAgainError(
            f"{name}: {manifest.scenario_file} is not as it was in run {manifest.run_id} "
            f"({', '.join(differing)}), so the run cannot be played again"
        )
    return replace(scenario, arms=(), stages=(), arrivals=(), level_names=())
