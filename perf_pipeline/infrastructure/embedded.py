"""A server of our own, seen from its owner: started, ready, restarted, stopped."""

from __future__ import annotations

import json
import secrets
import select
import subprocess
import sys
import time
from collections import deque
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.errors import PerfPipelineError, ServiceUnavailableError
from perf_pipeline.infrastructure.back_end import NotAnsweringError
from perf_pipeline.infrastructure.order import FOLDER_PREFIX, Order
from perf_pipeline.infrastructure.server import Server
from perf_pipeline.lifeline import own_stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.infrastructure.back_end import BackEnd, Disguise, Installation, Launch

_IMPORT_ROOT = str(Path(__file__).resolve().parents[2])
_RUN_GUARDIAN = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from perf_pipeline.infrastructure.guardian import main; main()"
)
READY_S = 60.0
_STOP_S = 30.0
_POLL_S = 0.02
_PROBE_S = 2.0  # libpq's least; a stranger on the port may take the call and never answer
_PORTS_TRIED = 5
_TAKEN = "address already in use"

Event = dict[str, Any]


class PortTakenError(Exception):
    """Another server took the port between our look and the bind."""


class EmbeddedServer:
    """One server with its guardian; made by ``start_embedded``.

    Attributes:
        server: What answered; set once it is ready.
        folder: Where its data are.
        guardian_pid: Whom to end when this object is no more (``perf-pipeline stop``).
    """

    server: Server

    def __init__(
        self,
        back_end: BackEnd,
        installation: Installation,
        launch: Launch,
        folder: Path,
        as_user: Disguise,
    ) -> None:
        self._back_end = back_end
        self._installation = installation
        self._url = launch.url
        self.folder = folder
        self._output = b""
        self._events: deque[Event] = deque()
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _RUN_GUARDIAN, _IMPORT_ROOT],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a signal to the owner's process group must not reach it
        )
        self.guardian_pid = self._guardian.pid
        order = Order(
            service=back_end.SERVICE,
            folder=folder,
            owner=own_stamp(),
            files=launch.files,
            prepare=[[*as_user.prefix, *command] for command in launch.prepare],
            serve=[*as_user.prefix, *launch.serve],
            stop_signal=launch.stop_signal,
            lock_file=launch.lock_file,
            run_as=as_user.run_as,
        )
        self._send(order.to_json())

    def wait_until_ready(self, ready_s: float) -> None:
        """Wait until a real query is answered by this server and no other.

        Raises:
            PortTakenError: Its port is another's.
            ServiceUnavailableError: It ended, or did not answer in ``ready_s``.
        """
        deadline = time.monotonic() + ready_s
        pid = None
        answer = "it has not been started"
        while time.monotonic() < deadline:
            event = self._next_event(_POLL_S)
            if event is not None and event["event"] != "serving":
                raise self._failure(event)
            pid = event["pid"] if event is not None else pid
            if pid is None:
                continue
            try:
                where = self._back_end.data_folder(self._url, _PROBE_S)
                facts = self._back_end.facts(self._url, _PROBE_S)
            except NotAnsweringError as error:
                answer = str(error)
                continue
            if not Path(where).is_relative_to(self.folder):
                raise PortTakenError(f"{self._url} is answered from {where}")
            service, source = self._back_end.SERVICE, self._installation.source
            self.server = Server(service, self._url, source, facts, pids=(pid,))
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
        self._send("restart")
        self._await("serving", keep=True)  # its end, if it had one, is old news now
        self.wait_until_ready(ready_s)

    def detach(self) -> None:
        """Let the server outlive this process; ``perf-pipeline stop`` ends it."""
        self._send("detach")
        self._await("detached", keep=False)
        for pipe in (self._guardian.stdin, self._guardian.stdout):
            if pipe is not None:
                pipe.close()
        self._guardian.returncode = 0  # from now on nobody's child to wait for

    def stop(self) -> None:
        """Stop the server and remove its folder.

        Raises:
            PerfPipelineError: The folder could not be removed, or the guardian does not end.
        """
        try:
            output, _ = self._guardian.communicate(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self._guardian.kill()
            output, _ = self._guardian.communicate()
        if self.folder.exists():
            raise PerfPipelineError(
                f"{self.folder} of the {self._back_end.SERVICE} server could not be removed "
                f"(its guardian ended with {self._guardian.returncode}).\n"
                f"Remove it with the clearing op or by hand.\n{output.decode(errors='replace')}",
            )

    def _send(self, line: str) -> None:
        pipe = self._guardian.stdin
        assert pipe is not None
        try:
            pipe.write(line.encode() + b"\n")
        except BrokenPipeError as error:
            raise self._failure({"event": "gone", "log": self._rest()}) from error

    def _await(self, wanted: str, *, keep: bool) -> None:
        """Pass over events until the wanted one; ``keep`` leaves it to be read again."""
        while (event := self._next_event(_STOP_S)) is not None:
            if event["event"] == wanted:
                if keep:
                    self._events.appendleft(event)
                return
            if event["event"] == "gone":
                raise self._failure(event)
        raise ServiceUnavailableError(
            f"the guardian {self.guardian_pid} of {self.folder} did not answer in {_STOP_S:g} s",
        )

    def _next_event(self, timeout_s: float) -> Event | None:
        """Return what the guardian says next; None if it says nothing in ``timeout_s``."""
        pipe = self._guardian.stdout
        assert pipe is not None
        deadline = time.monotonic() + timeout_s
        while not self._events:
            left_s = max(0.0, deadline - time.monotonic())
            if not select.select([pipe], [], [], left_s)[0]:
                return None
            received = pipe.read(65536)
            if not received:
                return {"event": "gone", "log": self._output.decode(errors="replace")}
            *lines, self._output = (self._output + received).split(b"\n")
            events = [line for line in lines if line.startswith(b'{"event"')]
            self._events.extend(json.loads(line) for line in events)
            # Anything else is a traceback; it is the reason when the guardian is gone.
            others = [line for line in lines if line not in events]
            self._output = b"\n".join([*others, self._output])
        return self._events.popleft()

    def _rest(self) -> str:
        output, _ = self._guardian.communicate(timeout=_STOP_S)
        return (self._output + output).decode(errors="replace")

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
    back_end: BackEnd,
    installation: Installation,
    temp_dir: Path,
    ports: Iterable[int],
    *,
    as_user: Disguise,
    ready_s: float = READY_S,
) -> EmbeddedServer:
    """Start a server of our own on a free loopback port and wait until it answers.

    It ends with this process, however that ends, unless it is detached. Its folder is made in
    ``temp_dir`` and goes with it.

    Args:
        back_end: What kind of server.
        installation: Its programs.
        temp_dir: Where its folder is made; must be a local file system.
        ports: Ports to try; a few at most are, each being free when it was looked at.
        as_user: How it runs as an ordinary user.
        ready_s: How long it may take until it answers.

    Raises:
        ServiceUnavailableError: It does not start; the text ends with what it wrote.
    """
    tried = []
    for port in islice(ports, _PORTS_TRIED):
        folder = temp_dir.resolve() / f"{FOLDER_PREFIX}{secrets.token_hex(6)}"
        launch = back_end.launch(installation, folder, port)
        embedded = EmbeddedServer(back_end, installation, launch, folder, as_user)
        try:
            embedded.wait_until_ready(ready_s)
        except PortTakenError:
            tried.append(port)
            embedded.stop()
        except BaseException:
            embedded.stop()
            raise
        else:
            return embedded
    raise ServiceUnavailableError(
        f"no free port for {back_end.SERVICE}: {tried} were taken while it started.\n"
        "Stop other servers on 127.0.0.1, or give a server's URL.",
    )
