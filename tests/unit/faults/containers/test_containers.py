"""Failures of containers, on an engine of the test: what is refused, evidence, and the undoing."""

from __future__ import annotations

import copy
import random
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS, needs_proxy
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.faults.containers import container_crash, container_freeze
from perf_pipeline.faults.containers.container_fault import undo_for_dead
from perf_pipeline.faults.containers.container_group import ContainerGroup, group_of
from perf_pipeline.faults.containers.container_partition import undo_left_behind as attach
from perf_pipeline.faults.fault import FaultedServer, FaultRefusedError, Place
from perf_pipeline.faults.injector_job import InjectorJob
from perf_pipeline.faults.kinds.cpu_limit import CpuLimitFault
from perf_pipeline.faults.taking_back import kind_module
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.manifest import ContainerRecord
from tests.unit.servers.stack.fake_engine import fake_engine
from tests.unit.servers.stack.test_docker_container import ANSWER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ID = "c" * 64


class Engine:
    """A container that does what it is asked.

    Attributes:
        answer: What ``inspect`` says.
        asked: What it was asked to do, in order.
    """

    def __init__(self) -> None:
        self.answer: dict[str, Any] = copy.deepcopy(ANSWER)
        self.asked: list[str] = []

    def __call__(self, method: str, path: str, _body: bytes) -> tuple[int, Any]:
        if method == "GET":
            return 200, self.answer
        self.asked.append(path.rpartition("/")[2].partition("?")[0])
        state = self.answer["State"]
        changed = {"pause": "paused", "unpause": "running", "kill": "exited", "start": "running"}
        state["Status"] = changed.get(self.asked[-1], state["Status"])
        return 200, {}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = Engine()
    with fake_engine(tmp_path / "s", made):
        yield made


def _entry(folder: Path, **others: str) -> dict[str, str]:
    return {"container": ID, "engine": str(folder / "s"), **others}


def _place(folder: Path, *, is_container: bool = True) -> Place:
    record = ContainerRecord(str(folder / "s"), ID, "perf_pipeline_redis", "redis", 1.5, 512)
    server = FaultedServer(
        "redis", "redis://127.0.0.1:1/0", container=record if is_container else None
    )
    return Place(server, folder, random.Random(1), lambda: 0, lambda _s: None)


def test_what_a_killed_injector_had_just_asked_for_is_taken_back_too(
    engine: Engine, tmp_path: Path
) -> None:
    """Its engine pauses the container after the guardian has looked for the first time."""

    def late(_seconds: float) -> None:
        engine.answer["State"]["Status"] = "paused"

    undo_for_dead(_entry(tmp_path), container_freeze._let_go_on, late)
    assert engine.asked == ["unpause"]


def test_what_is_as_it_was_is_left_alone_and_a_container_that_is_gone_is_fine(
    engine: Engine, tmp_path: Path
) -> None:
    container_crash.undo_left_behind(_entry(tmp_path))
    assert engine.asked == []
    engine.answer["State"]["Status"] = "exited"
    container_crash.undo_left_behind(_entry(tmp_path))
    assert engine.asked == ["start"]
    (tmp_path / "s").unlink()
    with fake_engine(tmp_path / "s", lambda *_: (404, {"message": "no such container"})):
        container_crash.undo_left_behind(_entry(tmp_path))


def test_a_container_is_attached_to_the_networks_that_it_lacks(
    engine: Engine, tmp_path: Path
) -> None:
    endpoints = (
        '[{"network": "stack", "aliases": ["redis"], "ipv4_address": null},'
        ' {"network": "lost", "aliases": ["redis"], "ipv4_address": null}]'
    )
    attach(_entry(tmp_path, endpoints=endpoints))
    assert engine.asked == ["connect", "connect"]  # the engine of the test never attaches it


@pytest.mark.parametrize("kind", ["cpu_limit", "memory_limit"])
def test_a_limit_of_a_server_that_is_no_container_is_refused_with_what_to_do(
    kind: str, tmp_path: Path
) -> None:
    fault = kind_module(kind).make(_place(tmp_path, is_container=False), {})
    with pytest.raises(FaultRefusedError, match="make start STACK=1"):
        fault.preflight()


def test_a_container_that_does_not_run_or_has_less_already_is_refused(
    engine: Engine, tmp_path: Path
) -> None:
    with pytest.raises(FaultRefusedError, match=r"has 1.5 CPUs, and cpus is 2"):
        CpuLimitFault(_place(tmp_path), 2.0).preflight()
    with pytest.raises(FaultRefusedError, match="not seen on this machine"):
        CpuLimitFault(_place(tmp_path), 0.5).preflight()
    engine.answer["State"]["Status"] = "paused"
    with pytest.raises(FaultRefusedError, match="is paused, not running"):
        CpuLimitFault(_place(tmp_path), 0.5).preflight()


def test_a_group_is_read_from_the_kernel_in_both_versions(tmp_path: Path) -> None:
    files = {
        "proc/7/cgroup": "4:cpu,cpuacct:/docker/x\n5:memory:/docker/x\n",
        "one/cpu/docker/x/cpu.cfs_quota_us": "25000",
        "one/cpu/docker/x/cpu.cfs_period_us": "100000",
        "one/cpu/docker/x/cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_time 5",
        "one/memory/docker/x/memory.limit_in_bytes": "1000",
        "one/memory/docker/x/memory.usage_in_bytes": "900",
        "one/memory/docker/x/memory.failcnt": "3",
        "one/memory/docker/x/memory.stat": "total_active_file 100\ntotal_inactive_file 300",
        "proc/8/cgroup": "0::/docker/x\n",
        "two/docker/x/cpu.max": "25000 100000",
        "two/docker/x/cpu.stat": "nr_periods 10\nnr_throttled 4\nthrottled_usec 5",
        "two/docker/x/memory.max": "1000",
        "two/docker/x/memory.current": "900",
        "two/docker/x/memory.events": "low 0\nmax 3",
        "two/docker/x/memory.stat": "active_file 100\ninactive_file 300",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n", encoding="utf-8")
    for process, cgroups in (("7", "one"), ("8", "two")):
        group = ContainerGroup(process, tmp_path / "proc", tmp_path / cgroups)
        assert group.cpus() == 0.25
        throttling = group.throttling()
        assert throttling is not None
        assert (throttling.periods, throttling.throttled) == (10, 4)
        assert (group.memory_limit(), group.memory_usage()) == (1000, 900)
        assert (group.unreclaimable_bytes(), group.memory_shortages()) == (500, 3)
    gone = ContainerGroup("9", tmp_path / "proc", tmp_path / "one")
    assert (gone.cpus(), gone.throttling(), gone.memory_usage()) == (None, None, None)


def test_a_container_elsewhere_has_no_group_here() -> None:
    with pytest.raises(FaultRefusedError, match="virtual machine"):
        group_of((), "perf_pipeline_redis")


def test_a_job_keeps_the_container_of_its_server(tmp_path: Path) -> None:
    server = _place(tmp_path).server
    assert server is not None
    job = InjectorJob((), {"redis": server}, tmp_path, 1, tmp_path, own_stamp())
    assert InjectorJob.from_json(job.to_json()) == job


def test_a_partition_by_the_engine_needs_no_proxy_and_the_others_do() -> None:
    for way in FAULT_KINDS["network_partition"].settings["way"].choices:
        window = FaultWindow("network_partition", "redis", 0.0, 1.0, {"way": way})
        assert needs_proxy(window) == (way != "disconnect")
    assert not needs_proxy(FaultWindow("cpu_limit", "redis", 0.0, 1.0))
