"""How the kernel shares the cores among the processes of a load run.

With autogroup (``kernel.sched_autogroup_enabled = 1``) every session is a scheduling group, and
groups share a core equally, however many threads each has. A worker process has its own
session, so one with 500 threads gets as much of a core as a neighbour with one. Without autogroup
every thread counts. With 1000 kailash workflows in flight on two cores, separate sessions
moved throughput by a third.

Source:
    sched(7), "The autogroup feature".
"""

from __future__ import annotations

import os
from pathlib import Path

from perf_pipeline.host.finding import Finding
from perf_pipeline.samples.host_record import Scheduling

_POLICIES = {
    os.SCHED_OTHER: "SCHED_OTHER",
    os.SCHED_BATCH: "SCHED_BATCH",
    os.SCHED_IDLE: "SCHED_IDLE",
    os.SCHED_FIFO: "SCHED_FIFO",
    os.SCHED_RR: "SCHED_RR",
}
_NORMAL = "SCHED_OTHER"


def read_scheduling(root: Path = Path("/")) -> Scheduling:
    """Read how this process is scheduled; ``root`` is where /proc is looked for."""
    try:
        enabled = (root / "proc/sys/kernel/sched_autogroup_enabled").read_text(encoding="ascii")
    except FileNotFoundError:
        autogroup = None
    else:
        autogroup = enabled.strip() == "1"
    policy = os.sched_getscheduler(0)
    return Scheduling(
        autogroup=autogroup,
        policy=_POLICIES.get(policy, f"policy {policy}"),
        nice=os.getpriority(os.PRIO_PROCESS, 0),
    )


def scheduling_finding(scheduling: Scheduling) -> Finding:
    """Judge how a run started now would be scheduled."""
    autogroup = {None: "no autogroup", False: "autogroup off", True: "autogroup on"}
    if scheduling.autogroup:
        meaning = (
            "each worker process has its own session and gets an equal share of a core beside "
            "every other session, however many threads it has"
        )
    else:
        meaning = (
            "every thread gets an equal share of a core, so a worker process with many threads "
            "displaces servers and harness"
        )
    meaning += "; with 1000 in flight this setting moves throughput by a third: compare like runs"
    is_normal = scheduling.policy == _NORMAL and scheduling.nice == 0
    return Finding(
        what="scheduling",
        value=f"{autogroup[scheduling.autogroup]}, {scheduling.policy}, nice {scheduling.nice}",
        limit=f"{_NORMAL}, nice 0",
        meaning=meaning,
        todo="" if is_normal else "start the run without nice or chrt",
        severity="ok" if is_normal else "warning",
    )
