"""CPU use in a steady phase: of the machine, of other programs, and per workflow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class HostCores:
    """Mean states of the cores of the whole machine, and its available memory.

    Attributes:
        usable: Cores that this run may use.
        busy: Cores that executed any program.
        iowait: Idle cores of which a thread waited for storage.
        steal: Cores that the hypervisor gave to other virtual machines.
        idle: Other idle cores.
        seconds: Length of the time of the means.
        memory_available_mb: Minimum available to programs, 1 MB = 1e6 bytes.
    """

    usable: int
    busy: float
    iowait: float
    steal: float
    idle: float
    seconds: float
    memory_available_mb: float | None = None

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
