"""The running stack is found by one short question, and its absence costs a run nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from perf_pipeline.config.stack_settings import StackSettings, read_stack_settings
from perf_pipeline.redaction.redact import redacted
from perf_pipeline.servers.lifecycle.resolve import running_server
from perf_pipeline.servers.stack.running_stack import StackServers, running_stack
from tests.integration.conftest import settings_in
from tests.unit.servers.stack.fake_engine import fake_engine

SECRET = "s3/cr%t-of-the-stack"


def _container(service: str, port: int, public: int, state: str = "running") -> dict[str, Any]:
    bound = {"IP": "127.0.0.1", "PrivatePort": port, "PublicPort": public, "Type": "tcp"}
    return {
        "Id": f"{service}-id",
        "State": state,
        "Labels": {"com.docker.compose.service": service},
        "Ports": [{"PrivatePort": 9999, "Type": "tcp"}, bound] if state == "running" else [],
    }


def _settings(folder: Path, **others: Any) -> StackSettings:
    env_file = folder / "stack.env"
    env_file.write_text(
        f"# made by make setup\nPERF_PIPELINE_POSTGRES_PASSWORD={SECRET}\n"
        f"PERF_PIPELINE_REDIS_PASSWORD='{SECRET}'\nPERF_PIPELINE_GRAFANA_PASSWORD=other\n",
        encoding="utf-8",
    )
    return StackSettings(**{"docker_socket": folder / "s", "env_file": env_file, **others})


def test_servers_that_run_have_urls_and_others_are_named(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(_method: str, path: str, _body: bytes) -> tuple[int, Any]:
        asked.append(unquote(path))
        return 200, [
            _container("postgres", 5432, 15435),
            _container("redis", 6379, 16381, state="paused"),
            _container("mysql", 3306, 13306),
            _container("grafana", 3000, 13000),
        ]

    with fake_engine(tmp_path / "s", answer):
        found = running_stack(_settings(tmp_path, name="mine"))
    password = SECRET.replace("/", "%2F").replace("%t", "%25t")
    url = f"postgresql://perf_user:{password}@127.0.0.1:15435/perf_pipeline"
    assert found.urls == {"postgres": url}  # there is no password of mysql's
    assert found.not_running == {"redis": "paused"}
    assert found.containers["grafana"] == "grafana-id"
    assert found.why_not == ""
    (path,) = asked
    assert '"com.docker.compose.project=mine"' in path
    assert SECRET not in redacted(f"it said {SECRET}")


def test_without_docker_nothing_is_asked_and_status_says_why(tmp_path: Path) -> None:
    assert running_stack(StackSettings()) == StackServers()
    absent = running_stack(_settings(tmp_path))
    assert absent.urls == {}
    assert f"no Docker engine answers at {tmp_path}/s: No such file" in absent.why_not
    assert not absent.is_slow
    not_set_up = running_stack(_settings(tmp_path, env_file=tmp_path / "none"))
    assert "make setup" in not_set_up.why_not


def test_an_engine_that_is_slow_is_given_up_and_its_stack_is_in_doubt(tmp_path: Path) -> None:
    """It is waited for a second, and the run that then uses another server says so."""
    settings = replace(settings_in(tmp_path), stack=_settings(tmp_path))
    with fake_engine(tmp_path / "s", lambda *_: (200, []), delay_s=5.0):
        began_s = time.monotonic()
        found = running_stack(settings.stack)
        took_s = time.monotonic() - began_s
        server, notes = running_server(settings, "redis")
    assert took_s < 4.0  # 1 s, on a machine that others use
    assert found.is_slow
    assert server is None
    (note,) = notes
    assert "did not answer within 1 s" in note


def test_an_engine_that_is_busy_is_waited_for(tmp_path: Path) -> None:
    """As it is beside a load; no other server takes the place of the stack's."""
    running = [_container("redis", 6379, 16381)]
    with fake_engine(tmp_path / "s", lambda *_: (200, running), delay_s=0.3):
        found = running_stack(_settings(tmp_path))
    assert set(found.urls) == {"redis"}


def test_an_engine_that_refuses_or_talks_nonsense_fails_no_run(tmp_path: Path) -> None:
    for answer in ((500, {"message": "no"}), (200, "what")):
        with fake_engine(tmp_path / "s", lambda *_, answer=answer: answer):
            found = running_stack(_settings(tmp_path))
        (tmp_path / "s").unlink()
        assert found.urls == {}
        assert found.why_not.startswith("no Docker engine answers")


def test_a_container_that_should_run_is_a_note_of_the_run(tmp_path: Path) -> None:
    settings = replace(settings_in(tmp_path), stack=_settings(tmp_path))
    dead = [_container("redis", 6379, 16381, state="exited")]
    with fake_engine(tmp_path / "s", lambda *_: (200, dead)):
        server, notes = running_server(settings, "redis")
    assert server is None
    assert notes == ["the redis container of the stack perf_pipeline is exited"]


def test_settings_name_the_engine_of_this_machine_only(tmp_path: Path) -> None:
    read = read_stack_settings({}, tmp_path, Path("/checkout"))
    assert read.docker_socket == Path("/var/run/docker.sock")
    assert read.env_file == Path("/checkout/infra/.env")
    given = {"DOCKER_HOST": "unix:///x/docker.sock", "PERF_PIPELINE_STACK_ENV": "my.env"}
    read = read_stack_settings(given, tmp_path, Path("/checkout"))
    assert (read.docker_socket, read.env_file) == (Path("/x/docker.sock"), tmp_path / "my.env")
    far = read_stack_settings({"DOCKER_HOST": "tcp://elsewhere:2376"}, tmp_path, tmp_path)
    assert far.docker_socket is None


def test_docker_py_is_not_imported_to_find_servers() -> None:
    """It takes 0.1 s, and every command finds servers."""
    code = "import sys, perf_pipeline.servers.lifecycle.services; print('docker' in sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
