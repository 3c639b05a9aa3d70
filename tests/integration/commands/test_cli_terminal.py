"""``perf-pipeline run`` in a real terminal: a pty of a given width, with keys pressed in it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.sandbox import BIN, ROOT, WAIT_S, Sandbox, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

CTRL_C = b"\x03"
AT_ONCE_S = 5.0
HOSTILE = 'title = "[red]x[/red][/nope]"'
"""Markup of rich; escapes are refused with the scenario."""
FREEZE = """
[[fault]]
type = "server_freeze"
server = "redis"
at = "0s"
duration = "1m"
"""
VIEW_CPU_PERCENT_MAX = 5.0
"""Of one core; far above what it takes, so that a shared machine does not fail it."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One for all tests here."""
    made = Sandbox(tmp_path_factory.mktemp("terminal"))
    yield made
    made.close()


class Terminal:
    """A command in a terminal of its own, as its foreground process group.

    Attributes:
        process: The command.
    """

    def __init__(self, sandbox: Sandbox, *arguments: str, columns: int) -> None:
        self._main, command_side = pty.openpty()
        fcntl.ioctl(command_side, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        self.settings = termios.tcgetattr(command_side)
        self._kept = command_side
        environ = {**sandbox.environ, "TERM": "xterm-256color"}
        environ.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            [BIN / "perf-pipeline", *arguments],
            cwd=ROOT,
            env=environ,
            stdin=command_side,
            stdout=command_side,
            stderr=command_side,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads
        )
        self._raw = b""

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self._main, keys)

    def shown(self) -> str:
        """Return everything that was written to the terminal so far."""
        while select.select([self._main], [], [], 0)[0]:
            self._raw += os.read(self._main, 1 << 16)
        return self._raw.decode(errors="replace")

    def shows(self, *texts: str) -> bool:
        """Wait until all texts have been written; lines may be broken anywhere."""
        until(lambda: self.process.poll() is not None or self._has(texts), WAIT_S)
        return self._has(texts)

    def end_s(self) -> float:
        """Wait until the command has ended; returns how long that took."""
        began_s = time.monotonic()
        assert until(lambda: bool(self.shown()) and self.process.poll() is not None, 60)
        return time.monotonic() - began_s

    def is_sane(self) -> bool:
        """Say whether cursor, screen and settings are as they were."""
        hidden = self.shown().count("\x1b[?25l") > self.shown().count("\x1b[?25h")
        elsewhere = self.shown().count("\x1b[?1049h") > self.shown().count("\x1b[?1049l")
        return not hidden and not elsewhere and termios.tcgetattr(self._kept) == self.settings

    def close(self) -> None:
        """Close the terminal, as a user closes its window; the kernel sends SIGHUP."""
        if self._main >= 0:
            os.close(self._main)
            os.close(self._kept)
        self._main = -1

    def _has(self, texts: tuple[str, ...]) -> bool:
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\s", "", self.shown())
        return all(text.replace(" ", "") in plain for text in texts)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Terminals to close after the test."""
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        if terminal.process.poll() is None:
            terminal.process.kill()
            terminal.process.wait()
        terminal.close()


def hostile(sandbox: Sandbox, name: str) -> str:
    """Write a scenario that would last two minutes, with a title that attacks the terminal."""
    file = Path(sandbox.long_scenario(name))
    text = file.read_text(encoding="utf-8").replace('title = "of a test"', HOSTILE)
    file.write_text(text, encoding="utf-8")
    return str(file)


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def test_ctrl_c_once_ends_in_order_with_partial_results(
    sandbox: Sandbox, terminals: list[Terminal]
) -> None:
    """In 40 columns, with a hostile title: the picture appears, 130, the summary, a sane terminal.

    The picture costs little: it is measured over three seconds of the steady phase.
    """
    terminal = Terminal(sandbox, "run", hostile(sandbox, "once"), columns=40)
    terminals.append(terminal)
    assert terminal.shows("1 of 1: 4", "steady,", "4 of 4 wanted", "(estimate)", "errors none")
    began, used = time.monotonic(), cpu_s(terminal.process.pid)
    time.sleep(3)
    used_percent = 100 * (cpu_s(terminal.process.pid) - used) / (time.monotonic() - began)
    assert used_percent < VIEW_CPU_PERCENT_MAX
    terminal.press(CTRL_C)
    assert terminal.shows("stopping; what was measured is kept. Ctrl-C again: end at once")
    assert terminal.end_s() < 15
    assert terminal.process.returncode == 130
    assert terminal.shows("[red]x[/red][/nope]", "a measurement? incomplete", "report: ")
    assert terminal.is_sane()
    folder = sandbox.run_folders()[-1]
    assert sandbox.own_record(folder)["status"] == "interrupted"
    assert (folder / "report.html").exists()


def test_ctrl_c_twice_ends_at_once_and_nothing_is_left_running(
    sandbox: Sandbox, terminals: list[Terminal]
) -> None:
    """In 200 columns; the second comes while the first is obeyed, and the journals are kept.

    A failure is in effect: the run's Redis is frozen.
    """
    file = Path(sandbox.long_scenario("twice", servers=["redis"]))
    file.write_text(file.read_text(encoding="utf-8") + FREEZE, encoding="utf-8")
    terminal = Terminal(sandbox, "run", str(file), columns=200)
    terminals.append(terminal)
    assert terminal.shows("steady,", "4 of 4 wanted")
    folder = sandbox.run_folders()[-1]
    (log,) = folder.glob("levels/*/faults.jsonl")
    assert until(lambda: '"in_effect": true' in log.read_text(encoding="utf-8"), 20)
    (child,) = psutil.Process(terminal.process.pid).children()
    terminal.press(CTRL_C)
    time.sleep(0.6)
    terminal.press(CTRL_C)
    assert terminal.end_s() < AT_ONCE_S
    assert terminal.process.returncode == 130
    assert terminal.shows("ended at once", f"perf-pipeline report {folder.name}")
    assert terminal.is_sane()
    assert not child.is_running()
    assert until(lambda: not sandbox.processes(), 10), sandbox.processes()
    assert sandbox.cli("report", folder.name).returncode == 0


@pytest.mark.usefixtures("hang_ups")
def test_a_terminal_that_is_closed_costs_nothing_that_was_measured(
    sandbox: Sandbox, terminals: list[Terminal]
) -> None:
    """The run ends as at Ctrl-C, with 129, though nothing can be written any more."""
    terminal = Terminal(sandbox, "run", sandbox.long_scenario("closed"), columns=80)
    terminals.append(terminal)
    assert terminal.shows("steady,", "4 of 4 wanted")
    folder = sandbox.run_folders()[-1]
    terminal.close()
    assert terminal.process.wait(timeout=60) == 129
    assert sandbox.own_record(folder)["status"] == "interrupted"
    assert (folder / "report.html").exists()
    assert not list((sandbox.folder / "state").rglob("defects/*"))
    assert until(lambda: not sandbox.processes(), 15), sandbox.processes()


def test_a_killed_view_leaves_the_terminal_as_it_was(
    sandbox: Sandbox, terminals: list[Terminal]
) -> None:
    terminal = Terminal(sandbox, "run", sandbox.long_scenario("shot"), columns=80)
    terminals.append(terminal)
    assert terminal.shows("time left", "wanted")
    terminal.process.send_signal(signal.SIGKILL)
    terminal.end_s()
    assert terminal.is_sane()
    assert until(lambda: not sandbox.processes(), 15), sandbox.processes()


def test_what_is_no_terminal_gets_plain_lines(sandbox: Sandbox) -> None:
    """Standard error is a pipe: no escape in either stream, a line for each phase."""
    ran = sandbox.cli("run", hostile_short(sandbox))
    assert ran.returncode == 0, ran.stderr
    assert "\x1b" not in ran.stdout + ran.stderr
    assert re.search(r"steady +[0-9.]+ s +done +\d+ +in flight +4 of 4", ran.stdout)
    assert "report: " in ran.stdout


def hostile_short(sandbox: Sandbox) -> str:
    """Write the hostile scenario, of two seconds."""
    file = Path(hostile(sandbox, "plain"))
    text = file.read_text(encoding="utf-8").replace("steady_s = 120", "steady_s = 2")
    file.write_text(text, encoding="utf-8")
    return str(file)
