"""The process that owns one embedded server and its folder, and outlives neither.

::

    owner ──stdin──> guardian ──parent-death signal──> server
          <─stdout──          ──makes, removes───────> folder

* The owner ends, however: its end of the pipe closes, the guardian stops the server and removes
  the folder.
* The guardian is killed: the kernel kills the server. The folder is left to ``clear_leftovers``.
* The server ends: the guardian reports it and leaves the folder until the owner has decided.

First line of standard input: the launch specification. Later lines: ``restart`` (after the server
ended or to end it), ``detach`` (outlive the owner, for ``perf-pipeline start``; SIGTERM ends it
then), ``log`` and the context of a run's log to write into. SIGUSR1 starts a server that has ended
again, and does nothing to one that runs.
Standard output: one JSON object a line, the last being the guardian's own end.

Standard library only: it starts in a few hundredths of a second and takes little memory. What logs
is imported while the server starts.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from perf_pipeline.held_folder import hold
from perf_pipeline.lifeline import bound_command, own_stamp
from perf_pipeline.servers.lifecycle.folder import (
    discard_lock,
    empty_of_processes,
    let_go_on,
    remove_folder,
)
from perf_pipeline.servers.lifecycle.launch_spec import (
    GUARDIAN,
    GUARDIAN_FILE,
    LOG_FILE,
    REVIVE_SIGNAL,
    REVIVES,
    LaunchSpec,
)
from perf_pipeline.servers.lifecycle.own_disk import make_own_disk, remove_own_disk

if TYPE_CHECKING:
    from perf_pipeline.servers.lifecycle.guardian_log import GuardianLog

_STOP_GRACE_S = 5.0
_OTHERS = ("PG", "MYSQL_", "MARIADB_", "REDIS", "VALKEY", "MONGO")
"""How the names of variables begin that servers and their tools read."""

_OWNER_CHECK_S = 0.5
"""The end of the pipe is seen at once; a process forked off the owner may keep the pipe open, hence
this check of the owner."""

_LOG_TAIL_BYTES = 4000


class _OwnerDoneError(Exception):
    """The owner ended, closed the pipe, or ordered the end."""


class Guardian:
    """Runs one server as its launch specification says."""

    def __init__(self, spec: LaunchSpec) -> None:
        self._spec = spec
        self._detached = False
        self._terminated = False
        self._revival_asked = False
        self._input = b""
        self._server: subprocess.Popen[bytes] | None = None
        self._end_reported = False
        self._log: GuardianLog | None = None
        self._wake, wake_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_end)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes the select
        signal.signal(signal.SIGTERM, self._on_terminate)
        signal.signal(REVIVE_SIGNAL, self._on_revive)
        # Ctrl-C and a closed terminal concern the owner; we follow it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def run(self) -> None:
        """Run the server until the owner is done, then remove everything."""
        spec = self._spec
        spec.folder.mkdir(mode=0o700)
        try:
            self._fill_folder()
            self._make_disk()
            if all(self._prepared(command) for command in spec.prepare):
                self._serve()
                while True:
                    self._wait_for_news()
                    self._report_end()
        except _OwnerDoneError:
            pass
        finally:
            self._stop_server()
            if spec.disk_mb is not None:
                remove_own_disk(spec.folder / "data")
            remove_folder(spec.folder)
            self._logged().close()

    def _fill_folder(self) -> None:
        spec = self._spec
        about = {GUARDIAN: list(own_stamp()), "service": spec.service, REVIVES: True}
        self._held = hold(spec.folder, GUARDIAN_FILE, about)
        (spec.folder / "data").mkdir(mode=0o700)
        for name, text in spec.files.items():
            (spec.folder / name).parent.mkdir(mode=0o700, exist_ok=True)
            (spec.folder / name).write_text(text, encoding="utf-8")
        if spec.run_as is not None:
            for path in spec.folder.rglob("*"):
                if path.name != GUARDIAN_FILE:  # what is in it must be ours
                    os.chown(path, spec.run_as, spec.run_as, follow_symlinks=False)
            os.chown(spec.folder, spec.run_as, spec.run_as)  # last: then somebody else can write

    def _make_disk(self) -> None:
        """Give the data a file system of its own, where that is wanted and the kernel allows it."""
        spec = self._spec
        if spec.disk_mb is None or spec.run_as is not None:
            return
        with suppress(OSError):  # who needs it sees that the data are not on it
            make_own_disk(spec.folder / "data", spec.disk_mb)

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a command that dies with this process, in the folder, writing to its log."""
        with open(self._spec.folder / LOG_FILE, "ab", opener=_no_link) as log:
            return subprocess.Popen(
                bound_command(command, signal.SIGKILL, os.getpid()),
                cwd=self._spec.folder,
                env=_programs_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _prepared(self, command: list[str]) -> bool:
        child = self._start(command)
        try:
            while child.poll() is None:
                self._wait_for_news()
        finally:
            child.kill()
            child.wait()
        if child.returncode != 0:
            self._report(
                "failed", command=" ".join(command), code=child.returncode, log=self._log_tail()
            )
        return child.returncode == 0

    def _serve(self) -> None:
        self._server = self._start(self._spec.serve)
        self._end_reported = False
        self._report("serving", pid=self._server.pid)

    def _wait_for_news(self) -> None:
        """Wait for a command, a signal or the end of a child, and act on the command."""
        sources = [self._wake] if self._detached else [self._wake, sys.stdin.fileno()]
        ready, _, _ = select.select(sources, [], [], _OWNER_CHECK_S)
        if self._wake in ready:
            os.read(self._wake, 4096)
        if self._terminated:
            raise _OwnerDoneError
        if self._revival_asked:
            self._revival_asked = False
            self._revive()
        if self._detached:
            return
        if sys.stdin.fileno() in ready:
            received = os.read(sys.stdin.fileno(), 4096)
            if not received:
                raise _OwnerDoneError
            self._input += received
            *lines, self._input = self._input.split(b"\n")
            for line in lines:
                self._obey(*line.decode().split(" ", 1))
        elif not self._spec.owner.is_alive():
            raise _OwnerDoneError

    def _obey(self, command: str, argument: str = "") -> None:
        if command == "log":
            self._logged().open_in_run(argument)
        elif command == "detach":
            self._report("detached")
            self._logged().open_without_run()
            self._detached = True
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(null, stream)
            os.close(null)
        elif command == "restart":
            self._stop_server()
            self._serve()
        else:
            raise ValueError(f"a guardian knows detach, restart and log, not {command!r}")

    def _revive(self) -> None:
        """Start the server again if it has ended."""
        if self._server is not None and self._server.poll() is not None:
            self._stop_server()
            self._serve()

    def _report_end(self) -> None:
        if self._server is not None and self._server.poll() is not None and not self._end_reported:
            self._end_reported = True
            self._report("ended", code=self._server.returncode, log=self._log_tail())

    def _stop_server(self) -> None:
        """End the server and every process of it, and make its folder fit for a new start."""
        if self._server is not None:
            self._server.send_signal(self._spec.stop_signal)  # does nothing once it has ended
            let_go_on(self._spec.folder)
        empty_of_processes(self._spec.folder, _STOP_GRACE_S)
        if self._server is not None:
            self._server.wait()
        if self._spec.lock_file is not None:
            discard_lock(self._spec.folder / self._spec.lock_file)

    def _log_tail(self) -> str:
        with open(self._spec.folder / LOG_FILE, "rb", opener=_no_link) as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - _LOG_TAIL_BYTES))
            return log.read().decode(errors="replace").strip()

    def _report(self, event: str, **details: str | int) -> None:
        self._logged().write(event, details)
        if self._detached:
            return
        try:
            sys.stdout.write(json.dumps({"event": event, **details}) + "\n")
            sys.stdout.flush()
        except BrokenPipeError as error:
            raise _OwnerDoneError from error

    def _logged(self) -> GuardianLog:
        if self._log is None:
            from perf_pipeline.servers.lifecycle.guardian_log import (  # noqa: PLC0415 - see above
                GuardianLog,
            )

            self._log = GuardianLog(self._spec)
        return self._log

    def _on_terminate(self, *_: object) -> None:
        self._terminated = True

    def _on_revive(self, *_: object) -> None:
        self._revival_asked = True


def _programs_environment() -> dict[str, str]:
    """Return our environment without what a user's profile tells other servers and their tools.

    PGCLIENTENCODING, PGDATESTYLE or MYSQL_UNIX_PORT would change the server that we start.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)}


def _no_link(path: str, flags: int) -> int:
    """Open a file in a folder that a server's user may own, and which might put a link there."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _first_line() -> str:
    """Read the launch specification without taking more than its line from the pipe."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(sys.stdin.fileno(), 1)
        if not byte:
            sys.exit("the owner ended before it sent a launch specification")
        line += byte
    return line.decode()


def main() -> None:
    """Read the launch specification from standard input and run its server."""
    os.chdir("/")  # so that the owner's folder can be removed
    Guardian(LaunchSpec.from_json(_first_line())).run()


if __name__ == "__main__":
    main()
