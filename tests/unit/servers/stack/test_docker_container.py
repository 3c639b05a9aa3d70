"""What the engine's answers mean, and how limits are changed in the terms that they have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.servers.stack.docker_container import (
    ContainerGoneError,
    CpuLimit,
    DockerContainer,
    Endpoint,
    EngineError,
    host_processes,
    state_of,
)
from tests.unit.servers.stack.fake_engine import fake_engine

if TYPE_CHECKING:
    from pathlib import Path

ANSWER: dict[str, Any] = {
    "State": {"Status": "running", "OOMKilled": False, "Pid": 4711},
    "Name": "/perf_pipeline_redis",
    "Config": {"Image": "redis:7.2.5"},
    "HostConfig": {
        "NanoCpus": 1_500_000_000,
        "CpuQuota": 0,
        "CpuPeriod": 0,
        "Memory": 512,
        "MemorySwap": 1024,
    },
    "NetworkSettings": {
        "Networks": {
            "stack": {"Aliases": ["redis"], "IPAMConfig": {"IPv4Address": "10.1.2.3"}},
            "other": {"Aliases": None, "IPAMConfig": None},
        }
    },
}


def test_an_answer_has_state_networks_and_limits() -> None:
    state = state_of(ANSWER)
    assert (state.status, state.pid, state.name) == ("running", 4711, "perf_pipeline_redis")
    assert state.endpoints == (
        Endpoint("other", (), None),
        Endpoint("stack", ("redis",), "10.1.2.3"),
    )
    assert state.cpu.cpus == 1.5
    assert (state.memory_bytes, state.memory_swap_bytes) == (512, 1024)


def test_a_cpu_limit_is_changed_in_its_own_terms_and_none_is_taken_back_by_minus_one(
    tmp_path: Path,
) -> None:
    """Docker refuses a period where NanoCpus are set, and takes 0 for "as it is"."""
    assert CpuLimit(2_000_000_000, 0, 0).changed_to(0.25) == CpuLimit(250_000_000, 0, 0)
    assert CpuLimit(0, 20_000, 50_000).changed_to(0.25) == CpuLimit(0, 12_500, 50_000)
    none = CpuLimit(0, 0, 0)
    assert none.cpus is None
    assert none.changed_to(0.25).cpus == 0.25
    asked: list[tuple[str, dict[str, Any]]] = []

    def answer(_method: str, path: str, body: bytes) -> tuple[int, Any]:
        asked.append((path, json.loads(body)))
        return 200, {"Warnings": None}

    with fake_engine(tmp_path / "s", answer):
        container = DockerContainer(str(tmp_path / "s"), "abc")
        container.limit_cpu(CpuLimit(250_000_000, 0, 0))
        container.limit_cpu(none)
        container.limit_memory(100, 200)
    assert asked == [
        ("/v1.41/containers/abc/update", {"NanoCpus": 250_000_000}),
        ("/v1.41/containers/abc/update", {"CpuPeriod": 100_000, "CpuQuota": -1}),
        ("/v1.41/containers/abc/update", {"Memory": 100, "MemorySwap": 200}),
    ]


def test_a_container_that_is_gone_is_told_from_an_engine_that_refuses(tmp_path: Path) -> None:
    for status, error in ((404, ContainerGoneError), (409, EngineError)):
        told = (status, {"message": "no such luck"})
        container = DockerContainer(str(tmp_path / "s"), "abc")
        with fake_engine(tmp_path / "s", lambda *_, told=told: told):
            with pytest.raises(error, match="no such luck"):
                container.inspect()
            with pytest.raises(error, match="no such luck"):
                container.limit_memory(1, 1)
        (tmp_path / "s").unlink()
    with pytest.raises(EngineError):
        DockerContainer(str(tmp_path / "s"), "abc").inspect()


def test_a_process_is_that_of_a_container_only_if_the_kernel_says_so(tmp_path: Path) -> None:
    """An engine in a virtual machine has other numbers."""
    (tmp_path / "7").mkdir()
    (tmp_path / "7/cgroup").write_text("1:cpu:/docker/abcdef\n0::/\n", encoding="utf-8")
    assert host_processes(7, "abcdef", tmp_path) == (7,)
    assert host_processes(7, "fedcba", tmp_path) == ()
    assert host_processes(8, "abcdef", tmp_path) == ()
