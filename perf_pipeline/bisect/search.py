"""The search for the first bad release: which release is compared next, and what is known then.

The newest release is bad when its comparison with the good one shows a regression of the metric.
Any other release is bad when it is nearer to the newest than to the good one: worse by more than
half of the whole change, or than a limit that the user sets. So a release that is 1 % slower is not
taken for the one that doubled the time, and no comparison is more precise than the change needs.

The search halves the range between the newest good and the oldest bad release that are known: among
``n`` releases it takes at most ``1 + ceil(log2(n - 1))`` comparisons. It assumes that what is bad
stays bad: of several regressions it finds one, and one that was mended may be overlooked.

An unstable comparison is repeated with a greater effort, and never rounded to an answer: a release
that stays undecided, or cannot be measured, is passed over like one of ``git bisect skip``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from perf_pipeline.bisect.answer import AskedRelease, Bisection, answer_of, worsened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.bisect.answer import Outcome
    from perf_pipeline.metrics.types.comparison import Comparison

EFFORTS = (1, 2, 4)
"""Efforts of the comparisons of one release: so many times the budget, and the precision."""

WIDTH = 0.03
"""Half of the relative width of the interval that shows whether the newest release is bad."""

MAX_WIDTH = 0.2
"""Likewise, where the change is so great that a wider interval would do."""

MAX_UNDECIDED = 2
"""After so many undecided releases inside of the range the range is the result: its releases are
too close to the limit for this budget, and each further one would cost all efforts."""


class Measurer(Protocol):
    """What the search knows of the world."""

    def problem(self, release: str) -> str:
        """Return why a release cannot be measured; empty if it can."""

    def compare(self, good: str, candidate: str, effort: int, width: float) -> Comparison:
        """Compare two releases in one interleaved measurement.

        Args:
            good: The baseline.
            candidate: The release in question.
            effort: How much the measurement may cost, in units of the first one.
            width: Half of the relative width at which the interval is narrow enough.
        """


def find_first_bad(
    releases: Sequence[str],
    measurer: Measurer,
    metric: str,
    notify: Callable[[AskedRelease], None] = lambda _asked: None,
    limit: float | None = None,
    spent: Callable[[], str] = lambda: "",
) -> Bisection:
    """Find the first release that is worse than the first one.

    Args:
        releases: In the order of their versions, at least two; the first is the good one.
        measurer: Measures releases.
        metric: The metric that decides.
        notify: Called with each release that was asked about.
        limit: How much worse than the good one a bad release is, as ``worsening`` says it; None
            for half of the change of the newest release.
        spent: Returns why no further comparison is begun, when time is up; else empty text.
    """
    search = _Search(releases, measurer, metric, notify, limit, spent)
    if why := measurer.problem(releases[0]):
        return search.ended("unavailable", f"{releases[0]} cannot be measured: {why}")
    last = search.ask(len(releases) - 1)
    if last.answer == "good":
        return search.ended(
            "no_regression", f"{releases[-1]} is no worse than {releases[0]}: {last.why}"
        )
    if last.answer != "bad":
        outcome: Outcome = "unavailable" if last.answer == "skipped" else "undecided"
        return search.ended(outcome, f"{releases[-1]}: {last.why}")
    if limit is None:
        search.limit = worsened(last, metric) / 2
    return search.narrowed()


class _Search:
    """The state of one search.

    Attributes:
        low: Index of the newest release that is known as good.
        high: Index of the oldest release that is known as bad.
        limit: How much worse than the good one a bad release is; None before that is known.
    """

    def __init__(
        self,
        releases: Sequence[str],
        measurer: Measurer,
        metric: str,
        notify: Callable[[AskedRelease], None],
        limit: float | None,
        spent: Callable[[], str],
    ) -> None:
        self._releases = tuple(releases)
        self._measurer = measurer
        self._metric = metric
        self._notify = notify
        self._spent = spent
        self._asked: list[AskedRelease] = []
        self.low, self.high = 0, len(releases) - 1
        self.limit = limit

    def narrowed(self) -> Bisection:
        """Halve the range until no release in it is left to ask about."""
        passed_over: set[int] = set()
        undecided = 0
        while undecided <= MAX_UNDECIDED and not self._spent():
            left = [at for at in range(self.low + 1, self.high) if at not in passed_over]
            if not left:
                break
            at = self._next(left, sum(self.low < one < self.high for one in passed_over))
            match self.ask(at).answer:
                case "good":
                    self.low = at
                case "bad":
                    self.high = at
                case answer:
                    passed_over.add(at)
                    undecided += answer == "undecided"
        between = self._releases[self.low + 1 : self.high]
        good, bad = self._releases[self.low], self._releases[self.high]
        if not between:
            return self.ended("found", f"{bad} is the first bad release; {good} is still good")
        count = len(between) + 1
        why = f"the first bad release is one of {count}, from {between[0]} to {bad}"
        spent = self._spent()
        return self.ended("range", f"{why}; {good} is still good{f': {spent}' if spent else ''}")

    def _next(self, left: Sequence[int], passed_over: int) -> int:
        """Return the release to ask about: the middle one; with some passed over, far from them."""
        wanted = self.low + (self.high - self.low) * _spread(passed_over)
        return min(left, key=lambda at: (abs(at - wanted), at))

    def ask(self, at: int) -> AskedRelease:
        """Ask about one release, until there is an answer or every effort was made."""
        release = self._releases[at]
        if why := self._spent():
            asked = AskedRelease(release, "undecided", why)
        elif why := self._measurer.problem(release):
            asked = AskedRelease(release, "skipped", why)
        else:
            asked = self._compared(release)
        self._asked.append(asked)
        self._notify(asked)
        return asked

    def _compared(self, release: str) -> AskedRelease:
        ids: list[str] = []
        # Half of the distance from the limit to the good release, and to one as bad as the newest.
        wanted = WIDTH if self.limit is None else math.expm1(self.limit / 2)
        width = min(max(wanted, WIDTH), MAX_WIDTH)
        asked: AskedRelease | None = None
        for effort in EFFORTS:
            if why := self._spent():
                break
            comparison = self._measurer.compare(self._releases[0], release, effort, width / effort)
            ids.append(comparison.comparison_id)
            asked = answer_of(comparison, self._metric, release, tuple(ids), self.limit)
            if asked.answer != "undecided":
                break
        return asked or AskedRelease(release, "undecided", why)

    def ended(self, outcome: Outcome, why: str) -> Bisection:
        """Return what is known."""
        is_known = outcome in {"found", "range"}
        return Bisection(
            outcome=outcome,
            why=why,
            last_good=self._releases[self.low] if is_known else "",
            first_bad=self._releases[self.high] if is_known else "",
            between=self._releases[self.low + 1 : self.high] if is_known else (),
            asked=tuple(self._asked),
        )


def _spread(number: int) -> float:
    """Return the ``number``-th point that fills 0 to 1 evenly: 1/2, 1/4, 3/4, 1/8, 5/8, ..."""
    number, point, step = number + 1, 0.0, 0.5
    while number:
        point += step * (number % 2)
        number, step = number // 2, step / 2
    return point
