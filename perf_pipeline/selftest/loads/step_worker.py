"""Measures in kailash's environment what steps cost: three ways of executing take turns.

Started by ``worker/start.py``; prints one JSON object. A turn is a number of workflows, executed
with timed nodes in each of them, with nodes timed in none of them, and without any sampling. The
CPU time of a turn includes the commit of its steps to a journal.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from time import monotonic_ns, perf_counter_ns, process_time_ns
from typing import TYPE_CHECKING

from perf_pipeline import steps
from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.slots import SlotFile
from perf_pipeline.steps import record_steps, step
from perf_pipeline.targets.kailash import adapter
from perf_pipeline.targets.target import Job, Kind, ServerAccess
from perf_pipeline.worker.recorder import Recorder

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Slot

NEVER = 1_000_000
"""Every so many-th workflow is sampled: the first alone."""

WAYS = (1, NEVER, 0)
_STEPS = 20_000


def main(arguments: list[str]) -> int:
    """Measure; the argument is a JSON object with folder, settings, turns and workflows."""
    wish = json.loads(arguments[0])
    outside_ns = _step_ns()
    buffer = record_steps(monotonic_ns)
    folder = Path(wish["folder"])
    journal = JournalWriter(folder / "worker-0.sqlite")
    slots = SlotFile.create(folder / "worker-0.slots", 1, 0)
    recorder = Recorder(journal, slots, monotonic_ns, steps=buffer)
    ways = [_open(wish["settings"], every) for every in WAYS]
    numbers = itertools.count()
    turns: list[list[int]] = []
    for turn in range(-2, wish["turns"]):
        took_ns = [0, 0, 0]
        for at in range(len(WAYS)):
            way = (turn + at) % len(WAYS)
            execute = ways[way].execute
            start_ns = process_time_ns()
            for _ in range(wish["workflows"]):
                execute(0, next(numbers))
            recorder.commit_steps()
            took_ns[way] = process_time_ns() - start_ns
        if turn >= 0:  # the others warm up
            turns.append(took_ns)
    inside_ns = []
    for _ in range(9):
        inside_ns.append(_step_ns())
        recorder.commit_steps()
    print(json.dumps({"turns": turns, "step_ns": sorted(inside_ns)[4], "outside_ns": outside_ns}))  # noqa: T201
    return 0


def _open(settings: dict[str, bool | int | float | str], every: int) -> Slot:
    job = Job(
        (Kind("transformation", "medium"),),
        "lean",
        1,
        "selftest",
        0,
        ServerAccess({}, connections=1, connection_timeout_s=1.0),
        settings={**settings, "sample_nodes_every": every},
    )
    return adapter.KailashTarget(job, ()).open_slot()


def _step_ns() -> float:
    """Return what one ``with step`` costs, with the loop around it and its share of commits."""
    buffer = steps.buffer_in_use()
    start_ns = perf_counter_ns()
    for _ in range(_STEPS):
        with step("measured"):
            pass
    if buffer is not None:
        buffer.commit()
    return (perf_counter_ns() - start_ns) / _STEPS
