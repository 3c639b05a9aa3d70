"""How malloc is set in the processes of a campaign, so that a leak differs from what malloc keeps.

By default glibc keeps freed memory for each thread (tcache), which then counts as handed out, and
gives threads up to eight arenas a core, which fragment apart. With many threads both grow for hours
on a target that leaks nothing; with one arena and no tcache they are full after the warm-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterable

TUNABLES = "GLIBC_TUNABLES"
EXACT_MALLOC = "glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1"
_OF_MALLOC = "MALLOC_"


def with_exact_malloc(variables: Variables) -> Variables:
    """Return the variables of a campaign's processes, with malloc set unless they set it."""
    names: Iterable[str] = (*variables.values, *variables.passed)
    if any(name == TUNABLES or name.startswith(_OF_MALLOC) for name in names):
        return variables
    return Variables({**variables.values, TUNABLES: EXACT_MALLOC}, variables.passed)
