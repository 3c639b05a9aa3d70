"""The Compose file: what it promises of every service, and that Compose itself accepts it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from perf_pipeline.config.settings import current_settings, variables
from perf_pipeline.config.stack_ports import (
    COMPOSE_VARIABLES,
    PASSWORD_VARIABLES,
    PROFILES,
    STACK_PORTS,
    port_variable,
)
from perf_pipeline.config.stack_settings import NAME
from perf_pipeline.servers.stack.compose import ComposeError, compose

INFRA = Path(__file__).resolve().parents[4] / "infra"
FILE = INFRA / "compose.yaml"
TEXT = FILE.read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
PINNED = re.compile(r"^[\w./-]+:v?\d+\.\d+[\w.-]*$")
OURS = "${PERF_PIPELINE_IMAGE:-perf-pipeline:dev}"
LIMITS = {
    "postgres": ("2.0", "2G", "1.0", "1G"),
    "mysql": ("2.0", "2G", "0.5", "512M"),
    "redis": ("1.0", "2560M", "0.25", "256M"),
    "mongodb": ("1.0", "2G", "0.5", "512M"),
    "elasticsearch": ("2.0", "2G", "0.5", "1G"),
}


def test_every_image_is_pinned_to_a_version() -> None:
    images = {name: service["image"] for name, service in SERVICES.items()}
    loose = {name: image for name, image in images.items() if not PINNED.match(image)}
    assert set(loose.values()) == {OURS}
    built = re.findall(
        r"^FROM (\S+)", (INFRA / "mongodb_exporter/Dockerfile").read_text(), re.MULTILINE
    )
    assert len(built) == 2
    assert all(PINNED.match(image) for image in built)


def test_every_service_has_a_healthcheck_limits_and_a_profile() -> None:
    for name, service in SERVICES.items():
        resources = service["deploy"]["resources"]
        assert service["healthcheck"]["test"], name
        assert set(resources["limits"]) == set(resources["reservations"]) == {"cpus", "memory"}
        assert ("all" in service["profiles"]) != ("generators" in service["profiles"]), name
        assert set(service["profiles"]) < set(PROFILES), name
        assert service["container_name"] == f"${{COMPOSE_PROJECT_NAME}}_{name}"
        assert service["restart"] == "no", "one that comes back would hide that it was gone"


def test_limits_are_those_that_users_know() -> None:
    """Redis has more than its 2 GB of data: below that the kernel would end it first."""
    for name, (cpus, memory, reserved_cpus, reserved_memory) in LIMITS.items():
        resources = SERVICES[name]["deploy"]["resources"]
        assert resources["limits"] == {"cpus": cpus, "memory": memory}
        assert resources["reservations"] == {"cpus": reserved_cpus, "memory": reserved_memory}


def test_every_port_is_on_loopback_and_can_be_moved() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == set(STACK_PORTS)
    for name, (port,) in published.items():
        moved = f"127.0.0.1:${{{port_variable(name)}:-{STACK_PORTS[name]}}}:"
        assert port.startswith(moved), port
        assert port.removeprefix(moved).isdecimal()
    assert len(set(STACK_PORTS.values())) == len(STACK_PORTS)


def test_the_settings_know_every_variable_that_compose_reads() -> None:
    """One that they do not know would be refused as a misspelt setting."""
    read = set(re.findall(r"\$\{(PERF_PIPELINE_\w+)", TEXT))
    assert set(PASSWORD_VARIABLES) < read
    assert read - set(variables()) == set(COMPOSE_VARIABLES)


def test_no_file_of_infra_has_a_password() -> None:
    """A password comes from a variable, or is not there."""
    given = re.compile(r"(?i)passw(?:or)?d\w*[\"']?\s*[:=]\s*[\"']?([^\s\"']+)")
    reference = re.compile(r"\$\{[^}]*\}")
    references = ("$", "%s", "\\", "{{", "{env:")
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."],
        cwd=INFRA,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [INFRA / name for name in listed.stdout.split() if (INFRA / name).is_file()]
    assert len(files) > 10
    assert FILE in files
    for file in files:
        text = reference.sub("$", file.read_text(encoding="utf-8"))
        assert [one for one in given.findall(text) if not one.startswith(references)] == [], file
        assert re.findall(r"://\w*:[^$@\s]*@", text) == [], file
    assert given.findall("POSTGRES_PASSWORD: secret") == ["secret"]


def test_mysql_has_no_query_cache_and_says_why() -> None:
    lines = (INFRA / "mysql/perf_pipeline.cnf").read_text(encoding="utf-8").splitlines()
    assert any("query_cache" in line for line in lines if line.startswith("#"))
    assert not any("query_cache" in line for line in lines if not line.startswith("#"))


def test_databases_are_tuned_as_users_know_them() -> None:
    postgres = (INFRA / "postgres/postgresql.conf").read_text(encoding="utf-8")
    for line in (
        "max_connections = 500",
        "shared_buffers = 256MB",
        "effective_cache_size = 1GB",
        "wal_buffers = 16MB",
        "checkpoint_completion_target = 0.7",
        "min_wal_size = 1GB",
        "max_wal_size = 2GB",
    ):
        assert f"\n{line}\n" in postgres
    redis = (INFRA / "redis/redis.conf").read_text(encoding="utf-8")
    for line in ("maxmemory 2gb", "maxmemory-policy allkeys-lru", 'save ""', "appendonly no"):
        assert f"\n{line}\n" in redis
    mongodb = yaml.safe_load((INFRA / "mongodb/mongod.yaml").read_text(encoding="utf-8"))
    wired_tiger = mongodb["storage"]["wiredTiger"]
    assert wired_tiger["collectionConfig"] == {"blockCompressor": "snappy"}


@pytest.fixture
def without_passwords(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clean clone: no env file, nothing in the environment."""
    if not (shutil.which("docker-compose") or shutil.which("docker")):
        pytest.skip("there is no Docker Compose on PATH")
    for name in COMPOSE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(NAME, "perf_pipeline")
    monkeypatch.setenv("PERF_PIPELINE_STACK_ENV", str(tmp_path / "none"))
    try:
        compose(current_settings(), (), ["version"], timeout_s=60)
    except ComposeError as error:
        pytest.skip(str(error).partition("\n")[0])


@pytest.mark.usefixtures("without_passwords")
@pytest.mark.parametrize("profile", PROFILES)
def test_compose_accepts_every_profile(profile: str) -> None:
    told = compose(current_settings(), [profile], ["config", "--services"], timeout_s=60)
    named = {name for name, service in SERVICES.items() if profile in service["profiles"]}
    assert set(told.split()) == named


@pytest.mark.usefixtures("without_passwords")
def test_compose_refuses_a_wrong_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(TEXT.replace("    healthcheck:", "    healthchek:", 1), encoding="utf-8")
    monkeypatch.setenv("PERF_PIPELINE_STACK_FILES", str(wrong))
    with pytest.raises(ComposeError, match="healthchek"):
        compose(current_settings(), ["all"], ["config", "--quiet"], timeout_s=60)
