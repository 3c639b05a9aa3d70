"""The search for the greatest load that meets its objectives: which load is tried next.

Loads grow by a factor until one does not meet, then the gap between the greatest that met and
the least that did not is halved (in ratio), until it is narrow. The search is a value: it knows
the steps so far and names the next one, and whoever plays a step tells it the answer.

A step that neither meets nor misses (its interval holds the limit, it was not steady, or it was
no measurement) is played once more and longer; if it still does not say, it counts as not
meeting, with its reason, and never as missing. So the greatest load that met is one whose whole
interval keeps the limits, and the true capacity lies between it and the least that missed; steps
that are left then bring that one nearer, as long as all that is between them is unclear.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.scenario.capacity_question import Space


NEAR_ABOVE = 1.05
"""A load that missed is near enough to one that is unclear."""

StepVerdict = Literal["met", "missed", "unclear", "not_steady", "not_measured"]


@dataclass(frozen=True)
class Answer:
    """What playing a load showed.

    Attributes:
        word: ``met`` or ``missed``, or why it is neither.
        why: A sentence; empty when met.
        ceiling: A load that by this step will be too much, and is tried before the middle; None
            if none is known.
    """

    word: StepVerdict
    why: str = ""
    ceiling: float | None = None

    @property
    def decides(self) -> bool:
        """True when playing it longer would tell nothing new."""
        return self.word in ("met", "missed")


@dataclass(frozen=True)
class Ask:
    """What is to be played next.

    Attributes:
        load: Workflows in flight, or arrivals a second.
        longer: True when it was played already and did not decide.
    """

    load: float
    longer: bool = False


@dataclass(frozen=True)
class Step:
    """One load that was tried.

    Attributes:
        load: Workflows in flight, or arrivals a second.
        answers: One, or two when the first did not decide; the last one counts.
    """

    load: float
    answers: tuple[Answer, ...]

    @property
    def answer(self) -> Answer:
        """The answer that counts."""
        return self.answers[-1]

    @property
    def met(self) -> bool:
        """True when it kept every objective."""
        return self.answer.word == "met"


@dataclass(frozen=True)
class CapacitySearch:
    """A search, as far as it has come.

    Attributes:
        space: What may be tried.
        steps: What was, in its order.
    """

    space: Space
    steps: tuple[Step, ...] = ()

    @property
    def last_good(self) -> float | None:
        """The greatest load that met, below every load that did not; None without any."""
        bad = self.first_bad
        return max((s.load for s in self.steps if s.met and _below(s.load, bad)), default=None)

    @property
    def first_bad(self) -> float | None:
        """The least load that did not meet, for whatever reason; None without any."""
        return min((step.load for step in self.steps if not step.met), default=None)

    @property
    def first_missed(self) -> float | None:
        """The least load that missed, so that the capacity is certainly below; None without any."""
        missed = (step.load for step in self.steps if step.answer.word == "missed")
        return min(missed, default=None)

    @property
    def is_narrow(self) -> bool:
        """True when the greatest that met and the least that did not are near enough."""
        good, bad = self.last_good, self.first_bad
        if good is None or bad is None:
            return False
        nearest = max(good * self.space.resolution, 1.0 if self.space.whole else 0.0)
        return bad - good <= nearest * (1 + 1e-9)

    def next(self) -> Ask | None:
        """Return what to play next; None when the search has ended."""
        if self.steps and len(self.steps[-1].answers) == 1 and not self.steps[-1].answer.decides:
            return Ask(self.steps[-1].load, longer=True)
        if len(self.steps) >= self.space.most_steps:
            return None
        load = self._above_doubt() if self.is_narrow else self._next_load()
        return None if load is None else Ask(load)

    def with_answer(self, ask: Ask, answer: Answer) -> CapacitySearch:
        """Return the search with one more answer."""
        if ask.longer:
            last = self.steps[-1]
            steps = (*self.steps[:-1], Step(last.load, (*last.answers, answer)))
        else:
            steps = (*self.steps, Step(ask.load, (answer,)))
        return replace(self, steps=steps)

    def _next_load(self) -> float | None:
        space, good, bad = self.space, self.last_good, self.first_bad
        if good is None and bad is None:
            return space.start
        if bad is None:
            assert good is not None
            return None if good >= space.most else min(space.most, self._tidy(good * space.growth))
        if good is None:
            return None if bad <= space.least else max(space.least, self._lower(bad))
        between = math.sqrt(good * bad)
        ceilings = [s.answer.ceiling for s in self.steps if s.answer.ceiling is not None]
        ceiling = min(ceilings, default=math.inf)
        if good * (1 + space.resolution) < ceiling < between:
            between = ceiling
        if not space.whole:
            return self._tidy(between)
        return float(min(max(round(between), good + 1), bad - 1))

    def _above_doubt(self) -> float | None:
        """Return a load between the greatest that is unclear and the least that missed."""
        missed = self.first_missed
        doubtful = [step for step in self.steps if missed is None or step.load < missed]
        last = max(doubtful, key=lambda step: step.load)
        if last.answer.word != "unclear" or last.load >= self.space.most:
            return None
        if missed is None:
            return min(self.space.most, self._tidy(last.load * self.space.growth))
        if missed - last.load <= max(last.load * (NEAR_ABOVE - 1), float(self.space.whole)):
            return None
        between = math.sqrt(last.load * missed)
        return (
            min(max(self._tidy(between), last.load + 1), missed - 1)
            if self.space.whole
            else between
        )

    def _lower(self, bad: float) -> float:
        """Return the next load below every one so far: none has met yet."""
        ceilings = [s.answer.ceiling for s in self.steps if s.answer.ceiling is not None]
        lower = bad / self.space.growth
        ceiling = min(ceilings, default=lower)
        return self._tidy(ceiling if lower < ceiling < bad else lower)

    def _tidy(self, load: float) -> float:
        """Return a whole number, or four digits: what is shown is then what is played."""
        return float(max(1, round(load))) if self.space.whole else float(f"{load:.4g}")


def search(space: Space, play: Callable[[Ask], Answer]) -> CapacitySearch:
    """Search to the end.

    Args:
        space: What may be tried.
        play: Plays one load and says what it showed.
    """
    state = CapacitySearch(space)
    while (ask := state.next()) is not None:
        state = state.with_answer(ask, play(ask))
    return state


def _below(load: float, bad: float | None) -> bool:
    return bad is None or load < bad
