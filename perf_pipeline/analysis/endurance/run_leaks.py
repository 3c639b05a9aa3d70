"""The leak verdict of a run, over all of its signals.

Of the many signals of a run one is called a leak by chance more often than a single one is, so the
doubt that is allowed is divided among them (Bonferroni). The target's signals decide, and the
sessions that it opens in servers; what else grows in a server is data that the workflows write, and
what grows in the load generator is not the target's: both are shown with their verdicts.

Memory of a process is judged by its heap: resident memory grows in an allocator's arenas as well,
and what was freed stays in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.analysis.endurance.leak import MAX_DOUBT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict, LeakWord

MEMORY = ("heap_blocks", "uss_bytes", "rss_bytes")
"""Signals of a process's memory; each decides before those after it."""
TARGET = "target"
SESSIONS = ("sessions", "connections", "clients")
"""Signals of a server that the target moves."""


@dataclass(frozen=True)
class RunLeaks:
    """Whether a run leaks.

    Attributes:
        verdict: ``leak`` if any signal that decides is one; else ``inconclusive`` if any is in
            doubt, or there is none; else ``clean``.
        reasons: A sentence for each signal that is not clean.
    """

    verdict: LeakWord
    reasons: tuple[str, ...]


def judge_run(found: Sequence[LeakVerdict]) -> RunLeaks:
    """Return the verdict of a run.

    Args:
        found: The verdict of each signal, by its name ``WHO.SIGNAL``.
    """
    judged = [one for one in found if decides(one.name)]
    words: list[LeakWord] = []
    reasons = []
    for one, word, why in _decisions(judged):
        words.append(word)
        if word != "clean":
            reasons.append(f"{one.name} is {word}: {why}")
    verdict: LeakWord = "clean"
    if "leak" in words:
        verdict = "leak"
    elif "inconclusive" in words or not words:
        verdict = "inconclusive"
    return RunLeaks(verdict, tuple(reasons))


def decides(name: str) -> bool:
    """Return whether a signal, ``WHO.SIGNAL``, may decide the verdict of a run."""
    who, _, signal = name.partition(".")
    return who == TARGET or signal in SESSIONS


def _decisions(
    judged: Sequence[LeakVerdict],
) -> Iterator[tuple[LeakVerdict, LeakWord, str]]:
    """Yield each signal that decides, what it says of the run, and why."""
    by_name = {one.name: one for one in judged}
    for one in judged:
        who, _, signal = one.name.partition(".")
        word, why = one.verdict, one.reason
        if word == "leak" and not _is_sure(one, len(judged)):
            word, why = "inconclusive", f"by itself a leak, among {len(judged)} signals in doubt"
        if signal in MEMORY:
            before = [
                by_name[name].verdict
                for other in MEMORY[: MEMORY.index(signal)]
                if (name := f"{who}.{other}") in by_name
            ]
            decided = [verdict for verdict in before if verdict != "inconclusive"]
            if signal == MEMORY[-1] and decided:
                continue  # resident memory adds nothing to what is known of the heap
            if "leak" in before or (word == "inconclusive" and "clean" in before):
                continue
            if word == "leak" and before:
                word, why = "inconclusive", f"its heap is {before[0]}: native memory, or arenas"
        yield one, word, why


def _is_sure(one: LeakVerdict, count: int) -> bool:
    return one.leak_probability is not None and one.leak_probability >= 1.0 - MAX_DOUBT / count
