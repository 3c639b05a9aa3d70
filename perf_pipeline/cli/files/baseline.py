"""The command baseline: names runs that later ones are compared with."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from perf_pipeline.catalogue.baselines import list_baselines, pin_baseline, remove_baseline
from perf_pipeline.catalogue.old_runs import file_missing_runs
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import AsJson, Results, answer, bad_input_explained, settings_with
from perf_pipeline.errors import PerfPipelineError, ScenarioError
from perf_pipeline.samples.run_list import find_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.catalogue.baselines import PinnedBaseline
    from perf_pipeline.config.settings import Settings


_USAGE = (
    "perf-pipeline baseline pin NAME RUN..., perf-pipeline baseline list [NAME], or perf-pipeline "
    "baseline remove NAME"
)


def baseline(
    action: Annotated[Literal["pin", "list", "remove"], typer.Argument(help="What to do.")],
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME [RUN...]]",
            help="Of pin: the name, then its runs (ids, folders, or latest); else the name alone.",
        ),
    ] = None,
    note: Annotated[
        str, typer.Option("--note", help="Of pin: why these runs are the baseline.")
    ] = "",
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002 typer's way of a flag
) -> None:
    """Let a name stand for runs, as `pinned:NAME`; list the names, or remove one.

    A name has runs of its own for each scenario and machine. Without pinning there are `rolling:N`
    (the last N valid runs that compare) and `branch:NAME` (the fork point on a git branch).
    """
    with bad_input_explained(as_json=as_json):
        name, *runs = names or [""]
        settings = settings_with(results)
        match action, bool(name), bool(runs):
            case "pin", True, True:
                found: Sequence[PinnedBaseline] = (_pin(settings, name, runs, note),)
                did = "pinned "
            case "list", _, False:
                catalogue = open_catalogue(settings.results_dir, settings.catalogue_url)
                found = list_baselines(catalogue, name or None)
                did = ""
            case "remove", True, False:
                catalogue = open_catalogue(settings.results_dir, settings.catalogue_url)
                found = remove_baseline(catalogue, name)
                did = "removed "
            case _:
                raise ScenarioError([f"Write {_USAGE}."])
    for one in found:
        why = f" ({one.note})" if one.note else ""
        show(
            f"{did}{one.name}{why}: {', '.join(one.runs)}; {one.scenario} on {one.machine}, "
            f"since {one.created}",
            as_json=as_json,
        )
    if not found:
        show("no baseline is pinned", as_json=as_json)
    answer({"action": action, "baselines": [asdict(one) for one in found]}, as_json=as_json)


def _pin(settings: Settings, name: str, runs: Sequence[str], note: str) -> PinnedBaseline:
    """Pin runs; those whose folders are here are filed first, where they are not yet.

    Raises:
        CatalogueError: A run cannot be one of a baseline.
    """
    catalogue = open_catalogue(settings.results_dir, settings.catalogue_url)
    ids = []
    for run in runs:
        try:
            folder = find_run(settings.results_dir, run)
        except PerfPipelineError:
            ids.append(run)  # its folder may be elsewhere, or gone
            continue
        file_missing_runs(catalogue, [folder])
        ids.append(folder.run_id)
    return pin_baseline(catalogue, name, ids, note, datetime.now(UTC))
