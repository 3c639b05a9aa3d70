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
"""What a guardian says: ``event`` is ``serving``, ``ended``, ``failed``, ``detached``, or
``gone`` when it has ended itself; the rest depends on it."""


class GuardianPipe:
    """A guardian process, and what is said between it and us.

    Attributes:
        pid: Its process id.
    """

    def __init__(self, spec: LaunchSpec) -> None:
        """Start a guardian and give it its order."""
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
        """Send a line; if the guardian is gone, ``next_event`` says so."""
        pipe = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(line.encode() + b"\n")
        except BrokenPipeError:
            return

    def next_event(self, timeout_s: float) -> Event | None:
        """Return what the guardian says next; None if it says nothing in ``timeout_s``."""
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

    def pass_to(self, wanted: str, timeout_s: float) -> Event | None:
        """Pass over what was said before an event, and return that one.

        Args:
            wanted: Name of the event.
            timeout_s: How long the guardian may stay silent.

        Returns:
            The event; ``gone`` if the guardian ended first, None if it fell silent.
        """
        while (event := self.next_event(timeout_s)) is not None:
            if event["event"] in {wanted, "gone"}:
                return event
        return None

    def let_go(self) -> None:
        """Forget a guardian that was told to outlive us."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.returncode = 0  # from now on nobody's child to wait for

    def close(self) -> tuple[int, str]:
        """Tell the guardian to clear away, and wait until it has ended.

        Returns:
            Its exit code, and what it said at last: why it failed, if it did.
        """
        try:
            output, _ = self._process.communicate(timeout=_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            output, _ = self._process.communicate()
        return self._process.returncode, (self._output + output).decode(errors="replace")
