"""A worker process whose threads cannot all be started ends at once and says how many could."""

from __future__ import annotations

import json
import os
import resource
import struct
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE
from perf_pipeline.samples.slots import SlotFile
from perf_pipeline.targets.target import Job, Kind, ServerAccess
from perf_pipeline.worker.worker_job import WorkerJob

if TYPE_CHECKING:
    import pytest

SLOTS = 400


def test_a_refused_start_of_threads_ends_the_process_with_the_number_that_could_start(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """1.5 GB of address space holds fewer than 200 stacks of 8 MB; the others are never started.

    The threads that did start wait for the go: none of them may keep the process from ending.
    """
    SlotFile.create(tmp_path / "slots", SLOTS, 5_000_000_000).close()
    bell = os.eventfd(0)
    request.addfinalizer(lambda: os.close(bell))
    (tmp_path / "kinds").write_bytes(struct.pack("<q", 0))
    (tmp_path / "ramp").write_bytes(bytes(8 * SLOTS))
    job = WorkerJob(
        worker=0,
        workers=1,
        target="control",
        mode="threads",
        kinds=str(tmp_path / "kinds"),
        ramp=str(tmp_path / "ramp"),
        journal=str(tmp_path / "journal"),
        slots=str(tmp_path / "slots"),
        bell=bell,
        deadline_ns=10**10,
        job=Job((Kind("transformation", "simple"),), "lean", 3, "run", 2, ServerAccess({}, 1, 1.0)),
    )
    (tmp_path / "job.json").write_text(json.dumps(asdict(job)))

    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, 8 << 20))
        resource.setrlimit(resource.RLIMIT_AS, (1_500_000_000, 1_500_000_000))

    ended = subprocess.run(
        NO_USER_CODE.command(
            Path(sys.executable), "perf_pipeline.worker", str(tmp_path / "job.json")
        ),
        env={},
        pass_fds=(bell,),
        preexec_fn=confine,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    # A thread that has started may find no memory either, and says so before or after.
    said = " ".join(ended.stderr.split())
    assert ended.returncode == 1, said
    assert "RuntimeError: only " in said
    assert f" of {SLOTS} threads could be started (" in said
    assert "ulimit -u" in said
