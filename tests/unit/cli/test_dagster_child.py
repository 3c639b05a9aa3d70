"""The child process as the command line watches it."""

from __future__ import annotations

import os
import signal
import time
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.cli import dagster_child
from perf_pipeline.cli.app import call
from perf_pipeline.cli.dagster_child import (
    DagsterChild,
    ab_job,
    capacity_job,
    load_job,
    sharded_job,
)
from perf_pipeline.cli.interruptions import Interruptions
from perf_pipeline.cli.views import PlainView
from perf_pipeline.cli.waiting_dagster import FOLLOW_ORDERS, WaitingDagster
from perf_pipeline.config.flags.ab_flags import AbFlags
from perf_pipeline.config.flags.capacity_flags import CapacityFlags
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.loadgen.checked_run import CheckedRun, read_checked_run
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

SAYS_TWO_LINES = """
import sys, json
config = json.load(open(sys.argv[-1]))["resources"]["load_run_resource"]["config"]
print("perf_pipeline: scenario", config["scenario"])
print("noise")
sys.stdout.write("perf_pipeline: sp"); sys.stdout.flush()
import time; time.sleep(0.5)
print("lit", config["concurrency"])
sys.exit(7)
"""
STOPS_AT_THE_FIRST_ORDER = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: sys.exit(5))
print("perf_pipeline: ready", flush=True)
time.sleep(60)
"""
STOPS_ITSELF_ONLY_WHEN_KILLED = """
import signal, time
for one in (signal.SIGINT, signal.SIGTERM):
    signal.signal(one, signal.SIG_IGN)
print("perf_pipeline: ready", flush=True)
time.sleep(60)
"""


class Heard(PlainView):
    """Tells a child's test instead of people."""

    def __init__(self, child: Child) -> None:
        self._child = child

    def notify(self, text: str) -> None:
        self._child.hear(text)

    def look(self) -> None:
        """There is no run folder to look at."""


class Child(DagsterChild):
    """Runs a Python program in Dagster's place."""

    def __init__(self, program: str, folder: Path, results: Path | None = None) -> None:
        self.reported: list[str] = []
        self.noted = Interruptions()
        self.stop_when_asked = False
        self.pid = 0
        overrides = Overrides(concurrency=(1, 2))
        checked = CheckedRun("run", Scenario("baseline"), {}, results)
        job = load_job("baseline", overrides, RunFolder(folder / "run"))
        super().__init__(job, Heard(self), checked, os.environ)
        self._program = program

    def hear(self, text: str) -> None:
        """Note the line, and ask it to stop if it is to be stopped."""
        self.reported.append(text)
        if self.stop_when_asked:
            self.noted.note(signal.SIGINT)

    def _waiting(self) -> WaitingDagster:
        waiting = WaitingDagster(FOLLOW_ORDERS + self._program)
        self.pid = waiting.process.pid
        return waiting


def requests_far_apart() -> Interruptions:
    """Return requests of which each counts: by their clock they are a second apart."""
    seconds = count()
    return Interruptions(lambda: float(next(seconds)))


def test_notices_of_the_child_are_shown_line_by_line(tmp_path: Path) -> None:
    """It reads its configuration; a line that comes in two pieces is reported once."""
    child = Child(SAYS_TWO_LINES, tmp_path)
    child.run(child.noted)
    assert child.reported == ["scenario baseline", "split [1, 2]"]
    assert child.log.splitlines()[1] == "noise"
    assert (child.code, child.failure) == (7, None)


