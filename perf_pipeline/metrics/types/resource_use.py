"""Resources that the processes of a run used in a steady phase, and the cost of sampling them."""

from dataclasses import dataclass

from perf_pipeline.metrics.types.cpu_use import NO_SAMPLE, CpuOfOthers, HostCores
from perf_pipeline.metrics.types.server_use import InterfaceTotal, ServerCounters, ServerTraffic

CHILD = "child: "
"""What begins the role of processes that the workers have started, before their name."""


@dataclass(frozen=True)
class RoleUse:
    """Resources that the processes of one role, or of one server, used in the steady phase.

    Memory is a sum over the processes, 1 MB = 1e6 bytes; samples that lack a process are left out.
    Cores are CPU seconds a second.

    Attributes:
        role: ``workers``, ``harness``, ``servers`` (all that this run watches), a service, or
            ``child: name`` for what workers have started, by its name.
        processes_peak: Maximum number of processes.
        pss_peak_mb: Proportional set size: memory shared by several processes is counted once.
        pss_mean_mb: Likewise.
        uss_peak_mb: Unique set size: memory that no other process shares.
        rss_peak_mb: Resident set size: shared memory counts in each process.
        cores_mean: CPU seconds / seconds.
        cores_peak: Maximum between two samples.
        threads_peak: Maximum number of threads.
        descriptors_peak: Maximum number of open files, sockets and pipes.
        read_mb: Read from storage.
        write_mb: Written to storage.
        run_delay: Mean number of threads that were ready and waited for a core.
        io_delay: Mean number of threads that waited for storage; None where the kernel does not
            count them.
    """

    role: str
    processes_peak: int | None = None
    pss_peak_mb: float | None = None
    pss_mean_mb: float | None = None
    uss_peak_mb: float | None = None
    rss_peak_mb: float | None = None
    cores_mean: float | None = None
    cores_peak: float | None = None
    threads_peak: int | None = None
    descriptors_peak: int | None = None
    read_mb: float | None = None
    write_mb: float | None = None
    run_delay: float | None = None
    io_delay: float | None = None


@dataclass(frozen=True)
class EndedChildren:
    """Processes that workers have started and that ended between two samples of the steady phase.

    Attributes:
        cores: CPU seconds a second that they used since the last sample that shows them, if any
            does; with what children used that were not read.
        seen: How many a sample shows. How many none shows is not known.
    """

    cores: float
    seen: int


@dataclass(frozen=True)
class MonitorCost:
    """Cost of taking the samples of the steady phase.

    Attributes:
        took_mean_ms: Mean duration of a sample.
        took_max_ms: Maximum duration of a sample.
        core_percent: CPU of the harness / time, 100 = one core. The servers' cost of answering is
            part of their own use.
    """

    took_mean_ms: float
    took_max_ms: float
    core_percent: float | None


@dataclass(frozen=True)
class Gap:
    """A value that could not be read in the steady phase, and why.

    Attributes:
        what: The probe, without process ids.
        reason: The message of the kernel or the driver.
        samples: Number of samples without it.
        failed: True when a probe failed; False for a value that is not counted at all.
    """

    what: str
    reason: str
    samples: int
    failed: bool


@dataclass(frozen=True)
class ResourcePoint:
    """One sample of the level, for drawing: cores since the sample before, memory at it (PSS)."""

    t_s: float
    workers_cores: float | None
    harness_cores: float | None
    servers_cores: float | None
    workers_mb: float | None
    harness_mb: float | None
    servers_mb: float | None


@dataclass(frozen=True)
class Resources:
    """Resources that the processes used in the steady phase.

    Targets, grades and ``PerformanceMetrics`` use the first five.

    Attributes:
        workers_pss_peak_mb: Peak of the sum of the PSS of the workers and of the processes that
            they have started, 1 MB = 1e6 bytes.
        workers_cpu_mean_percent: Mean CPU use of the same, 100 = one core; processes that ended
            between two samples included.
        workers_cpu_peak_percent: Maximum between two samples.
        disk_read_mb: Read from storage by the workers alone.
        disk_write_mb: Written to storage by the workers alone.
        samples: Samples taken, one every ``sample_every_s``.
        failed_probes: Probes that failed, all samples together.
        roles: Workers, harness and servers, then what workers have started, then each server.
        host: The machine's cores; None unless two samples have its counters.
        others: The cores that processes outside of the run used.
        server_counters: The counters of the servers.
        interfaces: Traffic of the whole machine.
        traffic: What went between the target and each server.
        network_sent_mb: Sent by the target to all of its servers; None unless it is known of each.
        network_recv_mb: Received by the target from them, likewise.
        ended_children: Processes of the target that ended meanwhile; None without.
        network_at_least: Why the two are lower bounds; empty if they are not.
        network_why_not: Why the two are None.
        monitor: Cost of the samples.
        gaps: Values that could not be read.
        series: Every sample of the level.
    """

    workers_pss_peak_mb: float | None
    workers_cpu_mean_percent: float | None
    workers_cpu_peak_percent: float | None
    disk_read_mb: float | None
    disk_write_mb: float | None
    samples: int
    failed_probes: int
    roles: tuple[RoleUse, ...] = ()
    host: HostCores | None = None
    others: CpuOfOthers = NO_SAMPLE
    server_counters: tuple[ServerCounters, ...] = ()
    interfaces: tuple[InterfaceTotal, ...] = ()
    network_sent_mb: float | None = None
    network_recv_mb: float | None = None
    network_why_not: str = "the kernel's counters of connections were not read"
    monitor: MonitorCost | None = None
    gaps: tuple[Gap, ...] = ()
    series: tuple[ResourcePoint, ...] = ()
    traffic: tuple[ServerTraffic, ...] = ()
    network_at_least: str = ""
    ended_children: EndedChildren | None = None

    def of(self, role: str) -> RoleUse:
        """Return the use of a role or a server; only its name where it is not known."""
        return next((use for use in self.roles if use.role == role), RoleUse(role))
