"""The process between a supervisor and a worker: whatever the worker starts ends with it.

::

    supervisor ──parent-death signal──> keeper ──parent-death signal──> worker ──> its children
               <───────pipe────────────   ^                                            │
                                          └── adopts whatever its parent left behind ──┘

The keeper is a *child subreaper* (prctl(2)): a process that the target started, whatever its
session, its process group and the number of forks between, is below the keeper for as long as it
lives. So when the worker has ended, whatever is below the keeper was left behind by the target;
it is killed and reported. The keeper ends as the worker did: with its exit code, or by its signal.

* The supervisor ends, however: the keeper kills the worker and everything below, and ends.
* The keeper is killed: the kernel kills the worker; what the worker started is found by its
  environment (``loadgen/supervise/left_behind.py``).

Its arguments are ``SUPERVISOR_PID PIPE -- COMMAND...``. What it writes into the pipe: the worker's
process id in a line, and at the end a JSON object with the names of what was left behind, and how
many processes had each.

Standard library only, and few modules: it takes 6 MB and wakes only when a process ends.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from perf_pipeline.lifeline import bind_to_parent

if TYPE_CHECKING:
    from collections.abc import Iterator

_PR_SET_CHILD_SUBREAPER = 36
_GRACE_S = 0.2
_KILL_S = 2.5
"""How long SIGKILL may take to act on what was left behind; a process may hang in the kernel."""
_POLL_S = 0.005
_NAMES = 50
"""Names that are reported; a pipe holds them without a reader."""

_CHANGED = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that this process or its interpreter handles in another way than a new process does."""


class _SupervisorGoneError(Exception):
    """The supervisor ended, or asked for the end."""


def processes_below(pid: int) -> dict[int, str]:
    """Return the processes below one, zombies left out: process id to name."""
    parents: dict[int, tuple[int, str]] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 - pathlib would double the memory
        if entry.isdecimal() and (found := _parent_and_name(int(entry))):
            parents[int(entry)] = found
    below: dict[int, str] = {}
    while more := {
        one: name
        for one, (parent, name) in parents.items()
        if one not in below and (parent == pid or parent in below)
    }:
        below |= more
    return below


def _parent_and_name(pid: int) -> tuple[int, str] | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            head, _, tail = file.read().rpartition(")")
    except OSError:
        return None  # it has just ended
    state, parent = tail.split()[:2]
    return None if state in {"Z", "X"} else (int(parent), head.partition("(")[2])


def end_all_below(pid: int, grace_s: float, kill_s: float = _KILL_S) -> dict[str, int]:
    """Kill everything below a process and reap it; returns the names of what was killed.

    Each round kills what the one before it started, until nothing is left.

    Args:
        pid: This process.
        grace_s: What ends by itself in this time is not counted, such as Python's own helpers.
        kill_s: How long SIGKILL may take to act.
    """
    killed: dict[int, str] = {}
    begun_s = time.monotonic()
    while processes_below(pid) and time.monotonic() < begun_s + grace_s:
        time.sleep(_POLL_S)
        _reap_ended()
    deadline_s = time.monotonic() + kill_s
    while (below := processes_below(pid)) and time.monotonic() < deadline_s:
        for one, name in below.items():
            killed[one] = name
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)
        _reap_ended()
        time.sleep(_POLL_S)
    _reap_ended()
    return dict(Counter(killed.values()).most_common(_NAMES))


def _reap_ended() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _start(command: list[str]) -> int:
    """Start the worker in a session of its own, bound to this process; returns its process id."""
    keeper = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        for number in _CHANGED:  # what is ignored here would be ignored there too
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        bind_to_parent(signal.SIGKILL, keeper)
        os.execv(command[0], command)
    except BaseException as error:  # noqa: BLE001 - a copy of the keeper must not go on
        os.write(2, f"{command[0]}: {error}\n".encode())
    os._exit(127)


def _wait_for(worker: int) -> int:
    """Reap whatever ends until the worker has; returns its status."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == worker:
            return status


def _end_as(status: int) -> None:
    """End this process as another one ended."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        os._exit(code)
    signal.signal(-code, signal.SIG_DFL) if -code not in {signal.SIGKILL, signal.SIGSTOP} else None
    os.kill(os.getpid(), -code)
    os._exit(128 - code)  # a signal that ends nobody


def _own_descriptors(pipe: int) -> Iterator[int]:
    """Yield the descriptors that the worker alone needs."""
    for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208
        if int(entry) > 2 and int(entry) != pipe:  # noqa: PLR2004 - the standard streams
            yield int(entry)


def main(arguments: list[str]) -> None:
    """Start the worker, wait for its end, end what it left behind, and end like it."""
    supervisor, pipe, separator, *command = arguments
    if separator != "--":
        sys.exit("arguments: SUPERVISOR_PID PIPE -- COMMAND [ARGUMENT...]")
    report = int(pipe)
    os.set_inheritable(report, False)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    worker = 0

    def supervisor_is_gone(*_: object) -> None:
        raise _SupervisorGoneError

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C and a closed terminal concern the
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # supervisor; we follow it
    signal.signal(signal.SIGTERM, supervisor_is_gone)
    status, grace_s = int(signal.SIGKILL), 0.0
    try:
        bind_to_parent(signal.SIGTERM, int(supervisor))
        worker = _start(command)
        os.write(report, f"{worker}\n".encode())
        for descriptor in _own_descriptors(report):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        status, grace_s = _wait_for(worker), _GRACE_S
    except _SupervisorGoneError:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    left = end_all_below(os.getpid(), grace_s)
    with contextlib.suppress(OSError):  # the supervisor is gone
        os.write(report, json.dumps(left).encode())
    _end_as(status)
