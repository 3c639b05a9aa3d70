"""Runs from sessions that are not a tidy terminal: cron, pipes, other projects, other checkouts."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.sandbox import BIN, ROOT, WAIT_S, Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration

HOSTILE = {
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
    "PYTHONSAFEPATH": "1",
    "PYTHONIOENCODING": "ascii:strict",
    "LC_ALL": "C",
    "VIRTUAL_ENV": "/none",
    "TERM": "dumb",
    "COLUMNS": "0",
    "PYTHONDEVMODE": "1",
}


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """One of the test's own."""
    made = Sandbox(tmp_path)
    yield made
    made.close()


def shell(sandbox: Sandbox, line: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in the sandbox, in which ``$RUN`` begins a run."""
    run = f'"{BIN}/perf-pipeline" run "{sandbox.scenario("asked")}"'
    return subprocess.run(
        ["/bin/bash", "-c", line.replace("$RUN", run)],
        cwd=sandbox.folder,
        env={**sandbox.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def test_a_run_measures_what_was_asked_whatever_its_session_is(sandbox: Sandbox) -> None:
    """Standard input is closed, the reader leaves, and every variable is meant for others.

    With descriptor 0 closed, the child read its configuration from /dev/null and ran the baseline.
    """
    other = sandbox.folder / "other"
    other.mkdir()
    shadowed = ["typer", "json", "rich"]
    if (BIN / "perf-pipeline").read_text(encoding="utf-8").splitlines()[0].endswith(" -I"):
        shadowed.append("perf_pipeline")  # as `make` installs the script
    for name in shadowed:
        (other / f"{name}.py").write_text("raise ValueError('of another project')")
    line = "umask 000; $RUN <&- | head -2; exit ${PIPESTATUS[0]}"
    ran = shell(sandbox, line, **HOSTILE, PYTHONPATH=str(other))
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == "standard output could not be written to its end: broken pipe\n"
    assert len(ran.stdout.splitlines()) == 2
    (folder,) = sandbox.run_folders()
    record = sandbox.own_record(folder)
    assert (record["scenario"], record["status"]) == ("asked", "complete")
    assert (folder / "report.html").exists()
    assert not any(path.lstat().st_mode & 0o002 for path in folder.rglob("*"))
    assert list(ROOT.glob(".tmp_dagster_home_*")) == []


@pytest.mark.slow
def test_a_run_from_another_users_checkout_keeps_its_history_in_the_state_folder(
    sandbox: Sandbox,
) -> None:
    """Without a DAGSTER_HOME, from a copy of the project that belongs to somebody else."""
    if os.getuid() != 0:
        pytest.skip("only root can give files away")
    project = sandbox.folder / "a colleague's"
    start = "import sys; sys.path.insert(0, {!r}); from perf_pipeline.cli import main; main()"
    copy = ["cp", "-r", "perf_pipeline", "assets", "dagster.yaml", str(project)]
    project.mkdir()
    subprocess.run(copy, cwd=ROOT, check=True)
    subprocess.run(["chown", "-R", "65534:65534", str(project)], check=True)
    del sandbox.environ["DAGSTER_HOME"]
    program = [str(BIN / "python"), "-I", "-B", "-c", start.format(str(project))]
    ran = sandbox.run(*program, "run", sandbox.scenario("asked"), cwd=sandbox.folder)
    assert ran.returncode == 0, ran.stderr
    assert (sandbox.folder / "state/perf_pipeline/dagster/.dagster/storage").is_dir()
    ours = [path for path in project.rglob("*") if path.lstat().st_uid == 0]
    assert [path for path in ours if "__pycache__" not in path.parts] == []
