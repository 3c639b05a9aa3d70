"""The options that cut a run into shards, and what they mean."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from typing import Annotated

import typer

from perf_pipeline.errors import ScenarioError

GET_CELERY = "run `make host-setup` here and on each host, or use the image of the stack"

Shards = Annotated[
    int | None,
    typer.Option(
        "--shards",
        metavar="N",
        help="Play the run in N shards on this machine, which meet at a Redis before each level.",
    ),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--hosts",
        metavar="HOST...",
        help="Play a shard on each of these hosts, on which `perf-pipeline host NAME` runs.",
    ),
]
Image = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="IMAGE",
        help="Play each shard of --hosts in a fresh container of this image, which each host has.",
    ),
]


def shard_hosts(
    shards: int | None, hosts: list[str] | None, image: str | None = None
) -> tuple[str, ...]:
    """Return the name of the host of each shard; none for a run that is not cut.

    Raises:
        ScenarioError: Both options were given, or an image without hosts, or their values cannot
            be.
    """
    if image is not None and not hosts:
        raise ScenarioError(["--image is for the shards of --hosts: name them."])
    if shards is not None and hosts:
        raise ScenarioError(
            ["--shards is for this machine and --hosts for others: give one of them."]
        )
    if hosts:
        if find_spec("dagster_celery") is None:
            raise ScenarioError([f"--hosts needs dagster-celery: {GET_CELERY}."])
        return tuple(hosts)
    if shards is None:
        return ()
    if shards < 1:
        raise ScenarioError([f"--shards is {shards}; it must be at least 1."])
    return tuple(f"{platform.node()}-{index}" for index in range(shards))
