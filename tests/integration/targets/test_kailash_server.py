"""The server that kailash itself has, in its own environment, under load of the target http."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.http.http_request import HttpRequest
from perf_pipeline.config.http.known_servers import KNOWN_SERVERS
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from perf_pipeline.loadgen.environment.user_code import UserCode
from perf_pipeline.selftest.loads.only_level import closed_level

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.slow]

KEY = "KAILASH_API_KEY_LOAD"
SERVER = """
import sys
from kailash.api.workflow_api import WorkflowAPI
from kailash.nodes.code import PythonCodeNode
from kailash.workflow.builder import WorkflowBuilder

builder = WorkflowBuilder()
builder.add_node("PythonCodeNode", "double", {"code": "result = {'doubled': number * 2}"})
WorkflowAPI(builder).run(port=int(sys.argv[1]), log_level="warning")
"""
SCENARIO = """
target = "http"
concurrency = [4]
[[requests]]
name = "double"
server = "kailash"
url = "http://127.0.0.1:PORT"
body = '{"inputs": {"double": {"number": 4}}}'
expect_json = { outputs = { double = { result = { doubled = 8 } } } }
headers = { X-API-Key = "${KAILASH_API_KEY_LOAD}" }
[environment]
pass = ["KAILASH_API_KEY_LOAD"]
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("kailash's server did not start")


def test_kailash_s_own_server_answers_the_requests_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "kailash" in KNOWN_SERVERS
    monkeypatch.setenv(KEY, "canary-" + "k" * 32)
    environment = make_environment(
        parse_target("kailash+kailash[server]"),
        cache_dir=current_settings().cache_dir,
        environ=os.environ,
        uv=find_uv(os.environ),
    )
    port = free_port()
    server = subprocess.Popen([environment.python, "-c", SERVER, str(port)], cwd=tmp_path)
    try:
        wait_for(port, server)
        text = SCENARIO.replace("PORT", str(port))
        scenario = parse_scenario(text, "kailash_server", read_machine_limits())
        (workload,) = scenario.workloads
        assert isinstance(workload.request, HttpRequest)
        phases = Phases(ramp_up_s=0.1, warm_up_s=0.2, steady_s=1.0, drain_s=5.0)
        level = closed_level(workload.request, 4, phases, seed=1)
        folder = tmp_path / "level"
        folder.mkdir()
        level.play(folder, user_code=UserCode(variables=scenario.variables))
    finally:
        server.kill()
        server.wait()
    metrics = level.metrics(folder)
    assert metrics.outcomes["ok"] > 0
    assert metrics.outcomes["error"] == 0
