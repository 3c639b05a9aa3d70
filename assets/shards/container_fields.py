"""What the containers of shards have in common: fields of the run's configuration.

In the stack they are what the container of a run has, which compose.yaml says once
(DAGSTER_CONTAINER_CONTEXT), but for the socket of Docker: a shard has no faults. In a checkout they
are its user, and the folders that hosts share.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import dagster as dg

from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import Settings

IMAGE = "perf-pipeline:dev"
HANDED_ON = (
    "DAGSTER_STORAGE_PASSWORD",
    *(service.url_variable for service in SERVICES.values()),
    "PERF_PIPELINE_LOAD_LOCK",
    "PERF_PIPELINE_NOISE",
    "PERF_PIPELINE_SCRAPE_DIR",
    "PERF_PIPELINE_EXPORTER_LISTEN",
)
"""Variables of a host that its shard gets, beside PERF_PIPELINE_SHARDS_URL and those asked for."""
_OF_RUNS_ALONE = ("group_add", "stop_timeout")
"""For the socket of Docker, and for Dagster's launcher."""


def shown_container(environ: Mapping[str, str], settings: Settings) -> dict[str, Any]:
    """Return the container of a shard, as the launchpad shows it at first.

    Args:
        environ: Of the code location, or of the command that starts the run.
        settings: Likewise.
    """
    context = json.loads(environ.get("DAGSTER_CONTAINER_CONTEXT") or "{}").get("docker", {})
    of_runs = context.get("container_kwargs")
    kwargs = _of_run(of_runs) if of_runs else _of_checkout(environ, settings)
    return {
        "image": environ.get("DAGSTER_CURRENT_IMAGE") or IMAGE,
        "network": next(iter(context.get("networks", ())), "bridge"),
        "env_vars": [],
        "container_kwargs": kwargs,
    }


def _of_run(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a shard has of the container of a run."""
    volumes = [one for one in kwargs.get("volumes", ()) if not one.endswith("/docker.sock")]
    kept = {name: value for name, value in kwargs.items() if name not in _OF_RUNS_ALONE}
    return {**kept, "volumes": volumes}


def _of_checkout(environ: Mapping[str, str], settings: Settings) -> dict[str, Any]:
    """Return user and folders: records and Dagster's history are at the same path everywhere."""
    shared = [str(settings.results_dir.absolute())]
    shared += [home] if (home := environ.get("DAGSTER_HOME")) else []
    return {
        "user": f"{os.getuid()}:{os.getgid()}",
        "volumes": [f"{folder}:{folder}" for folder in shared],
        "environment": {"XDG_CACHE_HOME": "/home/perf/.cache"},
    }


def container_fields(shown: Mapping[str, Any]) -> dict[str, dg.Field]:
    """Return the fields of the executor's configuration, with what is shown as their defaults."""
    types: dict[str, tuple[Any, str]] = {
        "image": (dg.StringSource, "That every host has."),
        "network": (str, "From which the Redis and Dagster's storage are reached."),
        "env_vars": (
            [str],
            "Variables of each host's worker that its shard gets as well, by name.",
        ),
        "container_kwargs": (dict, "The rest, as docker-py's containers.create has it."),
    }
    return {
        name: dg.Field(kind, default_value=shown[name], description=text, is_required=False)
        for name, (kind, text) in types.items()
    }
