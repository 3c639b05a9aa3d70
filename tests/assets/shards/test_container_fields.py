"""What the launchpad shows of the containers of shards."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml

from assets.shards.container_fields import HANDED_ON, shown_container
from perf_pipeline.config.settings import read_settings

STACK = Path(__file__).parents[3] / "infra"


def _shown(**environ: str) -> dict[str, Any]:
    variables = {"PERF_PIPELINE_RESULTS": "/shared/results", **environ}
    return shown_container(variables, read_settings(variables, current_dir=Path("/")))


def test_in_the_stack_a_shard_has_the_container_of_a_run_without_dockers_socket() -> None:
    volumes = ["p_results:/results", "/run/docker.sock:/var/run/docker.sock"]
    kwargs = {"volumes": volumes, "mem_limit": "4g", "stop_timeout": 60, "group_add": ["0"]}
    context = {"docker": {"networks": ["p"], "container_kwargs": kwargs}}
    shown = _shown(DAGSTER_CONTAINER_CONTEXT=json.dumps(context), DAGSTER_CURRENT_IMAGE="of:it")
    assert (shown["image"], shown["network"]) == ("of:it", "p")
    assert shown["container_kwargs"] == {"volumes": ["p_results:/results"], "mem_limit": "4g"}


def test_in_a_checkout_it_is_the_users_and_has_the_folders_that_hosts_share() -> None:
    shown = _shown(DAGSTER_HOME="/shared/dagster")
    kwargs = shown["container_kwargs"]
    assert shown["network"] == "bridge"
    assert kwargs["user"] == f"{os.getuid()}:{os.getgid()}"
    assert kwargs["volumes"] == [
        "/shared/results:/shared/results",
        "/shared/dagster:/shared/dagster",
    ]


def test_a_shard_gets_the_variables_of_a_run_but_for_those_of_links_and_containers() -> None:
    """Names alone: values are those of each host, and go by no argument and no variable."""
    launcher = yaml.safe_load((STACK / "dagster/dagster.yaml").read_text())["run_launcher"]
    of_runs = set(launcher["config"]["env_vars"])
    of_containers = {"DAGSTER_CONTAINER_CONTEXT", "DAGSTER_CURRENT_IMAGE"}
    assert of_runs - set(HANDED_ON) == {"PERF_PIPELINE_REPORTS_URL", *of_containers}
