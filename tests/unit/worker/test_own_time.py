"""Our own clocks and threads, and what is said when foreign code replaces those of everybody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
REPLACING = """
import gc, signal, sys, threading, time, warnings
from perf_pipeline.worker.replaced import Originals
from perf_pipeline.worker import own_time
originals = Originals()
before = originals.changes()
{code}
print(before, originals.changes(), sep="\\n")
"""


def changed(code: str) -> tuple[list[str], list[str]]:
    """Return what is said before and after some code ran in a process of its own."""
    asked = subprocess.run(
        [sys.executable, "-c", REPLACING.format(code=code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = asked.stdout.splitlines()[-2:]
    return eval(before), eval(after)  # noqa: S307 our own


def test_nothing_is_said_of_a_process_in_which_nothing_was_replaced() -> None:
    assert changed("import json, logging, sqlite3") == ([], [])


def test_replaced_clocks_sleep_and_threads_are_named_with_who_did_it() -> None:
    code = """
def now(): return 0
def nap(s): pass
class Green: pass
now.__module__ = nap.__module__ = "gevent.hub"
Green.__module__ = "gevent.threading"
time.monotonic_ns = now; time.sleep = nap; threading.Thread = Green
"""
    _, after = changed(code)
    assert after == [
        "time.monotonic_ns, time.sleep replaced by gevent.hub",
        "threading.Thread replaced by gevent.threading",
    ]


def test_changed_settings_of_the_interpreter_are_named_with_both_values() -> None:
    code = """
sys.setswitchinterval(0.5); gc.set_threshold(9, 9, 9); gc.disable()
signal.signal(signal.SIGTERM, lambda *_: None)
sys.setprofile(lambda *_: None)
import io; sys.stderr = io.StringIO()
warnings.simplefilter("error")
"""
    text = "\n".join(changed(code)[1])
    for part in (
        "switch interval of the interpreter lock, s: 0.5, was 0.005",
        "thresholds of the garbage collector: (9, 9, 9), was (700, 10, 10)",
        "garbage collector: off, was on",
        "handlers of signals: SIGTERM",
        "profile function: __main__.",
        "standard error: StringIO, was TextIOWrapper of descriptor 2",
        "every warning raises an error",
    ):
        assert part in text, text


def test_our_clock_sleep_and_threads_are_those_of_the_kernel_whatever_is_replaced(
    tmp_path: Path,
) -> None:
    """Before the worker began, in every module that has the function, and afterwards."""
    (tmp_path / "sitecustomize.py").write_text(
        "import time, _thread\n"
        "time.monotonic_ns = time.sleep = _thread.start_new_thread = lambda *_: 0\n"
    )
    code = """
import sys, time, threading, _thread
from perf_pipeline.worker import own_time
from perf_pipeline.worker.replaced import Originals
said = Originals().changes()
real = time.clock_gettime_ns
for module in list(sys.modules.values()):       # as freezegun does
    for name, value in list(vars(module).items()):
        if value is time.monotonic or value is time.clock_gettime_ns:
            setattr(module, name, lambda *_: 0)
begin = own_time.monotonic_ns()
own_time.sleep(0.05)
took = own_time.monotonic_ns() - begin
lock, idents = own_time.new_lock(), []
lock.acquire()
own_time.start_thread(lambda: (idents.append(_thread.get_ident()), lock.release()), ())
lock.acquire()
print(50_000_000 <= took < 5_000_000_000, idents != [_thread.get_ident()],
      abs(real(time.CLOCK_MONOTONIC) - own_time.monotonic_ns()) < 10**9, said, sep="|")
"""
    asked = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": f"{tmp_path}"},
        capture_output=True,
        text=True,
        check=True,
    )
    took, thread, clock, said = asked.stdout.strip().split("|")
    assert (took, thread, clock) == ("True", "True", "True")
    assert "time.monotonic_ns, time.sleep replaced before the worker began" in said
    assert f"{tmp_path}/sitecustomize.py ran before the worker began" in said
