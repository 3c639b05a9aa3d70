"""Locked environments, with packages made here and an index that is a folder: no network."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.errors import TargetEnvironmentError
from perf_pipeline.loadgen.environment import environment
from perf_pipeline.loadgen.environment.environment import (
    TargetEnvironment,
    find_uv,
    make_environment,
)
from perf_pipeline.loadgen.environment.environment_spec import read_lock
from perf_pipeline.loadgen.environment.interpreter import base_interpreter
from tests.integration.environments.bench import UVS, locked, write_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.environments.bench import Bench

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("uv", UVS, ids=str)
def test_an_environment_holds_the_locked_packages_compiled_and_nothing_else(
    bench: Bench, uv: Path | None
) -> None:
    """With pip, it removes itself."""
    made = bench.make(uv=uv)
    assert made.packages == {"spam": "1.0"}
    code = "import json, sys, spam; print(json.dumps([sys.prefix, spam.VERSION, spam.__cached__]))"
    run = subprocess.run([made.python, "-c", code], capture_output=True, text=True, check=True)
    prefix, version, cached = json.loads(run.stdout)
    assert Path(prefix).is_relative_to(bench.cache)
    assert version == "1.0"
    assert list(Path(cached).parent.glob("spam.*.pyc"))
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run([made.python, "-c", "import pip"], capture_output=True, check=True)


def test_a_cached_environment_is_found_without_starting_a_process(bench: Bench) -> None:
    """The installer and the index are gone; only a process could notice."""
    made = bench.make()
    shutil.rmtree(bench.wheels)
    assert bench.make(uv=Path("/gone/uv")) == made


def test_another_lock_is_another_environment(bench: Bench) -> None:
    first = bench.make()
    digest = write_wheel(bench.wheels, "spam", "2.0")
    bench.lock("one", f"spam==2.0 --hash=sha256:{digest}\n")
    second = bench.make()
    assert (first.packages, second.packages) == ({"spam": "1.0"}, {"spam": "2.0"})
    assert first.python != second.python
    assert first.python.exists()


def test_another_interpreter_is_another_environment(bench: Bench) -> None:
    other = bench.logging_python()
    assert bench.make(base=other).python != bench.make().python


def test_a_lock_that_includes_another_gives_the_same_environment(bench: Bench) -> None:
    bench.lock("two", "# as one\n-r ../one/requirements.lock\n")
    assert bench.make(locked("two")) == bench.make()


@pytest.mark.parametrize("left", ["no marker", "half a marker", "no interpreter"])
def test_what_an_interrupted_build_left_is_built_anew(bench: Bench, left: str) -> None:
    made = bench.make()
    folder = made.python.parents[1]
    junk = folder / "lib" / "junk"
    junk.write_text("half a package")
    if left == "no marker":
        (folder / environment.MARKER).unlink()
    elif left == "half a marker":
        marker = folder / environment.MARKER
        marker.write_text(marker.read_text()[:20])
    else:
        made.python.unlink()
    assert bench.make() == made
    assert not junk.exists()
    assert made.python.exists()


def ask(
    make: Callable[..., TargetEnvironment], cache: Path, environ: dict[str, str], python: Path
) -> None:
    make(locked("one"), cache_dir=cache, environ=environ, uv=None, base=python)


def test_two_processes_at_once_build_once(bench: Bench) -> None:
    python = bench.logging_python(before="sleep 0.5")
    arguments = (make_environment, bench.cache, bench.environ, python)
    fork = multiprocessing.get_context("fork")  # keeps the folder of targets of this test
    processes = [fork.Process(target=ask, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert bench.log.read_text().count("start -m venv") == 1
    assert bench.make(uv=None, base=python).packages == {"spam": "1.0"}


def test_after_a_kill_nobody_builds_while_the_orphaned_installer_still_writes(
    bench: Bench,
) -> None:
    python = bench.logging_python(before="sleep 1")
    arguments = (make_environment, bench.cache, bench.environ, python)
    process = multiprocessing.get_context("fork").Process(target=ask, args=arguments)
    process.start()
    end = time.monotonic() + 20
    while not bench.log.exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join(20)
    made = bench.make(uv=None, base=python)
    assert made.packages == {"spam": "1.0"}
    noted = [line.split()[0] for line in bench.log.read_text().splitlines()]
    assert noted == ["start", "end", "start", "end"]


@pytest.mark.parametrize("uv", UVS, ids=str)
def test_without_an_index_the_error_says_what_failed_and_what_to_check(
    bench: Bench, uv: Path | None
) -> None:
    """Nothing listens on port 1."""
    index = {"UV_INDEX_URL": "http://127.0.0.1:1", "PIP_INDEX_URL": "http://127.0.0.1:1"}
    bench.environ = {
        "PATH": bench.environ["PATH"],
        "HOME": bench.environ["HOME"],
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_RETRIES": "0",
        "UV_HTTP_RETRIES": "0",
        "UV_NO_CONFIG": "1",
        **index,
    }
    with pytest.raises(TargetEnvironmentError) as caught:
        bench.make(uv=uv)
    assert "exit code" in str(caught.value)
    assert "spam" in str(caught.value)
    assert "Is there a network, and a package index?" in str(caught.value)


@pytest.mark.parametrize("uv", UVS, ids=str)
def test_variables_for_a_users_own_installations_lead_ours_nowhere(
    bench: Bench, uv: Path | None
) -> None:
    """Each of them would fail the build, or put the packages elsewhere."""
    astray = str(bench.cache.parent / "astray")
    bench.environ |= {
        "PIP_USER": "1", "PIP_TARGET": astray, "PIP_PREFIX": astray, "PIP_CONSTRAINT": astray,
        "PIP_REQUIRE_VIRTUALENV": "1", "UV_PYTHON": astray, "UV_SYSTEM_PYTHON": "1",
        "UV_PROJECT_ENVIRONMENT": astray, "UV_CONSTRAINT": astray, "UV_VENV_SEED": "1",
        "UV_MANAGED_PYTHON": "1", "UV_WORKING_DIR": astray,
    }  # fmt: skip
    assert bench.make(uv=uv).packages == {"spam": "1.0"}


@pytest.mark.parametrize("uv", UVS, ids=str)
def test_a_package_that_does_not_match_its_hash_is_refused(bench: Bench, uv: Path | None) -> None:
    bench.lock("one", f"spam==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(TargetEnvironmentError, match=r"(?i)hash"):
        bench.make(uv=uv)


def test_a_missing_interpreter_is_named(bench: Bench) -> None:
    with pytest.raises(TargetEnvironmentError, match="does not exist: /no/python"):
        bench.make(base=Path("/no/python"))


def test_a_cache_that_cannot_be_written_is_named(bench: Bench) -> None:
    bench.cache.write_text("a file where the folder should be")
    with pytest.raises(TargetEnvironmentError, match=r"cannot be written: .*cache of mine"):
        bench.make()


def test_a_target_without_a_lock_is_named(bench: Bench) -> None:
    with pytest.raises(TargetEnvironmentError, match=r"three/requirements\.lock"):
        bench.make(locked("three"))


def test_the_control_target_runs_beside_the_same_packages_as_kailash() -> None:
    assert "kailash==2.65.0" in read_lock("kailash")
    assert read_lock("control") == read_lock("kailash")


def test_the_base_interpreter_is_outside_of_any_virtual_environment() -> None:
    code = "import sys; print(sys.prefix == sys.base_prefix, *sys.version_info[:3])"
    run = subprocess.run([base_interpreter(), "-c", code], capture_output=True, check=True)
    assert run.stdout.split() == [b"True", *(str(n).encode() for n in sys.version_info[:3])]


def test_uv_is_looked_for_on_the_path_and_then_in_the_project(tmp_path: Path) -> None:
    own = tmp_path / ".uv" / "bin" / "uv"
    own.parent.mkdir(parents=True)
    assert find_uv({"PATH": str(tmp_path)}, tmp_path) is None
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    assert find_uv({"PATH": str(tmp_path)}, tmp_path) == own
    on_path = tmp_path / "uv"
    on_path.write_text("#!/bin/sh\n")
    on_path.chmod(0o755)
    assert find_uv({"PATH": str(tmp_path)}, tmp_path) == on_path