@pytest.mark.parametrize("has_begun", [True, False])
def test_the_command_that_watches_a_job_logs_orders_and_end(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    has_begun: bool,  # noqa: FBT001
) -> None:
    """In the run's log, or in that of processes without a run if the run never began."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    if has_begun:
        RunFolder(tmp_path / "run").begin("baseline")
    child = Child(STOPS_AT_THE_FIRST_ORDER, tmp_path, results=tmp_path)
    child.stop_when_asked = True
    child.run(child.noted)

    assert call(["logs", "run" if has_begun else "none", "--results", str(tmp_path)]) == 0
    lines = [line.split(None, 3)[2:] for line in capsys.readouterr().out.splitlines()]
    assert [process for process, _ in lines] == ["command"] * 3
    assert [text.partition(":")[0] for _, text in lines] == [
        f"the job baseline is executed by process {child.pid}",
        "the job was asked to end",
        "the job ended with 5",
    ]


def test_a_child_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dagster_child, "STOP_GRACE_S", 0.3)
    child = Child(STOPS_ITSELF_ONLY_WHEN_KILLED, tmp_path)
    child.stop_when_asked = True
    child.run(child.noted)
    assert child.code == -signal.SIGKILL
    assert child.reported[0] == "ready"
    assert child.reported[1].startswith("interrupted:")


def test_a_second_request_kills_a_child_that_does_not_heed_the_first(tmp_path: Path) -> None:
    """At once: the next order in line would be due after 22 s."""
    child = Child(STOPS_ITSELF_ONLY_WHEN_KILLED, tmp_path)
    child.stop_when_asked = True
    child.noted = requests_far_apart()
    began_s = time.monotonic()
    child.run(child.noted)
    assert (child.noted.times, child.code) == (2, -signal.SIGKILL)
    assert time.monotonic() - began_s < dagster_child.STOP_GRACE_S / 2


def test_a_second_request_is_heeded_also_when_the_command_itself_has_failed(
    tmp_path: Path,
) -> None:
    """The view fails while the child runs; the child is stopped in order, or at once."""
    child = Child(STOPS_ITSELF_ONLY_WHEN_KILLED, tmp_path)

    def fail() -> None:
        raise OSError("no space left on device")

    child._view.look = fail  # type: ignore[method-assign]
    child.noted = requests_far_apart()
    for _ in range(2):
        child.noted.note(signal.SIGINT)
    began_s = time.monotonic()
    with pytest.raises(OSError, match="no space"):
        child.run(child.noted)
    assert time.monotonic() - began_s < dagster_child.STOP_GRACE_S / 2


def test_the_child_is_handed_what_was_checked(tmp_path: Path) -> None:
    """Through a file without a name, which it opens by its descriptor."""
    copied = tmp_path / "copied"
    program = (
        "import os, pathlib; "
        f"pathlib.Path({str(copied)!r}).write_bytes("
        "pathlib.Path(os.environ['PERF_PIPELINE_CHECKED_RUN']).read_bytes())"
    )
    child = Child(program, tmp_path)
    child.run(child.noted)
    assert child.code == 0
    assert read_checked_run(copied) == CheckedRun("run", Scenario("baseline"), {})


def test_a_process_without_orders_ends_by_itself(tmp_path: Path) -> None:
    """Also where nobody closes it: the end of the pipe is the end of its wait."""
    ran = tmp_path / "ran"
    waiting = WaitingDagster(f"{FOLLOW_ORDERS}\nopen({str(ran)!r}, 'w')")
    waiting._stop_ordering()
    assert waiting.process.wait(timeout=20) == 0
    waiting.close()
    assert not ran.exists()


def test_a_process_that_fails_before_its_orders_is_seen_to_fail(tmp_path: Path) -> None:
    child = Child("", tmp_path)
    child._waiting = lambda: WaitingDagster("raise SystemExit('broken installation')")  # type: ignore[method-assign]
    child.run(child.noted)
    assert child.code == 1
    assert child.log.splitlines() == ["broken installation"]


def test_a_target_is_handed_on_in_the_fields_of_the_launchpad_and_a_gate_with_it(
    tmp_path: Path,
) -> None:
    """The launchpad knows the names of targets, and refuses others before it launches."""
    overrides = Overrides(target="kailash==2.19.0+pandas")
    job = load_job("baseline", overrides, RunFolder(tmp_path / "run"), wait="5m", gate="goal")
    assert job.name == "baseline"
    assert job.config["resources"]["load_run_resource"]["config"] == {
        "scenario": "baseline",
        "run_id": "run",
        "results_dir": str(tmp_path),
        "wait": "5m",
        "target": "kailash",
        "target_version": "2.19.0",
        "target_packages": ["pandas"],
        "gate": "goal",
    }


def test_containers_of_shards_get_what_the_scenario_passes_by_name(tmp_path: Path) -> None:
    """The values are those of each host."""
    where = (RunFolder(tmp_path / "run"), ["gen-a", "gen-b"])
    options: dict[str, Any] = {"is_elsewhere": True, "passed": ("SHOP_TOKEN",)}
    job = sharded_job("baseline", Overrides(), *where, image="own:1", **options)
    assert job.name == "sharded_load_celery_docker"
    containers = job.config["execution"]["config"]["docker"]
    assert containers == {"image": "own:1", "env_vars": ["SHOP_TOKEN"]}


def test_a_search_is_a_job_with_its_own_fields(tmp_path: Path) -> None:
    asked = CapacityFlags(of="rate", max_load=40)
    job = capacity_job("baseline", Overrides(), asked, RunFolder(tmp_path / "run"))
    config = job.config["ops"]["found_capacity"]["config"]
    assert (job.name, config["of"], config["max_load"]) == ("capacity", "rate", 40)
    assert "start" not in config


def test_an_interleaved_comparison_is_a_job_with_the_arms_in_its_fields(tmp_path: Path) -> None:
    asked = AbFlags(b="kailash+pandas", a_settings=("enable_monitoring=true",), budget_s=600)
    job = ab_job("baseline", Overrides(concurrency=(10,)), asked, RunFolder(tmp_path / "run"))
    config = job.config["ops"]["ab_comparison"]["config"]
    assert (job.name, config["b"], config["budget_s"]) == ("ab", "kailash+pandas", 600)
    assert (config["a_settings"], config["concurrency"]) == (("enable_monitoring=true",), (10,))
    assert "a" not in config
