"""The registry names what is served: no more, so that no rule or board waits for ever, no less."""

from __future__ import annotations

import re
from pathlib import Path

import perf_pipeline.monitoring
from perf_pipeline.monitoring.metric_registry import BY_NAME


def test_every_metric_of_the_registry_is_made_somewhere_and_no_other() -> None:
    folder = Path(perf_pipeline.monitoring.__file__).parent
    made = {
        name
        for path in folder.glob("*.py")
        if path.name != "metric_registry.py"
        for name in re.findall(r'"(loadtest_[a-z0-9_]+)"', path.read_text())
    }
    assert made == set(BY_NAME)
