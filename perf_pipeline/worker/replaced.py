"""What foreign code has replaced in the process that is measured: it is said beside the figures.

Our own clocks, sleep, threads and locks are not affected (``own_time``). What the code under test
measures, waits for and starts is, and readers of a report must know.

Standard library only.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
import warnings
from pathlib import Path
from types import BuiltinFunctionType
from typing import Any

_WATCHED = {
    "time": (
        "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns",
        "thread_time", "thread_time_ns", "process_time", "sleep",
    ),
    "threading": (
        "Thread", "Lock", "RLock", "Event", "Condition", "Semaphore", "local", "current_thread",
        "get_ident",
    ),
    "_thread": ("start_new_thread", "allocate_lock"),
    "select": ("select", "poll", "epoll"),
    "selectors": ("DefaultSelector",),
    "queue": ("Queue", "SimpleQueue"),
    "socket": ("socket", "create_connection", "getaddrinfo"),
    "asyncio": ("sleep", "run", "get_event_loop_policy"),
    "datetime": ("datetime", "date"),
    "os": ("_exit", "fork", "read", "write"),
    "signal": ("signal",),
    "subprocess": ("Popen",),
}  # fmt: skip
_START_UP = ("sitecustomize", "usercustomize")
_MISSING = object()
_ALL_WARNINGS_RAISE = ("error", None, Warning, None, 0)


class Originals:
    """A snapshot of a process before foreign code is imported; ``changes`` compares with it."""

    def __init__(self) -> None:
        """Take the snapshot."""
        self._before = _names()
        self._state = _state()
        self._at_start = _before_us()

    def changes(self) -> list[str]:
        """Return a sentence for each kind of thing that is not as it was, in a fixed order."""
        return [*self._at_start, *self._replaced(), *self._changed()]

    def _replaced(self) -> list[str]:
        by_whom: dict[str, list[str]] = {}
        now = _names()
        for name, original in self._before.items():
            found = now.get(name, _MISSING)
            if found is not original:
                by_whom.setdefault(_origin(found), []).append(name)
        return [f"{', '.join(names)} replaced{whom}" for whom, names in by_whom.items()]

    def _changed(self) -> list[str]:
        now = _state()
        return [
            f"{what}: {after}, was {before}" if before else f"{what}: {after}"
            for what, before in self._state.items()
            if (after := now[what]) != before
        ]


def _names() -> dict[str, Any]:
    """Return what is watched, of the modules that are loaded."""
    found = {}
    for module_name, names in _WATCHED.items():
        module = sys.modules.get(module_name)
        if module is not None:
            for name in names:
                found[f"{module_name}.{name}"] = getattr(module, name, _MISSING)
    return found


def _origin(value: Any) -> str:
    if value is _MISSING:
        return " by nothing"
    module = getattr(value, "__module__", None) or type(value).__module__
    return f" by {module}" if isinstance(module, str) else ""


def _state() -> dict[str, str]:
    """Return settings of the interpreter that change how code runs, as text; empty for usual."""
    raises = _ALL_WARNINGS_RAISE in warnings.filters
    return {
        "switch interval of the interpreter lock, s": f"{sys.getswitchinterval():g}",
        "thresholds of the garbage collector": str(gc.get_threshold()),
        "garbage collector": "on" if gc.isenabled() else "off",
        "handlers of signals": _handlers(),
        "trace function": _described(sys.gettrace() or threading.gettrace()),
        "profile function": _described(sys.getprofile() or threading.getprofile()),
        "standard output": _stream(sys.stdout),
        "standard error": _stream(sys.stderr),
        "warnings": "every warning raises an error" if raises else "",
    }


def _handlers() -> str:
    """Return the signals that Python code handles, but for Ctrl-C's own."""
    handled = []
    for number in signal.Signals:
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            handled.append(number.name)
    return ", ".join(handled)


def _described(function: Any) -> str:
    if function is None:
        return ""
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', function)}"


def _stream(stream: Any) -> str:
    """Return the descriptor and type of a stream; a foreign one may raise anything."""
    try:
        return f"{type(stream).__name__} of descriptor {stream.fileno()}"
    except Exception:  # noqa: BLE001
        return type(stream).__name__


def _before_us() -> list[str]:
    """Return what start-up files of the target's Python had done before the worker began."""
    said = []
    time = sys.modules["time"]
    foreign = [
        f"time.{name}"
        for name in _WATCHED["time"]
        if not isinstance(getattr(time, name, None), BuiltinFunctionType)
    ]
    if foreign:
        said.append(f"{', '.join(foreign)} replaced before the worker began (a .pth file?)")
    for name in _START_UP:
        file = getattr(sys.modules.get(name), "__file__", None)
        if file and Path(file).parent != Path(threading.__file__).parent:  # not the system's own
            said.append(f"{file} ran before the worker began")
    return said
