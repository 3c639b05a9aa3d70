"""The process that plays the failures of a level, beside the load.

It is a child of the step, and gets SIGTERM when that dies, however it dies: then, and at the end of
its standard input, it takes back whatever is in effect. What outlives itself is known to its
guardian and in the fault journal before it is injected.

Standard input: the job as a line of JSON, then ``begin NS`` when the steady phase begins
(CLOCK_MONOTONIC), then ``stop``. Standard output: ``ready`` in a line once every failure has been
checked, and a line with the sentence when a floor of the host was reached.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.config.settings import PROJECT
from perf_pipeline.faults.fault_journal import (
    OpenFault,
    journal_folder,
    mark_undone,
    new_path,
    remove_fault,
    write_fault,
)
from perf_pipeline.faults.fault_lines import FaultLines
from perf_pipeline.faults.host_floor import HostFloor
from perf_pipeline.faults.injector_job import InjectorJob
from perf_pipeline.faults.window_play import GONE_S, FaultLog, Watchers, WindowPlay
from perf_pipeline.lifeline import own_stamp, stamp
from perf_pipeline.logs.log import PROCESS_LOG
from perf_pipeline.redaction.redact import remember_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.faults.fault import Fault

READY = "ready"
_TICK_S = 0.25
_GUARDIAN_END_S = 2.0
_FILLS_A_DISK = ("disk_full",)
"""Kinds whose server has its data on a disk of its own, made to be filled."""
_RUN_GUARDIAN = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from perf_pipeline.faults.guardian import main; main()"
)


class Injector:
    """The failures of one level."""

    def __init__(self, job: InjectorJob, source: int, tell: Callable[[str], None]) -> None:
        """Prepare; a guardian is started if any failure outlives this process.

        Args:
            job: What to play, where.
            source: Descriptor that orders come from.
            tell: Called with ``READY``, and with the sentence about a floor that was reached.
        """
        self._job = job
        self._source = source
        self._tell = tell
        self._received = b""
        self._is_ordered_to_stop = False
        self._ended = threading.Event()
        self._journal = journal_folder(job.state_dir)
        self._open: dict[int, Path] = {}
        self._me = own_stamp()
        self._log = FaultLog(job.folder, lines=FaultLines(PROCESS_LOG, job.windows))
        self._floor = HostFloor([job.folder, *self._data_folders()])
        self._guardian: subprocess.Popen[bytes] | None = None
        if any(FAULT_KINDS[window.kind].persists for window in job.windows):
            self._guardian = _start_guardian()
            self._tell_guardian({"log": asdict(job.log)})
        self._plays = [
            WindowPlay(
                number,
                window,
                job.servers.get(window.server),
                folder=job.folder,
                seed=job.seed,
                log=self._log,
                watchers=Watchers(self._opened, self._closed),
                ended=self._ended,
            )
            for number, window in enumerate(job.windows)
        ]
        self._wake, wake_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake_end)
        # The handler sets nothing: it may interrupt ``set``, whose lock cannot be had twice.
        signal.signal(signal.SIGTERM, lambda *_: None)  # wakes both selects
        threading.Thread(target=self._end_on_signal, name="terminated", daemon=True).start()

    def run(self) -> None:
        """Play every window; returns when all are gone, or none will be played."""
        if reason := self._floor.breach():
            self._refuse_all(reason)
            return
        for play in self._plays:
            play.check()
        self._tell(READY)
        steady_ns = self._wait_for_begin()
        if steady_ns is None:
            self._ended.set()
            steady_ns = time.monotonic_ns()
        threads = [
            threading.Thread(target=play.play, args=(steady_ns,), name=f"fault-{number}")
            for number, play in enumerate(self._plays)
        ]
        for thread in threads:
            thread.start()
        try:
            while not self._ended.is_set() and any(thread.is_alive() for thread in threads):
                self._look()
        finally:
            self._ended.set()
        for thread in threads:
            thread.join()
        if self._guardian is not None and self._guardian.stdin is not None:
            self._guardian.stdin.close()
            with suppress(subprocess.TimeoutExpired):  # it sees the end of this process as well
                self._guardian.wait(_GUARDIAN_END_S)

    def _wait_for_begin(self) -> int | None:
        """Return when the steady phase begins; None if it never does."""
        while not self._ended.is_set():
            for order in self._orders(None):
                name, _, value = order.partition(" ")
                if name == "begin":
                    return int(value)
        return None

    def _look(self) -> None:
        """Heed orders for a moment, and end everything when it must not go on."""
        self._orders(_TICK_S)
        if self._ended.is_set():
            return
        if reason := self._floor.breach():
            self._tell(f"failures were taken back: {reason}")
            self._end(f"the host's floor: {reason}")
        elif self._guardian is not None and self._guardian.poll() is not None:
            self._end("its guardian was killed, without which it could outlive this run")

    def _end_on_signal(self) -> None:
        """End what is being made ready as well, for which the main thread waits."""
        select.select([self._wake], [], [])
        self._ended.set()

    def _end(self, reason: str) -> None:
        """Have every failure taken back now, and none begun, with the reason in the log."""
        for number, play in enumerate(self._plays):
            if not play.is_over:
                self._log.write(number, "failed", reason=reason)
        self._ended.set()

    def _refuse_all(self, reason: str) -> None:
        for number in range(len(self._plays)):
            self._log.write(number, "refused", reason=f"the host's floor is reached: {reason}")

    def _orders(self, wait_s: float | None) -> list[str]:
        """Return the orders that come within a time; the end of everything when they end."""
        ready, _, _ = select.select([self._source, self._wake], [], [], wait_s)
        if self._wake in ready:  # SIGTERM: no other signal has a handler
            self._ended.set()
        if self._source not in ready:
            return []
        received = os.read(self._source, 4096)
        *lines, self._received = (self._received + received).split(b"\n")
        orders = [text.decode() for text in lines]
        self._is_ordered_to_stop |= "stop" in orders
        if not received or "stop" in orders:
            self._ended.set()
        return orders

    def _opened(self, number: int, fault: Fault, own_folder: Path) -> None:
        """Write a failure into the journal and name it to the guardian, before it is injected."""
        window = self._job.windows[number]
        server = self._job.servers.get(window.server)
        data_folder = server.data_folder if server is not None else None
        opened = OpenFault(
            kind=window.kind,
            name=window.name,
            entry=dict(fault.undo_entry()),
            level=str(self._job.folder),
            number=number,
            own_folder=str(own_folder),
            server_folder=str(data_folder.parent) if data_folder is not None else "",
            owner=self._job.owner,
            injector=self._me,
            guardian=stamp(self._guardian.pid) if self._guardian is not None else None,
        )
        path = self._open[number] = new_path(self._journal)
        write_fault(path, opened)
        self._tell_guardian(
            {
                "open": str(path),
                "fault": opened.as_json(),
                "within_s": FAULT_KINDS[window.kind].lead_s + window.duration_s + GONE_S,
            }
        )

    def _closed(self, number: int) -> None:
        path = self._open.pop(number)
        if self._is_ordered_to_stop or self._job.owner.is_alive():
            remove_fault(path)
        else:
            mark_undone(path, "it was taken back by its injector")
        self._tell_guardian({"closed": str(path)})

    def _tell_guardian(self, message: dict[str, object]) -> None:
        if self._guardian is None or self._guardian.stdin is None:
            return
        try:
            self._guardian.stdin.write(json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            return  # it was killed, which ends every failure within a moment

    def _data_folders(self) -> list[Path]:
        """Return the data folders whose disks must not fill up."""
        filled = {one.server for one in self._job.windows if one.kind in _FILLS_A_DISK}
        servers = self._job.servers.items()
        folders = [one.data_folder for name, one in servers if name not in filled]
        return [folder for folder in folders if folder is not None]


def _start_guardian() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-c", _RUN_GUARDIAN, str(PROJECT.resolve()), str(os.getpid())],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def _first_line(source: int) -> str:
    """Read the job without taking more than its line from the pipe."""
    text = b""
    while not text.endswith(b"\n"):
        byte = os.read(source, 1)
        if not byte:
            sys.exit("the step ended before it sent a job")
        text += byte
    return text.decode()


def _tell(text: str) -> None:
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        return  # the step has ended


def main() -> None:
    """Play the failures that standard input names."""
    # Ctrl-C and a closed terminal concern the step; we follow it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    source = sys.stdin.fileno()
    job = InjectorJob.from_json(_first_line(source))
    for server in job.servers.values():
        remember_url(server.url)
    PROCESS_LOG.open(job.log, f"{job.folder.name}-faults")
    PROCESS_LOG.write("info", "injector-began", "the fault injector begins", dataset="fault")
    Injector(replace(job, folder=job.folder.absolute()), source, _tell).run()
    PROCESS_LOG.write("info", "injector-ended", "the fault injector ends", dataset="fault")
    PROCESS_LOG.close()


if __name__ == "__main__":
    main()
