"""What people see of a run while it goes on, from a folder in which it grows."""

from __future__ import annotations

import io
import json
import sqlite3
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.cli.views import (
    LiveView,
    PlainView,
    SteadyCursor,
    choose_view,
    error_counts,
    laid_out,
    picture,
    plain_line,
    time_left,
)
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.scenario import Phases, Scenario
from perf_pipeline.loadgen.plan.level_plan import LevelPlan, little_endian
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_log import Progress
from perf_pipeline.monitoring.ended_workflows import EndedWorkflows
from perf_pipeline.monitoring.run_progress import REPORT, RunProgress, RunWatch
from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.planned_levels import PlannedLevel, write_planned_levels
from perf_pipeline.samples.record import NOT_STARTED, RECORD, ErrorClass, Outcome
from perf_pipeline.samples.run_folder import INTENDED, RunFolder
from perf_pipeline.samples.slots import Totals

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PLANS = plan_levels(Scenario(name="s", concurrency=(10, 40), level_names=("few", "many")), 1)
PROGRESS = RunProgress(0, 2, "100", 100, "steady", 99, 1400, 0, 331.4, 12.34, 1.5, {}, 100.0, ())


class Growing:
    """A run's folder that grows, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.run = RunFolder(folder / "run")
        self.run.begin("s")
        self.now_s = 1000.0
        self.plan(PLANS)
        self.watch = RunWatch(self.run, lambda: int(self.now_s * 1e9))

    def plan(self, plans: Sequence[LevelPlan]) -> None:
        """Write what the run will play."""
        levels = (PlannedLevel(p.label, p.title, p.concurrency, p.loop, p.phases) for p in plans)
        write_planned_levels(self.run, tuple(levels))

    def level(self, name: str) -> None:
        """Begin a level."""
        (self.run.root / "levels" / name).mkdir()

    def progress(self, label: str, phase: str, elapsed_s: float, *totals: int) -> None:
        """Append to the progress."""
        progress = Progress(label, phase, Totals(*totals), 20.0, elapsed_s)
        with (self.run.root / "progress.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(progress)) + "\n")

    def look(self) -> RunProgress:
        """Look; there is a level."""
        progress = self.watch.look()
        assert progress
        return progress


@pytest.fixture
def growing(tmp_path: Path) -> Growing:
    """A run before its first level."""
    return Growing(tmp_path)


def test_before_the_first_level_nothing_is_shown_of_one(growing: Growing) -> None:
    assert growing.watch.look() is None
    growing.level("00-10")
    assert (growing.look().phase, growing.look().left_s) == ("start", None)


def test_what_was_shown_of_one_level_is_not_shown_of_the_next(growing: Growing) -> None:
    """The folder of a level is made before its first line is written."""
    growing.level("00-10")
    growing.progress("10 (few)", "steady", 12.0, 110, 100, 0)
    assert (growing.look().in_flight, growing.look().wanted) == (10, 10)
    growing.progress("10 (few)", "drain", 30.0, 600, 600, 0)
    growing.level("01-40")
    now = growing.look()
    assert (now.shown, now.wanted, now.phase, now.ended) == ("40 (many)", 40, "start", 0)


def test_half_a_line_is_read_once_it_is_whole(growing: Growing) -> None:
    growing.level("00-10")
    growing.progress("10 (few)", "ramp_up", 1.0, 5, 2, 0)
    file = growing.run.root / "progress.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    assert growing.look().phase == "start"
    file.write_bytes(whole)
    assert growing.look().phase == "ramp_up"


def test_time_left_assumes_the_rate_so_far_for_every_level(growing: Growing) -> None:
    """10/s, from which 30 and 120 workflows of steady phase take 20 (least) and 20 s."""
    growing.level("00-10")
    growing.progress("10 (few)", "warm_up", 6.0, 70, 60, 0)
    one_level_s = 0.2 + 5 + 20 + 5  # ramp-up, warm-up, steady, and what a level takes besides
    assert growing.look().left_s == pytest.approx((one_level_s - 6) + one_level_s)
    growing.progress("10 (few)", "warm_up", 60.0, 70, 60, 0)  # 1/s: turnovers take longer
    second_s = 0.2 + 40 + 120 + 5
    assert growing.look().left_s == pytest.approx(max(0, 0.2 + 10 + 30 + 5 - 60) + second_s)


def test_time_left_knows_that_a_total_ends_the_steady_phase(growing: Growing) -> None:
    """At 10/s, 20 workflows take 2 s of the 20."""
    phases = Phases(total_workflows=20)
    plans = plan_levels(Scenario(name="s", concurrency=(10,), phases=phases), 1)
    growing.plan(plans)
    growing.watch = RunWatch(growing.run, lambda: int(growing.now_s * 1e9))
    growing.level("00-10")
    growing.progress("10", "warm_up", 6.0, 70, 60, 0)
    assert growing.look().left_s == pytest.approx(0.2 + 5 + 2 + 5 - 6)


def test_concerns_are_reported_as_they_appear(growing: Growing) -> None:
    growing.level("00-10")
    growing.progress("10 (few)", "warm_up", 10.0, 110, 100, 0)
    assert growing.look().concerns == ()
    growing.progress("10 (few)", "steady", 31.0, 117, 110, 0)
    few, slow = growing.look().concerns
    assert "7 in flight now, below 95% of 10" in few
    assert "not_steady so far: 10 of 30 workflows" in slow
    growing.now_s += 8
    assert growing.look().concerns[0] == "no progress report for 8 s"


def block(outcome: Outcome, error: ErrorClass, service_s: float) -> bytes:
    """Make one record."""
    return RECORD.pack(1, 0, 0, int(service_s * 1e9), 0, 0, outcome, error, 0)


def test_errors_by_class_and_mean_time_are_read_as_the_journal_grows(tmp_path: Path) -> None:
    """The naive sums are here; an aborted block has no service time, an old one is not recent."""
    ended = EndedWorkflows(tmp_path)
    ended.read()
    assert ended.mean_service_s(0) is None
    journal = JournalWriter(tmp_path / "worker-0.sqlite")
    ok, wrong = (Outcome.OK, ErrorClass.NONE), (Outcome.ERROR, ErrorClass.WRONG_RESULT)
    journal.commit(block(*ok, 1.0) + block(*wrong, 3.0), 2, 0)
    ended.read()
    assert (dict(ended.errors), ended.mean_service_s(0)) == ({"wrong_result": 1}, 2.0)
    journal.commit(block(*ok, 5.0), 1, 6_000_000_000)
    journal.commit(block(Outcome.ABANDONED, ErrorClass.NONE, 99.0), 1, 7_000_000_000)
    ended.read()
    ended.read()
    assert ended.errors["wrong_result"] == 1
    assert ended.mean_service_s(7_000_000_000) == pytest.approx((1 + 3 + 5) / 3)
    assert ended.mean_service_s(12_000_000_000) == 5.0
    journal.close()


def test_a_response_time_holds_the_wait_and_what_was_never_started(tmp_path: Path) -> None:
    """One waited 2 s and took 1 s; one was dropped after 5 s, which is no service time."""
    journal = JournalWriter(tmp_path / "worker-0.sqlite")
    second = 1_000_000_000
    answered = RECORD.pack(1, 0, 2 * second, 3 * second, 0, 0, Outcome.OK, ErrorClass.NONE, 0)
    dropped = RECORD.pack(
        *(2, 0, 5 * second, 5 * second, 0, 0, Outcome.DROPPED, ErrorClass.NONE, NOT_STARTED)
    )
    journal.commit(answered + dropped, 2, 0)
    ended = EndedWorkflows(tmp_path)
    ended.read()
    assert ended.mean_response_s(0) == pytest.approx((3 + 5) / 2)
    assert ended.mean_service_s(0) == pytest.approx(1)
    journal.close()


def test_a_damaged_journal_is_reported_as_unreadable(tmp_path: Path) -> None:
    (tmp_path / "worker-0.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(tmp_path / "worker-0.sqlite").execute("SELECT 1 FROM block")
    ended = EndedWorkflows(tmp_path)
    ended.read()
    assert not ended.is_readable
    assert error_counts(replace(PROGRESS, failed=3, errors=None)).startswith("3 (their classes")


def test_errors_whose_class_is_not_committed_yet_are_counted_all_the_same() -> None:
    assert error_counts(PROGRESS) == "none"
    reported = error_counts(replace(PROGRESS, failed=5, errors={"timeout": 3}))
    assert reported == "5: timeout 3, class not known yet 2"


def test_a_plain_line_has_all_that_is_asked_for() -> None:
    line = " ".join(plain_line(replace(PROGRESS, concerns=("slow",))).split())
    assert line == (
        "100 steady 12.3 s done 1400 in flight 99 of 100 331.4/s failed none "
        "left about 2 min (estimate) concern: slow"
    )
    assert (time_left(None), time_left(80.4)) == ("not known yet", "about 80 s (estimate)")


OPEN = replace(
    PROGRESS, loop="open", wanted=400, offered_per_s=28.0, rate_per_s=25.5, mean_response_s=2.5
)


def test_of_an_open_level_the_rate_achieved_is_beside_the_one_offered() -> None:
    shown = picture(OPEN)
    assert shown["rate"] == "25.5/s achieved of 28.0/s offered; 1400 ended"
    assert shown["in flight"] == "99 of 400 slots"
    assert shown["response time"].startswith("2.5 s")
    assert shown["service time"].startswith("1.5 s")
    assert "25.5/s achieved of 28.0/s offered" in plain_line(OPEN)
    assert "response time" not in picture(PROGRESS)


def test_what_is_offered_is_read_from_the_plan(tmp_path: Path) -> None:
    """20/s evenly spaced: 20 in any second; nothing more is offered after the schedule's end."""
    arrivals = Arrivals("rush", "constant", rate_per_s=20.0, duration_s=10.0, slots=4)
    plans = plan_levels(Scenario(name="s", concurrency=(), arrivals=(arrivals,)), 1)
    growing = Growing(tmp_path)
    growing.plan(plans)
    growing.watch = RunWatch(growing.run, lambda: int(growing.now_s * 1e9))
    growing.level("00-rush")
    intended = growing.run.root / "levels/00-rush" / INTENDED
    intended.write_bytes(little_endian(plans[0].intended_ns))
    growing.progress(plans[0].shown, "steady", 5.0, 100, 90, 0)
    assert growing.look().offered_per_s == pytest.approx(20, abs=1)
    assert growing.look().loop == "open"
    growing.progress(plans[0].shown, "drain", 12.0, 200, 190, 0)
    assert growing.look().offered_per_s == 0


