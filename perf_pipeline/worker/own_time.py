"""Clocks, sleep, threads and locks of the interpreter itself, whatever foreign code replaces.

Libraries replace them for all modules: gevent, eventlet, freezegun, tests. Some act when Python
starts (``sitecustomize``, ``.pth`` files), and freezegun replaces the functions in every module
that has imported one of them. So these are taken from new instances of the built-in modules, which
no other module has: they measure and wait as the kernel does, and a thread is a thread.

Standard library only.
"""

from __future__ import annotations

from importlib.machinery import BuiltinImporter
from importlib.util import module_from_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def _new_instance(name: str) -> Any:
    spec = BuiltinImporter.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} is not built into this interpreter")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_TIME, _THREAD, _POSIX = map(_new_instance, ("time", "_thread", "posix"))

monotonic_ns: Callable[[], int] = _TIME.monotonic_ns
monotonic: Callable[[], float] = _TIME.monotonic
process_time: Callable[[], float] = _TIME.process_time
"""CPU time of this process, all threads, s."""
sleep: Callable[[float], None] = _TIME.sleep
start_thread: Callable[[Callable[..., object], tuple[object, ...]], int] = _THREAD.start_new_thread
"""Start a thread that no end of the process waits for; returns its identifier."""
new_lock: Callable[[], Any] = _THREAD.allocate_lock
exit_process: Callable[[int], None] = getattr(_POSIX, "_exit")  # noqa: B009 not a private one of ours
write: Callable[[int, bytes], int] = _POSIX.write
