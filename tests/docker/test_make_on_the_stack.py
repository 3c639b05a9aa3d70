"""What a user's ``make`` says of a running stack, and does with it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docker.make_command import ROOT, make, make_command, make_environ
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docker.stack_under_test import StackUnderTest

OF_RUNS = ("postgres", "mysql", "redis")
"""Servers of the stack that runs use, as far as Debian has them."""


def test_status_has_each_service_and_where_a_run_would_find_each_server(
    stack: StackUnderTest,
) -> None:
    told = make(stack.environ, "status")
    assert told.returncode == 0, told.stderr
    _, _, services = told.stdout.partition(f"stack {stack.name}:\n")
    label = f"label=com.docker.compose.project={stack.name}"
    shown = '{{.Label "com.docker.compose.service"}}'
    started = stack.docker("ps", "--all", "--filter", label, "--format", shown).split()
    assert len(started) > 8
    for service in started:
        assert re.search(rf"^\s*{service} +healthy", services, re.MULTILINE), told.stdout
    for service in OF_RUNS:
        at = f"127.0.0.1:{stack.ports[service]}"
        assert re.search(rf"^{service} +good .*{at}", told.stdout, re.MULTILINE), told.stdout
    assert told.stdout.count("(stack)") == len(OF_RUNS), told.stdout


def test_healthcheck_passes_and_fails_with_the_name_of_a_container_that_was_killed(
    stack: StackUnderTest,
) -> None:
    """Make itself ends with 2 whatever fails; the code of the command is in its last line."""
    good = make(stack.environ, "healthcheck")
    assert good.returncode == 0, good.stdout + good.stderr
    killed = "mysql_exporter"
    stack.docker("kill", stack.container(killed))
    try:
        told = make(stack.environ, "healthcheck")
        assert "Error 1" in told.stderr
        assert re.search(rf"^\s*{killed} +exited +exit code 137", told.stdout, re.MULTILINE)
        assert told.stdout.count("exited") == 1, told.stdout
    finally:
        started = make(stack.environ, "start", "PROFILES=databases monitoring")
    assert started.returncode == 0, started.stderr


def test_ci_validate_finds_the_servers_of_the_stack_after_those_of_the_settings_and_runs_nothing(
    stack: StackUnderTest,
) -> None:
    told = make(stack.environ, "ci-validate")
    assert told.returncode == 0, told.stdout + told.stderr
    assert "baseline: good; levels 10" in told.stdout
    for service in OF_RUNS:
        at = f"127.0.0.1:{stack.ports[service]}"
        assert re.search(rf"^ +{service} .*{at}.* \(stack\)", told.stdout, re.MULTILINE), told
    assert list(Path(stack.environ["PERF_PIPELINE_RESULTS"]).iterdir()) == []

    password = dict(
        line.split("=", 1)
        for line in Path(stack.environ["PERF_PIPELINE_STACK_ENV"]).read_text().split()
        if "=" in line
    )["PERF_PIPELINE_REDIS_PASSWORD"]
    url = f"redis://:{password}@127.0.0.1:{stack.ports['redis']}/1"
    told = make({**stack.environ, "PERF_PIPELINE_REDIS_URL": url}, "ci-validate")
    assert re.search(r"^ +redis .*/1 \(settings\)", told.stdout, re.MULTILINE), told.stdout
    assert told.stdout.count("(stack)") == len(OF_RUNS) - 1
    assert password not in told.stdout + told.stderr


def test_logs_of_a_service_are_those_of_its_container(stack: StackUnderTest) -> None:
    told = make(stack.environ, "logs", "SERVICE=postgres")
    assert told.returncode == 0, told.stderr
    assert "database system is ready to accept connections" in told.stdout
    other = make(stack.environ, "logs", "SERVICE=nobody")
    assert "Error 2" in other.stderr
    assert "postgres" in other.stderr
    assert "redis_exporter" in other.stderr


@pytest.fixture
def measured(stack: StackUnderTest, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A load of seconds on the stack's servers, which has just begun."""
    command = [sys.executable, "-m", "perf_pipeline.cli", "run", "baseline", "--target", "control"]
    command += ["--concurrency", "2", "--duration", "6", "--accept-verdicts", "--json"]
    home = tmp_path / "dagster"
    home.mkdir()
    environ = {**stack.environ, "DAGSTER_HOME": str(home), "PERF_PIPELINE_NOISE": "tell"}
    with (tmp_path / "err").open("w") as errors:
        run = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            yield run
        finally:
            run.terminate()
            run.wait(60)


def test_a_run_on_the_stack_is_followed_and_shown_on_the_dashboard(
    stack: StackUnderTest, measured: subprocess.Popen[str]
) -> None:
    """Monitor-resources begins while the run goes on and ends with it; so does its last line."""
    results = Path(stack.environ["PERF_PIPELINE_RESULTS"])
    until_begun(results, measured)
    followed = make(stack.environ, "monitor-resources")
    assert measured.wait(200) == 0, measured.stdout
    assert followed.returncode == 0, followed.stderr
    (folder,) = (path.parent for path in results.glob("*/manifest.json"))
    samples = [json.loads(line) for line in followed.stdout.splitlines() if line.startswith("{")]
    assert len(samples) > 2, followed.stdout
    assert followed.stderr.splitlines()[-1] == f"run {folder.name}: complete"
    servers = json.loads((folder / "manifest.json").read_text())["servers"]
    in_stack = [one["service"] for one in servers if one["source"] == "stack"]
    assert sorted(in_stack) == sorted(OF_RUNS)

    with dashboard(stack) as url:
        page = read(url)
        assert f'id="{folder.name}"' in page
        report = (folder / "report.html").read_text(encoding="utf-8")
        assert read(f"{url}{folder.name}/report.html") == report


def until_begun(results: Path, run: subprocess.Popen[str]) -> None:
    samples = "*/levels/*/resources.jsonl"
    assert until(lambda: run.poll() is not None or any(results.glob(samples)), 120.0)
    assert run.poll() is None, "it has ended already"


@contextmanager
def dashboard(stack: StackUnderTest) -> Iterator[str]:
    """Serve ``make dashboard`` for the block, and end it as Ctrl-C does; yields its address."""
    port = stack.ports["dashboard"]
    serving = subprocess.Popen(
        make_command("dashboard", f"PORT={port}"),
        cwd=ROOT,
        env=make_environ(stack.environ),
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    try:
        assert serving.stdout is not None
        said = serving.stdout.readline()
        assert said == f"dashboard: http://127.0.0.1:{port}/\n"
        yield f"http://127.0.0.1:{port}/"
    finally:
        os.killpg(serving.pid, signal.SIGINT)
        serving.communicate(timeout=60)


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - http
        text: str = answer.read().decode()
    return text
