"""Processes that must not outlive another, and stamps that identify a process uniquely.

The kernel sends a process its *parent-death signal* when the **thread** that forked it ends, so
whoever starts a bound process does so from a thread that lives as long as the process should.

Run as a file, this module binds itself and becomes a command, for programs that are not ours::

    python -I -S lifeline.py SIGNAL PARENT_PID -- COMMAND [ARGUMENT...]

This module is imported in the target's process: standard library only.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from enum import Enum
from pathlib import Path
from typing import NamedTuple

_PR_SET_PDEATHSIG = 1
PARENT_GONE = 69
"""Exit code of a process whose parent had died before it could bind itself."""

_STATE = 0
_START_TICKS = 19
"""Positions of fields 3 and 22 of /proc/<pid>/stat, counted from the end of the command's name."""

_PID_MAX = 2**22
"""Of Linux on 64 bits (proc(5), pid_max)."""

_INITIAL_PID_NAMESPACE = 0xEFFFFFFC
"""Inode of the PID namespace that a kernel starts with (Linux, include/linux/proc_ns.h)."""


class Liveness(Enum):
    """Whether a recorded process runs, as far as this process can tell."""

    ALIVE = "alive"
    GONE = "gone"
    NOT_SEEN = "not seen from here"


class ProcessStamp(NamedTuple):
    """Identifies a process uniquely: an id alone is reused, and each container has its own ids.

    Attributes:
        pid: Process id.
        start_ticks: Clock ticks between the boot and its start (proc(5), stat field 22).
        boot_id: Of the running kernel; ticks start anew with each boot.
        pid_namespace: Inode of the PID namespace in which ``pid`` counts (pid_namespaces(7)); 0
            where it is not known.
        machine: machine-id(5) of the host; empty where there is none, and in a container, whose
            image may have brought another host's.
    """

    pid: int
    start_ticks: int
    boot_id: str
    pid_namespace: int = 0
    machine: str = ""

    @classmethod
    def from_json(cls, value: object) -> ProcessStamp:
        """Read a stamp that was stored as a list.

        Raises:
            ValueError: It is no stamp.
        """
        if isinstance(value, list | tuple) and len(value) in (3, 4, 5):
            pid, ticks, boot, *further = value
            namespace = further[0] if further else 0
            machine = further[1] if len(further) > 1 else ""
            are_numbers = all(type(one) is int for one in (pid, ticks, namespace))
            are_texts = isinstance(boot, str) and isinstance(machine, str)
            if are_numbers and are_texts and 0 < pid <= _PID_MAX and ticks >= 0:
                return cls(pid, ticks, boot, namespace, machine)
        raise ValueError(f"{value!r:.80} does not identify a process")

    def liveness(self) -> Liveness:
        """Return whether the process runs; a zombie has ended.

        A process of another PID namespace (another container) cannot be seen from here, nor one of
        another boot: that may be another host that shares a folder with this one. Only where it is
        known to be this machine, which was started again since, the process has ended.
        """
        try:
            here = own_stamp()
        except OSError:
            return Liveness.NOT_SEEN
        known = bool(self.pid_namespace and here.pid_namespace)
        if self.boot_id != here.boot_id:
            rebooted = self.machine != "" and self.machine == here.machine
            return Liveness.GONE if rebooted else Liveness.NOT_SEEN
        if known and self.pid_namespace != here.pid_namespace:
            return Liveness.NOT_SEEN
        found = stamp(self.pid)
        same = found is not None and found.start_ticks == self.start_ticks
        return Liveness.ALIVE if same else Liveness.GONE

    def is_of_this_boot(self) -> bool:
        """Return whether it was started under the kernel that runs now; False if not known."""
        try:
            return self.boot_id == _boot_id()
        except OSError:
            return False

    def is_alive(self) -> bool:
        """Return whether this process is seen to run."""
        return self.liveness() is Liveness.ALIVE

    def is_gone(self) -> bool:
        """Return whether it is certain that this process has ended: only then may it be cleared."""
        return self.liveness() is Liveness.GONE


def stamp(pid: int) -> ProcessStamp | None:
    """Return the stamp of a running process.

    Returns:
        None if there is no such process, or only a zombie.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name is in parentheses and may itself have spaces and parentheses.
    fields = text.rpartition(")")[2].split()
    if fields[_STATE] in {"Z", "X"}:
        return None
    namespace = _pid_namespace()
    machine = _machine_id() if namespace == _INITIAL_PID_NAMESPACE else ""
    return ProcessStamp(pid, int(fields[_START_TICKS]), _boot_id(), namespace, machine)


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _machine_id() -> str:
    try:
        return Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _pid_namespace() -> int:
    """Return the inode of this process's PID namespace; 0 where the kernel does not show it."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0


def is_in_container() -> bool:
    """Return whether this process is in a PID namespace of its own, and all in it end with it."""
    return _pid_namespace() not in (0, _INITIAL_PID_NAMESPACE)


def own_stamp() -> ProcessStamp:
    """Return the stamp of the calling process.

    Raises:
        OSError: /proc is not mounted, or shows the processes of another PID namespace.
    """
    pid = os.getpid()
    mine = stamp(pid)
    if mine is None or Path("/proc/self").readlink().name != str(pid):
        raise OSError(
            f"/proc/{pid}/stat does not describe this process: is /proc mounted, and in this PID "
            "namespace?"
        )
    return mine


def bind_to_parent(signal_number: int, parent_pid: int) -> None:
    """Have the kernel send ``signal_number`` to this process when its parent thread ends.

    A parent that died before the call would never be noticed, so the parent is checked afterwards:
    if it is gone this process ends at once with exit code ``PARENT_GONE``.

    Args:
        signal_number: What is sent; survives exec, but not a change of user.
        parent_pid: Id of the process that started this one.

    Raises:
        OSError: The kernel refused.

    Source:
        prctl(2), PR_SET_PDEATHSIG.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl(PR_SET_PDEATHSIG, {signal_number}): {os.strerror(code)}")
    if os.getppid() != parent_pid:
        os._exit(PARENT_GONE)


def bound_command(command: list[str], signal_number: int, parent_pid: int) -> list[str]:
    """Return the command line that runs ``command`` bound to its parent.

    Args:
        command: Program and arguments; the program by path, or found on PATH.
        signal_number: What it gets when the parent's thread ends.
        parent_pid: The process that is going to start it.
    """
    this_file = str(Path(__file__).resolve())
    bound = [sys.executable, "-I", "-S", this_file, str(signal_number), str(parent_pid), "--"]
    return bound + command


def main(arguments: list[str]) -> None:
    """Bind this process to its parent and become the command.

    A shell without job control starts what is before an ``&`` with SIGINT ignored, and Python and
    Dagster would then ignore the orders to stop.
    """
    try:
        signal_number, parent_pid = int(arguments[0]), int(arguments[1])
        separator, program = arguments[2], arguments[3]
    except (IndexError, ValueError):
        separator = program = ""
    if separator != "--":
        sys.exit("usage: lifeline.py SIGNAL PARENT_PID -- COMMAND [ARGUMENT...]")
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    bind_to_parent(signal_number, parent_pid)
    try:
        os.execvp(program, arguments[3:])
    except OSError as error:
        sys.exit(f"{program}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
