"""Ctrl-C and SIGTERM: noted, once or twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from perf_pipeline.cli.interruptions import EndAtOnceError, Interruptions, interruptions_noted


def at(times_s: list[float]) -> Interruptions:
    """Return what is noted of Ctrl-C at each of these times."""
    clock = iter(times_s)
    noted = Interruptions(lambda: next(clock))
    for _ in times_s:
        noted.note(signal.SIGINT)
    return noted


def test_signals_close_together_are_one_request_and_later_ones_another() -> None:
    """``timeout -s INT`` sends two in a row; a person presses again after half a second."""
    assert not Interruptions()
    assert (bool(at([1.0])), at([1.0]).at_once) == (True, False)
    assert not at([1.0, 1.01, 1.02]).at_once
    assert at([1.0, 1.01, 2.0]).at_once


def test_a_second_request_raises_only_after_polling_has_ended() -> None:
    """Once: the sentence that follows must not be interrupted in turn."""
    noted = at([1.0])
    noted.raise_at_once()
    noted._clock = lambda: 3.0
    with pytest.raises(EndAtOnceError):
        noted.note(signal.SIGINT)
    noted._clock = lambda: 6.0
    noted.note(signal.SIGINT)
    with pytest.raises(EndAtOnceError):
        at([1.0, 3.0]).raise_at_once()


def test_signals_are_noted_also_where_a_shell_had_them_ignored() -> None:
    """In a separate process, which starts with SIGINT ignored, as behind ``&`` in a script."""
    program = """
import os, signal, sys, subprocess
from perf_pipeline.cli.interruptions import interruptions_noted
with interruptions_noted() as noted:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    child = subprocess.Popen(["sleep", "60"])
    child.send_signal(signal.SIGINT)
    print([one.name for one in noted.signals], child.wait(), noted.times)
print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)
"""
    ran = subprocess.run(
        ["/bin/sh", "-c", 'trap "" INT; exec "$0" -c "$1"', sys.executable, program],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    noted, handler_restored = ran.stdout.splitlines()
    assert noted == "['SIGINT', 'SIGINT', 'SIGTERM'] -2 1"
    assert handler_restored == "True"


def test_a_signal_after_the_block_has_its_old_meaning() -> None:
    ours: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _frame: ours.append(number))
    try:
        with interruptions_noted() as noted:
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert (noted.signals, ours) == ([signal.SIGINT], [signal.SIGINT])


@pytest.mark.usefixtures("hang_ups")
def test_a_closed_terminal_is_noted_unless_nohup_ignores_it() -> None:
    """The exit code is that of the first signal."""
    program = """
import os, signal
from perf_pipeline.cli.interruptions import interruptions_noted
with interruptions_noted() as noted:
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGTERM)
    print(noted.code)
"""
    for trap, code in (("trap - HUP", "129"), ("trap '' HUP", "143")):
        ran = subprocess.run(
            ["/bin/sh", "-c", f'{trap}; exec "$0" -c "$1"', sys.executable, program],
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout == f"{code}\n"
