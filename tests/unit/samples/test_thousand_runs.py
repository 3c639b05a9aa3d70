"""A results folder with 1,000 runs: what looks for runs takes less than 4 s of CPU time."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.history import read_history
from perf_pipeline.cli.app import call
from perf_pipeline.pruning import prune
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_list import find_run, read_runs
from tests.sandbox import last_object
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RUNS = 1000
MAX_CPU_S = 4.0
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,000 runs, an hour apart; the newest one is whole, the others have no records."""
    folder = tmp_path_factory.mktemp("results")
    newest = write_run(folder, f"{BEGIN + RUNS * timedelta(hours=1):%Y%m%d_%H%M%S}-ffff")
    record = json.loads(newest.status_file.read_bytes())
    files = {path: path.read_text(encoding="utf-8") for path in (newest.manifest, newest.metrics)}
    for hour in range(RUNS):
        at = BEGIN + hour * timedelta(hours=1)
        run = RunFolder(folder / f"{at:%Y%m%d_%H%M%S}-{hour:04x}")
        times = {"started_at": at.isoformat(), "ended_at": at.isoformat()}
        whole = hour == RUNS - 1
        if whole:
            newest.root.rename(run.root)
        else:
            (run.root / "levels").mkdir(parents=True)
        own = {**record, "run_id": run.run_id, **times}
        run.status_file.write_text(json.dumps(own), encoding="utf-8")
        for path, text in files.items():
            content = text.replace(newest.run_id, run.run_id)
            (run.root / path.name).write_text(content, encoding="utf-8")
    return folder


def test_looking_for_runs_among_a_thousand_takes_less_than_four_seconds(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*arguments: str) -> Callable[[], object]:
        def run() -> object:
            assert call([*arguments, "--results", str(results), "--json"]) == 0
            return last_object(capsys.readouterr().out).get("run_id")

        return run

    latest = read_runs(results).folders[-1].run_id
    write = command("report", "latest")
    assert write() == latest  # the first one imports what draws charts
    lookups: dict[str, Callable[[], object]] = {
        "list": lambda: len(read_runs(results).found),
        "find": lambda: find_run(results, "latest").run_id,
        "status": command("status"),
        "records": command("records", "latest"),
        "history": lambda: read_history(results).runs,
        "prune": lambda: len(
            prune(results, timedelta(days=36_500), datetime.now(UTC), dry_run=True).runs
        ),
    }
    found = {}
    for name, look_up in lookups.items():
        began_cpu_s = time.process_time()
        found[name] = look_up()
        assert time.process_time() - began_cpu_s < MAX_CPU_S, name
    assert found["list"] == RUNS
    assert found["find"] == found["records"] == latest
    assert found["history"] == 150  # the newest
    assert found["prune"] == 0
