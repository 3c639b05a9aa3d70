"""Planted bottlenecks of every kind are named rightly, by real load on real processes.

The workflows are functions of tests/integration/planted, so what limits them is known. A level of
3 s shares the machine with whatever else runs on it: one that comes out otherwise while processes
outside of the test took cores says nothing, and is repeated.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from mmap import mmap
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import psutil
import pytest

from perf_pipeline.analysis.bottleneck.verdict import bottleneck_of
from perf_pipeline.analysis.level import measure_level
from perf_pipeline.config.cgroup import groups_of
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.scenario import Phases, Scenario, WorkerLimits, Workload
from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from perf_pipeline.loadgen.environment.user_code import at_start
from perf_pipeline.loadgen.limits.control_group import CGROUPS
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.metrics.records.in_flight import InFlightCurve
from perf_pipeline.metrics.resources.resource_sampler import ResourceSampler
from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.servers.postgres.probe import PostgresProbe
from perf_pipeline.servers.probe import WatchedServer
from perf_pipeline.targets.target import Job, Kind, ServerAccess, ServerAddress
from tests.integration.levels.planted.bottlenecks import APPLICATION
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.metrics.types.bottleneck import Bottleneck
    from perf_pipeline.servers.server import Server

    Expect = Callable[..., None]

pytestmark = [pytest.mark.integration, pytest.mark.alone]

PROC = Path("/proc")
FUNCTIONS = Path(__file__).with_name("planted")
PHASES = Phases(ramp_up_s=0.1, warm_up_s=0.2, steady_s=3.0, steady_max_s=3.0, drain_s=2.0)
CORES = len(os.sched_getaffinity(0))
OTHERS_MAX_CORES = 0.25
TRIES = 2
OTHERS = "cores used by processes outside of the run"


@dataclass(frozen=True)
class Planted:
    """One level whose bottleneck is known.

    Attributes:
        functions: Of the planted module, in equal shares.
        slots: Workflows in flight.
        workers: Worker processes.
        connections: Connections of all pools together.
        limits: What the workers may use.
        postgres: The server, if it is used.
        target: ``callable``, or ``callable_async``: in its place a runtime with a queue is planted.
    """

    functions: tuple[str, ...]
    slots: int = 16
    workers: int = 1
    connections: int = 16
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    postgres: Server | None = None
    target: str = "callable"


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of kailash's environment, which has the drivers."""
    environ, cache = dict(os.environ), current_settings().cache_dir
    spec = parse_target("kailash")
    return make_environment(spec, cache_dir=cache, environ=environ, uv=find_uv(environ)).python


@pytest.fixture
def expect(python: Path, tmp_path: Path) -> Expect:
    """A function that plays a level, and demands a verdict and a part of its sentence."""

    def expect(planted: Planted, verdict: str, why: str = "") -> None:
        for attempt in range(TRIES):
            folder = tmp_path / str(attempt)
            folder.mkdir()
            found = _play(planted, folder, python)
            others = next((e.value for e in found.evidence if e.what == OTHERS), None)
            right = found.verdict == verdict and why in found.why
            if right or others is None or others < OTHERS_MAX_CORES:
                assert right, found
                return
        pytest.skip(f"in {TRIES} tries processes outside of the test took {others:.2f} cores")

    return expect


