"""Processes that must not outlive another, and how a process is known for sure."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from perf_pipeline import lifeline
from perf_pipeline.lifeline import (
    PARENT_GONE,
    Liveness,
    ProcessStamp,
    bound_command,
    own_stamp,
    stamp,
)

_PARENT = """
import os, subprocess, sys
from perf_pipeline.lifeline import bound_command
child = subprocess.Popen(bound_command(["sleep", "60"], 9, os.getpid()))
print(child.pid, flush=True)
sys.stdin.read()
"""
_ROOT = Path(__file__).resolve().parents[2]


def test_a_bound_command_dies_with_its_parent() -> None:
    """The parent is killed with SIGKILL, so that it cannot notify its child."""
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    while _command(child) != "sleep":
        time.sleep(0.01)
    pidfd = os.pidfd_open(child)
    parent.kill()
    parent.communicate()
    assert select.select([pidfd], [], [], 10)[0] == [pidfd]
    os.close(pidfd)


def test_a_command_whose_parent_is_gone_already_does_not_start(tmp_path: Path) -> None:
    """Process 1 stands for another parent than the one that was meant."""
    witness = tmp_path / "started"
    done = subprocess.run(bound_command(["touch", str(witness)], signal.SIGKILL, 1), check=False)
    assert done.returncode == PARENT_GONE
    assert not witness.exists()


def test_a_bound_command_that_does_not_exist_is_named() -> None:
    """Exit code and text are those of an ordinary failure."""
    done = subprocess.run(
        bound_command(["/no/such program"], signal.SIGKILL, os.getpid()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "/no/such program: No such file or directory\n")


def test_a_wrong_command_line_gets_the_usage() -> None:
    """Without the separator the command would be cut short."""
    script = bound_command([], signal.SIGKILL, 1)[:-1]
    done = subprocess.run([*script, "true"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("usage:")


def test_a_process_is_distinguished_from_another_with_its_id_or_from_another_boot() -> None:
    """The id alone is given to another process one day."""
    mine = own_stamp()
    assert mine.is_alive()
    assert not mine._replace(start_ticks=mine.start_ticks - 1).is_alive()
    assert not mine._replace(boot_id="another").is_alive()


def test_only_a_process_that_could_be_seen_is_certainly_gone() -> None:
    """One of another boot, host or container may still run; so may one whose /proc is foreign."""
    mine = own_stamp()
    assert mine.pid_namespace == Path("/proc/self/ns/pid").stat().st_ino
    assert not mine.is_gone()
    assert mine._replace(start_ticks=mine.start_ticks - 1).is_gone()
    assert mine._replace(start_ticks=mine.start_ticks - 1, pid_namespace=0).is_gone()
    elsewhere = [
        mine._replace(pid_namespace=7),
        mine._replace(boot_id="another", machine=""),
        mine._replace(boot_id="another", machine="another"),
    ]
    for process in elsewhere:
        assert process.liveness() is Liveness.NOT_SEEN
        assert not process.is_alive()
        assert not process.is_gone()


def test_what_ran_on_this_machine_before_it_was_started_again_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine says who it is outside of containers: an image may bring another one's name."""
    now = own_stamp()._replace(machine="3d12")
    monkeypatch.setattr(lifeline, "own_stamp", lambda: now)
    assert now._replace(boot_id="before").is_gone()
    assert ProcessStamp.from_json(json.loads(json.dumps(now))) == now
    nameless = now._replace(machine="")
    monkeypatch.setattr(lifeline, "own_stamp", lambda: nameless)
    assert nameless._replace(boot_id="before").liveness() is Liveness.NOT_SEEN


@pytest.mark.parametrize("mount", ["--mount-proc", "--mount"])
def test_another_pid_namespace_neither_sees_nor_buries_this_process(mount: str) -> None:
    """With a /proc of its own, and with the /proc of this one, in which its ids mean others."""
    question = (
        "import json, sys; from perf_pipeline.lifeline import ProcessStamp\n"
        "print(ProcessStamp.from_json(json.loads(sys.argv[1])).liveness().value)"
    )
    command = ["unshare", "--user", "--map-root-user", "--pid", "--fork", mount]
    asked = subprocess.run(
        [*command, sys.executable, "-c", question, json.dumps(own_stamp())],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.returncode and "unshare" in asked.stderr:
        pytest.skip(f"no PID namespace can be made here: {asked.stderr.strip()}")
    assert asked.stdout.strip() == "not seen from here"


def test_a_process_that_ended_is_not_alive_even_before_its_parent_collects_it() -> None:
    """Zombies keep their entry in /proc."""
    child = subprocess.Popen(["sleep", "60"])
    living = stamp(child.pid)
    assert living is not None
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{child.pid}").exists()
    assert not living.is_alive()
    child.wait()
    assert stamp(child.pid) is None


def test_start_ticks_are_read_behind_a_name_with_parentheses(tmp_path: Path) -> None:
    """Compared with the system's own clock to a second."""
    program = tmp_path / "a) S (b"
    program.symlink_to("/bin/sleep")
    child = subprocess.Popen([program, "60"])
    try:
        found = stamp(child.pid)
        assert found is not None
        now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
        assert abs(found.start_ticks / os.sysconf("SC_CLK_TCK") - now_s) < 5
    finally:
        child.kill()
        child.wait()


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()


def test_a_bound_command_hears_sigint_that_its_starter_ignores() -> None:
    """A shell without job control ignores it for what is before an ``&``."""
    ends_itself = ["sh", "-c", "kill -INT $$; sleep 1; echo deaf"]
    command = bound_command(ends_itself, signal.SIGKILL, os.getpid())
    ignoring = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command]
    ended = subprocess.run(ignoring, capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("", "", -signal.SIGINT)
