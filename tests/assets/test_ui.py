"""``make ui``: a port in use is reported, with what to do; and it ends when it is asked to."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.servers.lifecycle.port import is_free
from tests.integration.runs.traces import some_ports
from tests.sandbox import BIN, ROOT, Sandbox, until

if TYPE_CHECKING:
    from pathlib import Path


def test_a_taken_port_for_reports_is_an_error_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "assets.ui"]
        ended = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PERF_PIPELINE_REPORTS_PORT": port},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert ended.returncode == 2
    assert f"Reports cannot be served on 127.0.0.1:{port}: Address already in use." in ended.stderr
    assert "make ui REPORTS_PORT=4001" in ended.stderr


@pytest.mark.integration
@pytest.mark.slow
def test_it_ends_on_sigterm_where_the_shell_that_started_it_ignores_sigint(tmp_path: Path) -> None:
    """As ``make ui &`` of a script does; Dagster then treats both signals alike."""
    sandbox = Sandbox(tmp_path)
    port, reports_port = some_ports()[1:3]
    sandbox.environ["PERF_PIPELINE_REPORTS_PORT"] = str(reports_port)
    script = f"trap '' INT; exec '{BIN / 'python'}' -m assets.ui --port {port}"
    process = subprocess.Popen(
        ["sh", "-c", script],
        cwd=ROOT,
        env=sandbox.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert until(lambda: not is_free(port) or process.poll() is not None, 120)
        process.terminate()
        assert until(lambda: process.poll() is not None, 30), "it goes on"
        assert until(lambda: not sandbox.processes(), 10), sandbox.processes()
        assert is_free(port)
    finally:
        process.kill()
        sandbox.close()
