"""Starts the process of a worker: with its job, or earlier, to import its target until it has one.

A worker that is started earlier is the same process in every respect: interpreter, arguments,
folder, variables and descriptors are those that it would have later.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.loadgen.supervise.worker_log import WorkerLog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.loadgen.environment.user_code import UserCode
    from perf_pipeline.targets.target import ServerAddress

_IMPORT_ROOT = str(PROJECT.resolve())
_RUN_KEEPER = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from perf_pipeline.loadgen.supervise.keeper import main; main(sys.argv[1:])"
)


@dataclass(frozen=True)
class WorkerFiles:
    """The files of one worker in the level's folder."""

    job: Path
    kinds: Path
    ramp: Path
    journal: Path
    slots: Path
    log: Path
    home: Path
    trace: Path

    @classmethod
    def of(cls, folder: Path, worker: int) -> WorkerFiles:
        """Name the files of worker ``worker`` of the level in ``folder``, absolute."""
        folder = folder.absolute()  # the worker has another working folder
        stem = f"worker-{worker}"
        return cls(
            job=folder / f"{stem}.json",
            kinds=folder / f"{stem}.kinds",
            ramp=folder / f"{stem}.ramp",
            journal=folder / f"{stem}.sqlite",
            slots=folder / f"{stem}.slots",
            log=folder / f"{stem}.log",
            home=folder / f"{stem}-home",
            trace=folder / f"{stem}.trace.json",
        )


class StartedWorker:
    """The process of a worker, below its keeper (``keeper.py``).

    Attributes:
        process: The keeper, which ends as the worker does.
        log: What the worker prints.
        report: What the keeper reports.
        bell: Descriptor of its bell.
        pid: Id of the worker's process; of one that is started earlier once it is waited for.
        pidfd: Descriptor of it; None if it has ended already.
    """

    def __init__(
        self,
        files: WorkerFiles,
        python: Path,
        user_code: UserCode,
        module: str,
        *,
        bell: int,
        addresses: Mapping[str, ServerAddress] | None,
        target: str = "",
    ) -> None:
        """Start it.

        Args:
            files: Of the worker; its home exists, and its job unless it is started earlier.
            python: The target's interpreter.
            user_code: Working folder, modules and variables of the user's.
            module: What the process runs.
            bell: Descriptor of an eventfd, which it inherits and which ``close`` closes.
            addresses: Addresses of the servers; None where they follow with the job.
            target: Name of the target's folder, which one that is started earlier imports.
        """
        self.bell = bell
        self._addresses = os.memfd_create("perf_pipeline-addresses")  # they have passwords
        self._orders, theirs = socket.socketpair()
        arguments, inherited = [str(files.job), str(self._addresses)], [bell, self._addresses]
        if addresses is None:
            arguments += [str(theirs.fileno()), target]
            inherited.append(theirs.fileno())
        else:
            self._write(addresses)
        self.log = WorkerLog(files.log)
        report, report_end = os.pipe2(os.O_CLOEXEC)
        try:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", "-c", _RUN_KEEPER, _IMPORT_ROOT),
                    *(str(os.getpid()), str(report_end), "--"),
                    *user_code.command(python, module, *arguments),
                ],
                cwd=user_code.folder or files.home,
                env=user_code.environment(files.home, os.environ),
                stdin=subprocess.DEVNULL,
                stdout=self.log.write_end,
                stderr=self.log.write_end,
                pass_fds=(*inherited, report_end),
                start_new_session=True,
            )
        finally:
            self.log.started()
            os.close(report_end)
            theirs.close()
        self.report = os.fdopen(report, "rb")
        self.pid = 0
        self.pidfd: int | None = None
        if addresses is not None:
            self._release_orders()
            self.identify()

    def identify(self) -> None:
        """Read which process its keeper has started; the keeper has to start first."""
        self.pid = int(self.report.readline() or self.process.pid)
        self.pidfd = _pidfd(self.pid)
        if self.pidfd is not None and self.process.poll() is not None:
            os.close(self.pidfd)  # both have ended, so that the id may be another's by now
            self.pidfd = None

    def wait_imported(self, limit_s: float) -> None:
        """Wait until it has imported its target, has ended, or the limit has passed."""
        self.identify()
        select.select([self._orders], [], [], limit_s)

    def hand_over(self, addresses: Mapping[str, ServerAddress]) -> None:
        """Give it the job that it was started earlier for, whose file exists by now."""
        self._write(addresses)
        with contextlib.suppress(OSError):  # it has ended, and its log says why
            self._orders.send(b"\n")
        self._release_orders()

    def discard(self) -> None:
        """End one that gets no job, and release what it took."""
        if not self.pid:
            self.identify()
        with contextlib.suppress(ProcessLookupError):
            if self.pidfd is not None:
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        self.process.wait()
        self._release_orders()
        self.close()

    def close(self) -> None:
        """Release what it took; it has ended."""
        self.log.close()
        self.report.close()
        if self.pidfd is not None:
            os.close(self.pidfd)
        os.close(self.bell)

    def _write(self, addresses: Mapping[str, ServerAddress]) -> None:
        os.pwrite(self._addresses, json.dumps(dict(addresses)).encode(), 0)

    def _release_orders(self) -> None:
        self._orders.close()
        os.close(self._addresses)


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None  # it has ended already
