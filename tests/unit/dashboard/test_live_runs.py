"""What the dashboard shows of a run that goes on, from a folder in which it grows."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.dashboard.live_runs import SILENT_S, LiveRuns
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.samples.planned_levels import PlannedLevel, write_planned_levels
from perf_pipeline.samples.run_folder import RunFolder
from tests.unit.dashboard.conftest import write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.dashboard.live_runs import LiveRun


def begin(results: Path, name: str = "20260114_093012-4f2c") -> RunFolder:
    """Begin a run of two levels whose process is this one."""
    results.mkdir(exist_ok=True)
    run = RunFolder(results / name)
    run.begin("shop")
    plans = plan_levels(Scenario(name="shop", concurrency=(10, 40)), 1)
    levels = (PlannedLevel(p.label, p.title, p.concurrency, p.loop, p.phases) for p in plans)
    write_planned_levels(run, tuple(levels))
    (run.root / "levels/00-10").mkdir(parents=True)
    return run


def say(run: RunFolder, ended: int, failed: int = 0, **more: Any) -> None:
    line = {
        "label": "10",
        "phase": "steady",
        "totals": {"started": ended + 9, "ended": ended, "failed": failed},
        "rate_per_s": 331.4,
        "elapsed_s": 12.0,
        **more,
    }
    with (run.root / "progress.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def shown(run: LiveRun) -> dict[str, str]:
    return {fact.term: fact.cell.text for fact in run.facts}


def test_a_run_moves_from_look_to_look_and_leaves_when_it_ends(tmp_path: Path) -> None:
    live = LiveRuns(time.time)
    assert live.look([tmp_path]) == ()
    run = begin(tmp_path)
    say(run, 1400)
    (found,) = live.look([tmp_path])
    assert (found.scenario, found.stage) == ("shop", "level 10, 1 of 2: steady")
    assert (shown(found)["In flight"], shown(found)["Failed"]) == ("9", "0")
    say(run, 2800, failed=7)
    (found,) = live.look([tmp_path])
    assert {"Ended": "331/s", "Failed": "7"}.items() <= shown(found).items()
    assert [fact.cell.note for fact in found.facts if fact.term == "Failed"] == ["0.250 % of those"]
    run.end("complete")
    assert live.look([tmp_path]) == ()


def test_the_doubt_about_a_level_is_shown_while_it_goes_on(tmp_path: Path) -> None:
    run = begin(tmp_path)
    say(run, 100, totals={"started": 103, "ended": 100, "failed": 0})
    (found,) = LiveRuns(time.time).look([tmp_path])
    assert any("not_steady" in one for one in found.concerns)


def test_a_run_whose_process_is_not_seen_goes_on_while_its_files_change(tmp_path: Path) -> None:
    """Such as one in another container; one of last year is over, whatever its record says."""
    run = write_run(tmp_path, 1, status="running")
    (run / "progress.jsonl").touch()
    now_s = time.time()
    (found,) = LiveRuns(lambda: now_s).look([tmp_path])
    assert "may still run" in found.concerns[0]
    for file in ("progress.jsonl", "run.json"):
        os.utime(run / file, (now_s, now_s - SILENT_S - 1))
    assert LiveRuns(lambda: now_s).look([tmp_path]) == ()


@pytest.mark.parametrize("line", ["{", "[]", '{"label": "10"}', "\x00"])
def test_progress_that_cannot_be_read_is_named_and_hides_no_other_run(
    tmp_path: Path, line: str
) -> None:
    odd = begin(tmp_path, "20260114_093013-0000")
    (odd.root / "progress.jsonl").write_text(line + "\n", encoding="utf-8")
    say(begin(tmp_path), 5)
    found = LiveRuns(time.time).look([tmp_path])
    assert len(found) == 2
    assert sum("progress cannot be read" in "".join(one.concerns) for one in found) == 1


def test_a_pipe_or_a_link_in_the_place_of_progress_is_not_opened(tmp_path: Path) -> None:
    piped, linked = (begin(tmp_path, f"20260114_093013-000{n}") for n in range(2))
    os.mkfifo(piped.root / "progress.jsonl")
    (linked.root / "progress.jsonl").symlink_to("/dev/zero")
    for one in LiveRuns(time.time).look([tmp_path]):
        assert "no regular file" in one.concerns[0]
