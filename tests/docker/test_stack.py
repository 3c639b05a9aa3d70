"""The stack as its users start it: healthy, limited, observed, and gone when it is cleared."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.docker.stack_under_test import INFRA, StackUnderTest, eventually

EXPORTED = {"redis_up": "redis", "pg_up": "postgres", "mysql_up": "mysql"}
SCRAPED = ("prometheus", "alertmanager", "node", "cadvisor", "postgres", "mysql", "redis")


def bytes_of(text: str) -> int:
    return int(text[:-1]) << {"M": 20, "G": 30}[text[-1]]


def test_every_service_is_healthy(stack: StackUnderTest) -> None:
    states = stack.states()
    assert len(states) >= 10
    assert set(states.values()) == {"healthy"}
    assert stack.call("status", "--gate").code == 0


def test_limits_of_the_compose_file_are_in_effect(stack: StackUnderTest) -> None:
    """They are read where the kernel has them, not where the engine noted them."""
    services = yaml.safe_load((INFRA / "compose.yaml").read_text(encoding="utf-8"))["services"]
    for service in stack.states():
        limits = services[service]["deploy"]["resources"]["limits"]
        memory_bytes, cpus = limits_in_effect(stack.process(service))
        assert memory_bytes == bytes_of(limits["memory"]), service
        assert cpus == pytest.approx(float(limits["cpus"])), service


def limits_in_effect(pid: int) -> tuple[int, float]:
    """Return memory and CPU limit from the files of a process's control groups, v1 or v2."""
    root = Path("/sys/fs/cgroup")
    groups = {}
    for line in Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        groups |= dict.fromkeys(controllers.split(","), root / controllers / path[1:])
    if "memory" in groups:
        memory = number(groups["memory"] / "memory.limit_in_bytes")
        cpu = groups["cpu"]
        return memory, number(cpu / "cpu.cfs_quota_us") / number(cpu / "cpu.cfs_period_us")
    quota, period = (groups[""] / "cpu.max").read_text(encoding="ascii").split()
    return number(groups[""] / "memory.max"), int(quota) / int(period)


def number(file: Path) -> int:
    return int(file.read_text(encoding="ascii"))


def test_prometheus_reads_every_exporter(stack: StackUnderTest) -> None:
    for job in SCRAPED:
        eventually(
            lambda job=job: [one["value"][1] for one in stack.query(f'up{{job="{job}"}}')] == ["1"],
            60,
            f"Prometheus scrapes {job}",
        )
    for metric in EXPORTED:
        eventually(
            lambda metric=metric: [one["value"][1] for one in stack.query(metric)] == ["1"],
            60,
            f"{metric} is 1",
        )
    containers = stack.query('container_memory_usage_bytes{name=~".*_postgres"}')
    assert any(one["metric"]["name"] == stack.container("postgres") for one in containers)


def test_ports_are_published_on_loopback_alone(stack: StackUnderTest) -> None:
    for service in stack.states():
        published = stack.docker("port", stack.container(service)).splitlines()
        assert published, service
        for line in published:
            assert line.endswith(f" -> 127.0.0.1:{stack.ports[service]}"), line


def test_passwords_are_in_no_list_of_processes_and_no_log(stack: StackUnderTest) -> None:
    lines = Path(stack.environ["PERF_PIPELINE_STACK_ENV"]).read_text(encoding="utf-8").splitlines()
    passwords = [line.partition("=")[2] for line in lines if line.startswith("PERF_PIPELINE_")]
    assert len(set(passwords)) == 6
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    status = stack.call("status", "--json")
    for service in stack.states():
        logs = stack.docker("logs", stack.container(service))
        assert not any(one in logs for one in passwords), service
    assert not any(one in status.out + status.err for one in passwords)
    assert not any(one in commands.stdout for one in passwords)


def test_stop_and_start_keeps_the_data(stack: StackUnderTest) -> None:
    psql = 'PGPASSWORD="$POSTGRES_PASSWORD" psql -h 127.0.0.1 -U perf_user -Atc "$0" perf_pipeline'
    ask = ["exec", stack.container("postgres"), "sh", "-c", psql]
    stack.docker(*ask, "create table kept (n int); insert into kept values (17)")
    stopped = stack.call("stop", "--json")
    assert stopped.json["stopped"] == [f"the stack {stack.name}"], stopped.err
    assert stack.states() == {}
    started = stack.call("start", "--stack", "--profile", "databases", "--profile", "monitoring")
    assert started.code == 0, started.err
    assert stack.docker(*ask, "select n from kept").strip() == "17"


def test_a_container_that_was_killed_is_seen(stack: StackUnderTest) -> None:
    """Nothing starts it again: a server that comes back would hide that it was gone."""
    stack.docker("kill", stack.container("redis"))
    told = stack.call("status", "--gate", "--json")
    redis = next(one for one in told.json["stack"]["services"] if one["service"] == "redis")
    assert (told.code, redis["state"], redis["exit_code"]) == (1, "exited", 137)
    stack.docker("rm", stack.container("redis"))
    assert stack.states()["redis"] == "missing"
    assert stack.call("start", "--stack", "--profile", "databases").code == 0
    assert stack.states()["redis"] == "healthy"


def test_start_says_which_service_is_not_healthy_and_why(
    stack: StackUnderTest, tmp_path: Path
) -> None:
    """A PostgreSQL that is asked for a setting that it does not have ends at once."""
    wrong = tmp_path / "wrong.yaml"
    command = "[postgres, -c, config_file=/etc/perf_pipeline/postgresql.conf, -c, no_such=1]"
    wrong.write_text(f"services:\n  postgres: {{command: {command}}}\n", encoding="utf-8")
    other = stack.beside("wrong", tmp_path, wrong)
    try:
        told = other.call("start", "--profile", "databases", "--json")
        assert told.code == 2
        (problem,) = told.json["problems"]
        assert "postgres is exited: exit code 1" in problem
        assert 'unrecognized configuration parameter "no_such"' in problem
        assert "redis is " not in problem
    finally:
        ended = other.call("stop", "--volumes")
    assert ended.code == 0, ended.err
    label = f"label=com.docker.compose.project={other.name}"
    assert stack.docker("ps", "--all", "--quiet", "--filter", label) == ""
    assert stack.docker("volume", "ls", "--quiet", "--filter", label) == ""
    assert stack.docker("network", "ls", "--quiet", "--filter", label) == ""
    assert set(stack.states().values()) == {"healthy"}
