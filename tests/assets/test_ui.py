"""``make ui`` before Dagster starts: a port in use is reported, with what to do."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from tests.sandbox import ROOT


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
