"""Counting outcomes slice by slice."""

from __future__ import annotations

from collections import Counter

import numpy as np

from perf_pipeline.metrics.records.outcome_counts import OutcomeCounts
from perf_pipeline.samples.record import ErrorClass, Outcome
from tests.simulated_level import Row, frame_of


def test_counts_of_slices_are_those_of_looking_at_every_record() -> None:
    """Abandoned and dropped workflows are counted, but were never answered in the window."""
    rng = np.random.default_rng(2)
    rows = [
        Row(n, n, n + 1, kind=n % 3, outcome=outcome, error_class=n % 7 + 1 if outcome == 1 else 0)
        for n, outcome in enumerate(rng.integers(0, 5, 200).tolist())
    ]

    everything, answered = OutcomeCounts.of(frame_of(rows), (50, 150), rows=13)

    inside = [row for row in rows if 50 <= row.end_ns < 150 and row.outcome <= Outcome.TIMEOUT]
    for counts, own in ((everything, rows), (answered, inside)):
        outcomes = Counter(Outcome(row.outcome).name.lower() for row in own)
        classes = Counter(ErrorClass(r.error_class).name.lower() for r in own if r.outcome == 1)
        assert counts.outcomes == {each.name.lower(): 0 for each in Outcome} | outcomes
        assert counts.error_classes == classes
        ok = [sum(row.kind == kind and row.outcome == 0 for row in own) for kind in range(3)]
        assert counts.ok(3) == tuple(ok)
    assert (everything + answered).outcomes["ok"] == sum(everything.ok(3)) + sum(answered.ok(3))
