"""The leak verdict of a run: the heap decides before resident memory, and doubt stays doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.endurance.leak import judge_leak
from perf_pipeline.analysis.endurance.run_leaks import judge_run
from perf_pipeline.analysis.endurance.signal_series import SignalSeries

if TYPE_CHECKING:
    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict

PROBABILITY = {"leak": 0.9999, "inconclusive": 0.4, "clean": 0.0}


def verdict(name: str, word: str, probability: float | None = None) -> LeakVerdict:
    made = judge_leak(SignalSeries(name, (0.0,), (1.0,)))
    likely = PROBABILITY[word] if probability is None else probability
    return replace(made, verdict=word, leak_probability=likely)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("heap", "malloc", "uss", "rss", "run"),
    [
        ("clean", "clean", "clean", "leak", "clean"),
        ("clean", "clean", "inconclusive", "inconclusive", "clean"),
        ("clean", "clean", "leak", "leak", "inconclusive"),
        ("clean", "inconclusive", "clean", "clean", "inconclusive"),
        ("clean", "leak", "clean", "clean", "leak"),
        ("leak", "clean", "clean", "clean", "leak"),
        ("inconclusive", "clean", "clean", "leak", "inconclusive"),
        ("clean", "clean", "clean", "clean", "clean"),
    ],
)
def test_the_heap_decides_before_resident_memory(
    heap: str, malloc: str, uss: str, rss: str, run: str
) -> None:
    found = [
        verdict("target.heap_blocks", heap),
        verdict("target.malloc_bytes", malloc),
        verdict("target.uss_bytes", uss),
        verdict("target.rss_bytes", rss),
    ]
    assert judge_run(found).verdict == run


@pytest.mark.parametrize(
    ("uss", "run"), [("clean", "clean"), ("inconclusive", "inconclusive"), ("leak", "inconclusive")]
)
def test_native_memory_stays_in_doubt_where_malloc_counts_nothing(uss: str, run: str) -> None:
    found = [verdict("target.heap_blocks", "clean"), verdict("target.uss_bytes", uss)]
    assert judge_run(found).verdict == run


@pytest.mark.parametrize(
    ("kept", "grown", "run"),
    [
        ("leak", (9e6, 12e6), "clean"),
        ("inconclusive", (-1e6, 12e6), "clean"),
        ("leak", (1e6, 2e6), "inconclusive"),
        ("clean", (-1e6, 12e6), "inconclusive"),
    ],
)
def test_memory_that_grows_in_arenas_is_no_leak_and_is_said(
    kept: str, grown: tuple[float, float], run: str
) -> None:
    """Unshared memory grows by 10 to 14 MB an hour: by as much as malloc keeps, or by more."""
    found = [
        verdict("target.heap_blocks", "clean"),
        verdict("target.malloc_bytes", "clean"),
        replace(verdict("target.malloc_free_bytes", kept), interval=grown),
        replace(verdict("target.uss_bytes", "leak"), interval=(10e6, 14e6)),
    ]
    judged = judge_run(found)
    assert judged.verdict == run
    assert len(judged.reasons) == 1
    assert judged.reasons[0].startswith(f"target.uss_bytes is {run}: ")
    assert ("keep what was freed" in judged.reasons[0]) == (run == "clean")


def test_resident_memory_decides_where_nothing_else_is_known() -> None:
    assert judge_run([verdict("target.rss_bytes", "leak")]).verdict == "leak"


def test_a_leak_of_one_signal_in_twenty_needs_less_doubt() -> None:
    others = [verdict(f"server{at}.sessions", "clean") for at in range(19)]
    weak = verdict("target.open_files", "leak", 0.95)
    sure = verdict("target.open_files", "leak", 0.999)
    assert judge_run([weak]).verdict == "leak"
    assert judge_run([*others, weak]).verdict == "inconclusive"
    found = judge_run([*others, sure])
    assert found.verdict == "leak"
    assert found.reasons == (f"target.open_files is leak: {sure.reason}",)


def test_the_load_generator_and_the_data_of_servers_are_not_the_target() -> None:
    clean = verdict("target.threads", "clean")
    for name in ("harness.heap_blocks", "redis.used_memory_bytes", "machine.calibration_s"):
        assert judge_run([clean, verdict(name, "leak")]).verdict == "clean"
    assert judge_run([clean, verdict("postgres.sessions", "leak")]).verdict == "leak"
    assert judge_run([]).verdict == "inconclusive"
