"""What the manifest records of the host: the machine, its scheduling, and its calibrations."""

from dataclasses import dataclass

from perf_pipeline.config.settings import NoiseHandling


@dataclass(frozen=True)
class Scheduling:
    """How the kernel shares the cores among the processes of a run (``host/scheduling.py``).

    Attributes:
        autogroup: Whether every session is a scheduling group of its own; None where the kernel
            knows no such groups.
        policy: ``SCHED_OTHER`` and the like (sched(7)), which the worker processes inherit.
        nice: -20 (highest priority) to 19, likewise inherited.
    """

    autogroup: bool | None
    policy: str
    nice: int


@dataclass(frozen=True)
class HostFacts:
    """The machine.

    Attributes:
        cpu_model: As /proc/cpuinfo prints it.
        cores_online: Of the machine.
        cores_usable: That this process may run on.
        memory_total_bytes: Of the machine.
        cgroup_memory_limit_bytes: None without a limit.
        cgroup_cpu_limit_cores: None without a limit.
        container: ``docker``, ``podman``, another name, or ``none`` if none was detected.
        kernel: Release.
        system: Name and version of the distribution.
        libc: Name and version.
        python: Version of the harness's interpreter.
        temp_file_system: Type of the file system with the data of embedded servers.
        steal_percent: Share of the cores' time that the hypervisor took during the run; None until
            it ends.
        scheduling: How the kernel shares the cores among the processes; None if it was not read.
    """

    cpu_model: str
    cores_online: int
    cores_usable: int
    memory_total_bytes: int
    cgroup_memory_limit_bytes: int | None
    cgroup_cpu_limit_cores: float | None
    container: str
    kernel: str
    system: str
    libc: str
    python: str
    temp_file_system: str
    steal_percent: float | None = None
    scheduling: Scheduling | None = None


@dataclass(frozen=True)
class Calibration:
    """Times of one round of the fixed work.

    Attributes:
        core_ns_per_unit: Minimum over the slices, in CPU time of this thread: how fast a core is,
            whatever else wants it.
        waited_ratio: Time in which this thread was ready and had no core / time that the slices
            took, 0 to 1. Over all of them: beside one other program most slices are whole.
        fsync_s: Median time until 4 kB were on the disk; None if they could not be written.
        fsync_max_s: Maximum; None likewise.
        fsyncs: How many there were.
        stalled_percent: ``cpu``, ``memory``, ``io`` to the share of the round in which some thread
            of the machine waited for it; None where the kernel does not report it.
        steal_percent: Share of the cores' time that the hypervisor took; None if no time passed.
        took_s: Wall-clock time of the round.
        problem: Why ``fsync_s`` is None; empty otherwise.
    """

    core_ns_per_unit: float
    waited_ratio: float
    fsync_s: float | None
    fsync_max_s: float | None
    fsyncs: int
    stalled_percent: dict[str, float | None]
    steal_percent: float | None
    took_s: float
    problem: str = ""


@dataclass(frozen=True)
class HostNoise:
    """How noise of the host is handled, and calibrations around the run.

    Attributes:
        handling: ``judge`` or ``tell``.
        before: Fixed work before the first level; None in the manifest of a killed run.
        after: Fixed work after the last level; None likewise.
    """

    handling: NoiseHandling
    before: Calibration | None = None
    after: Calibration | None = None