def _play(planted: Planted, folder: Path, python: Path) -> Bottleneck:
    kinds = [(f"bottlenecks:{function}", "") for function in planted.functions]
    scenario = Scenario(
        "planted",
        target=planted.target,
        concurrency=(planted.slots,),
        workloads=tuple(Workload(function, "") for function, _ in kinds),
        phases=PHASES,
        limits=planted.limits,
    )
    plan = plan_levels(scenario, planted.workers)[0]
    share = planted.connections // planted.workers
    address = {"postgres": ServerAddress(planted.postgres.url)} if planted.postgres else {}
    access = ServerAccess(address, share, 30.0)
    servers = {}
    if planted.postgres:
        probe = PostgresProbe(planted.postgres.url, APPLICATION)
        servers["postgres"] = WatchedServer(planted.postgres.pids, False, probe)
    monitor = ResourceSampler(folder / "resources.jsonl", servers)
    level = LevelSupervisor(
        plan,
        folder=folder,
        python=python,
        job=Job(tuple(Kind(*kind) for kind in kinds), "code", 1, "r1", 0, access),
        on_second=monitor.sample,
        on_progress=lambda _progress: None,
        write_log=lambda log: write_json(folder / "level.json", asdict(log)),
        user_code=replace(at_start(FUNCTIONS), python_path=str(FUNCTIONS)),
        sample_every_s=0.5,
    )
    with monitor:
        log = level.run()
    assert [worker["reason"] for worker in log.workers] == ["done"] * planted.workers
    start_ns, end_ns = log.phases_ns["steady"]
    assert end_ns is not None
    records = read_level(folder, len(kinds))
    context = LevelContext(kinds, list(servers), {})
    measured = measure_level(folder, context)
    return bottleneck_of(
        read_samples(folder / "resources.jsonl", start_ns, end_ns),
        records,
        InFlightCurve.of(records.frame.filter(pl.col("flags") == 0)),
        measured.in_flight,
        (start_ns, end_ns),
        resources=measured.resources,
        connection_limits={"postgres": share * planted.workers} if planted.postgres else {},
    )


def test_threads_that_compute_in_one_process_are_held_by_its_interpreter_lock(
    expect: Expect,
) -> None:
    """16 threads in one process; all other cores stay idle."""
    if CORES == 1:
        pytest.skip("with one core there is none that could stay idle")
    expect(Planted(("spin",)), "interpreter_lock")


def test_a_cpu_quota_of_the_control_group_is_named_and_nobody_else_is_blamed(
    python: Path, tmp_path: Path, quarter_core: float
) -> None:
    """This process and its worker have a quarter of a core: little, so a busy machine has it."""
    assert read_machine_limits().cores_usable == 1
    found = _play(Planted(("spin",), slots=4), tmp_path, python)

    assert found.verdict == "cpu", "\n".join(map(str, found.evidence))
    assert f"may use {quarter_core:g} cores" in found.why
    assert found.evidence[0].what == "periods in which the group was throttled"


def test_a_pool_of_two_connections_is_the_bottleneck_of_sixteen_threads(
    expect: Expect, servers: dict[str, Server]
) -> None:
    """The server sleeps 20 ms for each, and has nothing to do."""
    pool_of_two = Planted(("slow_query",), connections=2, postgres=servers["postgres"])

    expect(pool_of_two, "connection_pool", "one of the 2 connections to postgres")


def test_sessions_that_wait_for_each_others_lock_are_the_servers_bottleneck(
    expect: Expect, servers: dict[str, Server]
) -> None:
    expect(Planted(("locking_query",), postgres=servers["postgres"]), "server", "waited for a lock")


def test_a_harness_that_takes_the_cores_of_the_workers_is_the_bottleneck(
    expect: Expect,
) -> None:
    """A worker for each core, and a thread of this process that computes as well."""
    if CORES > 6:
        pytest.skip(f"one thread of the harness is not a tenth of {CORES} cores")
    with _computing():
        expect(Planted(("spin",), slots=8 * CORES, workers=CORES), "generator", "The harness used")


def test_a_sleep_is_not_held_by_the_cpu_that_other_programs_take(
    python: Path, tmp_path: Path
) -> None:
    """All cores are busy, and woken threads wait for one a small part of their 20 ms, if at all."""
    with _other_programs():
        found = _play(Planted(("sleep",)), tmp_path, python)

    seen = {each.what: each for each in found.evidence}
    assert seen["usable cores that were busy"].holds
    assert found.verdict == "unclear", found
    assert "waited for something that nobody observed" in found.why
    assert "Processes outside of this run used" in found.why


@pytest.mark.slow
def test_as_many_processes_as_cores_that_compute_are_held_by_the_cpu(
    expect: Expect,
) -> None:
    expect(
        Planted(("spin",), slots=8 * CORES, workers=CORES),
        "cpu",
        "more worker processes would not help",
    )


