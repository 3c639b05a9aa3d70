"""Small scenarios for the tests of whole runs, by name: a process of its own can be given one."""

from __future__ import annotations

from dataclasses import replace

from perf_pipeline.config.scenario.scenario import (
    Arm,
    ConnectionPools,
    Phases,
    Scenario,
    Workload,
)

_WRITES = (Workload("analytics", "complex"),)
"""Every workflow that ends ok leaves one row in PostgreSQL and one key in Redis, and a document in
MongoDB unless that is left out."""

_MIX = (Workload("transformation", "medium"), *_WRITES)
_ALL = (*_MIX, Workload("data_processing", "complex"))
_SHORT = Phases(ramp_up_s=0.2, warm_up_s=0.2, steady_s=1.0, steady_max_s=20.0, drain_s=5.0)

STEP = Scenario(
    name="step",
    missing_servers="leave_out",
    target="control",
    nodes="lean",
    concurrency=(6, 10),
    processes=2,
    workloads=_MIX,
    phases=replace(_SHORT, steady_s=0.6),
    connections=ConnectionPools(max_db_connections=8),
    arms=(Arm("endless", "kailash", "lean", 8, 60.0),),
)
"""Two levels, then one that never ends by itself: whenever it is killed, a level is going on."""

WORKERS = Scenario(
    name="workers",
    missing_servers="leave_out",
    target="control",
    nodes="lean",
    concurrency=(8,),
    processes=2,
    workloads=_MIX,
    phases=Phases(ramp_up_s=0.3, warm_up_s=0.3, steady_s=20.0, steady_max_s=40.0, drain_s=5.0),
    connections=ConnectionPools(max_db_connections=8),
)
"""Levels that end when one of their workers is killed."""

POSTGRES = Scenario(
    name="postgres",
    missing_servers="leave_out",
    target="control",
    nodes="lean",
    concurrency=(8,),
    processes=2,
    workloads=_MIX,
    phases=Phases(ramp_up_s=0.2, warm_up_s=0.2, steady_s=22.0, steady_max_s=40.0, drain_s=10.0),
    connections=ConnectionPools(max_db_connections=8),
)
"""A level that goes on while PostgreSQL comes and goes."""

QUICK = Scenario(
    name="quick",
    missing_servers="leave_out",
    target="control",
    nodes="lean",
    concurrency=(4,),
    processes=1,
    workloads=_WRITES,
    phases=_SHORT,
    connections=ConnectionPools(max_db_connections=4),
)
"""The shortest whole run."""

WHOLE = Scenario(
    name="whole",
    target="kailash",
    nodes="code",
    concurrency=(5, 20),
    processes=2,
    workloads=_ALL,
    phases=Phases(ramp_up_s=0.5, warm_up_s=0.5, steady_s=3.0, steady_max_s=60.0, drain_s=10.0),
    connections=ConnectionPools(max_db_connections=4),
    arms=(Arm("lean", "kailash", "lean", 40, 2.0), Arm("control", "control", "lean", 20, 2.0)),
)
"""What a baseline is, in small; its arm of 40 in flight shares four connections."""

OUTAGE = Scenario(
    name="outage",
    target="kailash",
    nodes="code",
    concurrency=(8,),
    processes=2,
    workloads=_MIX,
    phases=Phases(ramp_up_s=0.2, warm_up_s=0.2, steady_s=4.0, steady_max_s=4.0, drain_s=20.0),
    connections=ConnectionPools(max_db_connections=8),
)
"""A level in which a server is lost and does not come back; its first kind needs none."""

SCENARIOS = {one.name: one for one in (STEP, WORKERS, POSTGRES, QUICK, WHOLE)}
