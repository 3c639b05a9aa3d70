"""The three tiers of tests, by folder, and the time that a test of each may take.

Tier 1 (unit, known_truth) is pure; tier 2 (integration, assets, ui) uses real servers, processes
and browsers; tier 3 (performance) measures whole scenarios and holds a workflow, not a test, to
its 10 s. The time of a test is CPU time of its own process without fixtures: who else uses the
machine is not its fault. A slow machine is not either, so only twice the limit fails.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

_TESTS = Path(__file__).parent
LIMITS_S = {
    "unit": 1.0,
    "known_truth": 1.0,
    "integration": 5.0,
    "assets": 5.0,
    "ui": 5.0,
}
SLACK = 2.0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fail a test that takes more than twice the time of its tier; slow ones are exempt."""
    before_s = time.process_time()
    yield
    used_s = time.process_time() - before_s
    limit_s = LIMITS_S.get(item.path.relative_to(_TESTS).parts[0])
    if limit_s and used_s > SLACK * limit_s and item.get_closest_marker("slow") is None:
        pytest.fail(
            f"{used_s:.1f} s of CPU: a test of this tier may take {limit_s:.0f} s "
            f"({SLACK:.0f} times that fails); make it smaller, or mark it slow",
            pytrace=False,
        )
