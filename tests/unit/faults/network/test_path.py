"""An exchange that ends, one that does not, and one that fails in whatever way."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults.network import path
from perf_pipeline.faults.network.path import Path

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 5.0


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A server that answers once this is set."""
    event = threading.Event()

    @contextmanager
    def session(_service: str, _url: str) -> Iterator[None]:
        yield

    def exchange(_service: str, _opened: object, size_bytes: int) -> None:
        if not size_bytes:
            raise ZeroDivisionError("a defect of a driver")
        event.wait()

    monkeypatch.setattr(path, "open_session", session)
    monkeypatch.setattr(path, "exchange", exchange)
    yield event
    event.set()


def test_who_gives_up_waiting_reads_later_how_long_it_took(answers: threading.Event) -> None:
    found = Path("redis", "redis://", time.monotonic_ns)
    assert found.begin() is None
    assert not found.wait(0.01).is_answered
    assert found.begin() is None  # the same exchange, still
    answers.set()
    assert found.wait(WITHIN_S).is_answered
    found.begin()
    assert found.wait(WITHIN_S).error == ""
    found.close()


def test_an_error_that_nobody_expected_is_not_taken_for_silence(answers: threading.Event) -> None:
    """A thread that died of it would leave an exchange that never ends: a partition, it seems."""
    answers.set()
    found = Path("redis", "redis://", time.monotonic_ns)
    found.begin(0)
    assert found.wait(WITHIN_S).error == "a defect of a driver"
    found.begin()
    assert found.wait(WITHIN_S).is_answered
    found.close()
