"""Malloc is set in the processes of a campaign unless its scenario sets it."""

from __future__ import annotations

import pytest

from perf_pipeline.config.scenario.variables import Variables
from perf_pipeline.loadgen.endurance.exact_malloc import EXACT_MALLOC, TUNABLES, with_exact_malloc


def test_malloc_is_set_beside_what_the_scenario_sets() -> None:
    found = with_exact_malloc(Variables({"PLACE": "here"}, ("TOKEN",)))
    assert found.values == {"PLACE": "here", TUNABLES: EXACT_MALLOC}
    assert found.passed == ("TOKEN",)


@pytest.mark.parametrize(
    "own",
    [
        Variables({TUNABLES: "glibc.malloc.arena_max=4"}),
        Variables({"MALLOC_ARENA_MAX": "2"}),
        Variables({}, (TUNABLES,)),
    ],
)
def test_what_the_scenario_sets_of_malloc_stays_alone(own: Variables) -> None:
    assert with_exact_malloc(own) is own
