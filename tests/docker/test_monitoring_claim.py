"""What is claimed of live metrics, boards and alerts, by the command that a user types.

It needs no Docker; it stands here because it takes most of a minute.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import current_settings
from perf_pipeline.selftest.monitoring import NO_PROMETHEUS
from perf_pipeline.servers.monitors.monitor import find_program
from tests.sandbox import BIN

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(find_program(current_settings(), "prometheus") is None, reason=NO_PROMETHEUS)
def test_a_real_prometheus_sees_what_the_report_says_and_alerts_fire(tmp_path: Path) -> None:
    command = [str(BIN / "perf-pipeline"), "selftest", "monitoring", "--size", "ci", "--json"]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    outcome = json.loads(told.stdout.splitlines()[-1])
    assert outcome["pass"], told.stdout + told.stderr
