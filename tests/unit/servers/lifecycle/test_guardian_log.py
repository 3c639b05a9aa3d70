"""A guardian of a real process leaves its lines where they belong, without a password."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.lifeline import own_stamp, stamp
from perf_pipeline.logs.log import LogContext
from perf_pipeline.servers.lifecycle.guardian_pipe import GuardianPipe
from perf_pipeline.servers.lifecycle.launch_spec import FOLDER_PREFIX, LOG_FILE, LaunchSpec

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-Pq7-password"
SERVER = f"print('password is {CANARY}', flush=True); import time; time.sleep(60)"
WITHIN_S = 60.0


def guardian(folder: Path) -> GuardianPipe:
    spec = LaunchSpec(
        service="redis",
        folder=folder / f"{FOLDER_PREFIX}x",
        owner=own_stamp(),
        files={},
        prepare=[],
        serve=[sys.executable, "-c", SERVER],
        stop_signal=signal.SIGTERM,
        lock_file=None,
        run_as=None,
        log_folder=str(folder / "state" / ".logs"),
        secrets=(CANARY,),
    )
    return GuardianPipe(spec)


def actions(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    assert CANARY not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["labels.backend"] for line in lines} == {"redis"}
    return [line["event.action"].removeprefix("guardian-") for line in lines]


def wait_for(pipe: GuardianPipe, event: str) -> int:
    found = pipe.await_event(event, WITHIN_S)
    assert found is not None
    assert found["event"] == event
    return int(found.get("pid", 0))


@pytest.mark.parametrize("of", ["start", "run", "neither"])
def test_a_guardian_leaves_its_lines(tmp_path: Path, of: str) -> None:
    """``start`` detaches it; a run sends its context; of what never began they are kept as well."""
    pipe = guardian(tmp_path)
    server = wait_for(pipe, "serving")
    log = tmp_path / "state" / ".logs" / "guardian-redis.jsonl"
    expected = ["began", "serving", "stopped"]
    if of == "start":
        pipe.send("detach")
        wait_for(pipe, "detached")
        os.kill(pipe.pid, signal.SIGTERM)
        expected.insert(2, "detached")
    if of == "run":
        (tmp_path / "run").mkdir()
        log = tmp_path / "run" / "logs" / "guardian-redis.jsonl"
        pipe.send(f"log {json.dumps(asdict(LogContext(str(log.parent), labels={'run_id': 'r'})))}")
        written = tmp_path / f"{FOLDER_PREFIX}x" / LOG_FILE
        until_s = time.monotonic() + WITHIN_S
        while CANARY not in written.read_text() and time.monotonic() < until_s:
            time.sleep(0.02)
        os.kill(server, signal.SIGKILL)
        wait_for(pipe, "ended")
        expected.insert(2, "ended")
    pipe.close()

    assert stamp(pipe.pid) is None
    assert actions(log) == expected
