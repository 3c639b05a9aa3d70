"""What the shell offers after the Tab key."""

from __future__ import annotations

from pathlib import Path

import typer  # noqa: TC002 - typer itself reads this annotation

from perf_pipeline.config.scenario.builtin import list_scenarios
from perf_pipeline.config.scenario.target_spec import target_names
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.report.text.escape import name
from perf_pipeline.samples.run_list import list_runs

Offered = list[tuple[str, str]]
"""Values and what each means."""

LATEST_RUNS = 20


def offer_scenarios(incomplete: str) -> Offered:
    """Offer the scenarios that come with the project, and TOML files of the current folder."""
    known = [(scenario, name(title)) for scenario, title in list_scenarios().items()]
    paths = sorted(map(str, Path().glob("*.toml")))
    files = [(path, "a file") for path in paths if path.isprintable()]
    return _beginning(incomplete, known + files)


def offer_targets(incomplete: str) -> Offered:
    """Offer the names of the targets."""
    return _beginning(incomplete, [(target, "") for target in target_names()])


def offer_gates(incomplete: str) -> Offered:
    """Offer the gates."""
    return _beginning(incomplete, [("production", "minimum targets"), ("goal", "goals")])


def offer_runs(ctx: typer.Context, incomplete: str) -> Offered:
    """Offer the latest runs of the results folder, newest first."""
    try:
        folder = ctx.params.get("results") or current_settings().results_dir
        folders = list_runs(Path(folder))
    except PerfPipelineError:
        return []  # settings or folder are wrong, which the command itself will report
    runs = [run.run_id for run in reversed(folders[-LATEST_RUNS:])]
    return _beginning(incomplete, [("latest", "the newest run"), *((run, "") for run in runs)])


OFFERS = {"target": offer_targets}
"""Field of a table of flags to what completes it; a closed list of values needs no entry."""


def _beginning(incomplete: str, offered: Offered) -> Offered:
    return [(value, meaning) for value, meaning in offered if value.startswith(incomplete)]
