"""Processes that read more than their control group may keep: the kernel reclaims all the time.

::

    python -m perf_pipeline.selftest.alert_trials.memory_stall FILE

Nothing else on the machine loses memory, and the file has holes only, so no disk is read. The
kernel counts the stall for the machine, of which the exporter of any run tells.
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.limits.control_group import group_name, make_control_group
from perf_pipeline.selftest.alert_trials.exporter_process import exporter_process
from perf_pipeline.selftest.alert_trials.stage import Cause, CauseGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.limits.control_group import ControlGroup
    from perf_pipeline.selftest.alert_trials.stage import Looks, Stage

_ALERT = "HostPressure"
_LIMIT_BYTES, _FILE_BYTES = 16 << 20, 24 << 20
_LONGEST_S = 150.0
_ANOTHER_EVERY_S, _MOST_A_CORE = 3.0, 6
"""One process is enough on an idle machine; where others compute, more are added one by one. Each
has a session of its own: the kernel shares the cores out among sessions (autogroup)."""
_NOBODY = 1 << 20
"""A number that no level and worker of a run has."""


def _play(stage: Stage) -> Looks:
    folder = stage.folder / "stalled"
    folder.mkdir()
    with ExitStack() as stack:
        stack.enter_context(exporter_process(folder, stage.scrape_dir, "stalled"))
        group = stack.enter_context(_small_group())
        yield
        stage.begin(_ALERT)
        for index in range(_MOST_A_CORE * (os.cpu_count() or 1)):
            stack.enter_context(_reader(group, folder / f"{index}.holes"))
            next_s = time.monotonic() + _ANOTHER_EVERY_S
            while time.monotonic() < next_s:
                if _ALERT in stage.fired:
                    return
                yield
        yield from stage.until_fired(_ALERT)


@contextmanager
def _small_group() -> Iterator[ControlGroup]:
    group = make_control_group(group_name(_NOBODY, _NOBODY), _LIMIT_BYTES, None)
    assert group is not None
    try:
        yield group
    finally:
        group.release()


@contextmanager
def _reader(group: ControlGroup, path: Path) -> Iterator[None]:
    """Start a process that reads a file with holes only, over and over, in the group."""
    with path.open("wb") as file:
        file.truncate(_FILE_BYTES)
    command = [sys.executable, "-I", "-m", __name__, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        group.add(process.pid)
        assert process.stdin is not None
        process.stdin.close()
        yield
    finally:
        process.kill()
        process.wait()


def _read_over_and_over(path: Path) -> None:
    """Touch each page of a file, again and again; bounded in case that nobody ends it."""
    end_s = time.monotonic() + _LONGEST_S
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as pages:
        pages.madvise(mmap.MADV_RANDOM)
        while time.monotonic() < end_s:
            for at in range(0, len(pages), mmap.PAGESIZE):
                pages[at]


def _why_no_stall(_settings: Settings) -> str:
    """Return why this user may make no memory stall on this machine."""
    if not Path("/proc/pressure/memory").exists():
        return "this kernel does not count memory stalls (no /proc/pressure/memory)"
    group = make_control_group(group_name(_NOBODY, _NOBODY), _LIMIT_BYTES, None)
    if group is None:
        return "no control group with a memory limit can be made here (needs root)"
    group.release()
    return ""


MEMORY_STALL = CauseGroup(
    (
        Cause(
            _ALERT,
            "processes read a file of 24 MB with 16 MB of memory",
            {"scenario": "stalled"},
        ),
    ),
    _play,
    is_alone=True,
    why_not_here=_why_no_stall,
)


if __name__ == "__main__":
    sys.stdin.read()
    _read_over_and_over(Path(sys.argv[1]))
