"""The command catalogue: adds old runs to the catalogue, and says what it has."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from perf_pipeline.archive.unpack import unpacked_runs
from perf_pipeline.catalogue.contents import count_contents
from perf_pipeline.catalogue.old_runs import FiledRuns, file_old_runs
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import AsJson, Results, answer, bad_input_explained, settings_with
from perf_pipeline.errors import RunFolderError, ScenarioError
from perf_pipeline.report.text.quantity import counted
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.shards.shard_folders import is_unmerged, unmerged_sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.catalogue.store import Catalogue


def catalogue(
    action: Annotated[Literal["add", "show"], typer.Argument(help="What to do.")],
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH...]",
            help="Of add: results folders, folders of runs, archives of `make export-results`.",
        ),
    ] = None,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002 typer's way of a flag
) -> None:
    """Add old runs to the catalogue of history and baselines, or say where it is and what it has.

    Every run adds itself. A run that is added again takes the place of its earlier rows.
    """
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        if (action == "add") != bool(paths):
            raise ScenarioError(
                ["Write perf-pipeline catalogue add PATH..., or perf-pipeline catalogue show."]
            )
        place = open_catalogue(settings.results_dir, settings.catalogue_url)
        filed = list(_added(place, paths or []))
        unread = [line for one in filed for line in one.unread]
        new = [run_id for one in filed for run_id in one.new]
        known = [run_id for one in filed for run_id in one.known]
        if unread and not (new or known):
            raise RunFolderError("\n".join(["nothing was added:", *unread]))
        contents = count_contents(place)
    for line in unread:
        show(f"passed over: {line}", as_json=as_json)
    if action == "add":
        show(f"added {counted(len(new), 'run')}; {len(known)} were there", as_json=as_json)
    has = ", ".join(counted(number, what) for what, number in contents.items())
    show(f"catalogue {place.place}: {has}", as_json=as_json)
    answer(
        {
            "catalogue": place.place,
            "new": new,
            "known": known,
            "passed_over": unread,
            **{f"{what}s": number for what, number in contents.items()},
        },
        as_json=as_json,
    )


def _added(place: Catalogue, paths: Sequence[Path]) -> Iterator[FiledRuns]:
    for path in paths:
        if path.is_file():
            with unpacked_runs(path) as folder:
                runs = read_runs(folder)
                yield _with(runs.passed_over, file_old_runs(place, runs.folders, path.absolute()))
        elif (path / "run.json").exists():
            yield file_old_runs(place, [RunFolder(path.resolve())])
        elif is_unmerged(path):
            raise RunFolderError(unmerged_sentence(path))
        elif path.is_dir():
            runs = read_runs(path.absolute())
            yield _with(runs.passed_over, file_old_runs(place, runs.folders))
        else:
            raise RunFolderError(f"{path} is neither a folder nor an archive")


def _with(passed_over: Sequence[str], filed: FiledRuns) -> FiledRuns:
    return FiledRuns(filed.new, filed.known, (*passed_over, *filed.unread))
