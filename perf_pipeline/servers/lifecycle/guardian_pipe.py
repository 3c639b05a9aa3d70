"""The owner's end of the pipe to a guardian."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.settings import PROJECT

if TYPE_CHECKING:
    from perf_pipeline.servers.lifecycle.launch_spec import LaunchSpec

_IMPORT_ROOT = str(PROJECT.resolve())
_RUN_GUARDIAN = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from perf_pipeline.servers.lifecycle.guardian import main; main()"
)
_STOP_S = 30.0

Event = dict[str, Any]
"""What a guardian reports: ``event`` is ``serving``, ``ended``, ``failed``, ``detached``, or
``gone`` when it has ended itself; the rest depends on it."""


class GuardianPipe:
    """A guardian process, and the messages between it and its owner.

    Attributes:
        pid: Its process id.
    """

    def __init__(self, spec: LaunchSpec) -> None:
        """Start a guardian and send it its launch specification."""
        self._output = b""
        self._events: deque[Event] = deque()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _RUN_GUARDIAN, _IMPORT_ROOT],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a signal to the owner's process group must not reach it
        )
        self.pid = self._process.pid
        self.send(spec.to_json())

    def send(self, line: str) -> None:
        """Send a line; if the guardian is gone, ``next_event`` returns ``gone``."""
        pipe = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(line.encode() + b"\n")
        except BrokenPipeError:
            return

    def next_event(self, timeout_s: float) -> Event | None:
        """Return the guardian's next event; None if there is none within ``timeout_s``."""
        pipe = self._process.stdout
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

    def await_event(self, wanted: str, timeout_s: float) -> Event | None:
        """Skip the events before the wanted one, and return that.

        Args:
            wanted: Name of the event.
            timeout_s: How long to wait for each event.

        Returns:
            The event; ``gone`` if the guardian ended first, None after a timeout.
        """
        while (event := self.next_event(timeout_s)) is not None:
            if event["event"] in {wanted, "gone"}:
                return event
        return None

    def let_go(self) -> None:
        """Detach from a guardian that outlives this process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.returncode = 0  # subprocess would otherwise wait for it

    def close(self) -> tuple[int, str]:
        """End the guardian with its server and folder, and wait for it.

        Returns:
            Its exit code and its last output: the reason, if it failed.
        """
        try:
            output, _ = self._process.communicate(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            output, _ = self._process.communicate()
        return self._process.returncode, (self._output + output).decode(errors="replace")
