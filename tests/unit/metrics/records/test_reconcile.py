"""Writes are compared to records by number: equal sums of different workflows do not cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.metrics.records.counted_writes import count_writes
from perf_pipeline.metrics.records.reconcile import reconcile
from perf_pipeline.metrics.types.records import Writes
from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.targets.target import Kind
from tests.simulated_level import at_s, frame_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulated_level import Row

KINDS = [
    Kind("transformation", "simple"),
    Kind("analytics", "medium"),
    Kind("analytics", "complex"),
]


def _reconciled(
    rows: list[Row], kinds: list[Kind], found_on: dict[str, Callable[[], set[int]]]
) -> list[Writes]:
    return reconcile(frame_of(rows), kinds, count_writes(kinds, found_on))


def test_a_missing_and_an_extra_write_are_two_differences() -> None:
    """Expected of ok workflows 1 to 4; found 2 to 5, of which 5 had failed after its write."""
    rows = [at_s(n, n, n + 1, kind=2) for n in (1, 2, 3, 4)]
    rows += [at_s(5, 5, 6, kind=2, outcome=Outcome.ERROR), at_s(6, 6, 7, kind=0)]

    found = _reconciled(rows, KINDS, {"postgres": lambda: {2, 3, 4, 5}})

    assert found == [Writes("postgres", expected=4, found=4, missing=1, extra=1, extra_failed=1)]


def test_a_write_of_a_failed_workflow_is_told_from_one_whose_answer_was_lost() -> None:
    """Found of workflows 1 to 5: ok, failed afterwards, timed out, connection lost, cut short."""
    failed = {"outcome": Outcome.ERROR, "error_class": ErrorClass.WORKFLOW_ERROR}
    lost = {"outcome": Outcome.ERROR, "error_class": ErrorClass.CONNECTION}
    rows = [
        at_s(1, 1, 2, kind=2),
        at_s(2, 2, 3, kind=2, **failed),
        at_s(3, 3, 4, kind=2, outcome=Outcome.TIMEOUT),
        at_s(4, 4, 5, kind=2, **lost),
        at_s(5, 5, 6, kind=2, outcome=Outcome.ABANDONED),
    ]

    (write,) = _reconciled(rows, KINDS, {"postgres": lambda: {1, 2, 3, 4, 5}})

    assert (write.missing, write.extra, write.extra_failed, write.extra_unknown) == (0, 4, 1, 3)


def test_only_kinds_that_write_to_a_server_are_expected_there() -> None:
    """Medium analytics caches in Redis, complex writes its result to PostgreSQL too."""
    rows = [at_s(n, n, n + 1, kind=n % 3) for n in range(9)]

    found = _reconciled(
        rows, KINDS, {"postgres": lambda: {2, 5, 8}, "redis": lambda: {1, 2, 4, 5, 7, 8}}
    )

    assert [(w.server, w.expected, w.missing, w.extra) for w in found] == [
        ("postgres", 3, 0, 0),
        ("redis", 6, 0, 0),
    ]


def test_a_server_that_no_workflow_writes_to_is_not_asked() -> None:
    def ask() -> set[int]:
        raise AssertionError("asked for nothing")

    assert _reconciled([at_s(0, 0, 1)], KINDS[:1], {"postgres": ask, "redis": ask}) == []


def test_a_server_that_cannot_be_asked_is_a_problem_not_a_zero() -> None:
    def refuse() -> set[int]:
        raise ConnectionRefusedError(111, "Connection refused")

    (write,) = _reconciled([at_s(0, 0, 1, kind=2)], KINDS, {"postgres": refuse})

    assert (write.expected, write.found, write.missing, write.extra) == (1, None, None, None)
    assert write.problem is not None
    assert "Connection refused" in write.problem


def test_cold_starts_write_too() -> None:
    """Their numbers are negative, and their rows are on the server like any other."""
    rows = [at_s(-1, 0, 1, kind=2, flags=1), at_s(0, 1, 2, kind=2)]

    (write,) = _reconciled(rows, KINDS, {"postgres": lambda: {0}})

    assert (write.expected, write.missing) == (2, 1)
