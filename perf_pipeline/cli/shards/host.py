"""The command host: lets this machine play the shards that are sent to its queue."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import bad_input_explained
from perf_pipeline.cli.shards.hosts_options import GET_CELERY
from perf_pipeline.config.settings import PROJECT, SHARDS_URL, current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.shards.play_shard import barrier_url

APP = "assets.shards.host_app"
ONE_CLEAN_PROCESS_A_SHARD = (
    "--concurrency=1",
    "--max-tasks-per-child=1",
    "--prefetch-multiplier=1",
)
QUIET = ("--without-gossip", "--without-mingle", "--loglevel=INFO")


def host(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name in `perf-pipeline run --hosts`.")
    ],
    redis: Annotated[
        str | None,
        typer.Option(
            "--redis",
            metavar="URL",
            help="Where shards are sent and meet. A password is not seen by other users in "
            "PERF_PIPELINE_SHARDS_URL, which is the default.",
        ),
    ] = None,
) -> None:
    """Play shards on this machine until it is stopped: a Celery worker with a queue of its own."""
    with bad_input_explained(as_json=False):
        environ = {**os.environ, **({SHARDS_URL: redis} if redis else {})}
        os.environ.update(environ)
        if find_spec("dagster_celery") is None:
            raise PerfPipelineError(f"dagster-celery is not installed: {GET_CELERY}")
        barrier_url(current_settings())
    show(f"host {name} plays shards; Ctrl-C ends it", as_json=False)
    os.chdir(PROJECT)
    worker = ["worker", "-Q", name, "-n", f"{name}@%h", *ONE_CLEAN_PROCESS_A_SHARD, *QUIET]
    command = [sys.executable, "-I", "-m", "celery", "-A", APP, *worker]
    os.execve(sys.executable, command, environ)
