"""CPU use in a steady phase: of the machine, of other programs, and per workflow."""

from dataclasses import dataclass

_HALF_CORE = 0.5
_TENTH_CORE = 0.1

TOO_SHORT = "too short to tell"
"""How the reason begins why a value that was measured is not told."""


@dataclass(frozen=True)
class QuotaUse:
    """How a CPU quota on the control group of the run, or on one above it, was enforced.

    Attributes:
        cores: What the group may use.
        source: The kernel's file with the quota.
        throttled_percent: Share of the periods (usually of 100 ms) in which the group wanted to
            run and was stopped, because it had used up its quota; None if that is not counted.
        throttled_cores: Time for which its run queues were stopped, seconds a second; None
            likewise.
    """

    cores: float
    source: str
    throttled_percent: float | None
    throttled_cores: float | None


@dataclass(frozen=True)
class HostCores:
    """Mean states of the cores of the whole machine, and its available memory.

    Attributes:
        usable: Cores that this run may use: by its affinity, or the tightest CPU quota.
        busy: Cores that executed any program.
        iowait: Idle cores of which a thread waited for storage.
        steal: Cores that the hypervisor gave to other virtual machines.
        idle: Other idle cores.
        seconds: Length of the time of the means.
        memory_available_mb: Minimum available to programs, 1 MB = 1e6 bytes.
        quota: The CPU quota on the run's control group that was enforced most; None without one.
    """

    usable: float
    busy: float
    iowait: float
    steal: float
    idle: float
    seconds: float
    memory_available_mb: float | None = None
    quota: QuotaUse | None = None

    @property
    def is_shared_out(self) -> bool:
        """Whether the run may use only a part of the machine's cores."""
        by_quota = self.quota is not None and self.quota.cores < self.cores - _TENTH_CORE
        return by_quota or self.usable < self.cores - _HALF_CORE

    @property
    def cores(self) -> float:
        """Cores of the machine, by the sum of their states."""
        return self.busy + self.iowait + self.steal + self.idle


@dataclass(frozen=True)
class CpuOfOthers:
    """Mean cores that processes outside of the run used: the one figure for neighbours.

    Attributes:
        cores: Busy cores of the machine without those that the run's own processes used; a
            difference below 0 is an error of measurement and given as 0. None if not known.
        own_cores: What the run's own processes used; None likewise.
        why_not: Why it is not known; empty if it is.
    """

    cores: float | None
    own_cores: float | None
    why_not: str


NO_SAMPLE = CpuOfOthers(None, None, "no sample was taken")


@dataclass(frozen=True)
class CpuPerWorkflow:
    """CPU time of the target's worker processes per workflow that ended ok.

    Both are counted between the first and the last sample of the steady phase that have the CPU
    time of every worker process. Failed workflows cost CPU time too and are not counted.

    Attributes:
        seconds: CPU seconds of all workers / workflows; None if it was not measured.
        low_s: Lower end of the 95 % interval; None where there is none.
        high_s: Upper end, likewise.
        workflows: Workflows that ended ok in that time.
        cpu_s: CPU seconds that the worker processes used in that time.
        why_not: Why there is no value, or no interval; empty if there is one.
    """

    seconds: float | None
    low_s: float | None
    high_s: float | None
    workflows: int
    cpu_s: float | None
    why_not: str = ""
