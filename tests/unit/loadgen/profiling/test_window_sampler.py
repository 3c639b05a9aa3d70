"""Pairs of windows whose sampler saw nothing of a process that computed are taken again."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.profiling import window_sampler
from perf_pipeline.loadgen.profiling.py_spy import PySpy, SamplingError
from perf_pipeline.loadgen.profiling.window_sampler import MAX_BLIND_PAIRS, WindowSampler, is_blind
from perf_pipeline.samples.slots import SlotFile
from perf_pipeline.samples.stacks.raw_stacks import parse_raw_stacks
from perf_pipeline.samples.stacks.window import Window, WindowPair

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

    from perf_pipeline.samples.stacks.raw_stacks import Stack

SEEN = parse_raw_stacks("order (shop.py:13) 12")


class DimSpy(PySpy):
    """Sees nothing the first so many times, while this process computes."""

    blind = 0

    def sample(self, *_: object, **__: object) -> Mapping[Stack, int]:
        end_s = time.process_time() + 0.02
        while time.process_time() < end_s:
            pass
        type(self).blind -= 1
        return SEEN if self.blind < 0 else {}


def sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blind: int) -> WindowSampler:
    monkeypatch.setattr(window_sampler, "WINDOW_S", 0.01)
    monkeypatch.setattr(window_sampler, "BLIND_CPU_SHARE", 0.0)
    monkeypatch.setattr(DimSpy, "blind", blind)
    SlotFile.create(tmp_path / "slots", 1, 5_000_000_000).close()
    spy = DimSpy(tmp_path, "py-spy 0.4", 100, is_native=True)
    sampler = WindowSampler(spy, tmp_path / "slots", tmp_path, wanted=2)
    sampler.begin(os.getpid())
    while not sampler.has_ended:
        time.sleep(0.005)
    return sampler


def test_a_pair_without_a_sample_is_taken_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = sampled(tmp_path, monkeypatch, blind=MAX_BLIND_PAIRS)
    assert sampler.problem is None
    assert [pair.stacks for pair in sampler.pairs] == [SEEN, SEEN]


def test_a_sampler_that_never_sees_anything_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampler = sampled(tmp_path, monkeypatch, blind=MAX_BLIND_PAIRS + 1)
    assert sampler.pairs == []
    assert isinstance(sampler.problem, SamplingError)
    assert f"saw no thread in {MAX_BLIND_PAIRS + 1} windows" in str(sampler.problem)


def test_a_process_that_was_idle_may_be_in_no_sample() -> None:
    idle, busy = (Window(1.0, cpu_s, workflows=5, core_wait_s=0.0) for cpu_s in (0.09, 0.5))
    assert not is_blind(WindowPair(idle, idle, {}))
    assert not is_blind(WindowPair(busy, busy, SEEN))
    assert is_blind(WindowPair(busy, busy, {}))
