"""A container ends with its first process, so the run's exporter must end before it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.lifeline import is_in_container
from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.monitoring import start_exporter
from tests.sandbox import until

if TYPE_CHECKING:
    from pathlib import Path

UNTIL_ASKED = """
import sys, time
try:
    open(sys.argv[2] + ".begun", "w").close()
    time.sleep(float(sys.argv[1]))
finally:
    open(sys.argv[2], "w").close()
"""


@pytest.mark.parametrize(
    ("port", "index", "own"), [(0, 3, 0), (9400, 0, 9400), (9400, 3, 9403), (65535, 1, 0)]
)
def test_shards_of_a_run_have_addresses_of_their_own(port: int, index: int, own: int) -> None:
    """Also on hosts of which each could have the port, and beyond the last port a free one."""
    assert start_exporter.port_of(port, Share(index, 4, "gen")) == own


@pytest.fixture
def in_container(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_exporter, "is_in_container", lambda: True)


@pytest.mark.usefixtures("in_container")
@pytest.mark.parametrize(("lasts_s", "longest_s"), [(0.2, 60.0), (600.0, 1.0)])
def test_in_a_container_a_run_ends_after_its_exporter(
    tmp_path: Path, lasts_s: float, longest_s: float
) -> None:
    """By itself, or asked to: in both cases it clears up (the file here is written at the end)."""
    cleared = tmp_path / "cleared"
    command = [sys.executable, "-I", "-c", UNTIL_ASKED, str(lasts_s), str(cleared)]
    process = os.posix_spawn(sys.executable, command, os.environ)
    assert until((tmp_path / "cleared.begun").exists)
    start_exporter.outlast_exporter(process, longest_s)
    assert cleared.exists()
    with pytest.raises(ChildProcessError):  # nothing of it is left to wait for
        os.waitpid(process, os.WNOHANG)


def test_outside_of_a_container_a_run_does_not_wait_for_its_exporter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start_exporter, "is_in_container", lambda: False)
    with subprocess.Popen(["sleep", "60"]) as exporter:
        begun_s = time.monotonic()
        start_exporter.outlast_exporter(exporter.pid, 50.0)
        assert time.monotonic() - begun_s < 40
        assert exporter.poll() is None
        exporter.kill()


def test_a_process_knows_whether_it_is_in_a_pid_namespace_of_its_own() -> None:
    """As the kernel numbers them; ``unshare`` makes what a container has."""
    asked = "from perf_pipeline.lifeline import is_in_container; print(is_in_container())"
    command = [sys.executable, "-c", asked]
    unshared = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", *command]
    told = subprocess.run(unshared, capture_output=True, text=True, check=False)
    if told.returncode != 0:
        pytest.skip(f"no PID namespace can be made here: {told.stderr.strip()}")
    assert told.stdout.strip() == "True"
    here = subprocess.run(command, capture_output=True, text=True, check=True)
    assert here.stdout.strip() == str(is_in_container())
