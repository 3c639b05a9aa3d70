"""The command shard: plays one shard of a run, without Dagster."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer itself reads this annotation
from typing import Annotated

import typer

from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import AsJson, Wait, answer, bad_input_explained
from perf_pipeline.config.duration import DEFAULT_WAIT, parse_duration
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import ShardMissingError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.ending import interrupted_code
from perf_pipeline.shards.play_shard import play_shard


def shard(
    order: Annotated[
        Path,
        typer.Argument(metavar="ORDER.json", help="What `cut` wrote, on storage of all hosts."),
    ],
    index: Annotated[
        int,
        typer.Option(
            "--index",
            envvar="JOB_COMPLETION_INDEX",
            help="Which shard, from 0; an indexed job of Kubernetes sets the variable.",
        ),
    ],
    wait: Wait = DEFAULT_WAIT,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Play one shard of a run that was cut; `merge` reports the run when all have ended.

    Exit codes: 0 it was played to its end; 2 bad input; 3 another shard did not arrive; 70 a defect
    of ours; 129, 130, 143 interrupted.
    """
    with bad_input_explained(as_json=as_json):
        try:
            end = play_shard(
                order.absolute(),
                index,
                current_settings(),
                notify=lambda line: show(line, as_json=as_json),
                wait_s=parse_duration(wait, "--wait"),
            )
        except ShardMissingError as error:
            show(str(error), as_json=as_json)
            problems = {"error": type(error).__name__, "problems": [str(error)]}
            answer(problems, as_json=as_json)
            raise typer.Exit(Exit.NOT_A_MEASUREMENT) from error
        except KeyboardInterrupt as error:
            show("interrupted; `perf-pipeline merge` reports what is stored", as_json=as_json)
            raise typer.Exit(interrupted_code()) from error
    show(f"shard {end.index} of {end.count} on {end.host} was played to its end", as_json=as_json)
    levels = {name: {"waited_s": met.waited_s} for name, met in end.met.items()}
    answer(
        {"index": end.index, "count": end.count, "host": end.host, "levels": levels},
        as_json=as_json,
    )
