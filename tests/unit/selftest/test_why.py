"""Whether the selftest of explanations was a measurement."""

from __future__ import annotations

from perf_pipeline.selftest.figure import Size
from perf_pipeline.selftest.why import _named

PLANTED = ["order", "digest", "fold", "parse", "order"]
WRONG = ["order", "parse", "fold", "digest", "fold"]


def test_too_few_named_functions_on_a_crowded_machine_are_not_measured() -> None:
    """Found on two cores beside three other loads: 6 of 10 named, waits of 1.9 s a second."""
    crowded = _named(Size.FULL, WRONG, PLANTED, "", [0.2, 1.9, 1.8])
    assert (crowded.value, crowded.passed) == (None, False)
    assert "2 of 5, but threads waited 1.8 s for a core" in crowded.note


def test_on_a_quiet_machine_they_refute_the_claim_and_all_of_them_prove_it_anywhere() -> None:
    quiet = _named(Size.FULL, WRONG, PLANTED, "", [0.1, 0.2, 1.9])
    assert (quiet.value, quiet.passed) == (0.4, False)
    assert _named(Size.FULL, PLANTED, PLANTED, "", [1.9]).passed
