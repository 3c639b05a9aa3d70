"""How long after an exhausted connection pool the same load is served as before it.

A level is back to normal from the first second on from which, to the end of its steady phase, every
``WINDOW_S`` seconds have at least ``SHARE`` of the throughput that the load before had, and at most
``MORE_ERRORS`` more of the workflows fail. Both levels begin with a ramp, so the time is how much
later than the level before the level after is there. The series has a value a second: the time is
known to a second either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.server_use import PoolRecovery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.records import TimePoint

WINDOW_S = 3
SHARE = 0.75
"""One level of each, measured once, shows no smaller change, and servers that did not recover slow
a target by more."""
MORE_ERRORS = 0.05
_RESOLUTION_S = 1.0


def pool_recoveries(levels: Sequence[LevelMetrics]) -> tuple[PoolRecovery, ...]:
    """Return every exhausted pool that has the same load before and after it.

    Args:
        levels: Of a run, in the order in which they ran.
    """
    return tuple(_recoveries(levels))


def normal_since_s(
    seconds: Sequence[TimePoint], until_s: float, floor_per_s: float, max_error_ratio: float
) -> float | None:
    """Return since when a series is normal, to ``until_s``; None if it is not at its end.

    Args:
        seconds: The level second by second.
        until_s: The series counts to here.
        floor_per_s: Minimum of ok workflows a second, mean of ``WINDOW_S`` seconds.
        max_error_ratio: Maximum share of failures in ``WINDOW_S`` seconds, 0 to 1.
    """
    known = [point for point in seconds if point.t_s + _RESOLUTION_S <= until_s]
    since_s: float | None = None
    for at in range(len(known) - WINDOW_S, -1, -1):
        window = known[at : at + WINDOW_S]
        ok = sum(point.ended_ok for point in window)
        failed = sum(point.ended_not_ok for point in window)
        if ok / WINDOW_S < floor_per_s or failed > max_error_ratio * (ok + failed):
            break
        since_s = known[at].t_s
    return since_s


def _recoveries(levels: Sequence[LevelMetrics]) -> Iterator[PoolRecovery]:
    closed = [level for level in levels if level.role == "level" and level.loop == "closed"]
    for at, level in enumerate(closed):
        pools = {
            use.server: (use.peak, use.limit)
            for use in level.connections
            if use.peak is not None and use.peak >= use.limit
        }
        if not pools:
            continue
        for before, after in _around(closed, at):
            yield _recovery(level, pools, before, after)


def _around(levels: Sequence[LevelMetrics], at: int) -> Iterator[tuple[LevelMetrics, LevelMetrics]]:
    """Yield the same load before and after a level, which differs from both."""
    for before in levels[:at]:
        for after in levels[at + 1 :]:
            alike = _load(before) == _load(after) != _load(levels[at])
            if alike and before.repeat == after.repeat == levels[at].repeat:
                yield before, after


def _load(level: LevelMetrics) -> tuple[int, tuple[tuple[str, int], ...]]:
    return level.concurrency, tuple((use.server, use.limit) for use in level.connections)


def _recovery(
    exhausted: LevelMetrics,
    pools: dict[str, tuple[int, int]],
    before: LevelMetrics,
    after: LevelMetrics,
) -> PoolRecovery:
    floor_per_s = SHARE * (before.throughput_per_s or 0.0)
    errors = (before.error_ratio or 0.0) + MORE_ERRORS
    ends_s = {level.label: level.phases.get("steady", (0.0, 0.0))[1] for level in (before, after)}
    first_s, then_s = (
        normal_since_s(level.seconds, ends_s[level.label], floor_per_s, errors)
        if floor_per_s
        else None
        for level in (before, after)
    )
    time_s = None if first_s is None or then_s is None else max(0.0, then_s - first_s)
    return PoolRecovery(
        exhausted=exhausted.label,
        before=before.label,
        after=after.label,
        pools=pools,
        time_s=time_s,
        low_s=None if time_s is None else max(0.0, time_s - _RESOLUTION_S),
        high_s=None if time_s is None else time_s + _RESOLUTION_S,
        watched_s=ends_s[after.label],
        floor_per_s=floor_per_s,
    )
