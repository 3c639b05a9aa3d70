"""Why shards that waited for others gave up, in words: the same ones at every shard."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

_NAMED = 10
"""Of so many shards a sentence names the hosts."""


def lost_sentence(
    level: str, lost: Mapping[int, str], arrived: Sequence[int], hosts: Sequence[str]
) -> str:
    """Return that shards are lost for which the others waited.

    Args:
        level: Where they waited.
        lost: Index of each to what is known of it, from ``lost_shards``.
        arrived: The shards that came.
        hosts: Name of the host of each shard, by index.
    """
    known = list(lost.items())
    whys = "; ".join(f"shard {index} ({hosts[index]}) {why}" for index, why in known[:_NAMED])
    others = [index for index, _ in known[_NAMED:]]
    more = f"; so are {_ranges(others)}" if others else ""
    there = sorted(set(arrived).difference(lost))
    came = f" There: {_named(there, hosts)}." if there else ""
    return (
        f"The shards do not wait any longer at level {level}: {whys}{more}.{came} The level "
        "generates no load. Look at the logs of the lost shards' hosts; a run that failed is run "
        "again as a whole."
    )


def late_sentence(
    level: str, arrived: Collection[int], hosts: Sequence[str], within_s: float, own: int
) -> str:
    """Return that shards did not arrive in time.

    Args:
        level: Where the others waited.
        arrived: The shards that came.
        hosts: Name of the host of each shard, by index.
        within_s: How long a shard waits.
        own: The shard that says so; it may be late itself.
    """
    count = len(hosts)
    missing = sorted(set(range(count)).difference(arrived))
    late = ""
    if own in missing:
        late = f" shard {own} of {count} on host {hosts[own]} came after they had given up."
    return (
        f"{len(missing)} of {count} shards did not arrive at level {level} within {within_s:g} s: "
        f"{_named(missing, hosts)}. There: {_named(sorted(arrived), hosts)}.{late} "
        "The level generates no load. Look at the logs of the missing shards' hosts, or raise "
        "the time that shards have to arrive; then run again."
    )


def _named(indices: Sequence[int], hosts: Sequence[str]) -> str:
    """Return the first shards with their hosts, and the indices of all others."""
    shown, others = indices[:_NAMED], indices[_NAMED:]
    names = ", ".join(f"{index} ({hosts[index]})" for index in shown)
    return f"{names}, and {_ranges(others)}" if others else names


def _ranges(ordered: Sequence[int]) -> str:
    """Return ascending numbers as people write them: ``0, 2-5``."""
    starts = [ordered[0], *(b for a, b in pairwise(ordered) if b != a + 1)]
    ends = [*(a for a, b in pairwise(ordered) if b != a + 1), ordered[-1]]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))