def test_plain_lines_come_at_every_phase_and_every_ten_seconds(
    growing: Growing, capsys: pytest.CaptureFixture[str]
) -> None:
    view = PlainView(growing.watch, as_json=True, clock=lambda: growing.now_s)
    growing.level("00-10")
    for second in range(25):
        growing.progress("10 (few)", "warm_up" if second < 2 else "steady", second, 50, 40, 0)
        growing.now_s += 1
        view.look()
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split()[3] for line in err.splitlines()] == [*("0.0", "2.0", "12.0", "22.0")]


@pytest.mark.parametrize("columns", [20, 40, 200])
def test_hostile_text_is_inert_in_the_picture_at_any_width(columns: int) -> None:
    """Escapes are spelled out, markup is text, nothing is wider than the terminal."""
    file = io.StringIO()
    console = SteadyCursor(file=file, force_terminal=True, width=columns, color_system=None)
    hostile = "\x1b[2J\x1b]0;x\x07[red]y[/red][/nope]"
    rows = {"scenario": "x", **picture(replace(PROGRESS, shown=hostile))}
    console.print(laid_out(rows, replace(PROGRESS, concerns=(hostile,)), "hint"))
    shown = file.getvalue()
    assert "\x1b" not in shown.replace("\x1b[0m", "").replace("\x1b[2m", "")
    assert "\x07" not in shown
    assert max(map(len, shown.splitlines())) <= columns
    assert "[red]y[/red]" in "".join(line[13:].strip() for line in shown.splitlines())


