"""``dagster dev`` in a copy of the project, with no environment: the UI's way to a run."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError

from perf_pipeline.servers.lifecycle.port import is_free
from tests.assets.conftest import Remembered, instance_of, run_config
from tests.integration.runs.traces import some_ports
from tests.sandbox import ROOT, Sandbox, until, write_dagster_yaml

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:Using variable_values:DeprecationWarning"),  # of the client
]

WATCHED_S = 11.0
"""In which a run must be seen at least once, and again when it ends."""


class Dev:
    """A running ``dagster dev``.

    Attributes:
        project: The copy that it runs in; its name has a space.
        client: Asks its web server.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.project = sandbox.folder / "the project"
        for name in ("assets", "perf_pipeline"):
            shutil.copytree(ROOT / name, self.project / name)
        for name in ("dagster.yaml", "pyproject.toml"):
            shutil.copy(ROOT / name, self.project)
        (self.port,) = some_ports()[1:2]
        del sandbox.environ["DAGSTER_HOME"]
        sandbox.environ["PYTHONPATH"] = str(self.project)
        self.process: subprocess.Popen[bytes] = sandbox.start(
            *("dagster", "dev", "--host", "127.0.0.1", "--port", str(self.port)),
            log=sandbox.folder / "dev.out",
            cwd=self.project,
        )
        assert until(lambda: not is_free(self.port), 90), "the web server does not listen"
        self.client = DagsterGraphQLClient("127.0.0.1", port_number=self.port)

    def remembered(self, sandbox: Sandbox, run_id: str) -> Remembered:
        """Return what its history, beside the copied dagster.yaml, holds of a run."""
        home = sandbox.folder / "history"
        home.mkdir()
        write_dagster_yaml(home, history=self.project)
        with instance_of(home) as instance:
            (run,) = instance.get_runs(dg.RunsFilter(run_ids=[run_id]))
            return Remembered(instance, run)

    def status(self, run_id: str) -> str:
        """Return what Dagster calls the run's state."""
        return str(self.client.get_run_status(run_id).value)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """One of this test's own, in which everything ends with it."""
    made = Sandbox(tmp_path)
    yield made
    made.close()


def test_a_run_of_the_ui_shows_progress_and_ends_when_it_is_terminated(sandbox: Sandbox) -> None:
    """Launched and terminated by GraphQL, as the UI does; nothing but the project is needed."""
    dev = Dev(sandbox)
    before = set(sandbox.processes())
    file = sandbox.long_scenario("long", servers=["postgres", "redis"])
    run_id = _launch(dev, run_config(sandbox, file))
    folder = sandbox.wait_until_steady(dev.process, runs_before=0)
    time.sleep(WATCHED_S)
    dev.client.terminate_run(run_id)
    asked_s = time.time()
    ended = until(lambda: dev.status(run_id) == "CANCELED", 10)
    assert ended, dev.status(run_id)
    assert until(lambda: not _load(sandbox, before), 10), _load(sandbox, before)
    assert sandbox.own_record(folder)["status"] == "interrupted"
    assert list(sandbox.temp.glob("perf_pipeline-*")) == []
    run = dev.remembered(sandbox, run_id)
    seen_s = [at_s - asked_s for at_s, _ in run.observed]
    assert any(-WATCHED_S < at_s < 0 for at_s in seen_s), seen_s
    assert seen_s[-1] > 0
    assert run.described.startswith(f"Run {folder.name} is interrupted. Kept: ")
    last = run.observed[-2][1]
    assert (last["level"], last["phase"]) == ("4", "steady")
    assert last["in_flight"] == pytest.approx(4, abs=1)
    assert last["done"] > 0 < last["rate_per_s"]
    assert last["failed"] == 0


def _launch(dev: Dev, config: dict[str, object]) -> str:
    """Launch the job once the code location has been loaded."""
    deadline_s = time.monotonic() + 60
    while True:
        try:
            return dev.client.submit_job_execution("scenario", run_config=config)
        except DagsterGraphQLClientError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.5)


def _load(sandbox: Sandbox, before: set[int]) -> dict[int, str]:
    """Return the processes of the run: those that came after ``dagster dev``.

    Its code server starts a helper of ``multiprocessing`` with its first run, which stays.
    """
    return {
        pid: line
        for pid, line in sandbox.processes().items()
        if pid not in before and "multiprocessing.resource_tracker" not in line
    }
