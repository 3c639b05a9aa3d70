"""The job that the supervisor writes for one worker process."""

from __future__ import annotations

import json
import os
from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.think_time import ThinkTime
from perf_pipeline.logs.log import LogContext
from perf_pipeline.redaction.redact import remember_secrets, remember_url
from perf_pipeline.targets.target import Job, Kind, ServerAccess
from perf_pipeline.worker.tracing.trace_job import TraceJob

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class CampaignShare:
    """What a lasting worker plays of a campaign.

    Attributes:
        hours: Folder with a folder for each hour; empty for a worker that plays one level.
        arm: Folder of its files in that of an hour; empty for the hour's own.
        workflows_per_hour: Arrivals of one hour, of all workers together.
        leak_share: What is leaked on purpose over the whole campaign, as a share of each process
            (``worker/endurance/planted_leak.py``); 0 for nothing.
        leak_workflows: Arrivals of the whole campaign, of all workers together.
        look_every_s: How often it says how much memory its interpreter has allocated.
    """

    hours: str = ""
    arm: str = ""
    workflows_per_hour: int = 0
    leak_share: float = 0.0
    leak_workflows: int = 0
    look_every_s: float = 1.0


@dataclass(frozen=True)
class WorkerJob:
    """The job of one worker process; written as JSON by ``loadgen``.

    Attributes:
        worker: Index of this worker; it plays the numbers ``worker``, ``worker + workers``, ...
        workers: Number of workers of the level.
        target: Name of the target's folder.
        mode: ``threads`` or ``asyncio``: what a slot is.
        kinds: File of int64: kind of workflow ``n`` is ``kinds[n % len]``.
        ramp: File of int64: when each slot of this worker starts, ns after the go.
        journal: Where the journal is created.
        slots: The slot file.
        bell: Descriptor of the eventfd that the worker process inherits (``worker/bell.py``).
        deadline_ns: A workflow that takes longer is a timeout.
        job: What the target has to execute.
        intended: File of int64: when workflow ``n`` should start, ns after the go; empty for a
            closed loop.
        start_timeout_ns: A workflow that has waited longer for a free slot is dropped.
        hidden_variables: Variables of this process whose values belong into no text.
        think_time: Between the workflows of a slot of a closed loop.
        staged: Only so many slots of a closed loop play as the current stage allows.
        hours, arm, workflows_per_hour, leak_share, leak_workflows, look_every_s: As of
            ``CampaignShare``.
        trace: How allocations are traced; None for not at all.
        trace_file: Where the trace is written.
    """

    worker: int
    workers: int
    target: str
    mode: str
    kinds: str
    ramp: str
    journal: str
    slots: str
    bell: int
    deadline_ns: int
    job: Job
    intended: str = ""
    start_timeout_ns: int = 0
    hidden_variables: tuple[str, ...] = ()
    think_time: ThinkTime = field(default_factory=ThinkTime)
    staged: bool = False
    hours: str = ""
    arm: str = ""
    workflows_per_hour: int = 0
    leak_share: float = 0.0
    leak_workflows: int = 0
    look_every_s: float = 1.0
    trace: TraceJob | None = None
    trace_file: str = ""

    def think_draws(self) -> list[Iterator[float]]:
        """Return the think times of each slot of this worker, s; empty for none."""
        if not self.think_time.mean_s:
            return []
        users = (self.worker + slot * self.workers for slot in range(self.job.concurrency))
        seed = f"{self.job.seed}/{self.job.level}/think"
        return [self.think_time.draws_s(f"{seed}/{user}") for user in users]


def read_job(path: Path, addresses: int | None = None) -> WorkerJob:
    """Read a job as ``loadgen`` wrote it (``dataclasses.asdict``).

    Args:
        path: The job's file, which has no password.
        addresses: Inherited descriptor of a file without a name, which has the servers' URLs. It
            is closed, and every text of this process is without their passwords from now on.
    """
    raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    job = raw.pop("job")
    servers = job.pop("servers")
    if addresses is not None:
        servers["addresses"] = json.loads(Path(f"/proc/self/fd/{addresses}").read_text("utf-8"))
        os.close(addresses)  # what the target starts must not inherit it
    access = ServerAccess.from_json(servers)
    for address in access.addresses.values():
        remember_url(address.url)
    log = LogContext(**job.pop("log"))
    hidden_variables = tuple(raw.pop("hidden_variables"))
    think_time = ThinkTime(**raw.pop("think_time"))
    trace = raw.pop("trace")
    remember_secrets(os.environ[name] for name in hidden_variables if name in os.environ)
    kinds = tuple(map(Kind.from_json, job.pop("kinds")))
    return WorkerJob(
        job=Job(kinds=kinds, servers=access, log=log, **job),
        hidden_variables=hidden_variables,
        think_time=think_time,
        trace=trace and TraceJob(**trace),
        **raw,
    )


def job_arguments(arguments: list[str]) -> tuple[Path, int | None]:
    """Return what ``read_job`` takes of the arguments of a worker process."""
    path, *addresses = arguments
    return Path(path), int(addresses[0]) if addresses else None


def log_name(path: Path, level: str) -> str:
    """Return the name of a worker process in its run's logs.

    Args:
        path: The file of its job.
        level: Name of its level's folder; empty for a worker that lives through many.
    """
    parts = [] if path.parent.name == level else [path.parent.name]
    return "-".join(filter(None, [level, *parts, path.stem]))


def read_words(path: str) -> array[int]:
    """Read a file of little-endian int64."""
    words = array("q")
    words.frombytes(Path(path).read_bytes())
    return words
