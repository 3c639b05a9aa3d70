"""A failure is observed while it lasts, and gone only when the state is as before."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.faults.window_play import Watchers
from perf_pipeline.samples.fault_log import FAULTS_FILE
from tests.unit.faults.planted_fault import PlantedFault, play, window_play

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.faults.fault import Place, Sign


def test_a_failure_that_acts_is_valid_and_its_four_times_are_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signs come four times a second; a window of 0.6 s has three of them."""
    record = play(PlantedFault(), tmp_path, monkeypatch)
    times = (record.injecting_ns, record.in_effect_ns, record.undoing_ns, record.gone_ns)
    assert None not in times
    assert list(times) == sorted(times)  # type: ignore[type-var]
    assert len(record.signs) >= 3
    assert record.is_valid
    assert record.reason == ""


def test_a_failure_whose_inject_does_nothing_is_never_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = play(PlantedFault(is_sham=True), tmp_path, monkeypatch)
    assert record.signs != ()
    assert record.in_effect_ns is None
    assert record.evidence_share == 0.0
    assert not record.is_valid


@pytest.mark.parametrize(("at_s", "undone"), [(0.5, 0), (2.0, 1), (60.0, 1)])
def test_what_a_check_opened_is_not_kept_from_workers_that_connect(
    at_s: float, undone: int, tmp_path: Path
) -> None:
    """Unless the failure comes with the load: nothing could be made ready for it otherwise."""
    fault = PlantedFault()
    window = FaultWindow("connection_exhaustion", "", at_s, 1.0)
    window_play(fault, tmp_path, window, ended=threading.Event()).check()
    assert fault.calls == ["preflight", "state"] + ["undo"] * undone


@pytest.mark.parametrize(("at_s", "ready_within_s"), [(0.0, [20.0]), (1.5, [0.0, 4.0])])
def test_a_failure_that_is_only_checked_waits_for_nothing(
    at_s: float, ready_within_s: list[float], tmp_path: Path
) -> None:
    """One that comes with the load has the time before it, another that before its window.

    Preparing is begun 5 s before the window; the level ends at once.
    """
    places: list[Place] = []

    def make(place: Place, _settings: object) -> PlantedFault:
        places.append(place)
        return PlantedFault()

    window = FaultWindow("connection_exhaustion", "", at_s, 0.1)
    one = window_play(None, tmp_path, window, ended=threading.Event(), make=make)
    one.check()
    one.play(time.monotonic_ns())
    assert [place.ready_within_s for place in places] == ready_within_s


def test_an_observation_that_takes_time_holds_from_its_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A delay of 80 ms is seen 80 ms late, which would be 4 % of a window of 2 s."""

    class Slow(PlantedFault):
        def sign(self) -> Sign:
            time.sleep(0.3)
            return super().sign()

    record = play(Slow(), tmp_path, monkeypatch)
    assert record.in_effect_ns is not None
    assert record.injecting_ns is not None
    assert 0 <= record.in_effect_ns - record.injecting_ns < 0.3e9
    assert record.signs[0].at_ns == record.in_effect_ns


@pytest.mark.parametrize("is_possible", [True, False])
def test_a_refused_failure_is_not_injected_and_says_why_and_whether_it_ever_can_be(
    is_possible: bool,  # noqa: FBT001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fault = PlantedFault(refusal="no room here", is_possible=is_possible)
    record = play(fault, tmp_path, monkeypatch)
    assert record.is_possible == is_possible
    assert "inject" not in fault.calls
    assert record.reason == "no room here"
    assert not record.is_valid


def test_a_log_that_cannot_be_written_keeps_no_failure_in_effect(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its injection on, as on a full disk: it is undone, and proven by nothing."""
    log, kept = tmp_path / FAULTS_FILE, tmp_path / "kept"

    class OnFullDisk(PlantedFault):
        def inject(self) -> None:
            super().inject()
            log.rename(kept)
            log.mkdir()

        def undo(self) -> None:
            super().undo()
            if kept.exists():
                log.rmdir()
                kept.rename(log)

    fault = OnFullDisk()
    record = play(fault, tmp_path, monkeypatch)
    assert not fault.acts
    assert record.gone_ns is not None
    assert not record.is_valid


@pytest.mark.parametrize("call", ["inject", "sign"])
def test_what_fails_after_it_was_injected_is_undone_with_the_error_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    fault = PlantedFault()
    fault.raises_at = call
    record = play(fault, tmp_path, monkeypatch)
    assert f"{call} went wrong" in record.reason
    assert "undo" in fault.calls[fault.calls.index(call) :]
    assert not record.is_valid


def test_a_state_that_does_not_come_back_is_named_and_the_failure_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Undo returned without an error; the difference shows that it did not do its work."""
    closed: list[int] = []
    watchers = Watchers(lambda _number, _fault, _folder: None, closed.append)
    record = play(PlantedFault(leaves="64kb"), tmp_path, monkeypatch, watchers=watchers)
    assert "setting was '' and is '64kb'" in record.reason
    assert record.gone_ns is None
    assert closed == []


def test_the_watchers_know_of_a_failure_before_it_is_injected_and_until_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = PlantedFault()
    calls: list[tuple[str, bool]] = []
    watchers = Watchers(
        lambda _number, _fault, _folder: calls.append(("opened", "inject" in fault.calls)),
        lambda _number: calls.append(("closed", fault.acts)),
    )
    play(fault, tmp_path, monkeypatch, watchers=watchers)
    assert calls == [("opened", False), ("closed", False)]


def test_a_level_that_ends_takes_its_failures_back_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends 0.2 s into a window of a minute."""
    fault = PlantedFault()
    record = play(fault, tmp_path, monkeypatch, duration_s=60.0, end_after_s=0.2)
    assert record.gone_ns is not None
    assert record.injecting_ns is not None
    assert record.gone_ns - record.injecting_ns < 5e9
    assert not record.is_valid


def test_the_files_of_a_failure_are_removed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(PlantedFault(), tmp_path, monkeypatch)
    assert list(tmp_path.glob("fault-*")) == []
