"""A process that draws charts, so that its engine starts while the run is still measured.

The engine takes 0.4 s of processor time to start and holds the interpreter lock meanwhile, so a
thread would gain nothing. Where the process cannot work, drawings are made in this process.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROGRAM = """
import json, sys, vl_convert
mark = {"mark": "point", "data": {"values": [{"a": 1}]}, "encoding": {"x": {"field": "a"}}}
vl_convert.vegalite_to_svg(mark, allowed_base_urls=[])
for line in sys.stdin:
    drawn = vl_convert.vegalite_to_svg(json.loads(line), allowed_base_urls=[])
    print(json.dumps(drawn), flush=True)
"""


class DrawingProcess:
    """Draws one chart after the other; it ends when its input does, so also with this process."""

    def __init__(self, program: str = _PROGRAM) -> None:
        """Start it.

        Args:
            program: What it runs, in Python.

        Raises:
            OSError: It cannot be started.
        """
        self._lock = Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is the run's, which may still report
        )

    def draw(self, specification: dict[str, Any]) -> str | None:
        """Return a chart in Vega-Lite as SVG; None if the process does not work."""
        if self._process.stdin is None or self._process.stdout is None:
            return None
        with self._lock:
            try:
                self._process.stdin.write(json.dumps(specification) + "\n")
                self._process.stdin.flush()
                answer = self._process.stdout.readline()
            except (OSError, ValueError):  # it has ended, or was closed
                return None
        return str(json.loads(answer)) if answer.endswith("\n") else None

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # what was not written is drawn no more
                if stream is not None:
                    stream.close()


_ahead: list[DrawingProcess] = []


@contextlib.contextmanager
def drawing_ahead() -> Iterator[None]:
    """Start the process, which draws what is drawn in the block."""
    try:
        process = DrawingProcess()
    except OSError:
        yield
        return
    _ahead.append(process)
    try:
        yield
    finally:
        _ahead.remove(process)
        process.close()


def drawn_ahead(specification: dict[str, Any]) -> str | None:
    """Return a chart as SVG, by the process that was started for it; None without one."""
    return _ahead[-1].draw(specification) if _ahead else None
