"""Whoever waits for the host's lock is reported so, again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.errors import GaveUpWaitingError
from perf_pipeline.host.load_lock import GAVE_UP, POLL_S, WAITING, load_lock

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path


class Waiter:
    """A clock that moves as it is slept, and the end of the other run at a time."""

    def __init__(self, lock: AbstractContextManager[None], until_s: float) -> None:
        self.now_s = 1000.0
        self.reported: list[tuple[float, str]] = []
        self._lock, self._until_s = lock, self.now_s + until_s

    def notify(self, text: str) -> None:
        """Note what is printed, and when."""
        self.reported.append((self.now_s - 1000.0, text))

    def sleep(self, length_s: float) -> None:
        """Let time pass; the other run ends when it is time."""
        assert length_s == POLL_S
        self.now_s += length_s
        if self.now_s == self._until_s:
            self._lock.__exit__(None, None, None)

    def clock(self) -> float:
        """Return the time."""
        return self.now_s


def test_a_wait_is_reported_at_once_and_every_30_s_with_the_time_waited(tmp_path: Path) -> None:
    """The other run holds it for 75 s."""
    path = tmp_path / "load.lock"
    lock = load_lock(path, "run other, process 7", lambda _text: None, time.sleep)
    lock.__enter__()
    waiter = Waiter(lock, 75)
    with load_lock(path, "run mine", waiter.notify, waiter.sleep, waiter.clock):
        assert path.read_text() == "run mine"
    line = f"{WAITING} on this host to end: run other, process 7"
    assert waiter.reported == [
        (0.0, line),
        (30.0, f"{line}; waited 30 s so far"),
        (60.0, f"{line}; waited 60 s so far"),
        (75.0, "the other load run has ended; going on"),
    ]
    assert path.read_text() == ""


@pytest.mark.parametrize(("wait_s", "shown"), [(0.0, "0"), (40.0, "40s"), (600.0, "10m")])
def test_a_run_gives_up_when_it_has_waited_long_enough_and_names_the_holder(
    tmp_path: Path, wait_s: float, shown: str
) -> None:
    path = tmp_path / "load.lock"
    lock = load_lock(path, "run other, process 7\x1b[2J", lambda _text: None, time.sleep)
    with lock:
        waiter = Waiter(lock, until_s=1e9)
        mine = load_lock(path, "mine", waiter.notify, waiter.sleep, waiter.clock, wait_s)
        with pytest.raises(GaveUpWaitingError) as given_up, mine:
            pytest.fail("two runs at once")
        assert path.read_text().startswith("run other")
    text = str(given_up.value)
    assert waiter.reported[-1] == (wait_s, text)
    assert text.startswith(f"{GAVE_UP} for another load run on this host, after {shown}: run other")
    assert text.isprintable()
    assert "nothing was started" in text
    assert "--wait" in text


def test_a_free_lock_is_taken_also_by_a_run_that_waits_for_none(tmp_path: Path) -> None:
    with load_lock(tmp_path / "lock", "mine", print, time.sleep, wait_s=0):
        assert (tmp_path / "lock").read_text() == "mine"


def test_another_part_of_the_same_run_goes_on_beside_it(tmp_path: Path) -> None:
    """Two shards on one host: the second does not wait for the first, another run does."""
    path = tmp_path / "load.lock"
    notices: list[str] = []
    with load_lock(path, "run one, process 7", notices.append, time.sleep):
        with load_lock(path, "run one, process 8", notices.append, time.sleep, beside="run one, "):
            assert path.read_text() == "run one, process 7"
        assert notices == []
        with (
            pytest.raises(GaveUpWaitingError),
            load_lock(path, "run two", notices.append, time.sleep, wait_s=0, beside="run two, "),
        ):
            pass
