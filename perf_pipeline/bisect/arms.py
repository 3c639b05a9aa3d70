"""Both arms of a bisection, and the cause of what they find: the release's code, or its packages.

*As published*, each release brings the packages that it requires. *Pinned*, every release has the
same other packages, those of the target's lock, so that only its own code differs. Whatever of a
step as published is not there with pinned packages was caused by a package: a step of which less
than half is left was caused by dependencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from perf_pipeline.bisect.answer import worsened
from perf_pipeline.bisect.package_moves import PackageMoves, package_moves
from perf_pipeline.bisect.search import Measurer, find_first_bad

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perf_pipeline.bisect.answer import AskedRelease, Bisection
    from perf_pipeline.bisect.budget import Budget

Cause = Literal["code", "dependencies", "undecided", ""]
ARMS = ("as published", "pinned")


class Arm(Measurer, Protocol):
    """The measurer of one arm."""

    def packages(self, release: str) -> Mapping[str, str]:
        """Return the packages beside the target in a release's environment: name to version."""

    @property
    def added(self) -> tuple[str, ...]:
        """Packages that every release has besides those that the arm is about."""


@dataclass(frozen=True)
class TwoArmResult:
    """What both arms found.

    Attributes:
        published: With the packages that each release requires.
        pinned: With the packages of the target's lock.
        cause: Of the first bad release as published; empty unless one was found.
        why: A sentence.
        step: The comparison of the last good with the first bad release, pinned, where that was
            needed to tell the cause.
        moves: How the packages differ between the last good and the first bad release as published.
        added: What every pinned release has besides the packages of the lock.
    """

    published: Bisection
    pinned: Bisection
    cause: Cause
    why: str
    step: AskedRelease | None
    moves: PackageMoves
    added: tuple[str, ...] = ()

    @property
    def comparisons(self) -> int:
        """How many comparisons were measured."""
        of_step = len(self.step.comparisons) if self.step else 0
        return self.published.comparisons + self.pinned.comparisons + of_step


def bisect_both(
    releases: Sequence[str],
    published: Arm,
    pinned: Arm,
    metric: str,
    notify: Callable[[str, AskedRelease], None] = lambda _arm, _asked: None,
    limit: float | None = None,
    budget: Budget | None = None,
) -> TwoArmResult:
    """Search in both arms, and tell the cause of what is found as published.

    Args:
        releases: In the order of their versions, at least two; the first is the good one.
        published: Measures releases as published.
        pinned: Measures them with pinned packages.
        metric: The metric that decides.
        notify: Called with the arm and each release that was asked about.
        limit: As of ``find_first_bad``.
        budget: Of all comparisons together; None for no limit of time.
    """

    def searched(number: int, among: Sequence[str], limit: float | None) -> Bisection:
        if budget is not None:
            budget.begin_search(number, len(among))
        name, arm = ((ARMS[0], published), (ARMS[1], pinned), (ARMS[1], pinned))[number]
        spent = budget.spent if budget is not None else lambda: ""
        return find_first_bad(among, arm, metric, lambda one: notify(name, one), limit, spent)

    first, second = (searched(number, releases, limit) for number in range(2))
    if first.outcome != "found":
        return TwoArmResult(first, second, "", first.why, None, PackageMoves(), pinned.added)
    ends = (first.last_good, first.first_bad)
    moves = package_moves(*map(published.packages, ends))
    if (second.last_good, second.first_bad) == ends and second.outcome == "found":
        why = f"{ends[1]} is the first bad release with pinned packages as well"
        return TwoArmResult(first, second, "code", why, None, moves, pinned.added)
    half = _step(first, metric) / 2
    found = searched(2, ends, half)
    step = found.asked[0] if found.asked else None
    cause, why = _cause(found, moves)
    return TwoArmResult(first, second, cause, why, step, moves, pinned.added)


def _step(found: Bisection, metric: str) -> float:
    """Return how much worse the first bad release is than the last good one, by both effects."""
    effects = {one.release: worsened(one, metric) for one in found.asked}
    return effects[found.first_bad] - effects.get(found.last_good, 0.0)


def _cause(step: Bisection, moves: PackageMoves) -> tuple[Cause, str]:
    """Return the cause by the step from the last good to the first bad release, pinned."""
    match step.outcome:
        case "found":
            return "code", f"with pinned packages {step.first_bad} is worse than {step.last_good}"
        case "no_regression":
            moved = f" ({moves.summary})" if moves else ""
            return "dependencies", f"with pinned packages {step.why}{moved}"
        case _:
            return "undecided", f"with pinned packages {step.why}"
