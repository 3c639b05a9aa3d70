"""A run whose container is killed: every other process of the host sees that it is gone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import KILLED, RUNNING
from tests.docker.images import base_image, run

if TYPE_CHECKING:
    from tests.docker.engine import Engine

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).parents[2]
RUN = """
import json, sys; from pathlib import Path
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.run_record import hold_run
folder = Path(sys.argv[1])
folder.mkdir(parents=True)
record = {"run_id": folder.name, "scenario": "shop", "status": "running"}
record |= {"process": own_stamp(), "started_at": "2026-01-14T09:30:12+00:00"}
(folder / "run.json").write_text(json.dumps(record))
hold_run(folder)
print("runs", flush=True)
sys.stdin.read()
"""
"""Without RunFolder, which imports SQLite: the small image lacks its library."""


def test_a_run_whose_container_is_killed_is_seen_to_be_gone_from_the_host(
    engine: Engine, tmp_path: Path
) -> None:
    """Its folder is a mount, as are our code and interpreter, which the small image has not.

    SIGKILL of the container gives its process no chance to write anything.
    """
    assert engine.host
    image = base_image(tmp_path)
    folder = RunFolder(tmp_path / "results" / "20260114_093012-4f2c")
    name = f"{tmp_path.name}-run".replace("_", "-")
    code = (
        f"{PROJECT}/perf_pipeline:/code/perf_pipeline:ro",
        f"{sys.base_prefix}:{sys.base_prefix}:ro",
    )
    mounts = (*code, f"{tmp_path}:{tmp_path}")
    volumes = [option for mount in mounts for option in ("--volume", mount)]
    command = ["docker", "run", "--rm", "--interactive", "--name", name, "--network", "none"]
    command += [*volumes, "--env", "PYTHONPATH=/code", "--env", "PYTHONDONTWRITEBYTECODE=1"]
    with subprocess.Popen(
        [*command, image, f"{sys.base_prefix}/bin/python3", "-c", RUN, str(folder.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=sys.stderr,
        text=True,
    ) as container:
        assert container.stdout is not None
        assert container.stdout.readline() == "runs\n"
        assert folder.read_status()["status"] == RUNNING
        run("docker", "kill", "--signal", "KILL", name)
        container.wait()

    assert folder.read_status()["status"] == KILLED
