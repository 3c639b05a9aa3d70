"""What differs between two sides, and whether they compare all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.conditions import CODE, LOAD, UNDER_TEST
from perf_pipeline.errors import ScenarioError
from perf_pipeline.metrics.types.comparison import Difference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from perf_pipeline.analysis.comparison.side import Side

NOT_RECORDED = "conditions"
"""Name of the difference where a run does not say under which conditions it was measured."""

_NONE = "none"
_PARTS_MAX = 12


class NotComparableError(ScenarioError):
    """Two sides differ in what must match; ``problems`` has a sentence for each difference."""


def differences_of(
    baseline: Side,
    candidate: Side,
    *,
    under_test: Collection[str] = (UNDER_TEST, CODE),
    despite: Collection[str] = (),
) -> tuple[Difference, ...]:
    """Return what differs between two sides.

    Args:
        baseline: One side.
        candidate: The other.
        under_test: Names of what the comparison is about, and which may differ.
        despite: Names of what may differ all the same; the result says so.

    Raises:
        NotComparableError: Anything else differs.
        ScenarioError: ``despite`` names nothing that is compared.
    """
    names = dict.fromkeys(
        name for side in (baseline, candidate) for one in side.conditions for name in one
    )
    _refuse_unknown(despite, {*names, NOT_RECORDED})
    found = tuple(
        Difference(
            what,
            before,
            after,
            under_test=what in under_test and not mixed,
            despite=what in despite,
        )
        for what, before, after, mixed in _found(baseline, candidate, names)
    )
    problems = [
        f"different {one.what}: {one.baseline} in the baseline, {one.candidate} in the candidate. "
        f"Compare runs that match, or add --despite {one.what}, which the result records."
        for one in found
        if not (one.under_test or one.despite)
    ]
    if problems:
        raise NotComparableError(problems)
    return found


def _refuse_unknown(despite: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(despite) - set(known))
    if unknown and len(known) > 1:
        raise ScenarioError(
            [
                f"--despite {name} names nothing that must match; known are "
                f"{', '.join(sorted(known))}."
                for name in unknown
            ]
        )


def _found(
    baseline: Side, candidate: Side, names: Collection[str]
) -> Iterator[tuple[str, str, str, bool]]:
    """Yield name, both values, and whether the runs of one side differ among themselves."""
    silent = [any(not one for one in side.conditions) for side in (baseline, candidate)]
    if any(silent):
        texts = ["not recorded" if one else "recorded" for one in silent]
        yield NOT_RECORDED, texts[0], texts[1], True
    for name in names:
        if not all(any(name in one for one in side.conditions) for side in (baseline, candidate)):
            continue  # what a side does not say is not compared
        before, after = _values(baseline, name), _values(candidate, name)
        shared = before.keys() & after.keys()
        parts = shared if name == LOAD else before.keys() | after.keys()
        nothing = {_NONE}
        unlike = sorted(
            part for part in parts if len(before.get(part, nothing) | after.get(part, nothing)) > 1
        )
        if unlike:
            mixed = any(
                len(values.get(part, nothing)) > 1
                for side, values in ((baseline, before), (candidate, after))
                if not (side.spans_versions and name in (UNDER_TEST, CODE))
                for part in unlike
            )
            yield name, _text(unlike, before), _text(unlike, after), mixed


def _values(side: Side, name: str) -> dict[str, set[str]]:
    """Return the values of each part of a condition in the runs of a side that say it.

    The objects of a result file have the load of one level each, so that others lack it.
    """
    runs = [one[name] for one in side.conditions if name in one]
    parts = {part for one in runs for part in one}
    return {
        part: {one.get(part, _NONE) for one in runs if part in one or name != LOAD}
        for part in parts
    }


def _text(parts: list[str], values: dict[str, set[str]]) -> str:
    if all(values.get(part, {_NONE}) == {_NONE} for part in parts):
        return _NONE
    texts = [f"{part} {' or '.join(sorted(values.get(part, {_NONE})))}".strip() for part in parts]
    more = len(texts) - _PARTS_MAX
    shown = texts[:_PARTS_MAX] if more > 0 else texts
    return ", ".join([*shown, f"and {more} more"] if more > 0 else shown)
