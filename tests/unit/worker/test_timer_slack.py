"""Sleeping threads are woken when they asked to be."""

from __future__ import annotations

import threading

from perf_pipeline.worker.timer_slack import tighten_timers, timer_slack


def test_a_thread_and_those_that_it_starts_have_a_slack_of_one_ns() -> None:
    """In a separate thread, so that the tests after this one keep the default of 50 us."""
    reported: list[str] = []

    def starts_another() -> None:
        tighten_timers()
        child = threading.Thread(target=lambda: reported.append(timer_slack()))
        child.start()
        child.join()
        reported.append(timer_slack())

    thread = threading.Thread(target=starts_another)
    thread.start()
    thread.join()
    assert reported == ["1", "1"]
