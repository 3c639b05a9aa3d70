"""The step looks after what a killed injector left, without saying the same again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults import player
from perf_pipeline.faults.fault_journal import journal_folder, new_path, write_fault
from perf_pipeline.faults.player import FaultPlay, play_faults
from perf_pipeline.lifeline import own_stamp
from tests.unit.faults.test_fault_journal import opened

if TYPE_CHECKING:
    from pathlib import Path

SENTENCE = "server_freeze on redis could not be taken back"


@pytest.fixture
def dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FaultPlay:
    """A play whose injector has ended before it did anything."""
    monkeypatch.setattr(player, "_RUN_INJECTOR", "")
    play = play_faults((), {}, tmp_path, 1, state_dir=tmp_path / "state")
    play._process.wait(20)
    return play


def test_what_cannot_be_taken_back_is_tried_once_while_the_level_goes_on_and_once_after_it(
    dead: FaultPlay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The level is looked at every second, and each try may take the server's time-out."""
    monkeypatch.setattr(player, "sweep_own", lambda *_: [SENTENCE])
    assert [dead.look() for _ in range(5)] == [""] * 5
    assert dead.stop() == [SENTENCE] * 2


def test_what_a_guardian_still_takes_back_at_the_end_is_said(
    dead: FaultPlay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs, say; the level's failure may be in effect in the next level."""
    monkeypatch.setattr(player, "_GUARDIAN_S", 0.1)
    assert dead._stamp is not None
    fault = opened(injector=dead._stamp, guardian=own_stamp())
    write_fault(new_path(journal_folder(tmp_path / "state")), fault)
    (sentence,) = dead.stop()
    assert "still takes it back" in sentence
