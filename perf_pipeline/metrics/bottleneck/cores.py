"""Causes that are seen on the cores: load generator, CPU, interpreter lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.metrics.bottleneck.evidence import (
    BUSY,
    HALF,
    TENTH,
    Evidence,
    Suspect,
    need,
    said,
    suspect,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.bottleneck.use import LevelUse

LEAST_WANTING = 1.5
"""More than one workflow a worker wants to run: half-way between one and two."""

LOCKED_CORES_MAX = 1.5
"""A worker above it runs much of its work outside of the interpreter lock."""


def suspects_of_cores(use: LevelUse) -> Iterator[Suspect]:
    """Yield load generator, CPU and interpreter lock."""
    yield from _generator(use)
    yield from _cpu(use)
    yield _interpreter(use)


def _generator(use: LevelUse) -> Iterator[Suspect]:
    idle = None if not use.wanted else 100 * (1 - use.in_flight / use.wanted)
    yield suspect(
        "gaps",
        "generator",
        "load generator: slots between two workflows",
        f"Slots spent {said(idle)} % of the time between two workflows, outside of the target.",
        need("time of the slots between two workflows", idle, "%", least=100 * HALF),
    )
    yield suspect(
        "harness",
        "generator",
        "load generator: the harness takes cores",
        f"The harness used {said(use.harness_cores)} of {said(use.usable_cores)} cores, while "
        "threads of the workers waited for one.",
        busy_cores(use),
        waiting_for_core(use),
        need(
            "cores used by the harness", use.harness_cores, "cores", least=use.part_of_cores(TENTH)
        ),
    )


def _cpu(use: LevelUse) -> Iterator[Suspect]:
    usable, target = use.usable_cores, use.target_cores
    one_each = (
        f" {_each(use)}, which runs one thread at a time, had a core of its own: more worker "
        "processes would not help."
        if (use.least_cores or 0.0) >= BUSY
        else ""
    )
    used = f"The workers used {said(target)} of {said(usable)} cores."
    yield suspect(
        "cpu",
        "cpu",
        "CPU: the workers fill the cores",
        used + one_each,
        need("cores used by all workers", target, "cores", least=use.part_of_cores(BUSY)),
    )
    yield suspect(
        "cpu",
        "cpu",
        "CPU: the workers wait for a core",
        f"All cores were busy and threads of the workers waited for one. {used}{_others(use)}",
        busy_cores(use),
        waiting_for_core(use),
    )
    if use.cpu_limit_cores is not None:
        limit = use.cpu_limit_cores
        yield suspect(
            "cpu",
            "cpu",
            "CPU: the limit of the scenario",
            f"The workers used {said(target)} of the {said(limit)} cores that the scenario's "
            "limit on CPU leaves them.",
            need("cores used by all workers", target, "cores", least=BUSY * limit),
        )


def _interpreter(use: LevelUse) -> Suspect:
    share = use.share("runtime", "queued")
    wanting = None if share is None else share * use.in_flight / use.workers
    idle = None if use.host is None else use.host.idle
    return suspect(
        "interpreter_lock",
        "interpreter_lock",
        "interpreter lock",
        f"{_each(use)} used {said(use.least_cores)} cores or more, and {said(wanting)} workflows "
        f"in each wanted to run, while {said(idle)} cores stood idle: an interpreter runs one "
        "thread at a time, so only more processes would use them.",
        need("cores used by the least busy worker", use.least_cores, "cores", least=BUSY),
        need(
            "cores used by the busiest worker",
            use.busiest_cores,
            "cores",
            most=LOCKED_CORES_MAX,
        ),
        need("workflows a worker that want to run", wanting, "workflows", least=LEAST_WANTING),
        need("idle cores", idle, "cores", least=use.part_of_cores(TENTH)),
    )


def busy_cores(use: LevelUse) -> Evidence:
    """All cores that may be used have something to do."""
    busy = None if use.host is None else 100 * use.host.busy_ratio
    return need("usable cores that were busy", busy, "%", least=100 * BUSY)


def waiting_for_core(use: LevelUse) -> Evidence:
    """The workers would compute at least a tenth more if they got the cores."""
    target = use.target_cores
    least = None if target is None else TENTH * target
    waiting = None if least is None else use.waiting_for_core
    return need("threads of the workers waiting for a core", waiting, "threads", least=least)


def _others(use: LevelUse) -> str:
    """Return a sentence on processes outside of the run, if they took a tenth of the cores."""
    others, worth_a_word = use.others_cores, use.part_of_cores(TENTH)
    if others is None or worth_a_word is None or others < worth_a_word:
        return ""
    return f" Processes outside of this run used {said(others)} cores."


def _each(use: LevelUse) -> str:
    return "The worker" if use.workers == 1 else f"Each of the {use.workers} workers"
