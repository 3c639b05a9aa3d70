"""The leak verdict of a run, over all of its signals.

Of the many signals of a run one is called a leak by chance more often than a single one is, so the
doubt that is allowed is divided among them (Bonferroni). The target's signals decide, and the
sessions that it opens in servers; what else grows in a server is data that the workflows write, and
what grows in the load generator is not the target's: both are shown with their verdicts.

Memory of a process is judged by its heap: what its interpreter has allocated, in blocks, and what
malloc has handed out, in bytes. Resident memory grows in the arenas of malloc as well, where what
was freed stays. So where both are clean and resident memory grows, that is arenas, and no leak, if
what malloc keeps grows as well; else it is memory that native code maps by itself, in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.analysis.endurance.leak import MAX_DOUBT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict, LeakWord

HEAP = ("heap_blocks", "malloc_bytes")
"""Signals of a process's heap, which decide before all others of its memory."""
UNSHARED, RESIDENT = "uss_bytes", "rss_bytes"
"""Signals of its memory as a whole; the first decides before the second."""
ARENAS = "malloc_free_bytes"
"""Signal of what malloc keeps of freed memory: it explains growth, and decides nothing."""
IN_ARENAS = "it grows in the arenas of malloc, which keep what was freed; the heap is clean"
TARGET = "target"
SESSIONS = ("sessions", "connections", "clients")
"""Signals of a server that the target moves."""


@dataclass(frozen=True)
class RunLeaks:
    """Whether a run leaks.

    Attributes:
        verdict: ``leak`` if any signal that decides is one; else ``inconclusive`` if any is in
            doubt, or there is none; else ``clean``.
        reasons: A sentence for each signal that is not clean, and for growth in arenas.
    """

    verdict: LeakWord
    reasons: tuple[str, ...]


def judge_run(found: Sequence[LeakVerdict]) -> RunLeaks:
    """Return the verdict of a run.

    Args:
        found: The verdict of each signal, by its name ``WHO.SIGNAL``.
    """
    count = sum(decides(one.name) for one in found)
    words: list[LeakWord] = []
    reasons = []
    for one, word, why in _decisions(found, count):
        words.append(word)
        if word != "clean" or why == IN_ARENAS:
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
    return (who == TARGET and signal != ARENAS) or signal in SESSIONS


def _decisions(
    found: Sequence[LeakVerdict], count: int
) -> Iterator[tuple[LeakVerdict, LeakWord, str]]:
    """Yield each signal that decides, what it says of the run, and why."""
    by_name = {one.name: one for one in found}
    for one in found:
        if not decides(one.name):
            continue
        who, _, signal = one.name.partition(".")
        word, why = one.verdict, one.reason
        if word == "leak" and not _is_sure(one, count):
            word, why = "inconclusive", f"by itself a leak, among {count} signals in doubt"
        if signal in (UNSHARED, RESIDENT):
            of_process = {
                name: by_name[f"{who}.{name}"]
                for name in (*HEAP, UNSHARED, ARENAS)
                if f"{who}.{name}" in by_name
            }
            decided = _of_whole_memory(one, word, why, signal, of_process)
            if decided is None:
                continue
            word, why = decided
        yield one, word, why


def _of_whole_memory(
    one: LeakVerdict, word: LeakWord, why: str, signal: str, others: dict[str, LeakVerdict]
) -> tuple[LeakWord, str] | None:
    """Return what unshared or resident memory says beside the heap; None for nothing.

    Args:
        one: Its verdict.
        word: What it says by itself, among all signals.
        why: The reason.
        signal: Which of the two it is.
        others: The signals of the same process's memory, by their names without it.
    """
    heap = [others[name].verdict for name in HEAP if name in others]
    if "leak" in heap:
        return None
    if signal == RESIDENT:
        known = [*heap, *(others[name].verdict for name in (UNSHARED,) if name in others)]
        if "leak" in known or any(verdict != "inconclusive" for verdict in known):
            return None  # resident memory adds nothing to what is known of the heap
    elif heap == ["clean"] * len(HEAP):
        if word == "inconclusive":
            return None
        if word == "leak" and _grows_as(others.get(ARENAS), one):
            return "clean", IN_ARENAS
    if word == "leak" and heap:
        return "inconclusive", f"its heap is {heap[-1]}: native memory, or arenas"
    return word, why


def _grows_as(arenas: LeakVerdict | None, memory: LeakVerdict) -> bool:
    """Return whether what malloc keeps may grow by as much as the memory does at least."""
    if arenas is None or arenas.interval is None or memory.interval is None:
        return False
    return arenas.verdict != "clean" and arenas.interval[1] >= memory.interval[0]


def _is_sure(one: LeakVerdict, count: int) -> bool:
    return one.leak_probability is not None and one.leak_probability >= 1.0 - MAX_DOUBT / count
