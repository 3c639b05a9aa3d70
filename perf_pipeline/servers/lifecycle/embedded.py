"""A server that we started, as its owner controls it: started, ready, restarted, stopped."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import ExitStack
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError, ServiceUnavailableError
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.redaction.spellings import url_secrets
from perf_pipeline.servers.lifecycle.folder import empty_of_processes, remove_folder
from perf_pipeline.servers.lifecycle.guardian_pipe import GuardianPipe
from perf_pipeline.servers.lifecycle.launch_spec import FOLDER_PREFIX, LaunchSpec
from perf_pipeline.servers.server import Server
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.logs.log import LogContext
    from perf_pipeline.servers.lifecycle.guardian_pipe import Event
    from perf_pipeline.servers.lifecycle.unprivileged import UserSwitch
    from perf_pipeline.servers.service import Installation, Launch, Startable

READY_S = 60.0
_ANSWER_S = 30.0
_STOP_GRACE_S = 5.0
_POLL_S = 0.02
_PROBE_S = 2.0  # libpq's minimum; a stranger on the port may accept and never answer
_PORTS_TRIED = 5
_TAKEN = "address already in use"


class PortTakenError(Exception):
    """Another server took the port after it was found free."""


class EmbeddedServer:
    """One server with its guardian; made by ``start_embedded``.

    Attributes:
        server: What answered; set once it is ready.
        folder: Where its data are.
        guardian_pid: The process to end once this object is gone (``perf-pipeline stop``).
    """

    server: Server

    def __init__(
        self,
        service: Startable,
        installation: Installation,
        launch: Launch,
        folder: Path,
        as_user: UserSwitch,
        disk_mb: int | None,
        log_folder: Path | None,
    ) -> None:
        self._service = service
        self._installation = installation
        self._url = launch.url
        self.folder = folder
        spec = LaunchSpec(
            service=service.NAME,
            folder=folder,
            owner=own_stamp(),
            files=launch.files,
            prepare=[[*as_user.prefix, *command] for command in launch.prepare],
            serve=[*as_user.prefix, *launch.serve],
            stop_signal=launch.stop_signal,
            lock_file=launch.lock_file,
            run_as=as_user.run_as,
            disk_mb=disk_mb,
            log_folder=str(log_folder or ""),
            secrets=tuple(url_secrets(launch.url)),
        )
        self._guardian = GuardianPipe(spec)
        self.guardian_pid = self._guardian.pid

    def wait_until_ready(self, ready_s: float, pid: int | None = None) -> None:
        """Wait until a real query is answered by this server and no other.

        Args:
            ready_s: How long that may take.
            pid: The server's process, if the guardian has already reported it.

        Raises:
            PortTakenError: Another server has its port.
            ServiceUnavailableError: It ended, or did not answer in ``ready_s``.
        """
        deadline = time.monotonic() + ready_s
        answer = "it has not been started"
        while time.monotonic() < deadline:
            event = self._guardian.next_event(_POLL_S)
            if event is not None and event["event"] != "serving":
                raise self._failure(event)
            pid = event["pid"] if event is not None else pid
            if pid is None:
                continue
            try:
                where = self._service.data_folder(self._url, _PROBE_S)
                facts = self._service.identify(self._url, _PROBE_S)
            except NotAnsweringError as error:
                answer = str(error)
                continue
            if not Path(where).is_relative_to(self.folder):
                raise PortTakenError(f"{self._url} is answered from {where}")
            name, source = self._service.NAME, self._installation.source
            self.server = Server(name, self._url, source, facts, pids=(pid,), folder=self.folder)
            return
        raise ServiceUnavailableError(
            f"{self._installation.program} did not answer a query within {ready_s:g} s "
            f"({answer}).\nThe machine may be overloaded: try again when it is quiet.",
        )

    def restart(self, ready_s: float = READY_S) -> None:
        """Start the server again on the same data and port, after its end or to end it.

        Raises:
            ServiceUnavailableError: It does not come back.
        """
        # Events before the guardian's answer concern the server's earlier process.
        self.wait_until_ready(ready_s, pid=self._command("restart", "serving")["pid"])

    def log_to(self, context: LogContext) -> None:
        """Have its guardian write into the log of a run from now on."""
        self._guardian.send(f"log {json.dumps(asdict(context))}")

    def detach(self) -> None:
        """Let the server outlive this process; ``perf-pipeline stop`` ends it.

        Raises:
            ServiceUnavailableError: Its guardian is gone.
        """
        self._command("detach", "detached")
        self._guardian.let_go()

    def stop(self) -> None:
        """Stop the server and remove its folder.

        Raises:
            PerfPipelineError: The folder could not be removed.
        """
        code, output = self._guardian.close()
        if not self.folder.exists():
            return
        # The guardian was killed, or failed: its server ended with it, and we remove the folder.
        remaining = empty_of_processes(self.folder, _STOP_GRACE_S)
        try:
            remove_folder(self.folder)
        except OSError as error:
            raise PerfPipelineError(
                f"{self.folder} of the {self._service.NAME} server could not be removed: "
                f"{error}; processes in it: {remaining or 'none'}.\nRemove it by hand. Its "
                f"guardian ended with {code}.\n{output}",
            ) from error

    def _command(self, command: str, answer: str) -> Event:
        """Send the guardian a command, and return its answer."""
        self._guardian.send(command)
        event = self._guardian.await_event(answer, _ANSWER_S)
        if event is None:
            raise ServiceUnavailableError(
                f"the guardian {self.guardian_pid} of {self.folder} did not {command} its server "
                f"in {_ANSWER_S:g} s.\nThe machine may be overloaded: try again when it is quiet.",
            )
        if event["event"] != answer:
            raise self._failure(event)
        return event

    def _failure(self, event: Event) -> Exception:
        log = str(event.get("log", ""))
        if _TAKEN in log.lower():
            return PortTakenError(log)
        what = event.get("command", self._installation.program)
        happened = {
            "failed": f"{what} failed with exit code {event.get('code')}",
            "ended": f"{what} ended with {event.get('code')} before it answered",
            "gone": f"the guardian of {what} ended",
        }[event["event"]]
        return ServiceUnavailableError(f"{happened}. It wrote:\n{log}")


def start_embedded(
    service: Startable,
    installation: Installation,
    temp_dir: Path,
    ports: Iterable[int],
    *,
    as_user: UserSwitch,
    ready_s: float = READY_S,
    disk_mb: int | None = None,
    log_folder: Path | None = None,
) -> EmbeddedServer:
    """Start a server of our own on a free loopback port and wait until it answers.

    It ends with this process, however that ends, unless it is detached. Its folder is made in
    ``temp_dir`` and goes with it.

    Args:
        service: The service.
        installation: Its programs.
        temp_dir: Where its folder is made; must be a local file system.
        ports: Ports to try, of which the first few are tried; each was free a moment ago.
        as_user: How it runs as an ordinary user.
        ready_s: How long it may take until it answers.
        disk_mb: Size of a file system of its own for its data, where the kernel allows it; None
            for the one of its folder.
        log_folder: Where its guardian logs unless it belongs to a run; None for nowhere.

    Raises:
        ServiceUnavailableError: It does not start; the text ends with what it wrote.
    """
    tried = []
    for port in islice(ports, _PORTS_TRIED):
        folder = temp_dir.resolve() / f"{FOLDER_PREFIX}{secrets.token_hex(6)}"
        launch = service.launch(installation, folder, port)
        embedded = EmbeddedServer(
            service, installation, launch, folder, as_user, disk_mb, log_folder
        )
        with ExitStack() as undo:
            undo.callback(embedded.stop)
            try:
                embedded.wait_until_ready(ready_s)
            except PortTakenError:
                tried.append(port)
                continue
            undo.pop_all()
            return embedded
    raise ServiceUnavailableError(
        f"no free port for {service.NAME}: {tried} were taken while it started.\n"
        "Stop other servers on 127.0.0.1, or give a server's URL.",
    )
