"""The search for the greatest load that meets its objectives: which load is tried next.

Loads grow by a factor until one does not meet the objectives; then the gap between the greatest
load that met them and the smallest that did not is halved (in ratio) until it is narrow. The search
is an immutable value: it contains the steps so far and gives the next one.

A step that neither meets nor misses (its interval contains the limit, it was not steady, or it was
no measurement) is repeated once and longer; if it still does not decide, it counts as not met, with
its reason, and never as missed. So the whole interval of the greatest load that met is within the
limits, and the true capacity lies between it and the smallest load that missed. Remaining steps
lower the latter as long as all loads between the two are unclear.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.scenario.capacity_question import Space


NEAR_ABOVE = 1.05
"""Ratio at which a load that missed is near enough to one that is unclear."""

StepVerdict = Literal["met", "missed", "unclear", "not_steady", "not_measured"]


@dataclass(frozen=True)
class Answer:
    """The result of running one load.

    Attributes:
        verdict: ``met`` or ``missed``, or why it is neither.
        why: A sentence; empty when met.
        ceiling: A load that is too great by this step, and is tried before the middle; None if
            none is known.
    """

    verdict: StepVerdict
    why: str = ""
    ceiling: float | None = None

    @property
    def decides(self) -> bool:
        """True when a longer repetition is not needed."""
        return self.verdict in ("met", "missed")


@dataclass(frozen=True)
class Ask:
    """The next load to run.

    Attributes:
        load: Workflows in flight, or arrivals a second.
        longer: True when it has run already and did not decide.
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
        """True when it met every objective."""
        return self.answer.verdict == "met"


@dataclass(frozen=True)
class CapacitySearch:
    """The state of a search.

    Attributes:
        space: The loads that may be tried.
        steps: The loads tried so far, in order.
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
        """The smallest load that did not meet, for whatever reason; None without any."""
        return min((step.load for step in self.steps if not step.met), default=None)

    @property
    def first_missed(self) -> float | None:
        """The smallest load that missed: the capacity is below it; None without any."""
        missed = (step.load for step in self.steps if step.answer.verdict == "missed")
        return min(missed, default=None)

    @property
    def is_narrow(self) -> bool:
        """True when the greatest that met and the smallest that did not are near enough."""
        good, bad = self.last_good, self.first_bad
        if good is None or bad is None:
            return False
        nearest = max(good * self.space.resolution, 1.0 if self.space.whole else 0.0)
        return bad - good <= nearest * (1 + 1e-9)

    def next(self) -> Ask | None:
        """Return the next load to run; None when the search has ended."""
        if self.steps and len(self.steps[-1].answers) == 1 and not self.steps[-1].answer.decides:
            return Ask(self.steps[-1].load, longer=True)
        if len(self.steps) >= self.space.max_steps:
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
            return (
                None
                if good >= space.maximum
                else min(space.maximum, self._tidy(good * space.growth))
            )
        if good is None:
            return None if bad <= space.minimum else max(space.minimum, self._lower(bad))
        between = math.sqrt(good * bad)
        ceilings = [s.answer.ceiling for s in self.steps if s.answer.ceiling is not None]
        ceiling = min(ceilings, default=math.inf)
        if good * (1 + space.resolution) < ceiling < between:
            between = ceiling
        if not space.whole:
            return self._tidy(between)
        return float(min(max(round(between), good + 1), bad - 1))

    def _above_doubt(self) -> float | None:
        """Return a load between the greatest unclear one and the smallest that missed."""
        missed = self.first_missed
        doubtful = [step for step in self.steps if missed is None or step.load < missed]
        last = max(doubtful, key=lambda step: step.load)
        if last.answer.verdict != "unclear" or last.load >= self.space.maximum:
            return None
        if missed is None:
            return min(self.space.maximum, self._tidy(last.load * self.space.growth))
        if missed - last.load <= max(last.load * (NEAR_ABOVE - 1), float(self.space.whole)):
            return None
        between = math.sqrt(last.load * missed)
        return (
            min(max(self._tidy(between), last.load + 1), missed - 1)
            if self.space.whole
            else between
        )

    def _lower(self, bad: float) -> float:
        """Return the next load below every one so far, none of which met."""
        ceilings = [s.answer.ceiling for s in self.steps if s.answer.ceiling is not None]
        lower = bad / self.space.growth
        ceiling = min(ceilings, default=lower)
        return self._tidy(ceiling if lower < ceiling < bad else lower)

    def _tidy(self, load: float) -> float:
        """Return a whole number, or four digits, so that the load shown is the load run."""
        return float(max(1, round(load))) if self.space.whole else float(f"{load:.4g}")


def search(space: Space, play: Callable[[Ask], Answer]) -> CapacitySearch:
    """Search to the end.

    Args:
        space: The loads that may be tried.
        play: Runs one load and returns its result.
    """
    state = CapacitySearch(space)
    while (ask := state.next()) is not None:
        state = state.with_answer(ask, play(ask))
    return state


def _below(load: float, bad: float | None) -> bool:
    return bad is None or load < bad