def test_the_cursor_is_never_hidden_and_lines_of_news_are_inert(growing: Growing) -> None:
    file = io.StringIO()
    console = SteadyCursor(file=file, force_terminal=True, width=40, color_system=None)
    with LiveView(growing.watch, title="[red]t", console=console) as view:
        view.notify("\x1b[2J[bold]news[/bold]")
        view.look()
        view.stopping()
    shown = file.getvalue()
    assert "\x1b[?25l" not in shown
    assert "\\x1b[2J[bold]news[/bold]" in shown
    assert "[red]t" in shown
    assert "Ctrl-C again" in shown


def test_plain_lines_wherever_a_picture_cannot_be_drawn_or_is_not_wanted(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    def chosen(**changes: bool) -> str:
        flags: dict[str, Any] = {"plain": False, "as_json": False, "no_color": False, **changes}
        return type(choose_view(growing.watch, title="", **flags)).__name__

    monkeypatch.setenv("TERM", "xterm")
    assert chosen() == "PlainView"
    monkeypatch.setattr("sys.stderr", Screen())
    assert (chosen(), chosen(as_json=True)) == ("LiveView", "LiveView")
    assert (chosen(plain=True), chosen(no_color=True)) == ("PlainView", "PlainView")
    monkeypatch.setenv("TERM", "dumb")
    assert chosen() == "PlainView"


def test_classes_of_errors_are_never_more_than_what_failed(tmp_path: Path) -> None:
    """The count is a second old, the journals are read now: the read that fits is shown."""
    growing = Growing(tmp_path)
    growing.level("00-10")
    (folder,) = (growing.run.root / "levels").glob("*")
    journal = JournalWriter(folder / "worker-0.sqlite")
    wrong = block(Outcome.ERROR, ErrorClass.WRONG_RESULT, 1.0)
    journal.commit(3 * wrong, 3, 0)
    growing.progress("10 (few)", "steady", 12.0, 10, 5, 3)
    assert growing.look().errors == {"wrong_result": 3}
    journal.commit(4 * wrong, 4, 0)
    growing.look()  # reads every second time
    seen = growing.look()
    assert (seen.failed, seen.errors) == (3, {"wrong_result": 3})
    growing.progress("10 (few)", "steady", 14.0, 30, 20, 9)
    assert growing.look().errors == {"wrong_result": 7}
    journal.close()


def test_the_making_of_the_report_is_shown_once(
    growing: Growing, capsys: pytest.CaptureFixture[str]
) -> None:
    reported = replace(PROGRESS, phase=REPORT)

    class Reporting(RunWatch):
        def look(self) -> RunProgress:
            return reported

    watch = Reporting(growing.run)
    view = PlainView(watch, as_json=False, clock=lambda: growing.now_s)
    for _ in range(35):
        growing.now_s += 1
        view.look()
    (line,) = capsys.readouterr().out.splitlines()
    assert line.strip() == "all levels are played; counting the records and writing the report"


def test_the_phase_shows_that_another_load_run_is_waited_for(growing: Growing) -> None:
    """And how long: the servers, which come after it, have their own time."""
    file = io.StringIO()
    console = SteadyCursor(file=file, force_terminal=True, width=100)
    view = LiveView(growing.watch, title="s", console=console, clock=lambda: growing.now_s)
    with view:
        view.notify("waiting for another load run on this host to end: run x, process 1")
        growing.now_s += 40
        view.notify("waiting for another load run on this host to end: run x; waited 30 s so far")
        view.look()
        assert "waiting for another load run, for 40 s" in file.getvalue()
        view.notify("the other load run has ended; going on")
        growing.now_s += 3
        view.look()
        assert "servers and data, for 3 s" in file.getvalue()