@pytest.mark.slow
def test_a_limit_on_cpu_is_the_bottleneck_of_workers_that_it_holds(
    expect: Expect,
) -> None:
    expect(Planted(("spin",), limits=WorkerLimits(cpu_percent=50.0)), "cpu", "limit on CPU")


@pytest.mark.slow
def test_a_server_that_computes_for_its_clients_is_the_bottleneck(
    expect: Expect, servers: dict[str, Server]
) -> None:
    heavy = Planted(("heavy_query",), 8 * CORES, 1, 8 * CORES, postgres=servers["postgres"])

    expect(heavy, "server", "none was free")


@pytest.mark.slow
def test_a_server_that_is_slow_without_doing_anything_is_the_bottleneck(
    expect: Expect, servers: dict[str, Server]
) -> None:
    """A connection for every thread: nothing but the time of the queries is left."""
    expect(
        Planted(("slow_query",), postgres=servers["postgres"]),
        "server",
        "sessions executed at once",
    )


@pytest.mark.slow
def test_writes_that_wait_for_the_disk_are_held_by_it(expect: Expect, tmp_path: Path) -> None:
    """Each workflow writes 1 MB past the page cache and waits until the disk has it."""
    if not _waits_for_disk(tmp_path / "probe"):
        pytest.skip(f"a write to {tmp_path} does not wait for any disk here")

    expect(Planted(("flush",), slots=12), "disk")


@pytest.mark.slow
def test_a_runtime_that_executes_few_and_queues_the_others_is_told_from_a_pool(
    expect: Expect,
) -> None:
    """Two of 16 workflows are executed, and no core has anything to do."""
    expect(
        Planted(("anything",), target="callable_async"),
        "runtime_queue",
        "executed 2 workflows at once, of 2",
    )


@pytest.mark.slow
def test_half_of_the_time_in_a_server_and_half_in_something_unseen_is_unclear(
    expect: Expect, servers: dict[str, Server]
) -> None:
    """A third of the workflows asks the server, two thirds sleep."""
    mixed = Planted(("sleep", "sleep_too", "slow_query"), postgres=servers["postgres"])

    expect(mixed, "unclear", "waited for something that nobody observed")


@pytest.fixture
def quarter_core() -> Iterator[float]:
    """Move this process into a control group of its own for the test, if this machine lets us."""
    own = next((one for one, version in groups_of("cpu", PROC, CGROUPS) if version == 1), None)
    if own is None or not os.access(own, os.W_OK):
        pytest.skip("no control group of version 1 can be made here")
    group = own / f"perf_pipeline-test-{os.getpid()}"
    group.mkdir()
    try:
        (group / "cpu.cfs_period_us").write_text("100000")
        (group / "cpu.cfs_quota_us").write_text("25000")
        (group / "cgroup.procs").write_text(str(os.getpid()))
        yield 0.25
    finally:
        (own / "cgroup.procs").write_text(str(os.getpid()))
        until(lambda: not (group / "cgroup.procs").read_text(), 10)
        group.rmdir()


@contextmanager
def _computing() -> Iterator[None]:
    """Compute in a thread of this process."""
    ended = threading.Event()

    def compute() -> None:
        while not ended.is_set():
            sum(i * i for i in range(10_000))

    thread = threading.Thread(target=compute)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _other_programs() -> Iterator[None]:
    """Keep all cores busy with programs that end by themselves if this process does not."""
    code = "import os, time\nends, parent = time.monotonic() + 60, os.getppid()\n"
    code += "while time.monotonic() < ends and os.getppid() == parent: pass"
    hogs = [subprocess.Popen((sys.executable, "-c", code)) for _ in range(CORES + 1)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def _waits_for_disk(path: Path) -> bool:
    """Write 200 MB past the page cache, and see whether the kernel counts a wait for a disk."""
    block = mmap(-1, 1 << 20)
    before = psutil.cpu_times().iowait
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT | os.O_DSYNC)
    except OSError:  # a file system in memory
        return False
    try:
        for _ in range(200):
            os.pwritev(descriptor, [block], 0)
    finally:
        os.close(descriptor)
    return psutil.cpu_times().iowait > before
