"""A neighbour for noise tests: a program that uses a chosen share of one core during the load.

Run as a script it is the neighbour itself: every line of its standard input is the share of a core
that it uses from then on. It ends with its input, so it never outlives the process that started it.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from typing import Self

PERIOD_S = 0.02
"""Sleep between two bursts; a burst uses the share of the time since the last."""

OWED_MAX_S = 0.1
"""Maximum CPU time that it catches up on after it had to wait for a core."""

_END_LIMIT_S = 5.0


class Neighbour:
    """The process, from the start of a ``with`` block to its end; it begins with no work."""

    def __enter__(self) -> Self:
        """Start it."""
        self._process = subprocess.Popen([sys.executable, "-IS", __file__], stdin=subprocess.PIPE)
        self.pid = self._process.pid
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        try:
            self._process.communicate(timeout=_END_LIMIT_S)
        finally:
            self._process.kill()
            self._process.wait()

    def use(self, share: float) -> None:
        """Let it use ``share`` of one core from now on, 0 to 1.

        Raises:
            OSError: It has ended.
        """
        if self._process.stdin is None:
            raise AssertionError("its standard input is a pipe")
        self._process.stdin.write(f"{share}\n".encode())
        self._process.stdin.flush()


def _be_neighbour() -> None:
    share, owed_s, last_s = 0.0, 0.0, time.monotonic()
    while True:
        now_s = time.monotonic()
        owed_s = min(owed_s + share * (now_s - last_s), OWED_MAX_S)
        last_s, begun_s = now_s, time.thread_time()
        while time.thread_time() - begun_s < owed_s:
            pass
        owed_s -= time.thread_time() - begun_s
        if select.select([0], [], [], PERIOD_S)[0]:
            text = os.read(0, 4096)
            if not text:
                return
            share, owed_s, last_s = float(text.split()[-1]), 0.0, time.monotonic()


if __name__ == "__main__":
    _be_neighbour()
