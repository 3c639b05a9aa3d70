"""The table of the flags that change a scenario: the only place where such a flag is written.

Made from it: the options of the commands ``run`` and ``capacity``, the launchpad's form, the
checks, and the keywords of ``open_scenario``. A flag with a ``path`` needs nothing else; the
consequences of the others are in ``apply.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from perf_pipeline.config.flags.flag import flag, flags_of
from perf_pipeline.config.scenario.keys import (
    COMPLEXITY,
    CPU_LIMIT,
    FLAG_SCHEDULE,
    HOUR_SECONDS,
    LEVEL,
    MAX_ERRORS,
    MEMORY_LIMIT,
    NODES_KEY,
    ORDER,
    OWN_HOSTS,
    PROCESSES,
    RATE,
    REPEATS,
    SEED,
    SLOTS,
    STEADY,
    TARGET,
    THINK,
)
from perf_pipeline.config.scenario.target_spec import target_names

_TARGET = f"{', '.join(target_names())}; with ==version and +package: kailash==2.19.0+pandas"
_RATES = (
    "Open levels, workflows arriving a second; instead of the scenario's levels, after those of "
    "--concurrency if that is given too"
)


@dataclass(frozen=True)
class Overrides:
    """The flags that were given; None where one was not.

    Attributes:
        concurrency: The closed levels, workflows in flight, in the order in which they run.
        max_concurrency: Maximum number of workflows in flight of a closed level.
        rate: Open levels, workflows that arrive a second.
        schedule: How the workflows of ``rate`` arrive.
        slots: Maximum number of workflows in flight, in every open level.
        stages: Stages of closed load, each like ``50:60s``: in flight, and for how long.
        think_time_s: Mean time between two workflows of a user of a closed level.
        target: What executes the workflows.
        settings: ``NAME=VALUE`` of settings of the target.
        nodes: How the workflows of the levels are written.
        complexity: Complexity of every workload.
        processes: Worker processes a level.
        duration: Minimum length of the steady phase, seconds; of an endurance scenario, hours, or
            seconds where it was written with its unit.
        hour_seconds: Length of an hour of an endurance scenario, seconds.
        seed: Source of every random choice.
        repeats: How many times the levels run.
        order: Order of the levels of each repeat.
        memory_limit_mb: Memory of all workers of a level, MB.
        cpu_limit_percent: CPU of all workers of a level, percent of one core.
        max_error_ratio: Share of failures above which the target has failed.
        faults: What fails, each like ``server_freeze:postgres:10s:3s``; ``none`` for nothing.
        slos: What the run must keep, each like ``p95 < 100ms``.
        own_hosts: Hosts of the user's own that requests may go to, wherever they are.
    """

    concurrency: tuple[int, ...] | None = flag(
        "--concurrency", LEVEL, "Levels: workflows in flight", "Load", metavar="N..."
    )
    max_concurrency: int | None = flag(
        "--max-concurrency",
        replace(LEVEL, takes_many=False),
        "Leave out levels above this; above all of them, add one",
        "Load",
        metavar="N",
    )
    rate: tuple[float, ...] | None = flag(
        "--rate", replace(RATE, takes_many=True), _RATES, "Load", metavar="R...", earlier="rates"
    )
    schedule: str | None = flag("--schedule", FLAG_SCHEDULE, "How the rates arrive", "Load")
    slots: int | None = flag(
        "--slots", SLOTS, "Maximum of workflows in flight, in every open level", "Load", metavar="N"
    )
    stages: tuple[str, ...] | None = flag(
        "--stage",
        None,
        "A stage of closed load, 50:60s, after the one before it (0:10s: falls to 0); repeatable",
        "Load",
        metavar="N:TIME",
    )
    think_time_s: float | None = flag(
        "--think-time",
        THINK,
        "Mean think time of closed levels: 500ms, 2s, or seconds; levels are users then",
        "Load",
        metavar="TIME",
        path=("think_time", "mean_s"),
        is_for_capacity=True,
    )
    target: str | None = flag("--target", TARGET, _TARGET, "Target", is_for_capacity=True)
    settings: tuple[str, ...] | None = flag(
        "--setting",
        None,
        "A setting of the target; may be repeated",
        "Target",
        metavar="NAME=VALUE",
        is_for_capacity=True,
    )
    nodes: str | None = flag(
        "--nodes",
        NODES_KEY,
        "How the workflows are written",
        "Target",
        path=("nodes",),
        is_for_capacity=True,
    )
    complexity: str | None = flag(
        "--complexity", COMPLEXITY, "Complexity of every workflow", "Target", is_for_capacity=True
    )
    processes: int | None = flag(
        "--processes",
        PROCESSES,
        "Worker processes a level; one a core",
        "Target",
        metavar="N",
        path=("processes",),
        is_for_capacity=True,
    )
    duration: float | None = flag(
        "--duration",
        STEADY,
        "Minimum length of a level's steady phase: 30s, 5m, or seconds; of endurance: hours",
        "Measurement",
        metavar="TIME",
        is_for_capacity=True,
        earlier="duration_s",
    )
    hour_seconds: float | None = flag(
        "--hour-seconds",
        HOUR_SECONDS,
        "Length of an hour of an endurance scenario; below 3600 it is a scaled one",
        "Measurement",
        metavar="S",
    )
    seed: int | None = flag(
        "--seed",
        SEED,
        "Source of every random choice",
        "Measurement",
        metavar="N",
        path=("seed",),
        is_for_capacity=True,
    )
    repeats: int | None = flag(
        "--repeats",
        REPEATS,
        "How many times the levels run",
        "Measurement",
        metavar="N",
        path=("repeats",),
    )
    order: str | None = flag(
        "--order",
        ORDER,
        "Order of the levels of each repeat, shuffled by the seed",
        "Measurement",
        path=("order",),
    )
    memory_limit_mb: float | None = flag(
        "--memory-limit-mb",
        MEMORY_LIMIT,
        "Memory of all workers of a level, MB; one above its share is ended",
        "Limits and objectives",
        metavar="MB",
        path=("limits", "memory_mb"),
    )
    cpu_limit_percent: float | None = flag(
        "--cpu-limit-percent",
        CPU_LIMIT,
        "CPU of all workers of a level, percent of one core",
        "Limits and objectives",
        metavar="PERCENT",
        path=("limits", "cpu_percent"),
    )
    max_error_ratio: float | None = flag(
        "--max-error-ratio",
        MAX_ERRORS,
        "Share of failures above which a level is target_failed; 0.5, or what an objective allows",
        "Limits and objectives",
        metavar="RATIO",
        path=("max_error_ratio",),
    )
    faults: tuple[str, ...] | None = flag(
        "--fault",
        None,
        "A failure in place of the scenario's, KIND:SERVER:AT:DURATION such as "
        "server_freeze:postgres:10s:3s; repeatable; none for no failure",
        "Load",
        metavar="FAULT",
        is_for_capacity=True,
    )
    slos: tuple[str, ...] | None = flag(
        "--slo",
        None,
        'An objective: "p95 < 100ms", "error_ratio < 1%"; may be repeated',
        "Limits and objectives",
        metavar="TEXT",
        is_for_capacity=True,
    )
    own_hosts: tuple[str, ...] | None = flag(
        "--i-own-this-host",
        OWN_HOSTS,
        "A host that you answer for, which requests may load although its address is public",
        "Target",
        metavar="HOST",
        path=("own_hosts",),
        is_for_capacity=True,
    )


FOR_CAPACITY = tuple(one for one in flags_of(Overrides) if one.is_for_capacity)
"""Those that a search for capacity has as well: its levels are its own."""
