"""Grafana's boards link to the stack's other pages where those are published, or said to be.

Grafana itself cannot be had here: what writes its boards runs in Debian's shell, as Grafana's user,
with the folders and variables that Compose gives the service.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.settings import current_settings
from perf_pipeline.servers.stack.compose import compose
from tests.docker.images import SERVERS
from tests.docker.stack_under_test import INFRA

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.docker.stack_under_test import StackUnderTest

GRAFANAS_USER = "472"
IN_PLACE_OF_GRAFANA = """#!/bin/sh
path=$(sed -n 's/^ *path: //p' /etc/grafana/provisioning/dashboards/perf_pipeline.yaml)
cp "$path"/*.json /given
"""
"""Takes the boards from where provisioning has Grafana read them."""


def test_links_of_the_boards_lead_to_published_ports_and_given_addresses(
    stack: StackUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address has what ``sed`` would take for its own; the port is not the usual one."""
    reports = "http://perf.example/runs?of=a&by=b|c"
    for name, value in stack.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PERF_PIPELINE_STACK_FILES", str(INFRA / "compose.yaml"))
    monkeypatch.setenv("PERF_PIPELINE_REPORTS_URL", reports)
    model = compose(
        current_settings(), ["monitoring"], ["config", "--format", "json"], timeout_s=60
    )
    boards = written_boards(stack, json.loads(model)["services"]["grafana"], tmp_path)

    assert set(boards) == {path.name for path in (INFRA / "grafana/dashboards").iterdir()}
    dagster = f"http://127.0.0.1:{stack.ports['dagster_webserver']}"
    for board in boards.values():
        variables = {one["name"]: one.get("query") for one in board["templating"]["list"]}
        assert (variables["reports_url"], variables["dagster_url"]) == (reports, dagster)


def written_boards(
    stack: StackUnderTest, service: dict[str, Any], folder: Path
) -> dict[str, dict[str, Any]]:
    """Return the boards that the service of the Compose file gives to Grafana."""
    given, program = folder / "given", folder / "run.sh"
    given.mkdir()
    given.chmod(0o777)
    program.write_text(IN_PLACE_OF_GRAFANA, encoding="utf-8")
    program.chmod(0o755)
    bound = [
        f"{one['source']}:{one['target']}:ro" for one in service["volumes"] if one["type"] == "bind"
    ]
    options = ["--rm", "--network", "none", "--user", GRAFANAS_USER]
    options += [f"--volume={one}" for one in (*bound, f"{given}:/given", f"{program}:/run.sh:ro")]
    variables = {n: value for n, value in service["environment"].items() if n.endswith("_URL")}
    options += [f"--env={name}={value}" for name, value in variables.items()]
    entrypoint, *words = service["entrypoint"]
    stack.docker("run", *options, "--entrypoint", entrypoint, SERVERS, *words)
    return {path.name: json.loads(path.read_bytes()) for path in given.iterdir()}
