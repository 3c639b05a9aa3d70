"""The end of a process by a signal: in order, with an exit code that names the signal."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NoReturn

from perf_pipeline.exit_code import Exit

if TYPE_CHECKING:
    from types import FrameType

CODES = {
    signal.SIGHUP: Exit.HUNG_UP,
    signal.SIGINT: Exit.INTERRUPTED,
    signal.SIGTERM: Exit.TERMINATED,
}
"""The signals that ask a process to end, and the exit code of one that ended for each."""

_received: list[signal.Signals] = []


def end_in_order_on_signals() -> None:
    """Let SIGTERM and SIGHUP (a closed terminal) unwind the program, as Ctrl-C does.

    One that is ignored stays so: ``nohup`` ignores SIGHUP.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _raise)


def interrupted_code() -> Exit:
    """Return the exit code of a program that was unwound by a ``KeyboardInterrupt``."""
    return CODES[_received[0]] if _received else Exit.INTERRUPTED


def is_request_to_end(error: BaseException) -> bool:
    """Return whether an exception is a request to end, and no failure.

    A panic of a library in Rust (polars, vl-convert) is a failure, though no ``Exception``.
    """
    return not isinstance(error, Exception) and type(error).__name__ != "PanicException"


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    received = signal.Signals(number)
    _received.append(received)
    raise KeyboardInterrupt(received.name)
