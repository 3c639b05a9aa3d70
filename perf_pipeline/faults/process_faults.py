"""What freezing and killing a server have in common: its processes, and its state around them."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from perf_pipeline.config.services import service_label
from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.servers.lifecycle.started_server import StartedServer, started_server
from perf_pipeline.servers.server import redacted_url
from perf_pipeline.servers.service import find_service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import FaultedServer, Place, State

ENTRY_FOLDER = "server_folder"
_ANSWER_S = 2.0
_REVIVED_S = 5.0
_ASK_AGAIN_S = 1.0
_POLL_S = 0.02
_CONNECT_S = 0.2
_FLAGS, _EXITING = 6, 0x4
"""Column of /proc/PID/stat after the name, and the kernel's PF_EXITING in it."""


def own_server(place: Place) -> tuple[FaultedServer, StartedServer]:
    """Return the server whose processes this project started.

    Raises:
        FaultRefusedError: It did not start them, marked or not: they may not be on this machine.
    """
    server = place.server
    if server is None:
        raise FaultRefusedError("it is done to a server, and none is named: add server = ...")
    folder = server.data_folder.parent if server.data_folder is not None else None
    started = started_server(folder)
    if started is None or not started.processes():
        raise FaultRefusedError(
            f"the processes of {service_label(server.service)} at {redacted_url(server.url)} were "
            "not started by this project, so they are neither stopped nor killed. Leave its URL "
            "out, and a server is started for the run."
        )
    return server, started


def stopped_processes(pids: list[int]) -> list[int]:
    """Return those of some processes that are stopped, as the kernel tells."""
    found = []
    for pid in pids:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_STOPPED:
                found.append(pid)
        except psutil.NoSuchProcess:
            continue  # it has just ended
    return found


def is_ending(pid: int, proc: Path = Path("/proc")) -> bool:
    """Return whether a process has ended, or executes nothing more: the kernel takes it apart.

    For one with much memory that takes some tenths of a second after SIGKILL, in which its port
    still accepts connections that nobody answers.

    Source:
        proc(5), /proc/pid/stat: state and flags; Linux, include/linux/sched.h.
    """
    try:
        columns = (proc / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return columns[0] in "ZX" or bool(int(columns[_FLAGS]) & _EXITING)


def is_listening(server: FaultedServer) -> bool:
    """Return whether any address of a server accepts a connection."""
    addresses = find_service(server.service).tcp_addresses(server.url)
    return any(_accepts(host, port) for host, port in addresses)


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _CONNECT_S).close()
    except OSError:
        return False
    return True


def server_state(server: FaultedServer, started: StartedServer) -> State:
    """Return what a server and the processes around it are, by asking it.

    Raises:
        NotAnsweringError: It does not answer.
    """
    facts = find_service(server.service).identify(server.url, _ANSWER_S)
    around = [*started.processes(), started.guardian.pid]
    return {
        "product": f"{facts.product} {facts.version}",
        "main process": "alive" if started.main_process() is not None else "none",
        "stopped processes": str(len(stopped_processes(around))),
        **facts.settings,
    }


def left_folder(entry: Mapping[str, SettingValue]) -> StartedServer | None:
    """Return the server of a journal's entry; None if it has ended with its guardian."""
    return started_server(Path(str(entry[ENTRY_FOLDER])))


def revive(started: StartedServer, sleep: Callable[[float], None]) -> None:
    """Have a server of ours started again if it has ended, and wait until a process of it lives.

    Its guardian is asked again and again: it may not have seen the end of the last one yet.
    """
    deadline_s, asked_s = time.monotonic() + _REVIVED_S, 0.0
    while not _has_main_process(started) and time.monotonic() < deadline_s:
        if time.monotonic() - asked_s > _ASK_AGAIN_S:
            started.revive()
            asked_s = time.monotonic()
        sleep(_POLL_S)


def _has_main_process(started: StartedServer) -> bool:
    main = started.main_process()
    return main is not None and not is_ending(main)
