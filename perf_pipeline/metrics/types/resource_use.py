"""What the processes of a run, the machine and the servers used in a steady phase."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RoleUse:
    """What the processes of one role, or of one server, used during the steady phase.

    Memory is a sum over the processes, 1 MB = 1e6 bytes; a sample that lacks one of them is left
    out of it. Cores are CPU seconds a second.

    Attributes:
        role: ``workers``, ``harness``, ``servers`` (all that this run watches), or a service.
        processes_peak: Processes.
        pss_peak_mb: Proportional set size: what several processes share is counted once.
        pss_mean_mb: Likewise.
        uss_peak_mb: Unique set size: what nobody else shares.
        rss_peak_mb: Resident set size: what is shared counts in each process.
        cores_mean: CPU seconds / seconds.
        cores_peak: Most between two samples.
        threads_peak: Threads.
        descriptors_peak: Open files, sockets and pipes.
        read_mb: Read from storage.
        write_mb: Written to storage.
        run_delay: Threads that were ready and waited for a core, mean.
        io_delay: Threads that waited for storage, mean; None where the kernel does not count.
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
class HostCores:
    """What the cores of the whole machine did on average, and the memory that it had left.

    Attributes:
        usable: Cores that this run may use.
        busy: Cores that executed something, of any program.
        iowait: Cores that had nothing to do while a thread of theirs waited for storage.
        steal: Cores that the hypervisor gave to other virtual machines.
        idle: Cores that had nothing to do.
        seconds: Time that the means are over.
        memory_available_mb: Minimum that was available to programs, 1 MB = 1e6 bytes.
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
    """The cores that processes outside of the run used on average: the one figure for neighbours.

    Attributes:
        cores: Busy cores of the machine without those that the run's own processes used; a
            difference below 0 is an error of measurement and given as 0. None if not known.
        own_cores: What the run's own processes used; None likewise.
        why_not: Why it is not known; empty if it is.
    """

    cores: float | None
    own_cores: float | None
    why_not: str


@dataclass(frozen=True)
class CpuPerWorkflow:
    """CPU time of the target's worker processes per workflow that ended ok.

    It is counted between the first and the last sample of the steady phase that have the CPU
    time of every worker process. Failed workflows cost CPU time as well and are not divided by.

    Attributes:
        seconds: CPU seconds of all workers / workflows; None if it was not measured.
        low_s: Lower end of the 95 % interval; None where there is none.
        high_s: Upper end, likewise.
        workflows: Workflows that ended ok meanwhile.
        cpu_s: CPU seconds that the workers used meanwhile.
        why_not: Why there is no value, or no interval; empty if there is one.
    """

    seconds: float | None
    low_s: float | None
    high_s: float | None
    workflows: int
    cpu_s: float | None
    why_not: str = ""


@dataclass(frozen=True)
class ServerCounters:
    """What a server says that it did in the steady phase, for everybody.

    The monitor's own questions, one to six each sample, are among it. None where the server does
    not tell, which ``unavailable`` explains.

    Attributes:
        server: The service.
        sent_mb: It sent to clients, 1 MB = 1e6 bytes.
        recv_mb: It received from clients.
        sent_mb_per_s: Likewise.
        recv_mb_per_s: Likewise.
        queries_per_s: What ``source`` counts.
        query_time_mean_s: Time in queries / queries.
        storage_read_mb: It read from its files, from the system's cache or the disk.
        source: Where queries and their time come from, in the server's own names.
        shared: Others may have used the server as well.
        not_told: Name of a counter to the reason why it is None.
    """

    server: str
    sent_mb: float | None
    recv_mb: float | None
    sent_mb_per_s: float | None
    recv_mb_per_s: float | None
    queries_per_s: float | None
    query_time_mean_s: float | None
    storage_read_mb: float | None
    source: str
    shared: bool
    unavailable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InterfaceTotal:
    """What went over a network interface in the steady phase, of all programs.

    Attributes:
        name: ``lo`` carries each byte between programs of this machine once as sent and once as
            received.
        sent_mb: 1 MB = 1e6 bytes.
        recv_mb: Likewise.
    """

    name: str
    sent_mb: float
    recv_mb: float


@dataclass(frozen=True)
class MonitorCost:
    """What taking the samples of the steady phase cost.

    Attributes:
        took_mean_ms: A sample, by the clock.
        took_max_ms: The longest.
        cpu_mean_ms: A sample, CPU of the harness.
        core_percent: CPU of the harness / time, 100 = one core. What answering costs the servers
            is in theirs.
    """

    took_mean_ms: float
    took_max_ms: float
    cpu_mean_ms: float
    core_percent: float | None


@dataclass(frozen=True)
class Gap:
    """What could not be read in the steady phase, and why.

    Attributes:
        what: The probe, without process ids.
        reason: As the kernel or the driver gave it.
        samples: In how many samples.
        failed: True when a probe failed; False for what is not counted at all.
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
    """What the processes used during the steady phase.

    The first nine are those that targets, grades and ``PerformanceMetrics`` rest on.

    Attributes:
        workers_pss_peak_mb: Peak of the sum of the workers' PSS, 1 MB = 1e6 bytes.
        workers_cpu_mean_percent: Mean CPU use of all workers, 100 = one core.
        workers_cpu_peak_percent: Most between two samples.
        harness_pss_peak_mb: The supervising process.
        harness_cpu_mean_percent: Likewise.
        servers_pss_peak_mb: Servers that this run started.
        servers_cpu_mean_percent: Likewise.
        disk_read_mb: Read from storage by the workers.
        disk_write_mb: Written to storage by the workers.
        samples: Samples taken, one every ``sample_every_s``.
        failed_probes: Probes that failed, all samples together.
        roles: Workers, harness and servers, then each server.
        host: The machine's cores; None unless two samples have its counters.
        others: The cores that processes outside of the run used.
        server_counters: What the servers counted.
        interfaces: Totals of the machine.
        network_sent_mb: Sent by the run to its servers, by the servers' own count; None unless
            all of them count and no one else uses them.
        network_recv_mb: Received by the run from its servers, likewise.
        network_why_not: Why the two are None.
        monitor: What the samples cost.
        gaps: What could not be read.
        series: All of the level.
    """

    workers_pss_peak_mb: float | None
    workers_cpu_mean_percent: float | None
    workers_cpu_peak_percent: float | None
    harness_pss_peak_mb: float | None
    harness_cpu_mean_percent: float | None
    servers_pss_peak_mb: float | None
    servers_cpu_mean_percent: float | None
    disk_read_mb: float | None
    disk_write_mb: float | None
    samples: int
    failed_probes: int
    roles: tuple[RoleUse, ...] = ()
    host: HostCores | None = None
    others: CpuOfOthers = CpuOfOthers(None, None, "no sample was taken")
    server_counters: tuple[ServerCounters, ...] = ()
    interfaces: tuple[InterfaceTotal, ...] = ()
    network_sent_mb: float | None = None
    network_recv_mb: float | None = None
    network_why_not: str = "the servers' own counters were not read"
    monitor: MonitorCost | None = None
    gaps: tuple[Gap, ...] = ()
    series: tuple[ResourcePoint, ...] = ()

    def of(self, role: str) -> RoleUse:
        """Return what a role, or a server, used; nothing but its name where that is not known."""
        return next((use for use in self.roles if use.role == role), RoleUse(role))


@dataclass(frozen=True)
class ConnectionUse:
    """Connections of the workers to one server during a level.

    Means are over the samples of the steady phase; peaks over all of the level. What the server
    does not tell, or could not be asked, is None.

    Attributes:
        server: The service.
        limit: The most that the pools allow, all workers together.
        peak: The most that the server reported.
        mean: Mean of those that there were.
        pool: What bounds it, in words.
        failed_probes: Samples of the level in which it did not answer.
        active_mean: Mean of those that executed something, or waited for a lock to do so.
        idle_mean: Mean of the others.
        waiting_mean: Mean of those that waited for a lock.
        utilisation_percent: Peak / limit.
        how: What was counted.
    """

    server: str
    limit: int
    peak: int | None
    mean: float | None
    pool: str
    failed_probes: int
    active_mean: float | None = None
    idle_mean: float | None = None
    waiting_mean: float | None = None
    utilisation_percent: float | None = None
    how: str = ""
