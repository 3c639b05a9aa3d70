"""What the engine says of a container becomes one state and one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from perf_pipeline.config.stack_settings import StackSettings
from perf_pipeline.servers.stack.service_state import ServiceState, explain, service_states
from perf_pipeline.servers.stack.stack_engine import SERVICE_LABEL, StackEngine


class KnownEngine(StackEngine):
    """An engine whose containers are given."""

    def __init__(self, *containers: dict[str, Any]) -> None:
        super().__init__(StackSettings())
        self._containers = list(containers)

    def containers(self) -> list[dict[str, Any]]:
        return self._containers

    def log_lines(self, container_id: str, lines: int) -> list[str]:
        return [f"last line of {container_id}"][:lines]


def container(service: str, status: str, **state: Any) -> dict[str, Any]:
    return {
        "Name": f"/perf_pipeline_{service}",
        "Config": {"Labels": {SERVICE_LABEL: service}},
        "State": {"Status": status, "ExitCode": 0, **state},
    }


def health(status: str, *outputs: str) -> dict[str, Any]:
    log = [{"ExitCode": 1, "Output": output} for output in outputs]
    return {"Status": status, "FailingStreak": len(outputs), "Log": log}


@pytest.mark.parametrize(
    ("status", "state", "named", "detail"),
    [
        ("running", {"Health": health("healthy")}, "healthy", ""),
        ("running", {}, "running", ""),
        ("running", {"Health": health("starting")}, "starting", ""),
        (
            "running",
            {"Health": health("unhealthy", "one", "no  answer\n")},
            "unhealthy",
            "its healthcheck failed 2 times, the last with 1: no answer",
        ),
        ("paused", {"Health": health("healthy")}, "paused", ""),
        ("exited", {"ExitCode": 137}, "exited", "exit code 137, signal 9"),
        ("exited", {"ExitCode": 1}, "exited", "exit code 1"),
        ("exited", {"ExitCode": 137, "OOMKilled": True}, "exited", "more memory than its limit"),
        ("exited", {"ExitCode": 127, "Error": "no such file"}, "exited", "127: no such file"),
    ],
)
def test_each_state_has_its_name_and_its_reason(
    status: str, state: dict[str, Any], named: str, detail: str
) -> None:
    (one,) = service_states(KnownEngine(container("redis", status, **state)), ())
    assert (one.service, one.state) == ("redis", named)
    assert detail in one.detail
    assert bool(one.detail) == bool(detail)
    assert one.is_good == (named in {"healthy", "running"})


def test_a_started_service_without_a_container_is_missing() -> None:
    states = service_states(KnownEngine(container("redis", "running")), ["redis", "mysql"])
    assert {one.service: one.state for one in states} == {"mysql": "missing", "redis": "running"}
    assert [one.service for one in states if not one.is_good] == ["mysql"]


def test_the_end_of_the_log_follows_the_reason() -> None:
    engine = KnownEngine(container("redis", "exited", ExitCode=1))
    (state,) = service_states(engine, ())
    assert explain(engine, state).splitlines() == [
        "redis is exited: exit code 1",
        "    last line of perf_pipeline_redis",
    ]
    lost = ServiceState("mysql", "missing", detail="its container was removed")
    assert explain(engine, lost) == "mysql is missing: its container was removed"
