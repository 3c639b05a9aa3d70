"""Did the target itself fail: nothing succeeded, or more failed than the scenario tolerates?

Three rules, of the workflows of the load (cold starts are not among them):

- None succeeded, and at least one failed or was dropped. Or nothing at all was answered, the cold
  starts included: the target hangs. One failure is enough: no share is estimated.
- The target hangs: until the load ended nothing was answered for ``HANGS_S`` or more, far longer
  than any workflow had taken (``metrics/records/hanging.py``). After less that is in doubt.
- Of at least ``MIN_JUDGED`` that ended in the steady phase (of the whole load, where fewer ended
  in it), a greater share failed than is tolerated. Dropped workflows are not in that share: a
  load above the capacity drops most arrivals at a target that works.
- The scenario ended the level because too many failed (``[stop] error_ratio``).

Tolerated is ``max_error_ratio`` of the scenario, by default the majority: above it, times and
throughput are those of failing. An objective on ``error_ratio`` that allows more raises it.
Workflows whose records were lost count as ok, so that a lost worker does not make a failed target.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perf_pipeline.metrics.resources.exhaustion import CLASS as EXHAUSTION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.metrics.types.records import Hanging

MIN_JUDGED = 20
"""A share of fewer workflows is not judged, as in ``[stop] error_ratio``."""

HANGS_S = 30.0
"""Without an answer for so long, and 10 times as long as any workflow took, a target hangs."""

EXAMPLE_LENGTH_MAX = 200


@dataclass(frozen=True)
class Ended:
    """How the workflows of a level ended; each mapping is outcome to workflows.

    Attributes:
        load: Of the whole load, without cold starts.
        steady: Those that ended in the steady phase.
        cold: The cold starts.
        error_classes: Class to errors, whole level.
        error_examples: Class to texts.
        lacking: Which resources ran out; empty for none.
        unknown: Workflows that were started and of which no record is left.
        stopped: Why the scenario ended the level for its failures; empty if it did not.
        hanging: Workflows that hang; None for none.
    """

    load: Mapping[str, int]
    steady: Mapping[str, int] = field(default_factory=dict)
    cold: Mapping[str, int] = field(default_factory=dict)
    error_classes: Mapping[str, int] = field(default_factory=dict)
    error_examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lacking: str = ""
    unknown: int = 0
    stopped: str = ""
    hanging: Hanging | None = None


@dataclass(frozen=True)
class TargetFailure:
    """The finding that the target failed.

    Attributes:
        reason: What failed, and of what most often.
        nothing_worked: No workflow succeeded, and no record is missing that might be of one.
        by_waiting: Without its timeouts the target would not have failed: a late generator or
            a neighbour on the machine may be the cause.
    """

    reason: str
    nothing_worked: bool
    by_waiting: bool


def tolerated_error_ratio(
    max_error_ratio: float, slos: Sequence[Slo], role: str, label: str
) -> float:
    """Return the share of failures above which the target of a level has failed.

    Args:
        max_error_ratio: Of the scenario.
        slos: Its objectives; those on the failures of the whole level count if they allow more.
        role: Of the level.
        label: Likewise.
    """
    allowed = [
        slo.limit
        for slo in slos
        if slo.metric == "error_ratio" and slo.family is None and slo.applies_to(role, label)
    ]
    return max(max_error_ratio, *allowed) if allowed else max_error_ratio


def target_failure(ended: Ended, tolerated: float) -> TargetFailure | None:
    """Return how the target failed; None if it did not, or too little is known.

    Args:
        ended: How the level's workflows ended.
        tolerated: Greatest share of failures, 0 to 1.
    """
    load, cold = ended.load, ended.cold
    lost = _failed(load) + load.get("dropped", 0)
    known = not ended.unknown
    if known and not load.get("ok") and lost:
        count = sum(load.values())
        what = f"none of the {count} workflows of the load succeeded{_of_what(ended)}"
        return TargetFailure(what, nothing_worked=True, by_waiting=False)
    answered = load.get("ok", 0) + cold.get("ok", 0)
    begun = sum(load.values()) + sum(cold.values())
    if known and begun and not answered:
        count = sum(load.values())
        of_load = f"none of the {count} workflows of the load was answered before it ended"
        what = f"no cold start succeeded, and {of_load if count else 'the load never began'}"
        return TargetFailure(what + _of_what(ended), nothing_worked=True, by_waiting=False)
    hanging = ended.hanging
    if known and hanging and hanging.silent_s >= max(HANGS_S, hanging.limit_s):
        what = f"the target hangs: {hanging.sentence}"
        return TargetFailure(what, nothing_worked=not hanging.answered, by_waiting=False)
    found = _above_tolerated(ended, tolerated)
    if found is None and ended.stopped:
        what = f"the level was ended: {ended.stopped}{_of_what(ended)}"
        found = TargetFailure(what, nothing_worked=False, by_waiting=not load.get("error"))
    return found


def _above_tolerated(ended: Ended, tolerated: float) -> TargetFailure | None:
    where, counts = "in the steady phase", ended.steady
    if _answered(counts) < MIN_JUDGED:
        where, counts = "in the whole load", ended.load
    count = _answered(counts)
    if count < MIN_JUDGED:
        return None
    failed, possible = _failed(counts), count + ended.unknown
    if failed <= tolerated * possible:
        return None
    what = (
        f"{failed} of {count} workflows ({100 * failed / count:.3g} %) that ended {where} failed "
        f"(tolerated: {100 * tolerated:.3g} %, max_error_ratio){_of_what(ended)}"
    )
    by_waiting = counts.get("error", 0) <= tolerated * possible
    return TargetFailure(what, nothing_worked=False, by_waiting=by_waiting)


def _of_what(ended: Ended) -> str:
    """Return the most frequent kind of failure with an example, as the tail of a sentence."""
    errors = sum(ended.error_classes.values())
    others = {
        "timeouts": ended.load.get("timeout", 0) + ended.cold.get("timeout", 0),
        "arrivals that were dropped, because no slot was free": ended.load.get("dropped", 0),
        "workflows that were still in flight at its end": ended.load.get("abandoned", 0),
    }
    other = max(others, key=lambda name: others[name])
    if not errors or others[other] > max(ended.error_classes.values()):
        return f"; most are {other}: {others[other]}" if others[other] else ""
    name = max(ended.error_classes, key=lambda one: ended.error_classes[one])
    text = next(iter(ended.error_examples.get(name, ())), "")
    shown = text if len(text) <= EXAMPLE_LENGTH_MAX else f"{text[:EXAMPLE_LENGTH_MAX]}..."
    said = f": {' '.join(shown.split())}" if shown else ""
    lacking = f"; {ended.lacking}" if ended.lacking and name == EXHAUSTION else ""
    return (
        f"; most frequent class of errors: {name}, {ended.error_classes[name]} of {errors} in the "
        f"whole level{said}{lacking}"
    )


def _failed(counts: Mapping[str, int]) -> int:
    return counts.get("error", 0) + counts.get("timeout", 0)


def _answered(counts: Mapping[str, int]) -> int:
    return counts.get("ok", 0) + _failed(counts)
