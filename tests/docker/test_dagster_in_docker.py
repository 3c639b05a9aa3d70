"""A load run that the webserver of the Compose stack launches has a container of its own."""

from __future__ import annotations

import json
import os
import random
import re
import secrets
import urllib.request
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports
from tests.docker.deployment import ENDED, Deployment, build_image, certificates_given
from tests.docker.make_command import make
from tests.docker.stack_under_test import INFRA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docker.engine import Engine

pytestmark = pytest.mark.timeout(900)

LINEAGE = {"host_facts", "servers", "seeded_data", "load_run", "run_metrics", "run_report"}
MEMORY = 1500 * 2**20


@pytest.fixture(scope="module")
def deployment(
    engine: Engine, debian_servers: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """Dagster with its storage, and two of the servers that runs use."""
    assert debian_servers
    build_image()
    drawn = free_ports(random.Random(), ephemeral_range())
    services = ("DAGSTER_WEBSERVER", "DASHBOARD", "POSTGRES", "REDIS")
    ports = {service: next(drawn) for service in services}
    name, folder = f"ppdagster{os.getpid()}", tmp_path_factory.mktemp("deployment")
    files = (INFRA / "compose.yaml", INFRA / "compose.debian.yaml")
    environ = {
        **os.environ,
        "DOCKER_HOST": engine.host,
        "PERF_PIPELINE_DOCKER_SOCKET": engine.socket,
        "PERF_PIPELINE_DOCKER_GID": str(Path(engine.socket).stat().st_gid),
        "PERF_PIPELINE_POSTGRES_PASSWORD": secrets.token_urlsafe(12),
        "PERF_PIPELINE_REDIS_PASSWORD": secrets.token_urlsafe(12),
        "PERF_PIPELINE_RUN_MEMORY": str(MEMORY),
        "PERF_PIPELINE_RUN_CPU_PERCENT": "100",
        "PERF_PIPELINE_NOISE": "tell",
        "PERF_PIPELINE_STACK_NAME": name,
        "PERF_PIPELINE_STACK_FILES": os.pathsep.join(map(str, files)),
        "PERF_PIPELINE_STACK_ENV": str(folder / "stack.env"),
        "XDG_STATE_HOME": str(folder / "state"),
        **{f"PERF_PIPELINE_{service}_PORT": str(port) for service, port in ports.items()},
    }
    made = Deployment(name, environ, ports["DAGSTER_WEBSERVER"])
    started = ("dagster_webserver", "dagster_daemon", "dashboard", "postgres", "redis")
    try:
        made.compose("up", "--detach", "--wait", "--no-build", *started)
        yield made
    finally:
        for container in made.containers():
            made.docker("rm", "--force", container["Id"])
        parts = ("--profile", "all", "--profile", "generators")
        made.compose(*parts, "down", "--volumes", "--timeout", "5")


@pytest.fixture(scope="module")
def measured(deployment: Deployment) -> str:
    """A load run of two seconds, launched through the webserver."""
    run = deployment.launch_load(duration=2)
    assert deployment.ended(run) == "SUCCESS", deployment.events(run, "ExecutionStepFailureEvent")
    return run


def test_a_load_run_has_a_container_with_its_own_limits(
    deployment: Deployment, measured: str
) -> None:
    """Memory and CPU quota are those of the settings; nothing in it runs as root."""
    container = deployment.container_of(measured)
    limits = container["HostConfig"]
    assert (limits["Memory"], limits["CpuQuota"], limits["CpuPeriod"]) == (MEMORY, 100_000, 100_000)
    assert limits["Init"] is True
    assert container["Config"]["User"] == "perf"
    assert container["State"]["ExitCode"] == 0


def test_workers_in_a_container_heed_its_cpu_quota(deployment: Deployment, measured: str) -> None:
    """A quota of one core gives one worker process, on a machine with any number of cores."""
    manifest = json.loads(deployment.read(f"{deployment.folder(measured)}/manifest.json"))
    host = manifest["host"]
    assert (host["container"], host["cgroup_cpu_limit_cores"]) == ("docker", 1.0)
    assert host["cgroup_memory_limit_bytes"] == MEMORY
    assert manifest["processes"] == 1


def test_a_load_run_of_the_stack_is_in_the_lineage_and_measured_the_stacks_servers(
    deployment: Deployment, measured: str
) -> None:
    """Every asset from the host to the report is materialized; passwords are nowhere."""
    made = deployment.events(measured, "MaterializationEvent")
    assert {one["assetKey"]["path"][-1] for one in made} >= LINEAGE
    text = deployment.read(f"{deployment.folder(measured)}/manifest.json")
    sources = {one["service"]: one["source"] for one in json.loads(text)["servers"]}
    assert sources == {"postgres": "settings", "redis": "settings"}
    password = deployment.environ["PERF_PIPELINE_POSTGRES_PASSWORD"]
    assert password not in text + json.dumps(made)


def test_the_link_of_a_run_leads_to_its_report_on_the_dashboard(
    deployment: Deployment, measured: str
) -> None:
    """The address is that for a browser outside of the stack; the page is that of the volume."""
    link = deployment.metadata(measured, "run_report", "open")
    port = deployment.environ["PERF_PIPELINE_DASHBOARD_PORT"]
    assert link.startswith(f"http://127.0.0.1:{port}/")
    assert page_at(link) == deployment.read(f"{deployment.folder(measured)}/report.html")


def test_the_dashboard_shows_the_runs_of_the_volume_and_links_that_open_on_this_machine(
    deployment: Deployment, measured: str
) -> None:
    """Of the four programs Dagster alone was started, so no other is linked to."""
    dashboard = f"http://127.0.0.1:{deployment.environ['PERF_PIPELINE_DASHBOARD_PORT']}"
    folder = deployment.folder(measured)
    run_id = Path(folder).name
    page = page_at(dashboard)
    assert f'<tr id="{run_id}">' in page
    others = re.findall(r'<a href="([^"]+)" rel="noreferrer">(\w+) ', page)
    ((dagster, name),) = ((unescape(url), name) for url, name in others)
    port = deployment.environ["PERF_PIPELINE_DAGSTER_WEBSERVER_PORT"]
    assert (name, dagster) == ("Dagster", f"http://127.0.0.1:{port}")
    assert "dagster_webserver_version" in json.loads(page_at(f"{dagster}/server_info"))
    (report,) = re.findall(rf'href="(/{run_id}/report.html)"', page)
    assert page_at(dashboard + report) == deployment.read(f"{folder}/report.html")


def test_one_load_run_at_a_time_and_a_terminated_one_keeps_what_it_measured(
    deployment: Deployment,
) -> None:
    """The load lock is held across containers; the end of a container is in order.

    Docker would kill a container that does not end by itself within a minute: exit code 137.
    """
    run = deployment.launch_load(duration=300)
    observed = "ObservationEvent"
    deployment.until(lambda: len(deployment.events(run, observed)) > 1, 180, "the load is observed")
    second = deployment.launch_load(duration=1, wait="0")
    assert deployment.ended(second) == "FAILURE"
    failures = deployment.events(second, "ExecutionStepFailureEvent")
    assert any("gave up waiting for another load run" in json.dumps(one) for one in failures)

    # A container of the stack, as Prometheus is one, finds the run's exporter.
    (registered,) = deployment.listed("/results/.scrape")
    ((address,),) = [
        one["targets"] for one in json.loads(deployment.read(f"/results/.scrape/{registered}"))
    ]
    assert "loadtest_workflows_completed_total" in deployment.fetch(f"http://{address}/metrics")
    deployment.terminate(run)
    assert deployment.ended(run) == "CANCELED"
    state = deployment.container_of(run)["State"]
    assert (state["Status"], state["ExitCode"], state["OOMKilled"]) == ("exited", 0, False)
    said = "\n".join(one["message"] for one in deployment.events(run, "LogMessageEvent"))
    found = re.search(r"is interrupted\. Kept: ([\d,]+) records, .* in (/results/[\w-]+)", said)
    assert found, said
    kept, folder = int(found[1].replace(",", "")), found[2]
    assert json.loads(deployment.read(f"{folder}/run.json"))["status"] == "interrupted"
    assert deployment.listed("/results/.scrape") == [], "Prometheus would look for it for ever"
    code = f"{deployment.name}_dagster_code"
    told = deployment.docker("exec", code, "perf-pipeline", "records", folder, "--json")
    counted = json.loads(told.strip().splitlines()[-1])
    assert kept > 0
    assert sum(counted["outcomes"].values()) == kept


def test_each_step_of_a_search_for_capacity_has_a_container(deployment: Deployment) -> None:
    """The search and the judgement of it: a container each, beside that of the run."""
    search = {"scenario": "baseline", "target": "control", "slos": ["p90_s < 30"]}
    limits = {"start": 1, "max_load": 1, "duration": 1}
    config = {"ops": {"found_capacity": {"config": search | limits}}}
    run = deployment.launch("capacity_in_containers", config)
    ended = deployment.ended(run)
    assert ended == "SUCCESS", deployment.events(run, "ExecutionStepFailureEvent")
    steps = deployment.containers("name=dagster-step-")
    assert len(steps) == 2
    assert {limits["HostConfig"]["CpuQuota"] for limits in steps} == {100_000}
    assert deployment.metadata(run, "found_capacity", "verdict") in ("found", "at_least")


def test_two_generators_play_the_shards_of_a_run_each_in_a_fresh_container(
    deployment: Deployment,
) -> None:
    """With the network, the volume and the limits of a run, and without the socket of Docker."""
    generators = ("generator_a", "generator_b")
    deployment.compose("up", "--detach", "--wait", "--no-build", *generators)
    planned = {"scenario": "baseline", "target": "control", "rate": [20], "slots": 8}
    planned |= {"complexity": "simple", "duration": 3, "hosts": ["gen-a", "gen-b"]}
    config = {"ops": {"plan_shards": {"config": planned}}}
    run = deployment.launch("sharded_load_celery_docker", config)
    made: dict[str, dict[str, Any]] = {}

    def have_ended() -> bool:
        for container in deployment.containers("label=perf_pipeline.host"):
            made[container["Id"]] = container
        return deployment.status(run) in ENDED

    deployment.until(have_ended, 240, "the run ends")
    failures = deployment.events(run, "ExecutionStepFailureEvent")
    assert deployment.status(run) == "SUCCESS", failures
    hosts = [container["Config"]["Labels"]["perf_pipeline.host"] for container in made.values()]
    assert sorted(hosts) == ["gen-a", "gen-b"]
    for container in made.values():
        assert container["HostConfig"]["Memory"] == MEMORY
        assert "docker.sock" not in json.dumps(container["Mounts"])
        secret = deployment.environ["PERF_PIPELINE_REDIS_PASSWORD"]
        assert secret not in json.dumps(container)
    assert deployment.containers("label=perf_pipeline.host") == [], "they are removed"
    code = f"{deployment.name}_dagster_code"
    shards = deployment.docker("exec", code, "sh", "-c", "echo /results/*/shards").strip()
    report = deployment.read(f"{Path(shards).parent}/report.md")
    assert all(host in report.split("## Hosts")[1] for host in hosts)


@pytest.mark.usefixtures("measured")  # whose exporter made the folder
def test_an_endurance_campaign_leaves_nothing_for_prometheus_to_look_for(
    deployment: Deployment,
) -> None:
    """Its exporter ends before its container does, once the hours are judged."""
    config = {"hours": 2, "hour_seconds": 5, "rate_per_s": 5}
    run = deployment.launch("endurance", {"ops": {"play_campaign": {"config": config}}})
    deployment.until(lambda: deployment.listed("/results/.scrape"), 120, "it has an exporter")
    deployment.ended(run)
    container = deployment.container_of(run)["Id"]
    deployment.docker("wait", container)
    assert deployment.listed("/results/.scrape") == []
    failed = deployment.events(run, "ExecutionStepFailureEvent")  # ten seconds prove nothing
    assert all("inconclusive" in str(one) for one in failed), failed


def test_stop_and_start_keep_the_history(deployment: Deployment, measured: str) -> None:
    """Runs, tags, every event and every materialization are those before; so is the report."""
    before = deployment.history(measured)
    statuses = {run["runId"]: run["status"] for run in before["runsOrError"]["results"]}
    assert statuses[measured] == "SUCCESS"
    stopped = make(deployment.environ, "stop")
    assert stopped.returncode == 0, stopped.stderr
    project = f"label=com.docker.compose.project={deployment.name}"
    assert deployment.docker("ps", "--all", "--quiet", "--filter", project) == ""
    assert deployment.containers() == []

    with certificates_given():  # the start builds what has changed
        started = make(deployment.environ, "start", "PROFILES=dagster")
    assert started.returncode == 0, started.stdout + started.stderr
    assert deployment.history(measured) == before
    made = deployment.events(measured, "MaterializationEvent")
    assert {one["assetKey"]["path"][-1] for one in made} >= LINEAGE
    link = deployment.metadata(measured, "run_report", "open")
    assert page_at(link) == deployment.read(f"{deployment.folder(measured)}/report.html")


def page_at(url: str) -> str:
    """Return a page, as a browser on this machine gets it."""
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - http
        page: str = answer.read().decode()
    return page
