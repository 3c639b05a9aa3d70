"""Results folders that came from somebody else: names and links in them lead nowhere outside."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.clearing import clear
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import RunFolderError, ScenarioError
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.report.run.files import write_files
from perf_pipeline.run import Run
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.run_folder import RunFolder, write_json
from perf_pipeline.samples.run_list import find_run, list_runs, read_runs
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings

RUN = "20260114_093012-4f2c"
FOREIGN = "20260114_093012-ffff"


def change(path: Path, *keys: Any, value: object) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    inner = document
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path.write_text(json.dumps(document), encoding="utf-8")


def settings_in(folder: Path) -> Settings:
    return replace(
        current_settings(),
        results_dir=folder / "results",
        state_dir=folder / "state",
        temp_dir=folder / "tmp",
        lock_path=folder / "load.lock",
    )


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("manifest", "scenario"), "../../victim/pwn"),
        (("manifest", "scenario"), "/victim"),
        (("manifest", "run_id"), "../x"),
        (("run_id",), "*"),
        (("levels", 0, "label"), "../../../victim/pwn"),
        (("levels", 0, "label"), "a\0b"),
    ],
)
def test_a_hostile_name_in_the_metrics_is_refused_before_anything_is_written(
    tmp_path: Path, keys: tuple[Any, ...], value: str
) -> None:
    results = tmp_path / "inner" / "results"
    run = write_run(results, RUN)
    change(run.metrics, *keys, value=value)
    before = files_of(tmp_path)
    with pytest.raises(RunFolderError, match=r"metrics\.json was not written by perf_pipeline"):
        write_files(run, metrics_of(run))
    assert files_of(tmp_path) == before


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("scenario",), "../../victim/pwn"),
        (("arms",), ["../x"]),
        (("level_titles",), {"../x": "y"}),
        (("plan_hashes",), {"00-../x": "y"}),
    ],
)
def test_a_hostile_name_in_the_manifest_is_refused(
    tmp_path: Path, keys: tuple[str, ...], value: object
) -> None:
    run = write_run(tmp_path, RUN, measured=False)
    change(run.manifest, *keys, value=value)
    with pytest.raises(RunFolderError, match=r"manifest\.json was not written by perf_pipeline"):
        read_manifest(run)


def test_a_hostile_name_in_the_log_of_a_level_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path, RUN, measured=False)
    change(run.level_folders()[0] / "level.json", "plan", "label", value="../x")
    with pytest.raises(RunFolderError, match=r'levels was not written.*"../x" is not a level name'):
        metrics_of(run)


def test_a_folder_whose_name_is_a_pattern_is_no_run_and_is_named(tmp_path: Path) -> None:
    write_run(tmp_path, RUN)
    for name in ("*", "-rf", ".run", "\x1b]0;x\x07", "r\u0443n"):
        (tmp_path / name).mkdir()
        write_json(
            tmp_path / name / "run.json", json.loads((tmp_path / RUN / "run.json").read_bytes())
        )
    assert [run.run_id for run in list_runs(tmp_path)] == [RUN]
    found, problems = (runs := read_runs(tmp_path)).found, runs.passed_over
    assert len(found) == 1
    assert len(problems) == 5
    assert any('"*" is not a run id' in problem for problem in problems)
    assert all(problem.isprintable() for problem in problems)
    with pytest.raises(RunFolderError, match="not a run id"):
        RunFolder(tmp_path / "*")
    with pytest.raises(RunFolderError, match="not a run id"):
        find_run(tmp_path, "*")


def test_clearing_a_run_called_star_touches_no_scratch_folder_of_another(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    others = settings.temp_dir / f"perf_pipeline-files-{RUN}-abcd1234"
    others.mkdir(parents=True)
    for name in ("*", RUN[:15]):
        folder = settings.results_dir / name
        folder.mkdir(parents=True)
        record = {
            "run_id": name,
            "scenario": "simulated",
            "status": "running",
            "process": own_stamp()._replace(start_ticks=1),
            "started_at": "2026-01-14T09:30:12+00:00",
        }
        write_json(folder / "run.json", record)
    assert f"run {RUN[:15]} was killed" in "\n".join(clear(settings))
    assert others.is_dir()


def test_a_copied_or_foreign_run_never_replaces_result_files_of_another(tmp_path: Path) -> None:
    """Its id may begin with the same second; and the metrics inside a copy have the first id."""
    mine = write_run(tmp_path, RUN)
    write_files(mine, read_metrics(mine))
    before = {path: path.read_bytes() for path in tmp_path.glob("*.json")}
    assert len(before) == 2
    mine.root.rename(tmp_path / FOREIGN)
    copy = RunFolder(tmp_path / FOREIGN)
    metrics = metrics_of(copy)
    assert metrics.run_id == FOREIGN
    write_files(copy, metrics)
    assert {path: path.read_bytes() for path in before} == before
    added = {path.name for path in tmp_path.glob("*.json")} - {path.name for path in before}
    assert added == {f"simulated_10_{FOREIGN}.json", f"simulated_{FOREIGN}.json"}


def test_links_in_a_results_folder_are_not_followed(tmp_path: Path) -> None:
    elsewhere = write_run(tmp_path / "elsewhere", RUN)
    results = tmp_path / "results"
    results.mkdir()
    (results / "linked").symlink_to(elsewhere.root)
    assert list_runs(results) == []
    with pytest.raises(RunFolderError, match="symbolic link: name the folder"):
        find_run(results, "linked")

    run = write_run(results, FOREIGN)
    level = run.level_folders()[0]
    level.rename(tmp_path / "level")
    level.symlink_to(tmp_path / "level")
    with pytest.raises(RunFolderError, match="symbolic link"):
        run.level_folders()

    run = write_run(results, "r-3", measured=False)
    journal = next(run.level_folders()[0].glob("*.sqlite"))
    journal.rename(tmp_path / "journal")
    journal.symlink_to(tmp_path / "journal")
    with pytest.raises(RunFolderError, match="not a journal: it is a link"):
        metrics_of(run)

    (results / "r-3" / "run.json").unlink()
    (results / "r-3" / "run.json").symlink_to(elsewhere.status_file)
    with pytest.raises(RunFolderError, match="symbolic link"):
        run.read_status()


@pytest.mark.parametrize("run_id", ["../x", "*", "a/b", "-x", "x" * 58])
def test_a_run_is_not_prepared_under_a_hostile_id(tmp_path: Path, run_id: str) -> None:
    scenario = open_scenario("baseline", read_machine_limits())
    with pytest.raises(ScenarioError, match="is not a run id"):
        Run(scenario, settings_in(tmp_path), run_id=run_id)
    with pytest.raises(ScenarioError, match="is not a scenario name"):
        Run(replace(scenario, name="../x"), settings_in(tmp_path))
