"""What a bisection found, as a table in Markdown that a terminal shows as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.bisect.arms import ARMS
from perf_pipeline.report.text.escape import visible
from perf_pipeline.report.text.quantity import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.bisect.answer import AskedRelease
    from perf_pipeline.bisect.arms import TwoArmResult

_HEAD = ("packages", "release", "answer", "effect", "interval", "comparisons")
_WHY_LENGTH = 200


def bisection_table(found: TwoArmResult) -> list[str]:
    """Return the answer of each arm, the cause, and a row for each release that was asked about."""
    rows = [_HEAD, tuple("-" * len(one) for one in _HEAD), *_rows(found)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    table = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in rows
    ]
    skipped = [
        f"- skipped, {arm}: {one.release}: {visible(one.why, length_max=_WHY_LENGTH)}"
        for arm, bisection in zip(ARMS, (found.published, found.pinned), strict=True)
        for one in bisection.skipped
    ]
    return [*answer_lines(found), "", *table, *([""] if skipped else []), *skipped]


def answer_lines(found: TwoArmResult) -> list[str]:
    """Return the answer of each arm and the cause, a line each."""
    lines = [
        f"- {arm}: {visible(bisection.why, length_max=_WHY_LENGTH)} "
        f"({counted(bisection.comparisons, 'comparison')})"
        for arm, bisection in zip(ARMS, (found.published, found.pinned), strict=True)
    ]
    if found.added:
        lines.append(
            f"- every pinned release also has {', '.join(found.added)}: the lock lacks what the "
            "good release imports"
        )
    if found.cause:
        release = found.published.first_bad
        why = visible(found.why, length_max=2 * _WHY_LENGTH)
        lines.append(f"- cause of {release} as published: {found.cause}: {why}")
    return lines


def _rows(found: TwoArmResult) -> Iterator[tuple[str, ...]]:
    for arm, bisection in zip(ARMS, (found.published, found.pinned), strict=True):
        yield from (_row(arm, one) for one in bisection.asked)
    if found.step is not None:
        good = found.published.last_good
        yield _row(f"pinned, against {good}", found.step)


def _row(arm: str, one: AskedRelease) -> tuple[str, ...]:
    effect = "" if one.effect is None else f"{one.effect:.3f}"
    interval = "" if one.low is None or one.high is None else f"{one.low:.3f} to {one.high:.3f}"
    return (arm, one.release, one.answer, effect, interval, str(len(one.comparisons)))
