"""Causes on the cores: load generator, CPU, interpreter lock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.bottleneck.evidence import (
    BUSY,
    HALF,
    TENTH,
    Suspect,
    amount,
    need,
    percent,
    suspect,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.analysis.bottleneck.use import LevelUse
    from perf_pipeline.metrics.types.bottleneck import Evidence

MIN_WANTING = 1.5
"""More than one workflow a worker wants to run: half-way between one and two."""

LOCKED_CORES_MAX = 1.5
"""A worker above it runs much of its work outside of the interpreter lock."""

CPU_LIMIT = "CPU: the limit of the scenario"
CPU_QUOTA = "CPU: the quota of the control group"
CPU_OF_OTHERS = "CPU: others take the cores"
"""Names of causes that a headline tells from what the workers themselves need."""


def suspects_of_cores(use: LevelUse) -> Iterator[Suspect]:
    """Yield load generator, CPU and interpreter lock."""
    yield from _generator(use)
    yield from _quota(use)
    yield from _cpu(use)
    yield _interpreter(use)


def _generator(use: LevelUse) -> Iterator[Suspect]:
    # A slot of an open level is free because nothing arrived, one that thinks because it should.
    if use.slots is None and not use.thinks:
        idle = None if not use.wanted else 100 * (1 - use.in_flight / use.wanted)
        yield suspect(
            "gaps",
            "generator",
            "load generator: slots between two workflows",
            f"Slots spent {amount(idle)} % of the time between two workflows, "
            "outside of the target.",
            need("time of the slots between two workflows", idle, "%", minimum=100 * HALF),
        )
    yield suspect(
        "harness",
        "generator",
        "load generator: the harness takes cores",
        f"The harness used {amount(use.harness_cores)} of {amount(use.usable_cores)} cores, while "
        "threads of the workers waited for one.",
        busy_cores(use),
        waiting_for_core(use),
        time_on_cores(use),
        need(
            "cores used by the harness",
            use.harness_cores,
            "cores",
            minimum=use.part_of_cores(TENTH),
        ),
        *_more_than_others(use),
    )


def _more_than_others(use: LevelUse) -> Iterator[Evidence]:
    """Yield that nobody outside of the run took more than the harness; nothing if nobody knows."""
    if use.others_cores is not None and use.harness_cores is not None:
        what = "cores used by processes outside of the run"
        yield need(what, use.others_cores, "cores", maximum=use.harness_cores)


def _quota(use: LevelUse) -> Iterator[Suspect]:
    """Yield the CPU quota of the container, or of another group that the run is in, if any.

    A period in which the group was throttled is one in which it used up all that it had. Where the
    kernel does not count them, what the run's own processes used is compared with the quota.
    """
    quota = None if use.host is None else use.host.quota
    if quota is None:
        return
    used = None if use.target_cores is None else use.target_cores + (use.harness_cores or 0.0)
    throttled = quota.throttled_percent
    evidence = need("periods in which the group was throttled", throttled, "%", minimum=100 * HALF)
    if throttled is None:
        what = "cores used by workers and harness"
        evidence = need(what, used, "cores", minimum=BUSY * quota.cores)
    stopped = quota.throttled_cores
    yield suspect(
        "cpu_quota",
        "cpu",
        CPU_QUOTA,
        f"The container, or a control group above it, may use {amount(quota.cores)} cores "
        f"({quota.source}): the kernel stopped it in {amount(throttled)} % of the periods in which "
        f"it wanted to run, for {amount(stopped)} s a second summed over the cores. Workers and "
        f"harness used {amount(used)} cores. A greater quota is what would help.",
        evidence,
    )


def _cpu(use: LevelUse) -> Iterator[Suspect]:
    usable, target = use.usable_cores, use.target_cores
    one_each = (
        f" {_each(use)}, which runs one thread at a time, had a core of its own: more worker "
        "processes would not help."
        if (use.min_cores or 0.0) >= BUSY
        else ""
    )
    used = f"The workers used {amount(target)} of {amount(usable)} cores."
    limited = use.cpu_limit_cores is not None and not (usable and use.cpu_limit_cores >= usable)
    if use.cpu_limit_cores is not None and limited:
        limit = use.cpu_limit_cores
        yield suspect(
            "cpu_limit",
            "cpu",
            CPU_LIMIT,
            f"The workers used {amount(target)} of the {amount(limit)} cores that the "
            f"run's own limit on CPU leaves them (cpu_percent or --cpu-limit-percent: "
            f"{amount(100 * limit)}).",
            need("cores used by all workers", target, "cores", minimum=BUSY * limit),
        )
        used += f" The run's own limit on CPU leaves them {amount(limit)}."
    yield suspect(
        "cpu",
        "cpu",
        "CPU: the workers fill the cores",
        used + one_each,
        need("cores used by all workers", target, "cores", minimum=use.part_of_cores(BUSY)),
    )
    waited = "All cores were busy and threads of the workers waited for one."
    of_others = _is_of_others(use)
    blame = " That is the load of others, not of the workers: measure on a machine of its own."
    yield suspect(
        "cpu",
        "cpu",
        CPU_OF_OTHERS if of_others else "CPU: the workers wait for a core",
        f"{waited} {used}{taken_by_others(use)}{blame if of_others else ''}",
        busy_cores(use),
        waiting_for_core(use),
        time_on_cores(use),
    )


def _interpreter(use: LevelUse) -> Suspect:
    share = use.share("runtime", "queued")
    wanting = None if share is None else share * use.in_flight / use.workers
    idle = None if use.host is None else use.host.idle
    return suspect(
        "interpreter_lock",
        "interpreter_lock",
        "interpreter lock",
        f"{_each(use)} used {amount(use.min_cores)} cores or more, and {amount(wanting)} workflows "
        f"in each wanted to run, while {amount(idle)} cores stood idle: an interpreter runs one "
        "thread at a time, so only more processes would use them.",
        need("cores used by the least busy worker", use.min_cores, "cores", minimum=BUSY),
        need(
            "cores used by the busiest worker",
            use.busiest_cores,
            "cores",
            maximum=LOCKED_CORES_MAX,
        ),
        need("workflows a worker that want to run", wanting, "workflows", minimum=MIN_WANTING),
        need("idle cores", idle, "cores", minimum=use.part_of_cores(TENTH)),
    )


def busy_cores(use: LevelUse) -> Evidence:
    """All cores that may be used have something to do."""
    return need("usable cores that were busy", percent(use.busy_ratio), "%", minimum=100 * BUSY)


def waiting_for_core(use: LevelUse) -> Evidence:
    """The workers would compute at least a tenth more if they got the cores."""
    target = use.target_cores
    minimum = None if target is None else TENTH * target
    waiting = None if minimum is None else use.waiting_for_core
    return need("threads of the workers waiting for a core", waiting, "threads", minimum=minimum)


def time_on_cores(use: LevelUse) -> Evidence:
    """The wait for a core is what holds the workflows up, not a small part of their time.

    Workflows that are past the gates (pool, queue of the runtime) run or wait for a core at least
    half of their time: more and faster cores then gain more than anything else. Or the interpreters
    do nothing else, and all that wants to run in them queues behind: each runs for at least half of
    the time, and with the wait for 90 % of it. An interpreter that runs less and whose threads wait
    much is not counted: nobody sees whether the one that waits has its lock, or has just been
    woken from a sleep and holds nobody up.

    With fewer threads than that the wait proves nothing. 50 workflows that each slept 10 ms, on two
    cores of which others took 1.75, used 0.05 cores and waited with 0.63 threads: 1.4 % of the
    time, and 98 % of the throughput that sleeping alone allows.
    """
    gated, wanted, target = use.share("pool", "queued"), use.wanted_cores, use.target_cores
    past = max(use.in_flight * (1 - (gated or 0.0)), float(use.workers))
    minimum = HALF * past
    if target is not None and target >= HALF * use.workers:
        minimum = min(minimum, BUSY * use.workers)
    found = need(
        "threads of the workers running or waiting for a core", wanted, "threads", minimum=minimum
    )
    if gated is None and not found.holds:  # fewer may be past the gates
        return replace(found, minimum=None, holds=None)
    return found


def taken_by_others(use: LevelUse) -> str:
    """Return a sentence on what the run's processes did not use, if it is a tenth of the cores."""
    parts = [
        f"{who} {amount(cores)} cores"
        for who, cores in (
            ("Processes outside of this run used", use.others_cores),
            ("The machine below took", None if use.host is None else use.host.steal),
        )
        if cores is not None and cores >= (use.part_of_cores(TENTH) or 0.0)
    ]
    return "".join(f" {part}." for part in parts)


def _is_of_others(use: LevelUse) -> bool:
    """Return whether workers waited for a core because others had taken it.

    Others took a tenth of the cores or more, and either more than the workers themselves, or so
    much that without them every thread that waited would have had a core. Threads that the run's
    own limit stops wait for a core as well, so workers that wanted more than it may have waited for
    either.
    """
    others, wanted, target = use.others_cores, use.wanted_cores, use.target_cores
    if use.host is None or others is None or wanted is None or target is None:
        return False
    if use.cpu_limit_cores is not None and wanted > use.cpu_limit_cores:
        return False
    taken = others + use.host.steal
    had = target + use.host.idle + use.host.iowait + taken
    return taken >= TENTH * use.host.usable and (taken > target or wanted <= had)


def _each(use: LevelUse) -> str:
    return "The worker" if use.workers == 1 else f"Each of the {use.workers} workers"
